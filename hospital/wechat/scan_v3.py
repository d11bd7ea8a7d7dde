"""Cashier scan in v3 (codepay), for accounts that WeChat lets use it."""

from dataclasses import dataclass

from hospital.wechat import reading
from hospital.wechat.outcomes import (
    Closed,
    OrderOutcome,
    Paid,
    Paying,
    RefundOutcome,
    Refused,
    ReverseAgain,
    Reversed,
    ReverseOutcome,
    ScanOutcome,
    ScanRefused,
    Unknown,
)
from hospital.wechat.pay import DESCRIPTION_LIMIT, Pay, RefundOrder
from hospital.wechat.pay_calls import plain, segment
from hospital.wechat.scan_codes import PAYING, ScanOrder, is_definite, word
from hospital.wechat.signing import Unreadable


@dataclass(frozen=True)
class ScanV3:
    """The v3 product of one merchant account; asking and refunding are those of any order."""

    merchant: Pay

    def pay(self, order: ScanOrder) -> ScanOutcome:
        calls = self.merchant.calls
        facts = calls.ask(
            "codepay",
            "POST",
            "/v3/pay/transactions/codepay",
            {
                "appid": calls.config.appid,
                "mchid": calls.config.mchid,
                "description": plain(order.description, limit=DESCRIPTION_LIMIT),
                "out_trade_no": order.out_trade_no,
                "payer": {"auth_code": order.auth_code},
                "amount": {"total": order.total_fen, "currency": "CNY"},
                "scene_info": {
                    "device_id": order.device_id,
                    "device_ip": order.client_ip,
                    "store_info": {"out_id": order.device_id},
                },
            },
            # Sent once: WeChat may be trying one card after the other, and asking tells.
            repeats=0,
            read_seconds=calls.config.scan_read_seconds,
        )
        if isinstance(facts, Refused):
            return _refused(facts)
        return facts if isinstance(facts, Unknown) else self._read(facts, order)

    def query(self, *, out_trade_no: str) -> OrderOutcome:
        return self.merchant.query(out_trade_no=out_trade_no)

    def reverse(self, *, out_trade_no: str) -> ReverseOutcome:
        calls = self.merchant.calls
        facts = calls.ask(
            "codepay_reverse",
            "POST",
            f"/v3/pay/transactions/out-trade-no/{segment(out_trade_no)}/reverse",
            {"appid": calls.config.appid, "mchid": calls.config.mchid},
        )
        if isinstance(facts, Refused):
            is_unclear = word(facts.code) in PAYING
            return ReverseAgain(reason=facts.code) if is_unclear else facts
        if isinstance(facts, Unknown):
            return facts
        if facts.get("out_trade_no", out_trade_no) != out_trade_no:
            return Unknown(reason="other_order")
        # An answer may carry the order: then it must say that the order is dead.
        if facts.get("trade_state", "REVOKED") in reading.DEAD_STATES:
            return Reversed()
        return ReverseAgain(reason=str(facts["trade_state"]))

    def refund(self, order: RefundOrder) -> RefundOutcome:
        return self.merchant.refund(order)

    def query_refund(self, *, out_refund_no: str) -> RefundOutcome:
        return self.merchant.query_refund(out_refund_no=out_refund_no)

    def _read(self, facts: reading.Facts, order: ScanOrder) -> ScanOutcome:
        if "trade_state" not in facts and facts.get("code"):
            # 202: accepted, not decided; the code says what it waits for.
            message = str(facts.get("message", ""))
            return _refused(Refused(code=str(facts["code"]), message=message, status=202))
        try:
            found = reading.read_order(facts)
        except Unreadable as error:
            return Unknown(reason=f"unreadable:{error}")
        if isinstance(found, Paid):
            is_ours = self.merchant.is_ours(found, order.out_trade_no)
            return found if is_ours else Unknown(reason="other_order")
        if isinstance(found, Closed):
            return ScanRefused(code=found.state, message=str(facts.get("trade_state_desc", "")))
        return Paying(reason=found.state)


def _refused(refused: Refused) -> ScanOutcome:
    if word(refused.code) in PAYING:
        return Paying(reason=refused.code)
    if is_definite(refused.code):
        return ScanRefused(code=refused.code, message=refused.message)
    return Unknown(reason=refused.code)
