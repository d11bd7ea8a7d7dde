"""The stand-in's own ledger as WeChat would put it on a bill: what moved on a Beijing day.

Payments count by the moment of success, refunds by the moment they were accepted, reversals by
theirs. A refund's status is the one it had when the bill was made, and stays so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from wechat_sandbox.bill_layout import Fund, Trade
from wechat_sandbox.clock import BEIJING
from wechat_sandbox.records import Order, Refund, RefundEnd, Reversal
from wechat_sandbox.sandbox import Sandbox

MYRIAD = 10_000


@dataclass(frozen=True)
class Day:
    """A Beijing day as two moments; `known_at` is when its bill was made."""

    starts_at: float
    ends_at: float
    known_at: float

    def holds(self, at: float) -> bool:
        """Whether the moment is on this day."""
        return self.starts_at <= at < self.ends_at


def day(on: date, known_at: float) -> Day:
    """The Beijing day `on`."""
    start = datetime(on.year, on.month, on.day, tzinfo=BEIJING)
    return Day(start.timestamp(), (start + timedelta(days=1)).timestamp(), known_at)


def trades(sandbox: Sandbox, on: Day) -> list[Trade]:
    """Payments, refunds and reversals of the day, oldest first."""
    rows = [*_payments(sandbox, on), *_refunds(sandbox, on), *_reversals(sandbox, on)]
    return sorted(rows, key=lambda row: row.at)


def funds(sandbox: Sandbox, on: Day) -> list[Fund]:
    """Movements of the merchant's account on the day, with the balance since the beginning."""
    ever = Day(0.0, on.ends_at, on.known_at)
    balance, shown = 0, []
    for movement in sorted(_movements(sandbox, ever), key=lambda row: row.at):
        balance += movement.amount_fen
        if on.holds(movement.at):
            shown.append(replace(movement, balance_fen=balance))
    return shown


def fee(sandbox: Sandbox, fen: int) -> int:
    """WeChat's share, rounded half up to the fen."""
    return (fen * sandbox.settings.fee_per_myriad * 2 + MYRIAD) // (2 * MYRIAD)


def _payments(sandbox: Sandbox, on: Day) -> Iterator[Trade]:
    paid = sandbox.store.all(
        Order,
        "SELECT * FROM orders WHERE success_at >= ? AND success_at < ?",
        on.starts_at,
        on.ends_at,
    )
    for order in paid:
        yield Trade(
            at=order.success_at or 0.0,
            appid=order.appid,
            mchid=order.mchid,
            device_id=order.device_id,
            transaction_id=order.transaction_id or "",
            out_trade_no=order.out_trade_no,
            openid=order.payer_openid,
            trade_type=order.trade_type,
            state="SUCCESS",
            bank_type=order.bank_type,
            order_fen=order.total_fen,
            title=order.description,
            attach=order.attach,
            fee_fen=fee(sandbox, order.total_fen),
        )


def _refunds(sandbox: Sandbox, on: Day) -> Iterator[Trade]:
    accepted = sandbox.store.all(
        Refund,
        "SELECT * FROM refunds WHERE created_at >= ? AND created_at < ?",
        on.starts_at,
        on.ends_at,
    )
    for refund in accepted:
        end = _end(sandbox, refund, on.known_at)
        yield replace(
            _order_row(sandbox, refund.out_trade_no),
            at=refund.created_at,
            state="REFUND",
            order_fen=0,
            fee_fen=-fee(sandbox, refund.amount_fen),
            refund_id=refund.refund_id,
            out_refund_no=refund.out_refund_no,
            refund_fen=refund.amount_fen,
            refund_type="ORIGINAL",
            refund_status="PROCESSING" if end is None else end.status,
            ended_at=end.at if end is not None and end.status == "SUCCESS" else None,
        )


def _reversals(sandbox: Sandbox, on: Day) -> Iterator[Trade]:
    """The merchant gave no refund number; the order's stands in its place."""
    reversed_ = sandbox.store.all(
        Reversal, "SELECT * FROM reversals WHERE at >= ? AND at < ?", on.starts_at, on.ends_at
    )
    for reversal in reversed_:
        payment = _order_row(sandbox, reversal.out_trade_no)
        yield replace(
            payment,
            at=reversal.at,
            state="REVOKED",
            order_fen=0,
            fee_fen=-payment.fee_fen,
            refund_id=reversal.refund_id,
            out_refund_no=reversal.out_trade_no,
            refund_fen=payment.order_fen,
            refund_type="ORIGINAL",
            refund_status="SUCCESS",
            ended_at=reversal.at,
        )


def _order_row(sandbox: Sandbox, out_trade_no: str) -> Trade:
    order = sandbox.store.one(Order, "SELECT * FROM orders WHERE out_trade_no = ?", out_trade_no)
    if order is None or order.success_at is None:
        raise LookupError(out_trade_no)
    at = order.success_at
    return next(
        row
        for row in _payments(sandbox, Day(at, at + 0.001, at))
        if row.out_trade_no == out_trade_no
    )


def _end(sandbox: Sandbox, refund: Refund, known_at: float) -> RefundEnd | None:
    """How the refund stood when the bill was made; None while it was under way."""
    return sandbox.store.one(
        RefundEnd,
        "SELECT * FROM refund_ends WHERE out_refund_no = ? AND at <= ? ORDER BY id DESC LIMIT 1",
        refund.out_refund_no,
        known_at,
    )


def _movements(sandbox: Sandbox, on: Day) -> Iterator[Fund]:
    mchid = sandbox.keys.mchid
    for row in trades(sandbox, on):
        if row.state == "SUCCESS":
            yield _fund(row, row.transaction_id, "交易", row.order_fen, "system", row.out_trade_no)
        else:
            name = f"{mchid}API"
            yield _fund(row, row.refund_id, "退款", -row.refund_fen, name, row.out_refund_no)
        if row.refund_status == "CLOSED":
            yield _fund(row, row.refund_id, "退款退回", row.refund_fen, "system", row.out_refund_no)
        if row.fee_fen:
            kind = "扣除交易手续费" if row.fee_fen > 0 else "退还交易手续费"
            number = row.transaction_id if row.fee_fen > 0 else row.refund_id
            yield _fund(row, number, kind, -row.fee_fen, "system", row.out_trade_no)


def _fund(row: Trade, number: str, kind: str, fen: int, asked_by: str, voucher: str) -> Fund:
    digest = hashlib.sha256(f"{number}{kind}".encode()).hexdigest()
    return Fund(
        at=row.at,
        number=number,
        flow_number=f"{int(digest, 16) % 10**28:028d}",
        name=kind[:2] if kind in ("交易", "退款", "退款退回") else "交易手续费",
        kind=kind,
        amount_fen=fen,
        balance_fen=0,
        asked_by=asked_by,
        note=row.title,
        voucher=voucher,
    )
