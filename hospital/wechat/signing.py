"""Pure cryptography of WeChat: signatures of requests, answers, notices, pages; sealed resources.

No clock, no network, no settings: everything is an argument, so every published test vector can be
checked against it. Bytes are signed and verified exactly as they travel.
"""

import hashlib
import secrets
import string
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

SCHEME = "WECHATPAY2-SHA256-RSA2048"
FRESH_SECONDS = 300
NONCE_LENGTH = 32

KeyOf = Callable[[str], RSAPublicKey | None]
"""Finds WeChat's key by the serial a message names; None when it is not one of WeChat's."""


class Untrusted(Exception):
    """A message does not prove that it comes from WeChat. `reason` is a slug for logs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unreadable(Exception):
    """A sealed resource does not open with our key."""


def nonce() -> str:
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(NONCE_LENGTH))


def sign(*, key: RSAPrivateKey, text: bytes) -> str:
    """RSA PKCS#1 v1.5 over SHA-256, in base64."""
    return b64encode(key.sign(text, PKCS1v15(), SHA256())).decode()


def verify(*, key: RSAPublicKey, text: bytes, signature: str) -> bool:
    try:
        key.verify(b64decode(signature, validate=True), text, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        # Not base64 at all, or letters outside ASCII in a header anybody may write.
        return False
    return True


def lines(*parts: str | bytes) -> bytes:
    """Every part ended by LF, the last one too: the shape of all texts WeChat signs."""
    return b"".join((part.encode() if isinstance(part, str) else part) + b"\n" for part in parts)


def request_text(*, method: str, target: str, timestamp: str, nonce: str, body: bytes) -> bytes:
    """The five lines of a request; `target` is path and query exactly as sent, without host."""
    return lines(method, target, timestamp, nonce, body)


@dataclass(frozen=True, kw_only=True)
class Signer:
    """The merchant's side of request signing."""

    mchid: str
    serial: str
    key: RSAPrivateKey

    def authorization(
        self, *, method: str, target: str, body: bytes, at: datetime, nonce: str
    ) -> str:
        timestamp = str(int(at.timestamp()))
        signature = sign(
            key=self.key,
            text=request_text(
                method=method, target=target, timestamp=timestamp, nonce=nonce, body=body
            ),
        )
        return (
            f'{SCHEME} mchid="{self.mchid}",nonce_str="{nonce}",signature="{signature}",'
            f'timestamp="{timestamp}",serial_no="{self.serial}"'
        )


def check_message(*, headers: Mapping[str, str], body: bytes, key_of: KeyOf, at: datetime) -> None:
    """Prove that an answer or a notice comes from WeChat and is fresh.

    Headers are read case-insensitively; `body` is the raw one (empty for a 204). The key is chosen
    by the serial in the message: `PUB_KEY_ID_…` or a platform certificate's hex serial. Probe
    traffic (signatures starting WECHATPAY/SIGNTEST/) fails like any other wrong signature.
    Raises Untrusted.
    """
    given = {name.lower(): value for name, value in headers.items()}
    timestamp = given.get("wechatpay-timestamp", "")
    serial = given.get("wechatpay-serial", "")
    signature = given.get("wechatpay-signature", "")
    if not (timestamp and serial and signature):
        raise Untrusted("unsigned")
    if given.get("wechatpay-signature-type", SCHEME) != SCHEME:
        raise Untrusted("other_scheme")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise Untrusted("bad_timestamp")
    if abs(at.timestamp() - int(timestamp)) > FRESH_SECONDS:
        raise Untrusted("stale")
    key = key_of(serial)
    if key is None:
        raise Untrusted("unknown_serial")
    text = lines(timestamp, given.get("wechatpay-nonce", ""), body)
    if not verify(key=key, text=text, signature=signature):
        raise Untrusted("bad_signature")


def open_sealed(*, key: bytes, nonce: str, associated_data: str, ciphertext: str) -> bytes:
    """Open an AEAD_AES_256_GCM resource (the tag is the last 16 bytes). Raises Unreadable."""
    try:
        sealed = b64decode(ciphertext, validate=True)
        return AESGCM(key).decrypt(nonce.encode(), sealed, associated_data.encode())
    except (InvalidTag, NotBase64, ValueError) as error:
        raise Unreadable(type(error).__name__) from error


def seal(*, key: RSAPublicKey, text: str) -> str:
    """A field for WeChat's eyes alone, in base64: RSA-OAEP with SHA-1, as WeChat prescribes."""
    padding = OAEP(mgf=MGF1(SHA1()), algorithm=SHA1(), label=None)  # noqa: S303
    return b64encode(key.encrypt(text.encode(), padding)).decode()


@dataclass(frozen=True, kw_only=True)
class PaySheet:
    """What a page hands to the WeChat bridge to open the payment sheet (JSAPI)."""

    app_id: str
    timestamp: str
    nonce: str
    package: str
    signature: str

    def as_bridge(self) -> dict[str, str]:
        return {
            "appId": self.app_id,
            "timeStamp": self.timestamp,
            "nonceStr": self.nonce,
            "package": self.package,
            "signType": "RSA",
            "paySign": self.signature,
        }


def pay_sheet(
    *, key: RSAPrivateKey, app_id: str, prepay_id: str, at: datetime, nonce: str
) -> PaySheet:
    """Sign the four lines of JSAPI; the app id must be the one the prepay was made with."""
    timestamp, package = str(int(at.timestamp())), f"prepay_id={prepay_id}"
    return PaySheet(
        app_id=app_id,
        timestamp=timestamp,
        nonce=nonce,
        package=package,
        signature=sign(key=key, text=lines(app_id, timestamp, nonce, package)),
    )


def page_signature(*, ticket: str, nonce: str, timestamp: str, url: str) -> str:
    """The JS-SDK signature of a page: SHA-1 over the raw address without its fragment."""
    address = url.partition("#")[0]
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={address}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
