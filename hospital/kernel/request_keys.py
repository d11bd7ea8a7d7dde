"""Same key and same input: same answer. Same key and other input: refusal.

`claim` inserts the key inside the caller's transaction, so a second tap waits for the first
commit and then reads its answer; a rollback frees the key.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from hospital.kernel.errors import Refusal
from hospital.kernel.fingerprints import fingerprint
from hospital.kernel.models import RequestKey

_CLAIM = """
    INSERT INTO kernel_requestkey (key, scope, input_digest, created_at)
    VALUES (%s, %s, %s, %s) ON CONFLICT (scope, key) DO NOTHING RETURNING id
"""
_FINISH = "UPDATE kernel_requestkey SET answer = %s::jsonb WHERE id = %s"


class KeyReused(Refusal):
    code = "KEY_REUSED"
    default_message = "这个页面已经提交过其他内容，请刷新页面后重试。"


class KeyMissing(Refusal):
    """A form came without the key its page had given it: nothing could tell a second tap."""

    code = "KEY_MISSING"
    default_message = "页面没有完整打开，请刷新后重试。"


@dataclass(frozen=True)
class Claim:
    """`answer` is what the first request was told, or None when this is the first."""

    id: int
    answer: dict[str, Any] | None

    def finish(self, answer: Mapping[str, object]) -> None:
        """Keep the answer for those who ask again with this key."""
        with connection.cursor() as cursor:
            cursor.execute(_FINISH, [json.dumps(dict(answer)), self.id])


def claim(*, key: str, scope: str, inputs: Mapping[str, object], at: dt.datetime) -> Claim:
    """Claim a key for one action within the caller's transaction. Raises KeyMissing, KeyReused."""
    assert connection.in_atomic_block, "a request key outside a transaction protects nothing"
    if not key.isprintable() or not key.strip():
        raise KeyMissing
    digest = fingerprint(inputs)
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [key, scope, digest, at])
        row = cursor.fetchone()
    if row is not None:
        return Claim(int(row[0]), None)
    known = RequestKey.objects.get(scope=scope, key=key)
    if known.input_digest != digest:
        raise KeyReused
    return Claim(known.pk, known.answer or {})
