"""The keyed marks on audit rows and seals: whoever has the database but not the key forges none.

AUDIT_KEYS="a2:<base64>,a1:<base64>": the first one signs, all of them verify. A key stays in the
list as long as rows marked with it are kept. Each use has a key of its own, derived from it.
"""

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal

from django.conf import settings

from hospital.kernel.models import AuditEntry, AuditSeal, AuditVerification

Use = Literal["entry", "seal", "verification"]
#: What the mark of an entry covers, in this order: every column but the mark itself.
MARKED: Final = (
    "id",
    "act",
    "subject_type",
    "subject_id",
    "person_id",
    "by",
    "role",
    "address",
    "device",
    "at",
    "before",
    "after",
    "reason",
    "result",
    "request_id",
)


class UnknownKey(Exception):
    """A row is marked with a key AUDIT_KEYS does not hold."""


def signing_key_id() -> str:
    """The id of the key that signs now."""
    return next(iter(_keys()))


def canonical(entry: AuditEntry) -> bytes:
    """The row as bytes, the same before it was written and after it was read back."""
    return _bytes([getattr(entry, column) for column in MARKED])


def mark(entry: AuditEntry) -> str:
    """The mark of a row under the signing key, as "keyid:digest"."""
    key_id = signing_key_id()
    return f"{key_id}:{_digest(key_id, 'entry', canonical(entry))}"


def is_marked(entry: AuditEntry, content: bytes) -> bool:
    """Whether the row's mark fits its content (`canonical`). Raises UnknownKey."""
    key_id, _, digest = entry.mac.partition(":")
    return hmac.compare_digest(digest, _digest(key_id, "entry", content))


def seal_digest(seal: AuditSeal, *, previous: str, rows: str) -> str:
    """The digest of a seal under its own key: over the previous seal, its rows and its columns.

    `rows` is the SHA-256 of the covered rows. Raises UnknownKey.
    """
    content = [
        previous,
        seal.through_id,
        seal.entries,
        seal.late,
        seal.holes,
        seal.sealed_at,
        rows,
    ]
    return _digest(seal.key_id, "seal", _bytes(content))


def verification_mark(row: AuditVerification) -> str:
    """The mark of a stored verification under the signing key, as "keyid:digest"."""
    key_id = signing_key_id()
    return f"{key_id}:{_digest(key_id, 'verification', _verification(row))}"


def is_own_verification(row: AuditVerification) -> bool:
    """Whether we wrote this verification as it stands there."""
    key_id, _, digest = row.mac.partition(":")
    try:
        return hmac.compare_digest(digest, _digest(key_id, "verification", _verification(row)))
    except UnknownKey:
        return False


def _verification(row: AuditVerification) -> bytes:
    return _bytes(
        [
            row.at,
            row.entries,
            row.seals,
            row.unsealed,
            row.through_id,
            row.digest,
            row.is_sound,
            row.findings,
        ]
    )


def plain(values: Mapping[str, object]) -> dict[str, object]:
    """Values as they will be when read back from JSON: keys are texts, tuples lists."""
    read_back: dict[str, object] = json.loads(json.dumps(dict(values)))
    return read_back


def _bytes(values: list[object]) -> bytes:
    normal = [_normal(value) for value in values]
    return json.dumps(normal, sort_keys=True, separators=(",", ":")).encode()


def _normal(value: object) -> object:
    """Moments in UTC; and whole numbers whole, for PostgreSQL gives 1e16 back as one."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, dict):
        return {key: _normal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_normal(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _digest(key_id: str, use: Use, content: bytes) -> str:
    return hmac.digest(_key(key_id, use), content, "sha256").hex()


def _key(key_id: str, use: Use) -> bytes:
    try:
        return _keys()[key_id][use]
    except KeyError:
        raise UnknownKey(key_id) from None


def _keys() -> dict[str, dict[Use, bytes]]:
    return _derived(settings.AUDIT_KEYS)


@lru_cache(maxsize=4)
def _derived(text: str) -> dict[str, dict[Use, bytes]]:
    uses: tuple[Use, ...] = ("entry", "seal", "verification")
    keys: dict[str, dict[Use, bytes]] = {}
    for part in text.split(","):
        key_id, _, key = part.strip().partition(":")
        secret = base64.b64decode(key)
        keys[key_id] = {
            use: hmac.new(secret, f"xinglin audit {use}".encode(), hashlib.sha256).digest()
            for use in uses
        }
    return keys
