"""A merchant's client written only from WeChat's published rules, independent of the product's.

It signs exact bytes and verifies every answer, so that a test of the stand-in does not lean on the
code the stand-in is there to test.
"""

from __future__ import annotations

import base64
import itertools
import json
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_numbers = itertools.count(1)


def number(kind: str = "T") -> str:
    """A fresh order or refund number."""
    return f"{kind}{int(time.monotonic() * 1000)}x{next(_numbers):04d}"


def openid() -> str:
    """A fresh person."""
    return "o" + secrets.token_hex(13) + "A"


class Merchant:
    """Calls with the exported facts. `public_key_mode` False means platform certificate."""

    def __init__(self, facts: dict[str, Any], *, public_key_mode: bool = True) -> None:
        self.facts = facts
        self.public_key_mode = public_key_mode
        self.named_serial = ""
        files = facts["files"]
        self.key = _rsa(
            serialization.load_pem_private_key(Path(files["mch_key"]).read_bytes(), password=None)
        )
        certificate = x509.load_pem_x509_certificate(Path(files["plat_cert"]).read_bytes())
        self.platform_keys = {
            facts["plat_serial"]: certificate.public_key(),
            facts["pub_key_id"]: serialization.load_pem_public_key(
                Path(files["wxp_pub"]).read_bytes()
            ),
        }
        self.http = httpx.Client(base_url=facts["base"], timeout=10, trust_env=False)

    def sign(self, *parts: str) -> str:
        """RSA-SHA256 over the parts, each ended by LF."""
        text = "".join(f"{part}\n" for part in parts).encode()
        return base64.b64encode(self.key.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()

    def headers(
        self,
        method: str,
        target: str,
        body: str = "",
        *,
        at: float | None = None,
        change: Mapping[str, str] = MappingProxyType({}),
    ) -> dict[str, str]:
        """All request headers; `change` replaces parts of the Authorization value."""
        stamp = change.get("timestamp", str(int(time.time() if at is None else at)))
        nonce = change.get("nonce_str", secrets.token_hex(16))
        said = {
            "mchid": self.facts["mchid"],
            "serial_no": self.facts["mch_serial"],
            "nonce_str": nonce,
            "timestamp": stamp,
            "signature": self.sign(method, target, stamp, nonce, body),
        } | dict(change)
        pairs = ",".join(f'{name}="{value}"' for name, value in said.items())
        headers = {
            "Authorization": f"WECHATPAY2-SHA256-RSA2048 {pairs}",
            "Accept": "application/json",
            "User-Agent": "raw-merchant/1",
        }
        if body:
            headers["Content-Type"] = "application/json"
        named = self.named_serial or (self.facts["pub_key_id"] if self.public_key_mode else "")
        if named:
            headers["Wechatpay-Serial"] = named
        return headers

    def call(self, method: str, target: str, document: Any = None) -> httpx.Response:
        """A signed call whose 2xx answer has been verified."""
        body = "" if document is None else json.dumps(document, ensure_ascii=False)
        answer = self.http.request(
            method, target, content=body.encode(), headers=self.headers(method, target, body)
        )
        if answer.is_success:
            self.verify(answer.headers, answer.content)
        return answer

    def verify(self, headers: Mapping[str, str], body: bytes) -> str:
        """Check the five headers; AssertionError or InvalidSignature. The serial that signed."""
        lower = {name.lower(): value for name, value in headers.items()}
        stamp, nonce = lower["wechatpay-timestamp"], lower["wechatpay-nonce"]
        assert abs(int(stamp) - time.time()) < 300
        assert lower["wechatpay-signature-type"] == "WECHATPAY2-SHA256-RSA2048"
        serial = lower["wechatpay-serial"]
        _rsa_public(self.platform_keys[serial]).verify(
            base64.b64decode(lower["wechatpay-signature"]),
            f"{stamp}\n{nonce}\n".encode() + body + b"\n",
            padding.PKCS1v15(),
            hashes.SHA256(),
        )
        return serial

    def verify_serial(self, answer: httpx.Response) -> str:
        """The serial that signed a successful answer."""
        assert answer.is_success, answer.text
        return self.verify(answer.headers, answer.content)

    def opened(self, body: bytes) -> dict[str, Any]:
        """The decrypted resource of a notice."""
        resource = json.loads(body)["resource"]
        assert resource["algorithm"] == "AEAD_AES_256_GCM"
        return self.decrypt(resource)

    def decrypt(self, sealed: dict[str, str]) -> dict[str, Any]:
        """AES-256-GCM under the APIv3 key, as JSON."""
        document: dict[str, Any] = json.loads(self.decrypt_bytes(sealed))
        return document

    def decrypt_bytes(self, sealed: dict[str, str]) -> bytes:
        """AES-256-GCM under the APIv3 key."""
        return AESGCM(self.facts["apiv3_key"].encode()).decrypt(
            sealed["nonce"].encode(),
            base64.b64decode(sealed["ciphertext"]),
            sealed["associated_data"].encode(),
        )

    def order(
        self, out_trade_no: str, payer: str, total: int = 2500, **more: Any
    ) -> dict[str, Any]:
        """A prepay body."""
        return {
            "appid": self.facts["appid"],
            "mchid": self.facts["mchid"],
            "description": "门诊挂号费",
            "out_trade_no": out_trade_no,
            "notify_url": "http://127.0.0.1:9/never",
            "amount": {"total": total, "currency": "CNY"},
            "payer": {"openid": payer},
        } | more

    def prepay(self, body: dict[str, Any]) -> httpx.Response:
        """POST the JSAPI prepay."""
        return self.call("POST", "/v3/pay/transactions/jsapi", body)

    def native(self, body: dict[str, Any]) -> httpx.Response:
        """POST the Native prepay; a payer in the body is left out."""
        body = {name: value for name, value in body.items() if name != "payer"}
        return self.call("POST", "/v3/pay/transactions/native", body)

    def query(self, out_trade_no: str) -> httpx.Response:
        """Ask for an order by our number."""
        return self.call(
            "GET",
            f"/v3/pay/transactions/out-trade-no/{out_trade_no}?mchid={self.facts['mchid']}",
        )

    def codepay(self, out_trade_no: str, code: str, total: int = 2500) -> httpx.Response:
        """Charge a payment code with v3."""
        body = {
            "appid": self.facts["appid"],
            "mchid": self.facts["mchid"],
            "description": "门诊缴费",
            "out_trade_no": out_trade_no,
            "payer": {"auth_code": code},
            "amount": {"total": total, "currency": "CNY"},
            "scene_info": {"device_id": "窗口3", "store_info": {"out_id": "main"}},
        }
        return self.call("POST", "/v3/pay/transactions/codepay", body)

    def reverse(self, out_trade_no: str) -> httpx.Response:
        """Take a charged code back with v3."""
        target = f"/v3/pay/transactions/out-trade-no/{out_trade_no}/reverse"
        account = {"appid": self.facts["appid"], "mchid": self.facts["mchid"]}
        return self.call("POST", target, account)

    def close(self, out_trade_no: str) -> httpx.Response:
        """Close an order."""
        target = f"/v3/pay/transactions/out-trade-no/{out_trade_no}/close"
        return self.call("POST", target, {"mchid": self.facts["mchid"]})

    def refund(
        self, out_trade_no: str, out_refund_no: str, refund: int, total: int = 2500, **more: Any
    ) -> httpx.Response:
        """Ask for a refund."""
        body = {
            "out_trade_no": out_trade_no,
            "out_refund_no": out_refund_no,
            "amount": {"refund": refund, "total": total, "currency": "CNY"},
        } | more
        return self.call("POST", "/v3/refund/domestic/refunds", body)

    def seal(self, text: str, *, public_key_mode: bool = True) -> str:
        """RSA-OAEP for a platform key, base64."""
        serial = self.facts["pub_key_id" if public_key_mode else "plat_serial"]
        sealed = _rsa_public(self.platform_keys[serial]).encrypt(
            text.encode(),
            padding.OAEP(
                mgf=padding.MGF1(algorithm=hashes.SHA1()), algorithm=hashes.SHA1(), label=None
            ),
        )
        return base64.b64encode(sealed).decode()

    def abnormal(self, refund: Mapping[str, Any], kind: str, **more: Any) -> httpx.Response:
        """Send an abnormal refund on to another account."""
        target = f"/v3/refund/domestic/refunds/{refund['refund_id']}/apply-abnormal-refund"
        body = {"out_refund_no": refund["out_refund_no"], "type": kind} | more
        return self.call("POST", target, body)

    def query_refund(self, out_refund_no: str) -> httpx.Response:
        """Ask for a refund by our number."""
        return self.call("GET", f"/v3/refund/domestic/refunds/{out_refund_no}")


def _rsa(key: object) -> rsa.RSAPrivateKey:
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def _rsa_public(key: object) -> rsa.RSAPublicKey:
    assert isinstance(key, rsa.RSAPublicKey)
    return key
