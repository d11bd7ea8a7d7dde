"""WeChat Pay v3 for a direct merchant: JSAPI and Native prepay, query, close, refunds, bills.

Every call returns one of the outcomes in `outcomes.py` and raises nothing the wire can cause. All
calls here are safe to repeat with the same number and the same bytes, and are repeated once.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from hospital.wechat import bills, reading, signing
from hospital.wechat.config import WeChatConfig
from hospital.wechat.outcomes import (
    Closed,
    CloseOutcome,
    NativeOutcome,
    NativePrepaid,
    OrderOutcome,
    Paid,
    Prepaid,
    PrepayOutcome,
    RefundOutcome,
    Refused,
    Unknown,
)
from hospital.wechat.pay_calls import PayCalls, missing, plain, rfc3339, segment
from hospital.wechat.pay_calls import compact as compact

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
class NativeOrder:
    """An order shown as a code; whoever scans it pays. Repeating it must give the same bytes."""

    out_trade_no: str
    total_fen: int
    description: str
    notify_url: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class RefundOrder:
    """Money back to where it came from; `total_fen` is the whole order's amount. Without a
    `notify_url` the address in the merchant console is used."""

    out_trade_no: str
    out_refund_no: str
    refund_fen: int
    total_fen: int
    reason: str
    notify_url: str


class BankCard(StrEnum):
    """Where the money of an abnormal refund goes instead."""

    USER = "USER_BANK_CARD"
    MERCHANT = "MERCHANT_BANK_CARD"


@dataclass(frozen=True, kw_only=True)
class AbnormalRefund:
    """Another way for a refund that came back (ABNORMAL), under WeChat's number of it.

    To a card of the user it needs the bank (WeChat's code, e.g. ICBC_DEBIT), the account and the
    holder's name, which travel sealed and are never logged; to the merchant's own card nothing.
    """

    refund_id: str
    out_refund_no: str
    to: BankCard
    bank_type: str = ""
    bank_account: str = field(default="", repr=False)
    real_name: str = field(default="", repr=False)


class Pay:
    """One merchant account. Safe for threads."""

    def __init__(self, config: WeChatConfig) -> None:
        self._config = config
        self.calls = PayCalls(config)
        self.keyring = self.calls.keyring

    def close_connections(self) -> None:
        self.calls.close_connections()

    def prepay_jsapi(self, order: JsapiOrder) -> PrepayOutcome:
        """Place an order; the prepay id opens the payment sheet for two hours."""
        facts = self._prepay("jsapi", order, {"payer": {"openid": order.openid}})
        if isinstance(facts, Refused | Unknown):
            return facts
        prepay_id = facts.get("prepay_id")
        if not isinstance(prepay_id, str) or not prepay_id:
            return Unknown(reason="unreadable:prepay_id")
        return Prepaid(prepay_id=prepay_id)

    def prepay_native(self, order: NativeOrder) -> NativeOutcome:
        """Place an order and get the text of its code, good for two hours. Asking again voids the
        code shown before."""
        facts = self._prepay("native", order, {})
        if isinstance(facts, Refused | Unknown):
            return facts
        code_url = facts.get("code_url")
        if not isinstance(code_url, str) or not code_url:
            return Unknown(reason="unreadable:code_url")
        return NativePrepaid(code_url=code_url)

    def _prepay(
        self, kind: str, order: JsapiOrder | NativeOrder, more: dict[str, Any]
    ) -> reading.Facts | Refused | Unknown:
        return self.calls.ask(
            "prepay",
            "POST",
            f"/v3/pay/transactions/{kind}",
            {
                "appid": self._config.appid,
                "mchid": self._config.mchid,
                "description": plain(order.description, limit=DESCRIPTION_LIMIT),
                "out_trade_no": order.out_trade_no,
                "time_expire": rfc3339(order.expires_at),
                "notify_url": order.notify_url,
                "amount": {"total": order.total_fen, "currency": "CNY"},
                **more,
            },
        )

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
        facts = self.calls.ask(
            "query",
            "GET",
            f"/v3/pay/transactions/out-trade-no/{segment(out_trade_no)}"
            f"?{urlencode({'mchid': self._config.mchid})}",
        )
        if isinstance(facts, Refused):
            return missing(facts)
        if isinstance(facts, Unknown):
            return facts
        try:
            outcome = reading.read_order(facts)
        except signing.Unreadable as error:
            return Unknown(reason=f"unreadable:{error}")
        if isinstance(outcome, Paid) and not self.is_ours(outcome, out_trade_no):
            return Unknown(reason="other_order")
        return outcome

    def close(self, *, out_trade_no: str) -> CloseOutcome:
        """Close an unpaid order. Refused may mean that it was paid meanwhile: query then."""
        facts = self.calls.ask(
            "close",
            "POST",
            f"/v3/pay/transactions/out-trade-no/{segment(out_trade_no)}/close",
            {"mchid": self._config.mchid},
        )
        return facts if isinstance(facts, Refused | Unknown) else Closed()

    def refund(self, order: RefundOrder) -> RefundOutcome:
        """Ask for a refund. On Unknown or NOT_ENOUGH repeat it with the *same* refund number: a
        new one may pay twice."""
        facts = self.calls.ask(
            "refund",
            "POST",
            "/v3/refund/domestic/refunds",
            {
                "out_trade_no": order.out_trade_no,
                "out_refund_no": order.out_refund_no,
                "amount": {
                    "refund": order.refund_fen,
                    "total": order.total_fen,
                    "currency": "CNY",
                },
                **_given(
                    reason=plain(order.reason, limit=REASON_LIMIT), notify_url=order.notify_url
                ),
            },
        )
        return self._read_refund(facts, order.out_refund_no)

    def query_refund(self, *, out_refund_no: str) -> RefundOutcome:
        """Ask how a refund stands."""
        facts = self.calls.ask(
            "query_refund", "GET", f"/v3/refund/domestic/refunds/{segment(out_refund_no)}"
        )
        if isinstance(facts, Refused):
            return missing(facts)
        return self._read_refund(facts, out_refund_no)

    def abnormal_refund(self, order: AbnormalRefund) -> RefundOutcome:
        """Send an abnormal refund another way. Safe to repeat unchanged; ask with `query_refund`
        how it ends."""
        content: dict[str, Any] = {"out_refund_no": order.out_refund_no, "type": order.to.value}
        serial = ""
        if order.to is BankCard.USER:
            sealing = self.keyring.sealing_key()
            if sealing is None:
                return Unknown(reason="no_key_to_seal_with")
            serial, key = sealing
            content |= {
                "bank_type": order.bank_type,
                "bank_account": signing.seal(key=key, text=order.bank_account),
                "real_name": signing.seal(key=key, text=order.real_name),
            }
        facts = self.calls.ask(
            "abnormal_refund",
            "POST",
            f"/v3/refund/domestic/refunds/{segment(order.refund_id)}/apply-abnormal-refund",
            content,
            sealed_for=serial,
        )
        return self._read_refund(facts, order.out_refund_no)

    def trade_bill(self, *, day: date, kind: bills.TradeKind = "ALL") -> bills.BillOutcome:
        """The list of a Beijing day's payments and refunds; close it after reading."""
        target = bills.trade_target(day=day, kind=kind)
        return bills.fetch(self.calls, call="trade_bill", target=target)

    def fund_bill(self, *, day: date, account: bills.Account = "BASIC") -> bills.BillOutcome:
        """The movements of an account on a Beijing day; close it after reading."""
        target = bills.fund_target(day=day, account=account)
        return bills.fetch(self.calls, call="fund_bill", target=target)

    def _read_refund(self, facts: reading.Facts | Refused | Unknown, number: str) -> RefundOutcome:
        if isinstance(facts, Refused | Unknown):
            return facts
        try:
            state = reading.read_refund(facts, mchid=self._config.mchid)
        except signing.Unreadable as error:
            return Unknown(reason=f"unreadable:{error}")
        return state if state.out_refund_no == number else Unknown(reason="other_refund")

    def is_ours(self, paid: Paid, out_trade_no: str) -> bool:
        """Whether an order object speaks of our account and the order we asked about."""
        config = self._config
        return (paid.mchid, paid.appid, paid.out_trade_no) == (
            config.mchid,
            config.appid,
            out_trade_no,
        )


def _given(**optional: str) -> dict[str, str]:
    """What has a value: WeChat wants an optional field left out rather than empty."""
    return {name: text for name, text in optional.items() if text}
