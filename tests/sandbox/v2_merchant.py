"""A merchant's client of WeChat Pay v2, written only from the published rules.

Fields, key-sorted digest, XML; every answer whose `return_code` is SUCCESS is verified.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Any

import httpx


class V2Merchant:
    """Calls with the exported facts, signed with MD5 or HMAC-SHA256."""

    def __init__(self, facts: dict[str, Any], sign_type: str = "MD5") -> None:
        self.facts = facts
        self.sign_type = sign_type

    def sign(self, fields: dict[str, str]) -> str:
        """Upper-case hex of the sorted fields and the key."""
        pairs = [f"{name}={text}" for name, text in sorted(fields.items()) if text]
        key = str(self.facts["v2_key"])
        text = "&".join([*pairs, f"key={key}"]).encode()
        if self.sign_type == "HMAC-SHA256":
            return hmac.new(key.encode(), text, hashlib.sha256).hexdigest().upper()
        return hashlib.md5(text).hexdigest().upper()

    def body(self, **fields: Any) -> bytes:
        """The signed document of a call; `sign=` replaces the signature."""
        said = {
            "appid": str(self.facts["appid"]),
            "mch_id": str(self.facts["mchid"]),
            "nonce_str": secrets.token_hex(16),
            "sign_type": self.sign_type,
        } | {name: str(value) for name, value in fields.items()}
        said.setdefault("sign", self.sign(said))
        return "".join(
            ["<xml>", *(f"<{name}>{text}</{name}>" for name, text in said.items()), "</xml>"]
        ).encode()

    def call(self, path: str, **fields: Any) -> dict[str, str]:
        """A signed call; the answer's signature has been checked unless it was not heard."""
        answer = self.post(path, self.body(**fields))
        if answer["return_code"] == "SUCCESS":
            signature = answer.pop("sign")
            assert signature == self.sign(answer), answer
        return answer

    def post(self, path: str, body: bytes) -> dict[str, str]:
        """The answer's fields as they came."""
        response = httpx.post(f"{self.facts['base']}{path}", content=body, trust_env=False)
        assert response.status_code == 200, response.text
        assert response.headers["Content-Type"].startswith("text/xml")
        return dict(re.findall(r"<(\w+)><!\[CDATA\[(.*?)]]></\1>", response.text, re.DOTALL))

    def micropay(self, out_trade_no: str, code: str, total: int = 2500) -> dict[str, str]:
        """Charge a payment code."""
        return self.call(
            "/pay/micropay",
            out_trade_no=out_trade_no,
            auth_code=code,
            total_fee=total,
            body="门诊缴费",
            spbill_create_ip="10.1.2.3",
            device_info="窗口3",
        )

    def state(self, out_trade_no: str) -> str:
        """`trade_state`, or the error of a query."""
        answer = self.call("/pay/orderquery", out_trade_no=out_trade_no)
        return answer.get("trade_state") or answer["err_code"]

    def reverse(self, out_trade_no: str) -> dict[str, str]:
        """Take a charged code back."""
        return self.call("/secapi/pay/reverse", out_trade_no=out_trade_no)

    def refund(self, out_trade_no: str, out_refund_no: str, refund: int, total: int = 2500) -> Any:
        """Ask for a refund."""
        return self.call(
            "/secapi/pay/refund",
            out_trade_no=out_trade_no,
            out_refund_no=out_refund_no,
            refund_fee=refund,
            total_fee=total,
        )

    def query_refund(self, **number: str) -> dict[str, str]:
        """Ask for refunds by any of the four numbers."""
        return self.call("/pay/refundquery", **number)
