"""WeChat Pay as far as money goes, in a hundred lines: what it takes, gives back and says.

Small on purpose, so that reading it is enough to believe it. It refuses, by assertion, whatever the
real one would punish us for: another amount under the same number, more back than was paid.
"""

import datetime as dt
import itertools
from dataclasses import dataclass, field, replace

from hospital.wechat.outcomes import (
    Closed,
    NotFound,
    OrderOutcome,
    Paid,
    RefundProgress,
    RefundState,
    Unpaid,
)

MCHID, APPID, OPENID = "1900000001", "wx0000000000000000", "o-test-model"


@dataclass
class Order:
    """One order there; `asked_fen` is what we ordered, `total_fen` what WeChat says it is."""

    number: str
    asked_fen: int
    total_fen: int
    state: str = "NOTPAY"
    transaction_id: str = ""
    paid_at: dt.datetime | None = None


@dataclass(frozen=True)
class Letter:
    """A notice that may come once, twice or never, in any order."""

    notice_id: str
    says: Paid | RefundState


@dataclass
class Channel:
    """All orders and refunds there, and the notices under way."""

    orders: dict[str, Order] = field(default_factory=dict)
    refunds: dict[str, RefundState] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)
    _serial: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def place(self, number: str, fen: int) -> Order:
        """A new order, or the same one again."""
        order = self.orders.setdefault(number, Order(number, fen, fen))
        assert order.asked_fen == fen, "the same number was ordered with another amount"
        return order

    def pay(self, number: str, *, at: dt.datetime, odd_fen: int = 0) -> None:
        """Somebody pays, also an order that was just closed; `odd_fen` more than was ordered."""
        order = self.orders[number]
        assert order.state != "SUCCESS"
        order.state, order.paid_at, order.total_fen = "SUCCESS", at, order.asked_fen + odd_fen
        order.transaction_id = f"42{next(self._serial):026d}"
        self._write(self.paid(order))

    def close(self, number: str) -> None:
        order = self.orders[number]
        if order.state == "NOTPAY":
            order.state = "CLOSED"

    def query(self, number: str) -> OrderOutcome:
        order = self.orders.get(number)
        if order is None:
            return NotFound()
        if order.state == "SUCCESS":
            return self.paid(order)
        return Closed() if order.state == "CLOSED" else Unpaid(state="NOTPAY")

    def paid(self, order: Order) -> Paid:
        """What a notice and an answer say of a paid order."""
        assert order.paid_at is not None
        return Paid(
            mchid=MCHID,
            appid=APPID,
            out_trade_no=order.number,
            transaction_id=order.transaction_id,
            total_fen=order.total_fen,
            payer_fen=order.total_fen,
            openid=OPENID,
            succeeded_at=order.paid_at,
            has_refunds=any(it.out_trade_no == order.number for it in self.refunds.values()),
        )

    def refund(self, *, out_refund_no: str, number: str, fen: int) -> RefundState:
        """Take a refund, or say how the same one stands."""
        order = self.orders[number]
        assert order.state == "SUCCESS", "a refund of money that never came"
        if known := self.refunds.get(out_refund_no):
            assert (known.out_trade_no, known.refund_fen) == (number, fen)
            return known
        open_ones = [it for it in self._of(number) if it.progress is RefundProgress.PROCESSING]
        assert not open_ones, "two refunds of one order at once"
        gone_fen = sum(
            it.refund_fen for it in self._of(number) if it.progress is not RefundProgress.CLOSED
        )
        assert gone_fen + fen <= order.total_fen, "more back than was paid"
        self.refunds[out_refund_no] = RefundState(
            mchid=MCHID,
            out_trade_no=number,
            out_refund_no=out_refund_no,
            refund_id=f"50{next(self._serial):026d}",
            progress=RefundProgress.PROCESSING,
            refund_fen=fen,
            total_fen=order.total_fen,
            received_account="支付用户零钱",
            succeeded_at=None,
        )
        return self.refunds[out_refund_no]

    def end_refund(self, out_refund_no: str, to: RefundProgress, *, at: dt.datetime) -> None:
        """The bank has spoken; WeChat writes to us."""
        moment = at if to is RefundProgress.SUCCESS else None
        ended = replace(self.refunds[out_refund_no], progress=to, succeeded_at=moment)
        self.refunds[out_refund_no] = ended
        self._write(ended)

    @property
    def kept_fen(self) -> int:
        """What it took for us and did not give back."""
        taken = sum(it.total_fen for it in self.orders.values() if it.state == "SUCCESS")
        given = sum(
            it.refund_fen for it in self.refunds.values() if it.progress is RefundProgress.SUCCESS
        )
        return taken - given

    def _of(self, number: str) -> list[RefundState]:
        return [it for it in self.refunds.values() if it.out_trade_no == number]

    def _write(self, says: Paid | RefundState) -> None:
        self.letters.append(Letter(f"model-{next(self._serial)}", says))
