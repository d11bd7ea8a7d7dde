"""What reaches this phone: the Official Account's chat, WeChat Pay's, and text messages.

A chat is a list of cards, oldest first. Cards are numbered by their table (`counter`); what the
holder has seen is the highest number of each, kept as a remembered setting under `phone:`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from wechat_sandbox import conversation, messages, orders, wallet
from wechat_sandbox.account_records import ChatLine
from wechat_sandbox.phone import texts
from wechat_sandbox.phone.account_talk import Piece, articles, pieces
from wechat_sandbox.phone.looks import ACCOUNT, SMS, WECHAT_PAY, Look, chat_time, full_time, yuan
from wechat_sandbox.records import Order, Refund, User, WalletEntry
from wechat_sandbox.sandbox import Sandbox

ACCOUNT_CHAT = "account"
PAY_CHAT = "pay"
SMS_CHAT = "sms"
IN_WECHAT = (ACCOUNT_CHAT, PAY_CHAT)
EVERYWHERE = (*IN_WECHAT, SMS_CHAT)
# The tables cards come from, and the chat each is shown in.
COUNTERS = {"account": ACCOUNT_CHAT, "talk": ACCOUNT_CHAT, "pay": PAY_CHAT, "sms": SMS_CHAT}
SEPARATOR_AFTER_S = 300
# The one bank card everybody has; the number is the one refund notices name.
CARD_NAME = "招商银行储蓄卡(0403)"


class NoChat(Exception):
    """There is no chat of this name."""


@dataclass(frozen=True)
class Card:
    """One thing in a chat.

    `kind`: `message` (opens `url`), `money` (opens the screen `open`), `said` (the holder's own
    words), `heard` (the account's, in `pieces`), `news` (articles in `items`), `msgmenu` (a
    question with choices in `items`) or `sms`. `id` grows within its `counter`. `quiet` cards
    raise no banner: the holder has just seen them happen.
    """

    kind: str
    counter: str
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
    pieces: list[Piece] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Names the card on the page."""
        return f"{self.counter}-{self.id}"


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
    found = [chat(sandbox, user, name) for name in IN_WECHAT]
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
    """The id of the newest card of each counter."""
    return _newest([card for name in EVERYWHERE for card in _cards(sandbox, user, name)])


def marks(known: dict[str, int]) -> str:
    """`account:12,pay:3`: what somebody has heard of."""
    return ",".join(f"{name}:{newest_id}" for name, newest_id in known.items())


def title_of(sandbox: Sandbox, name: str) -> str:
    """What stands above a chat; raises NoChat."""
    titles = {
        ACCOUNT_CHAT: sandbox.settings.account_name,
        PAY_CHAT: "微信支付",
        SMS_CHAT: "信息",
    }
    if name not in titles:
        raise NoChat(name)
    return titles[name]


def mark_seen(sandbox: Sandbox, user: User, name: str) -> None:
    """Everything in the chat has been looked at; raises NoChat."""
    for counter, newest_id in _newest(_cards(sandbox, user, name)).items():
        sandbox.store.set_meta(_seen_key(user, counter), str(newest_id))


def chat(sandbox: Sandbox, user: User, name: str) -> Chat:
    """One chat as a row of a list; raises NoChat."""
    found = _cards(sandbox, user, name)
    seen = {counter: int(sandbox.store.meta(_seen_key(user, counter), "0")) for counter in COUNTERS}
    return Chat(
        name=name,
        title=title_of(sandbox, name),
        look={ACCOUNT_CHAT: ACCOUNT, PAY_CHAT: WECHAT_PAY, SMS_CHAT: SMS}[name],
        newest=found[-1] if found else None,
        unread=sum(card.kind != "said" and card.id > seen[card.counter] for card in found),
    )


def _newest(cards: list[Card]) -> dict[str, int]:
    known = dict.fromkeys(COUNTERS, 0)
    for card in cards:
        known[card.counter] = max(known[card.counter], card.id)
    return known


def _seen_key(user: User, counter: str) -> str:
    return f"phone:seen:{counter}:{user.openid}"


def _cards(sandbox: Sandbox, user: User, name: str) -> list[Card]:
    if name == ACCOUNT_CHAT:
        both = [
            *map(_message, messages.received(sandbox, user.openid)),
            *map(_talk, conversation.lines(sandbox, user.openid)),
        ]
        return sorted(both, key=lambda card: card.at)
    if name == PAY_CHAT:
        moves = wallet.entries(sandbox, user.openid)
        return [_money(sandbox, move) for move in reversed(moves) if move.kind != "top_up"]
    if name == SMS_CHAT:
        return [
            Card(kind="sms", counter="sms", id=sms.id, at=sms.at, title=sms.text, preview=sms.text)
            for sms in texts.received(sandbox, user)
        ]
    raise NoChat(name)


def _talk(line: ChatLine) -> Card:
    kind = line.kind if line.kind in ("news", "msgmenu") else "heard"
    mine = line.side == conversation.HOLDER
    return Card(
        kind="said" if mine else kind,
        counter="talk",
        id=line.id,
        at=line.at,
        title=line.text,
        preview=_plain(line.text),
        pieces=[] if mine else pieces(line.text),
        items=articles(line),
        quiet=mine,
    )


def _plain(text: str) -> str:
    return "".join(piece.text for piece in pieces(text))


def _message(message: messages.Card) -> Card:
    return Card(
        kind="message",
        counter="account",
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
        counter="pay",
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
        counter="pay",
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
