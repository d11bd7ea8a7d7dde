"""The signatures and ciphers of WeChat Pay v3 and of the JS-SDK, seen from WeChat's side.

Request: method, target, timestamp, nonce, body, each ended by LF, RSA-SHA256 with the merchant's
key. Answers and notices: timestamp, nonce, body likewise, with a platform key. Notices are also
encrypted with AES-256-GCM under the APIv3 key.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import string
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wechat_sandbox.keys import Keys

SCHEME = "WECHATPAY2-SHA256-RSA2048"
WINDOW_S = 300
PROBE_MARK = "WECHATPAY/SIGNTEST/"
NOBODYS_SERIAL = "5A" * 20
_PAIR = re.compile(r'\s*(\w+)="([^"]*)"\s*(?:,|$)')
_ALPHABET = string.ascii_letters + string.digits


class Flaw(StrEnum):
    """What can be wrong with a signature we give, for faults."""

    OTHER_BYTES = "other_bytes"  # it is over other bytes than are sent
    STALE = "stale"  # good, but made long ago
    UNSIGNED = "unsigned"  # there is none
    WRONG_SERIAL = "wrong_serial"  # it names a key nobody has
    SWAPPED_KEY = "swapped_key"  # made with the other platform key than it names
    PROBE = "probe"  # WeChat's own probe of the merchant's checking


class BadSignature(Exception):
    """The request is not proven to come from the merchant; the message says why, in Chinese."""


def nonce(length: int = 32) -> str:
    """Random letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def lines(*parts: str) -> bytes:
    """The parts, each ended by LF."""
    return "".join(f"{part}\n" for part in parts).encode()


def sign(key: rsa.RSAPrivateKey, text: bytes) -> str:
    """RSA PKCS#1 v1.5 over SHA-256, as standard base64."""
    return base64.b64encode(key.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()


def verifies(key: rsa.RSAPublicKey, text: bytes, signature: str) -> bool:
    """Whether the base64 signature is this key's over this text."""
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, text, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def check_request(
    keys: Keys, *, method: str, target: str, body: bytes, authorization: str, at: int
) -> None:
    """Prove that the merchant sent exactly these bytes within five minutes of `at`.

    Raises BadSignature. `target` is the raw path and query as they came over the wire.
    """
    scheme, _, rest = authorization.partition(" ")
    if scheme != SCHEME:
        raise BadSignature("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》")
    said = dict(_PAIR.findall(rest))
    missing = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"} - said.keys()
    if missing:
        raise BadSignature(f"Http头Authorization值缺少{sorted(missing)[0]}")
    if said["mchid"] != keys.mchid:
        raise BadSignature("商户号与签名证书不匹配")
    if said["serial_no"].upper() != keys.mch_serial:
        raise BadSignature("商户证书序列号有误")
    if not 0 < len(said["nonce_str"]) <= 32:
        raise BadSignature("Http头Authorization中的nonce_str长度应为1到32")
    if not said["timestamp"].isdecimal() or abs(at - int(said["timestamp"])) > WINDOW_S:
        raise BadSignature("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟")
    text = lines(method, target, said["timestamp"], said["nonce_str"]) + body + b"\n"
    if not verifies(keys.mch_public, text, said["signature"]):
        raise BadSignature("错误的签名，验签失败")


def sign_message(
    keys: Keys,
    body: bytes,
    *,
    with_public_key: bool,
    at: int,
    flaws: Mapping[Flaw, float] = MappingProxyType({}),
) -> dict[str, str]:
    """The five headers on answers and notices; `flaws` says what is wrong with them, and by how
    many seconds a stale one is late."""
    if Flaw.UNSIGNED in flaws:
        return {}
    named = with_public_key
    key = keys.pub_private if named is (Flaw.SWAPPED_KEY not in flaws) else keys.plat_private
    serial = keys.pub_key_id if named else keys.plat_serial
    stamp, random = str(at - int(flaws.get(Flaw.STALE, 0))), nonce()
    signed = body + b" " if Flaw.OTHER_BYTES in flaws else body
    signature = sign(key, lines(stamp, random) + signed + b"\n")
    return {
        "Wechatpay-Timestamp": stamp,
        "Wechatpay-Nonce": random,
        "Wechatpay-Serial": NOBODYS_SERIAL if Flaw.WRONG_SERIAL in flaws else serial,
        "Wechatpay-Signature": f"{PROBE_MARK}{signature}" if Flaw.PROBE in flaws else signature,
        "Wechatpay-Signature-Type": SCHEME,
    }


def encrypt(keys: Keys, plain: bytes, associated: str, *, key: str = "") -> dict[str, str]:
    """The sealed form of notices and certificates; its nonce is not the header's.

    Another `key` than the merchant's APIv3 key makes it unreadable for the merchant.
    """
    initial = nonce(12)
    sealed = AESGCM((key or keys.apiv3_key).encode()).encrypt(
        initial.encode(), plain, associated.encode()
    )
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(sealed).decode(),
        "associated_data": associated,
        "nonce": initial,
    }


def pay_sign_is_good(keys: Keys, fields: Mapping[str, str]) -> bool:
    """Whether the merchant signed these JSAPI or mini program payment fields."""
    text = lines(*(fields.get(name, "") for name in ("appId", "timeStamp", "nonceStr", "package")))
    signed_as = fields.get("signType", "")
    return signed_as == "RSA" and verifies(keys.mch_public, text, fields.get("paySign", ""))


def js_signature(ticket: str, nonce_text: str, timestamp: str, url: str) -> str:
    """The JS-SDK signature over the page address without its fragment."""
    page = url.partition("#")[0]
    text = f"jsapi_ticket={ticket}&noncestr={nonce_text}&timestamp={timestamp}&url={page}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
