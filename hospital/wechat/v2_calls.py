"""A call to WeChat Pay v2: XML, a signature made with the APIv2 key, the merchant's certificate in
the connection. Only the cashier-scan product still speaks it.

An answer is believed in this order: `return_code` (was the call carried out at all), `sign` (is it
WeChat's), `result_code` and `err_code` (how it went). v2 answers carry no time, so a caller checks
the order number in them.
"""

import hashlib
import hmac
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from hospital.wechat import signing
from hospital.wechat.config import V2SignType, WeChatConfig
from hospital.wechat.http import UNTRUSTED, NoAnswer, wire_to
from hospital.wechat.outcomes import Unknown
from hospital.wechat.pay_calls import LONGEST_CODE
from hospital.wechat.reading import LONGEST_TEXT
from hospital.wechat.xml import BadXml, read_xml, write_xml

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class NotSent:
    """No connection was made, so WeChat never heard of it."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class V2Answer:
    """A verified answer: the fields of a success, or WeChat's error code and words."""

    values: Mapping[str, str]
    code: str
    message: str

    @property
    def is_success(self) -> bool:
        return not self.code


class V2Calls:
    """The v2 wire of one merchant account. Safe for threads."""

    def __init__(self, config: WeChatConfig) -> None:
        self.config = config
        self._wire = wire_to(config, config.pay_hosts, tls=merchant_tls(config))

    def close_connections(self) -> None:
        self._wire.close()

    def ask(
        self,
        call: str,
        path: str,
        fields: Mapping[str, str],
        *,
        repeats: int = 1,
        read_seconds: float | None = None,
    ) -> V2Answer | NotSent | Unknown:
        """Sign, send, verify, read. Empty fields are left out."""
        body = write_xml(self._signed(fields))
        answer = self._wire.send(
            call=call,
            method="POST",
            target=path,
            headers=lambda: {"Content-Type": "text/xml; charset=utf-8", "Accept": "*/*"},
            body=body,
            repeats=repeats,
            read_seconds=read_seconds,
        )
        if isinstance(answer, NoAnswer):
            reason = f"no_answer:{answer.reason}"
            return Unknown(reason=reason) if answer.may_have_arrived else NotSent(reason=reason)
        if answer.status != HTTPStatus.OK:
            return Unknown(reason=f"http_{answer.status}")
        return self.read(call, answer.body)

    def _signed(self, fields: Mapping[str, str]) -> dict[str, str]:
        config = self.config
        whole = {
            "appid": config.appid,
            "mch_id": config.mchid,
            "nonce_str": signing.nonce(),
            "sign_type": config.v2_sign_type,
            **{name: text for name, text in fields.items() if text},
        }
        return {**whole, "sign": sign(whole, key=config.v2_key, kind=config.v2_sign_type)}

    def read(self, call: str, body: bytes) -> V2Answer | Unknown:
        """Verify and read the body of a 200."""
        try:
            values = read_xml(body).values(exactly=True)
        except BadXml as error:
            return Unknown(reason=f"unreadable:{error.reason}")
        if values.get("return_code") != "SUCCESS":
            # Not carried out, and not signed either: a key or a field of ours is wrong.
            logger.error("wechat did not carry out a v2 call", extra={"call": call})
            return Unknown(reason="not_carried_out")
        given = values.pop("sign", "")
        wanted = sign(values, key=self.config.v2_key, kind=self.config.v2_sign_type)
        if not hmac.compare_digest(given.encode(), wanted.encode()):
            UNTRUSTED.labels(kind=call, reason="bad_signature").inc()
            logger.error("untrusted answer", extra={"call": call, "reason": "bad_signature"})
            return Unknown(reason="untrusted:bad_signature")
        if values.get("result_code") == "SUCCESS":
            return V2Answer(values=values, code="", message="")
        return V2Answer(
            values=values,
            code=values.get("err_code", "")[:LONGEST_CODE] or "NO_CODE",
            message=values.get("err_code_des", "")[:LONGEST_TEXT],
        )


def sign(fields: Mapping[str, str], *, key: str, kind: V2SignType) -> str:
    """The v2 signature: non-empty fields in ASCII order and the key, digested, upper-case hex."""
    pairs = [f"{name}={fields[name]}" for name in sorted(fields) if fields[name] and name != "sign"]
    text = "&".join([*pairs, f"key={key}"]).encode()
    if kind == "HMAC-SHA256":
        return hmac.new(key.encode(), text, hashlib.sha256).hexdigest().upper()
    return hashlib.md5(text, usedforsecurity=False).hexdigest().upper()


def merchant_tls(config: WeChatConfig) -> ssl.SSLContext | None:
    """Connections that show the merchant's certificate, which reverse and refund ask for."""
    if config.merchant_cert is None or config.merchant_key_file is None:
        return None
    context = httpx.create_ssl_context()
    context.load_cert_chain(config.merchant_cert, config.merchant_key_file)
    return context
