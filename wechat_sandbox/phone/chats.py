"""The two chats of this phone: the hospital's Official Account and WeChat Pay.

A chat is a list of cards, oldest first. What the holder has seen is one number a chat (the id of
the newest card on the screen), and what the holder typed is a short list; both are kept as
remembered settings under `phone:`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from wechat_sandbox import messages, orders, wallet
from wechat_sandbox.phone.looks import ACCOUNT, WECHAT_PAY, Look, chat_time, full_time, yuan
from wechat_sandbox.records import Order, Refund, User, WalletEntry
from wechat_sandbox.sandbox import Sandbox

ACCOUNT_CHAT = "account"
PAY_CHAT = "pay"
SEPARATOR_AFTER_S = 300
TEXTS_KEPT = 50
TEXT_LIMIT = 600
# The one bank card everybody has; the number is the one refund notices name.
CARD_NAME = "招商银行储蓄卡(0403)"


class NoChat(Exception):
    """There is no chat of this name."""


@dataclass(frozen=True)
class Card:
    """One thing in a chat.

    `kind`: `message` (opens `url`), `money` (opens the screen `open`) or `said` (the holder's own
    words). `id` grows within a chat for everything that can be unread; 0 for the holder's words.
    `quiet` cards raise no banner: the holder has just seen them happen.
    """

    kind: str
    id: int
    at: float
    title: str
    preview: str
    lines: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""
    open: str = ""
    amount: str = ""
    amount_label: str = ""
    separator: str = ""
    quiet: bool = False

    @property
    def key(self) -> str:
        """Names the card on the page."""
        return f"{self.kind}-{self.id}"


@dataclass(frozen=True)
class Chat:
    """A chat as one row of the list: `newest` is None while nothing was said."""

    name: str
    title: str
    look: Look
    newest: Card | None
    unread: int

    @property
    def preview(self) -> str:
        """The line under the title."""
        return self.newest.preview if self.newest else ""


def overview(sandbox: Sandbox, user: User) -> list[Chat]:
    """The chats to list, the newest on top; the account only while it is followed."""
    found = [_chat(sandbox, user, name) for name in (ACCOUNT_CHAT, PAY_CHAT)]
    listed = [
        chat
        for chat in found
        if chat.newest is not None or (chat.name == ACCOUNT_CHAT and user.subscribed)
    ]
    return sorted(listed, key=lambda chat: chat.newest.at if chat.newest else 0.0, reverse=True)


def cards(sandbox: Sandbox, user: User, name: str) -> list[Card]:
    """Everything in a chat, oldest first, with time separators; raises NoChat."""
    now = sandbox.clock.now()
    separated: list[Card] = []
    latest = float("-inf")
    for card in _cards(sandbox, user, name):
        if card.at - latest > SEPARATOR_AFTER_S:
            card = replace(card, separator=chat_time(card.at, now))
        separated.append(card)
        latest = card.at
    return separated


def newest(sandbox: Sandbox, user: User) -> dict[str, int]:
    """The id of the newest card of each chat."""
    return {
        name: max((card.id for card in _cards(sandbox, user, name)), default=0)
        for name in (ACCOUNT_CHAT, PAY_CHAT)
    }


def marks(known: dict[str, int]) -> str:
    """`account:12,pay:3`: what somebody has heard of."""
    return ",".join(f"{name}:{newest_id}" for name, newest_id in known.items())


def title_of(sandbox: Sandbox, name: str) -> str:
    """What stands above a chat; raises NoChat."""
    titles = {ACCOUNT_CHAT: sandbox.settings.account_name, PAY_CHAT: "微信支付"}
    if name not in titles:
        raise NoChat(name)
    return titles[name]


def mark_seen(sandbox: Sandbox, user: User, name: str) -> None:
    """Everything in the chat has been looked at; raises NoChat."""
    newest = max((card.id for card in _cards(sandbox, user, name)), default=0)
    sandbox.store.set_meta(_seen_key(user, name), str(newest))


def say(sandbox: Sandbox, user: User, text: str) -> None:
    """The holder writes to the account, which has no answering service in this stand-in."""
    said = [*_said(sandbox, user), {"at": sandbox.clock.now(), "text": text[:TEXT_LIMIT]}]
    sandbox.store.set_meta(f"phone:said:{user.openid}", json.dumps(said[-TEXTS_KEPT:]))


def _chat(sandbox: Sandbox, user: User, name: str) -> Chat:
    found = _cards(sandbox, user, name)
    seen = int(sandbox.store.meta(_seen_key(user, name), "0"))
    return Chat(
        name=name,
        title=title_of(sandbox, name),
        look=ACCOUNT if name == ACCOUNT_CHAT else WECHAT_PAY,
        newest=found[-1] if found else None,
        unread=sum(card.id > seen for card in found),
    )


def _seen_key(user: User, name: str) -> str:
    return f"phone:seen:{name}:{user.openid}"


def _said(sandbox: Sandbox, user: User) -> list[dict[str, str | float]]:
    said: list[dict[str, str | float]] = json.loads(
        sandbox.store.meta(f"phone:said:{user.openid}", "[]")
    )
    return said


def _cards(sandbox: Sandbox, user: User, name: str) -> list[Card]:
    if name == ACCOUNT_CHAT:
        both = [*map(_message, messages.received(sandbox, user.openid)), *_spoken(sandbox, user)]
        return sorted(both, key=lambda card: card.at)
    if name == PAY_CHAT:
        moves = wallet.entries(sandbox, user.openid)
        return [_money(sandbox, move) for move in reversed(moves) if move.kind != "top_up"]
    raise NoChat(name)


def _spoken(sandbox: Sandbox, user: User) -> list[Card]:
    return [
        Card(
            kind="said",
            id=0,
            at=float(said["at"]),
            title=str(said["text"]),
            preview=str(said["text"]),
        )
        for said in _said(sandbox, user)
    ]


def _message(message: messages.Card) -> Card:
    return Card(
        kind="message",
        id=message.msgid,
        at=message.at,
        title=message.title,
        preview=message.title,
        lines=[(line.label, line.value) for line in message.lines],
        url=message.url,
    )


def _money(sandbox: Sandbox, move: WalletEntry) -> Card:
    order = orders.find(sandbox, move.out_trade_no)
    if order is None:
        raise LookupError(move.out_trade_no)
    return _refunded(sandbox, move, order) if move.kind == "refund" else _paid(sandbox, move, order)


def _paid(sandbox: Sandbox, move: WalletEntry, order: Order) -> Card:
    return Card(
        kind="money",
        id=move.id,
        at=move.at,
        title="微信支付凭证",
        preview=f"微信支付凭证：付款 ¥{yuan(-move.amount_fen)}",
        amount_label="付款金额",
        amount=yuan(-move.amount_fen),
        lines=[
            ("收款方", sandbox.settings.merchant_name),
            ("商品", order.description),
            ("付款方式", method_name(move.method)),
            ("交易状态", "支付成功，对方已收款"),
        ],
        quiet=True,
        open=f"/phone/bills/{order.out_trade_no}",
    )


def _refunded(sandbox: Sandbox, move: WalletEntry, order: Order) -> Card:
    refund = sandbox.store.one(
        Refund, "SELECT * FROM refunds WHERE out_refund_no = ?", move.out_refund_no
    )
    lines = [
        ("商户", sandbox.settings.merchant_name),
        ("商品", order.description),
        ("退款方式", f"退回{method_name(move.method)}"),
        ("到账时间", full_time(move.at)),
    ]
    if refund is not None and refund.reason:
        lines.append(("退款原因", refund.reason))
    return Card(
        kind="money",
        id=move.id,
        at=move.at,
        title="退款到账通知",
        preview=f"退款到账通知：¥{yuan(move.amount_fen)} 已退回{method_name(move.method)}",
        amount_label="退款金额",
        amount=yuan(move.amount_fen),
        lines=lines,
        open=f"/phone/bills/{order.out_trade_no}",
    )


def method_name(method: str) -> str:
    """The pocket in WeChat's words."""
    return "零钱" if method == wallet.CHANGE else CARD_NAME
