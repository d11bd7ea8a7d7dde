"""Signatures and sealing of the Official Account's callbacks ("safe mode"). Pure, like `signing`.

Sealed text: 16 random bytes, the length of the message in 4 bytes, the message, the app id;
AES-256-CBC with PKCS7 in blocks of 32. The initialisation vector is the head of the key.
"""

import hashlib
import hmac
import secrets
import struct
from base64 import b64decode, b64encode
from binascii import Error as NotBase64

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from hospital.wechat.signing import Unreadable

AES_KEY_LETTERS = 43
_KEY_BYTES, _BLOCK, _FILLER, _RANDOM, _LENGTH = 32, 16, 32, 16, 4


def signature(*parts: str) -> str:
    """SHA-1 over the parts, sorted and joined: the token, the stamp, the nonce, a sealed text."""
    text = "".join(sorted(parts)).encode()
    return hashlib.sha1(text, usedforsecurity=False).hexdigest()


def is_signed(given: str, *parts: str) -> bool:
    """Compared in constant time, so that nobody learns a signature letter by letter."""
    return hmac.compare_digest(given.encode(), signature(*parts).encode())


def aes_key(letters: str) -> bytes:
    """The key behind the console's EncodingAESKey of 43 letters. Raises Unreadable."""
    if len(letters) != AES_KEY_LETTERS:
        raise Unreadable("aes_key_length")
    try:
        # Not strict: the last letter carries two bits that mean nothing and are often set.
        key = b64decode(f"{letters}=")
    except (NotBase64, ValueError) as error:
        raise Unreadable("aes_key") from error
    if len(key) != _KEY_BYTES:
        raise Unreadable("aes_key")
    return key


def seal(message: bytes, *, key: bytes, appid: str, start: bytes = b"") -> str:
    """Seal a message to or from the app; `start` are its 16 random bytes, made when not given."""
    head = start or secrets.token_bytes(_RANDOM)
    plain = head + struct.pack(">I", len(message)) + message + appid.encode()
    filler = _FILLER - len(plain) % _FILLER
    encryptor = Cipher(AES(key), CBC(key[:_BLOCK])).encryptor()
    sealed = encryptor.update(plain + bytes([filler]) * filler) + encryptor.finalize()
    return b64encode(sealed).decode()


def unseal(text: str, *, key: bytes) -> tuple[bytes, str]:
    """The message in a sealed text, and the app id it was sealed for. Raises Unreadable.

    Only for texts whose signature has been proved: padding is not told apart in the error.
    """
    try:
        sealed = b64decode(text, validate=True)
        decryptor = Cipher(AES(key), CBC(key[:_BLOCK])).decryptor()
        padded = decryptor.update(sealed) + decryptor.finalize()
    except (NotBase64, ValueError) as error:
        raise Unreadable("sealed") from error
    filler = padded[-1] if padded else 0
    if not 1 <= filler <= _FILLER or padded[-filler:] != bytes([filler]) * filler:
        raise Unreadable("sealed")
    plain = padded[_RANDOM:-filler]
    if len(plain) < _LENGTH:
        raise Unreadable("sealed")
    (length,) = struct.unpack(">I", plain[:_LENGTH])
    message, appid = plain[_LENGTH : _LENGTH + length], plain[_LENGTH + length :]
    if len(message) != length:
        raise Unreadable("sealed")
    try:
        return message, appid.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("sealed") from error
