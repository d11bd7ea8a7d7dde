"""WeChat Pay v3 for a direct merchant: JSAPI prepay, query, close, refund, refund query.

Every call returns one of the outcomes in `outcomes.py` and raises nothing the wire can cause. All
calls here are safe to repeat with the same number and the same bytes, and are repeated once.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from hospital.kernel import clock
from hospital.wechat import reading, signing
from hospital.wechat.certificates import Keyring
from hospital.wechat.config import WeChatConfig
from hospital.wechat.http import UNTRUSTED, Answer, NoAnswer, Wire
from hospital.wechat.outcomes import (
    Closed,
    CloseOutcome,
    NotFound,
    OrderOutcome,
    Paid,
    Prepaid,
    PrepayOutcome,
    RefundOutcome,
    Refused,
    Unknown,
)

logger = logging.getLogger(__name__)

REPEATS = 1
DESCRIPTION_LIMIT = 127
REASON_LIMIT = 80


@dataclass(frozen=True, kw_only=True)
class JsapiOrder:
    """An order for somebody in WeChat's browser. Repeating it must give the same bytes."""

    out_trade_no: str
    openid: str
    total_fen: int
    description: str
    notify_url: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class RefundOrder:
    """Money back to where it came from; `total_fen` is the whole order's amount."""

    out_trade_no: str
    out_refund_no: str
    refund_fen: int
    total_fen: int
    reason: str
    notify_url: str


class Pay:
    """One merchant account. Safe for threads."""

    def __init__(self, config: WeChatConfig) -> None:
        self._config = config
        self._wire = Wire(
            hosts=config.pay_hosts,
            connect_seconds=config.connect_seconds,
            read_seconds=config.read_seconds,
        )
        self._signer = signing.Signer(
            mchid=config.mchid, serial=config.merchant_serial, key=config.merchant_key
        )
        self.keyring = Keyring(config=config, fetch=self._fetch_certificates)

    def close_connections(self) -> None:
        self._wire.close()

    def prepay_jsapi(self, order: JsapiOrder) -> PrepayOutcome:
        """Place an order; the prepay id opens the payment sheet for two hours."""
        facts = self._ask(
            "prepay",
            "POST",
            "/v3/pay/transactions/jsapi",
            {
                "appid": self._config.appid,
                "mchid": self._config.mchid,
                "description": plain(order.description, limit=DESCRIPTION_LIMIT),
                "out_trade_no": order.out_trade_no,
                "time_expire": rfc3339(order.expires_at),
                "notify_url": order.notify_url,
                "amount": {"total": order.total_fen, "currency": "CNY"},
                "payer": {"openid": order.openid},
            },
        )
        if isinstance(facts, Refused | Unknown):
            return facts
        prepay_id = facts.get("prepay_id")
        if not isinstance(prepay_id, str) or not prepay_id:
            return Unknown(reason="unreadable:prepay_id")
        return Prepaid(prepay_id=prepay_id)

    def sheet(self, *, prepay_id: str, at: datetime) -> signing.PaySheet:
        """The signed parameters a page gives to the WeChat bridge."""
        return signing.pay_sheet(
            key=self._config.merchant_key,
            app_id=self._config.appid,
            prepay_id=prepay_id,
            at=at,
            nonce=signing.nonce(),
        )

    def query(self, *, out_trade_no: str) -> OrderOutcome:
        """Ask how an order stands."""
        facts = self._ask(
            "query",
            "GET",
            f"/v3/pay/transactions/out-trade-no/{_segment(out_trade_no)}"
            f"?{urlencode({'mchid': self._config.mchid})}",
        )
        if isinstance(facts, Refused):
            return _missing(facts)
        if isinstance(facts, Unknown):
            return facts
        try:
            outcome = reading.read_order(facts)
        except signing.Unreadable as error:
            return Unknown(reason=f"unreadable:{error}")
        if isinstance(outcome, Paid) and not self._is_ours(outcome, out_trade_no):
            return Unknown(reason="other_order")
        return outcome

    def close(self, *, out_trade_no: str) -> CloseOutcome:
        """Close an unpaid order. Refused may mean that it was paid meanwhile: query then."""
        facts = self._ask(
            "close",
            "POST",
            f"/v3/pay/transactions/out-trade-no/{_segment(out_trade_no)}/close",
            {"mchid": self._config.mchid},
        )
        return facts if isinstance(facts, Refused | Unknown) else Closed()

    def refund(self, order: RefundOrder) -> RefundOutcome:
        """Ask for a refund. On Unknown or NOT_ENOUGH repeat it with the *same* refund number: a
        new one may pay twice."""
        facts = self._ask(
            "refund",
            "POST",
            "/v3/refund/domestic/refunds",
            {
                "out_trade_no": order.out_trade_no,
                "out_refund_no": order.out_refund_no,
                "reason": plain(order.reason, limit=REASON_LIMIT),
                "notify_url": order.notify_url,
                "amount": {
                    "refund": order.refund_fen,
                    "total": order.total_fen,
                    "currency": "CNY",
                },
            },
        )
        return self._read_refund(facts, order.out_refund_no)

    def query_refund(self, *, out_refund_no: str) -> RefundOutcome:
        """Ask how a refund stands."""
        facts = self._ask(
            "query_refund", "GET", f"/v3/refund/domestic/refunds/{_segment(out_refund_no)}"
        )
        if isinstance(facts, Refused):
            return _missing(facts)
        return self._read_refund(facts, out_refund_no)

    def _read_refund(self, facts: reading.Facts | Refused | Unknown, number: str) -> RefundOutcome:
        if isinstance(facts, Refused | Unknown):
            return facts
        try:
            state = reading.read_refund(facts, mchid=self._config.mchid)
        except signing.Unreadable as error:
            return Unknown(reason=f"unreadable:{error}")
        return state if state.out_refund_no == number else Unknown(reason="other_refund")

    def _is_ours(self, paid: Paid, out_trade_no: str) -> bool:
        config = self._config
        return (paid.mchid, paid.appid, paid.out_trade_no) == (
            config.mchid,
            config.appid,
            out_trade_no,
        )

    def _ask(
        self, call: str, method: str, target: str, content: Mapping[str, Any] | None = None
    ) -> reading.Facts | Refused | Unknown:
        """Send, verify, read. A 204 reads as an empty object."""
        body = compact(content) if content is not None else b""
        answer = self._send(call, method, target, body)
        if isinstance(answer, NoAnswer):
            return Unknown(reason=f"no_answer:{answer.reason}")
        if answer.status >= HTTPStatus.BAD_REQUEST:
            return _read_error(answer)
        try:
            signing.check_message(
                headers=answer.headers,
                body=answer.body,
                key_of=self.keyring.key_of,
                at=clock.now(),
            )
            return reading.read_json(answer.body) if answer.body else {}
        except signing.Untrusted as error:
            # Somebody between us and WeChat, or a key of ours is wrong: a person must look.
            UNTRUSTED.labels(kind=call, reason=error.reason).inc()
            logger.error("untrusted answer", extra={"call": call, "reason": error.reason})
            return Unknown(reason=f"untrusted:{error.reason}")
        except signing.Unreadable as error:
            return Unknown(reason=f"unreadable:{error}")

    def _fetch_certificates(self) -> Answer | NoAnswer:
        return self._send("certificates", "GET", "/v3/certificates", b"")

    def _send(self, call: str, method: str, target: str, body: bytes) -> Answer | NoAnswer:
        def headers() -> dict[str, str]:
            signed = {
                "Authorization": self._signer.authorization(
                    method=method, target=target, body=body, at=clock.now(), nonce=signing.nonce()
                )
            }
            if body:
                signed["Content-Type"] = "application/json"
            if self._config.public_key_id:
                # Also chooses the key WeChat signs its answer with.
                signed["Wechatpay-Serial"] = self._config.public_key_id
            return signed

        return self._wire.send(
            call=call, method=method, target=target, headers=headers, body=body, repeats=REPEATS
        )


def compact(content: Mapping[str, Any]) -> bytes:
    """Serialise once; these very bytes are signed and sent."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def plain(text: str, *, limit: int) -> str:
    """WeChat Pay stores characters of at most three bytes: no emoji, no rare plane-2 characters."""
    return "".join(character for character in text if ord(character) <= 0xFFFF)[:limit]


def rfc3339(at: datetime) -> str:
    return clock.local(at).isoformat(timespec="seconds")


def _segment(number: str) -> str:
    return quote(number, safe="")


def _missing(refused: Refused) -> NotFound | Refused:
    return NotFound() if refused.status == HTTPStatus.NOT_FOUND else refused


def _read_error(answer: Answer) -> Refused | Unknown:
    """4xx with WeChat's own error body is a no; everything else leaves the state unknown."""
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unknown(reason=f"http_{answer.status}")
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Unknown(reason="too_many_requests")
    try:
        facts = reading.read_json(answer.body)
    except signing.Unreadable:
        return Unknown(reason=f"http_{answer.status}")
    if not facts.get("code"):
        return Unknown(reason=f"http_{answer.status}")
    if answer.status == HTTPStatus.UNAUTHORIZED:
        logger.error("wechat refused our signature", extra={"code": str(facts["code"])})
    return Refused(
        code=str(facts["code"]), message=str(facts.get("message", "")), status=answer.status
    )
