"""Cashier scan in v2: micropay, orderquery, reverse, refund, refundquery."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from hospital.kernel import clock
from hospital.wechat.outcomes import (
    Closed,
    NotFound,
    OrderOutcome,
    Paid,
    Paying,
    RefundOutcome,
    RefundProgress,
    RefundState,
    Refused,
    ReverseAgain,
    Reversed,
    ReverseOutcome,
    ScanOutcome,
    ScanRefused,
    Unknown,
    Unpaid,
)
from hospital.wechat.pay import DESCRIPTION_LIMIT, REASON_LIMIT, RefundOrder
from hospital.wechat.pay_calls import plain
from hospital.wechat.reading import DEAD_STATES, PAID_STATES, read_text
from hospital.wechat.scan_codes import NOT_CONNECTED, PAYING, ScanOrder, is_definite, word
from hospital.wechat.signing import Unreadable
from hospital.wechat.v2_calls import NotSent, V2Answer, V2Calls

OK = 200
OPEN_STATES = {"NOTPAY", "USERPAYING", "ACCEPT"}
REFUND_WORDS = {
    "PROCESSING": RefundProgress.PROCESSING,
    "SUCCESS": RefundProgress.SUCCESS,
    "CHANGE": RefundProgress.ABNORMAL,
    "REFUNDCLOSE": RefundProgress.CLOSED,
}


@dataclass(frozen=True)
class ScanV2:
    """The v2 product of one merchant account."""

    calls: V2Calls

    def pay(self, order: ScanOrder) -> ScanOutcome:
        config = self.calls.config
        answer = self.calls.ask(
            "micropay",
            "/pay/micropay",
            {
                "body": plain(order.description, limit=DESCRIPTION_LIMIT),
                "out_trade_no": order.out_trade_no,
                "total_fee": str(order.total_fen),
                "spbill_create_ip": order.client_ip,
                "device_info": order.device_id,
                "auth_code": order.auth_code,
            },
            # Sent once: WeChat may be trying one card after the other, and asking tells.
            repeats=0,
            read_seconds=config.scan_read_seconds,
        )
        if isinstance(answer, NotSent):
            return NOT_CONNECTED
        if isinstance(answer, Unknown):
            return answer
        if answer.is_success:
            return self.read_paid(answer.values, order.out_trade_no)
        if word(answer.code) in PAYING:
            return Paying(reason=answer.code)
        if is_definite(answer.code):
            return ScanRefused(code=answer.code, message=answer.message)
        return Unknown(reason=answer.code)

    def query(self, *, out_trade_no: str) -> OrderOutcome:
        answer = self._ask("scan_query", "/pay/orderquery", {"out_trade_no": out_trade_no})
        return self.read_query(answer, out_trade_no) if isinstance(answer, V2Answer) else answer

    def read_query(self, answer: V2Answer, out_trade_no: str) -> OrderOutcome:
        """What an answer to `query` says."""
        if not answer.is_success:
            return _no(answer, missing="ORDERNOTEXIST")
        state = answer.values.get("trade_state", "")
        if state in PAID_STATES:
            return self.read_paid(answer.values, out_trade_no, has_refunds=state == "REFUND")
        if answer.values.get("out_trade_no") != out_trade_no:
            return Unknown(reason="other_order")
        if state in OPEN_STATES:
            return Unpaid(state=state)
        return Closed(state=state) if state in DEAD_STATES else Unknown(reason="unreadable:state")

    def reverse(self, *, out_trade_no: str) -> ReverseOutcome:
        answer = self._ask("scan_reverse", "/secapi/pay/reverse", {"out_trade_no": out_trade_no})
        if not isinstance(answer, V2Answer):
            return answer
        wants_again = answer.values.get("recall") == "Y"
        if answer.is_success and not wants_again:
            return Reversed()
        if wants_again or word(answer.code) in PAYING:
            return ReverseAgain(reason=answer.code or "RECALL")
        return Refused(code=answer.code, message=answer.message, status=OK)

    def refund(self, order: RefundOrder) -> RefundOutcome:
        """v2 refund notices are sealed in a way of their own, so none is asked for: query."""
        answer = self._ask(
            "scan_refund",
            "/secapi/pay/refund",
            {
                "out_trade_no": order.out_trade_no,
                "out_refund_no": order.out_refund_no,
                "total_fee": str(order.total_fen),
                "refund_fee": str(order.refund_fen),
                "refund_desc": plain(order.reason, limit=REASON_LIMIT),
            },
        )
        if not isinstance(answer, V2Answer):
            return answer
        if not answer.is_success:
            return _no(answer, missing="")
        return self._refund(answer.values, order.out_refund_no, "", RefundProgress.PROCESSING)

    def query_refund(self, *, out_refund_no: str) -> RefundOutcome:
        answer = self._ask(
            "scan_query_refund", "/pay/refundquery", {"out_refund_no": out_refund_no}
        )
        return self.read_refund(answer, out_refund_no) if isinstance(answer, V2Answer) else answer

    def read_refund(self, answer: V2Answer, out_refund_no: str) -> RefundOutcome:
        """What an answer to `query_refund` says."""
        if not answer.is_success:
            return _no(answer, missing="REFUNDNOTEXIST")
        progress = REFUND_WORDS.get(answer.values.get("refund_status_0", ""))
        if progress is None:
            return Unknown(reason="unreadable:refund_status")
        return self._refund(answer.values, out_refund_no, "_0", progress)

    def _ask(self, call: str, path: str, fields: Mapping[str, str]) -> V2Answer | Unknown:
        """For calls that may be repeated: not sent and not answered come to the same."""
        answer = self.calls.ask(call, path, fields)
        return Unknown(reason=answer.reason) if isinstance(answer, NotSent) else answer

    def read_paid(
        self, values: Mapping[str, str], out_trade_no: str, *, has_refunds: bool = False
    ) -> Paid | Unknown:
        """The money that arrived, if the fields are all there and speak of our order."""
        config = self.calls.config
        try:
            paid = Paid(
                mchid=read_text(values, "mch_id"),
                appid=read_text(values, "appid"),
                out_trade_no=read_text(values, "out_trade_no"),
                transaction_id=read_text(values, "transaction_id"),
                total_fen=_fen(values, "total_fee"),
                payer_fen=_fen(values, "cash_fee" if values.get("cash_fee") else "total_fee"),
                openid=read_text(values, "openid") if values.get("openid") else "",
                succeeded_at=_moment(read_text(values, "time_end"), "%Y%m%d%H%M%S"),
                has_refunds=has_refunds,
            )
        except Unreadable as error:
            return Unknown(reason=f"unreadable:{error}")
        ours = (config.mchid, config.appid, out_trade_no)
        if (paid.mchid, paid.appid, paid.out_trade_no) != ours:
            return Unknown(reason="other_order")
        return paid

    def _refund(
        self, values: Mapping[str, str], number: str, suffix: str, progress: RefundProgress
    ) -> RefundState | Unknown:
        is_done = progress is RefundProgress.SUCCESS
        try:
            state = RefundState(
                mchid=read_text(values, "mch_id"),
                out_trade_no=read_text(values, "out_trade_no"),
                out_refund_no=read_text(values, f"out_refund_no{suffix}"),
                refund_id=read_text(values, f"refund_id{suffix}"),
                progress=progress,
                refund_fen=_fen(values, f"refund_fee{suffix}"),
                total_fen=_fen(values, "total_fee"),
                received_account=values.get(f"refund_recv_accout{suffix}", ""),
                succeeded_at=_moment(
                    read_text(values, f"refund_success_time{suffix}"), "%Y-%m-%d %H:%M:%S"
                )
                if is_done
                else None,
            )
        except Unreadable as error:
            return Unknown(reason=f"unreadable:{error}")
        return state if state.out_refund_no == number else Unknown(reason="other_refund")


def _no(answer: V2Answer, *, missing: str) -> NotFound | Refused | Unknown:
    if missing and word(answer.code) == missing:
        return NotFound()
    if word(answer.code) in PAYING:
        return Unknown(reason=answer.code)
    return Refused(code=answer.code, message=answer.message, status=OK)


def _fen(values: Mapping[str, str], name: str) -> int:
    text = read_text(values, name)
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and int(text) > 0):
        raise Unreadable(name)
    return int(text)


def _moment(text: str, shape: str) -> datetime:
    try:
        return datetime.strptime(text, shape).replace(tzinfo=clock.HOSPITAL_ZONE).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unreadable("time") from error
