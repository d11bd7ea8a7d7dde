"""The money in each person's pocket: change (零钱), one bank card, and every entry of both.

A payment from change lowers the balance, a payment by card leaves it; refunds go back the way the
money came. Amounts are fen, negative when money left.
"""

from __future__ import annotations

from wechat_sandbox.records import Order, Refund, User, WalletEntry
from wechat_sandbox.sandbox import Sandbox

CHANGE = "change"
CARD = "card"
BANK_TYPES = {CHANGE: "OTHERS", CARD: "CMB_DEBIT"}


def entries(sandbox: Sandbox, openid: str) -> list[WalletEntry]:
    """What left and came back, newest first."""
    return sandbox.store.all(
        WalletEntry, "SELECT * FROM wallet_entries WHERE openid = ? ORDER BY id DESC", openid
    )


def balance(sandbox: Sandbox, openid: str) -> int:
    """Change left, in fen."""
    return int(sandbox.store.number("SELECT balance_fen FROM users WHERE openid = ?", openid) or 0)


def set_balance(sandbox: Sandbox, openid: str, balance_fen: int) -> None:
    """Fill or empty the pocket, for trying "not enough money"."""
    with sandbox.store.write():
        before = balance(sandbox, openid)
        if balance_fen != before:
            _post(sandbox, openid, balance_fen - before, CHANGE, kind="top_up", title="零钱调整")
    sandbox.hub.publish(openid, "wallet")


def pay(sandbox: Sandbox, user: User, order: Order, method: str) -> None:
    """Money leaves for an order; call inside `write()`."""
    _post(
        sandbox,
        user.openid,
        -order.total_fen,
        method,
        kind="payment",
        title=order.description,
        out_trade_no=order.out_trade_no,
    )


def give_back(sandbox: Sandbox, user: User, order: Order, refund: Refund) -> None:
    """Refunded money arrives where it came from; call inside `write()`."""
    method = CHANGE if order.bank_type == BANK_TYPES[CHANGE] else CARD
    _post(
        sandbox,
        user.openid,
        refund.amount_fen,
        method,
        kind="refund",
        title=f"{order.description}-退款",
        out_trade_no=order.out_trade_no,
        out_refund_no=refund.out_refund_no,
    )


def take_back(sandbox: Sandbox, user: User, order: Order) -> None:
    """Money of a reversed scan arrives where it came from; call inside `write()`."""
    _post(
        sandbox,
        user.openid,
        order.total_fen,
        CHANGE if order.bank_type == BANK_TYPES[CHANGE] else CARD,
        kind="refund",
        title=f"{order.description}-撤销",
        out_trade_no=order.out_trade_no,
    )


def _post(
    sandbox: Sandbox,
    openid: str,
    amount_fen: int,
    method: str,
    *,
    kind: str,
    title: str,
    out_trade_no: str = "",
    out_refund_no: str = "",
) -> None:
    if method == CHANGE:
        sandbox.store.run(
            "UPDATE users SET balance_fen = balance_fen + ? WHERE openid = ?", amount_fen, openid
        )
    sandbox.store.insert(
        "wallet_entries",
        openid=openid,
        amount_fen=amount_fen,
        balance_fen=balance(sandbox, openid),
        kind=kind,
        title=title,
        method=method,
        out_trade_no=out_trade_no,
        out_refund_no=out_refund_no,
        at=sandbox.clock.now(),
    )
