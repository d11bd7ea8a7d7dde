"""Safe mode of the callbacks: signatures over sorted texts, AES-256-CBC around the message.

Sealed is: 16 random bytes, the length (4 bytes, big-endian), the message, the appid, padded PKCS7
to blocks of 32. The initial vector is the first half of the key.
"""

from __future__ import annotations

import base64
import hashlib
import secrets

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

BLOCK = 32
RANDOM = 16


class BadSeal(Exception):
    """The text is not something sealed with this key."""


def signature(*parts: str) -> str:
    """SHA-1 over the sorted, joined parts."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def seal(aes_key: str, appid: str, message: bytes) -> str:
    """The message under the 43-letter key, as base64."""
    plain = secrets.token_bytes(RANDOM) + len(message).to_bytes(4, "big") + message + appid.encode()
    spare = BLOCK - len(plain) % BLOCK
    encryptor = _cipher(aes_key).encryptor()
    sealed = encryptor.update(plain + bytes([spare]) * spare) + encryptor.finalize()
    return base64.b64encode(sealed).decode()


def unseal(aes_key: str, text: str) -> tuple[bytes, str]:
    """Message and appid; raises BadSeal."""
    try:
        sealed = base64.b64decode(text, validate=True)
        decryptor = _cipher(aes_key).decryptor()
        padded = decryptor.update(sealed) + decryptor.finalize()
    except ValueError as bad:
        raise BadSeal("not base64 of whole blocks") from bad
    spare = padded[-1] if padded else 0
    if not 1 <= spare <= BLOCK or padded[-spare:] != bytes([spare]) * spare:
        raise BadSeal("wrong padding")
    plain = padded[:-spare]
    start = RANDOM + 4
    end = start + int.from_bytes(plain[RANDOM:start], "big")
    if len(plain) < start or end > len(plain):
        raise BadSeal("wrong length")
    return plain[start:end], plain[end:].decode("utf-8", "replace")


def _cipher(aes_key: str) -> Cipher[CBC]:
    key = base64.b64decode(f"{aes_key}=")
    return Cipher(AES256(key), CBC(key[:16]))
