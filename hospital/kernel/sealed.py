"""Personal data at rest: AES-GCM with the key's id in the value, and a keyed blind index (law 15).

Keys come from the environment: FIELD_KEYS="k2:<base64>,k1:<base64>", the first one seals, all of
them open, so keys rotate without downtime. BLIND_INDEX_KEY keys the index and must not change.
"""

import base64
import hashlib
import hmac
import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

_NONCE_BYTES = 12


def current_key_id() -> str:
    """The id of the key that seals now."""
    return next(iter(_ciphers()))


def seal(text: str) -> str:
    """`text` encrypted under the current key, as "keyid:base64"."""
    key_id, cipher = next(iter(_ciphers().items()))
    nonce = os.urandom(_NONCE_BYTES)
    sealed = nonce + cipher.encrypt(nonce, text.encode(), key_id.encode())
    return f"{key_id}:{base64.b64encode(sealed).decode()}"


def unseal(value: str) -> str:
    """The text of a sealed value. Raises InvalidTag when it was tampered with."""
    key_id, _, body = value.partition(":")
    sealed = base64.b64decode(body)
    cipher = _ciphers()[key_id]
    return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], key_id.encode()).decode()


def seal_bytes(content: bytes) -> bytes:
    """`content` encrypted under the current key, as b"keyid:" and the sealed bytes."""
    key_id, cipher = next(iter(_ciphers().items()))
    nonce = os.urandom(_NONCE_BYTES)
    return key_id.encode() + b":" + nonce + cipher.encrypt(nonce, content, key_id.encode())


def unseal_bytes(value: bytes) -> bytes:
    """The content of sealed bytes. Raises InvalidTag when they were tampered with."""
    key_id, _, sealed = value.partition(b":")
    cipher = _ciphers()[key_id.decode()]
    return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], key_id)


def blind_index(value: str, purpose: str) -> str:
    """A keyed fingerprint for equality search; `purpose` keeps phones and IDs apart."""
    key = settings.BLIND_INDEX_KEY.encode()
    digest = hmac.new(key, f"{purpose}\0{value}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _ciphers() -> dict[str, AESGCM]:
    return _opened(settings.FIELD_KEYS)


@lru_cache(maxsize=4)
def _opened(text: str) -> dict[str, AESGCM]:
    ciphers = {}
    for part in text.split(","):
        key_id, _, key = part.strip().partition(":")
        ciphers[key_id] = AESGCM(base64.b64decode(key))
    return ciphers


if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


class SealedCharField(_TextField):
    """Clear text in Python, sealed text in the column. Not searchable: index beside it."""

    def get_prep_value(self, value: Any) -> Any:
        return seal(value) if value else value

    def from_db_value(self, value: Any, *_: object) -> Any:
        return unseal(value) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name not in ("isnull", "exact"):
            raise TypeError("a sealed field cannot be searched; use its blind index")
        return super().get_lookup(lookup_name)


if TYPE_CHECKING:
    _BinaryField = models.BinaryField[bytes | None, bytes | None]
else:
    _BinaryField = models.BinaryField


class SealedBinaryField(_BinaryField):
    """Clear bytes in Python, sealed ones in the column."""

    def get_prep_value(self, value: Any) -> Any:
        return seal_bytes(bytes(value)) if value else value

    def from_db_value(self, value: Any, *_: object) -> Any:
        return unseal_bytes(bytes(value)) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name not in ("isnull", "exact"):  # exact finds the empty ones
            raise TypeError("sealed bytes cannot be searched")
        return super().get_lookup(lookup_name)
