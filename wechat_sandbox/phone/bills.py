"""账单: the money that left and came back, month by month, and one payment with its refunds.

Read from the same wallet entries, orders and refunds the imitated interfaces write.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from wechat_sandbox import orders, wallet
from wechat_sandbox.phone.chats import method_name
from wechat_sandbox.phone.looks import (
    ACCOUNT,
    WECHAT_PAY,
    Look,
    bill_time,
    full_time,
    local,
    yuan,
)
from wechat_sandbox.records import Order, Refund, User, WalletEntry
from wechat_sandbox.sandbox import Sandbox

BUSY, DONE, STUCK, WAITING = "busy", "done", "stuck", "waiting"


@dataclass(frozen=True)
class Line:
    """One row of the list; `open` is the screen behind it, may be empty."""

    title: str
    when: str
    amount: str
    came: bool
    state: str
    open: str
    look: Look


@dataclass(frozen=True)
class Month:
    """A month's rows, newest first, with what left and what came back."""

    label: str
    out: str
    back: str
    lines: list[Line]


@dataclass(frozen=True)
class Step:
    """A step of a refund's way; `state` is done, busy, stuck or waiting."""

    label: str
    note: str
    state: str


@dataclass(frozen=True)
class RefundWay:
    """One refund of a payment and how far it has come."""

    amount: str
    steps: list[Step]


@dataclass(frozen=True)
class Bill:
    """One payment in full; lines are label, value and tone (`warm` for refunded)."""

    title: str
    amount: str
    look: Look
    lines: list[tuple[str, str, str]]
    refunds: list[RefundWay]


def months(sandbox: Sandbox, user: User) -> list[Month]:
    """The whole list, newest month first."""
    moves = wallet.entries(sandbox, user.openid)
    return [
        _month(sandbox, label, list(group))
        for label, group in groupby(moves, lambda m: f"{local(m.at):%Y}年{local(m.at).month}月")
    ]


def bill_for(sandbox: Sandbox, user: User, out_trade_no: str) -> Bill | None:
    """A payment this person made, None when there is none of that number."""
    order = orders.find(sandbox, out_trade_no)
    if order is None or order.success_at is None or order.transaction_id is None:
        return None
    if order.payer_openid not in (user.openid, user.mp_openid):
        return None
    state = refund_state(refunds_of(sandbox, order), order)
    lines = [
        ("当前状态", state or "支付成功", "warm" if state else ""),
        ("支付时间", full_time(order.success_at), ""),
        ("商品", order.description, ""),
        ("商户全称", sandbox.settings.merchant_name, ""),
        ("支付方式", method_name(_method(order)), ""),
        ("交易单号", order.transaction_id, ""),
        ("商户单号", order.out_trade_no, ""),
    ]
    return Bill(
        title=sandbox.settings.merchant_name,
        amount=f"-{yuan(order.total_fen)}",
        look=ACCOUNT,
        lines=lines,
        refunds=[_way(order, refund) for refund in refunds_of(sandbox, order)],
    )


def refunds_of(sandbox: Sandbox, order: Order) -> list[Refund]:
    """An order's refunds, oldest first."""
    return sandbox.store.all(
        Refund,
        "SELECT * FROM refunds WHERE out_trade_no = ? ORDER BY created_at",
        order.out_trade_no,
    )


def refund_state(refunds: Iterable[Refund], order: Order) -> str:
    """`已全额退款`, `已退款(¥5.00)`, `退款中`, or nothing."""
    known = list(refunds)
    back = sum(refund.amount_fen for refund in known if refund.status == "SUCCESS")
    if back >= order.total_fen:
        return "已全额退款"
    if back:
        return f"已退款(¥{yuan(back)})"
    return "退款中" if any(refund.status == "PROCESSING" for refund in known) else ""


def _month(sandbox: Sandbox, label: str, moves: list[WalletEntry]) -> Month:
    counted = [move for move in moves if move.kind != "top_up"]
    return Month(
        label=label,
        out=yuan(-sum(move.amount_fen for move in counted if move.amount_fen < 0)),
        back=yuan(sum(move.amount_fen for move in counted if move.amount_fen > 0)),
        lines=[_line(sandbox, move) for move in moves],
    )


def _line(sandbox: Sandbox, move: WalletEntry) -> Line:
    order = orders.find(sandbox, move.out_trade_no) if move.out_trade_no else None
    name = sandbox.settings.merchant_name
    titles = {"payment": name, "refund": f"{name}-退款"}
    paid = order is not None and move.kind == "payment"
    return Line(
        title=titles.get(move.kind, move.title),
        when=bill_time(move.at),
        amount=f"{'+' if move.amount_fen > 0 else '-'}{yuan(abs(move.amount_fen))}",
        came=move.amount_fen > 0,
        state=refund_state(refunds_of(sandbox, order), order) if order and paid else "",
        open=f"/phone/bills/{move.out_trade_no}" if order else "",
        look=ACCOUNT if order else WECHAT_PAY,
    )


def _way(order: Order, refund: Refund) -> RefundWay:
    goes_to = method_name(_method(order))
    asked = Step(f"{full_time(refund.created_at)} 商户发起退款", refund.reason, DONE)
    ends = {
        "SUCCESS": Step(f"{full_time(refund.success_at or 0)} 已到账", f"退回{goes_to}", DONE),
        "PROCESSING": Step("微信支付处理中", f"将退回{goes_to}", BUSY),
        "ABNORMAL": Step("退款异常", "原路退回失败，请联系商户", STUCK),
        "CLOSED": Step("退款关闭", "请联系商户", STUCK),
    }
    return RefundWay(amount=f"¥{yuan(refund.amount_fen)}", steps=[asked, ends[refund.status]])


def _method(order: Order) -> str:
    names = {bank_type: method for method, bank_type in wallet.BANK_TYPES.items()}
    return names[order.bank_type]
