"""The panel beside the phone: who holds it, what shall go wrong, the clock, and what happened.

Not part of the phone. It reads the stand-in's tables; its buttons pull the levers of `/_ctl`.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from wechat_sandbox import consents, inbound, orders, paycodes, people, sms, templates
from wechat_sandbox.account_records import ApprovedTemplate, CallbackDelivery, Inbound
from wechat_sandbox.phone import cashier, chats, fault_words, looks
from wechat_sandbox.phone.pages import from_the_phone, held, page, render, sent
from wechat_sandbox.records import Delivery, Notice, Order, PendingFault, Refund, User
from wechat_sandbox.sandbox import Sandbox, sandbox_of

SHOWN = 30
STATES = {
    "NOTPAY": ("待付款", "waits"),
    "USERPAYING": ("等顾客输密码", "waits"),
    "ACCEPT": ("已受理", "waits"),
    "SUCCESS": ("已付款", "good"),
    "REFUND": ("已付，有退款", "good"),
    "CLOSED": ("已关闭", "over"),
    "REVOKED": ("已撤销", "over"),
    "PAYERROR": ("支付失败", "bad"),
}
REFUND_STATES = {
    "PROCESSING": ("处理中", "waits"),
    "SUCCESS": ("已退", "good"),
    "ABNORMAL": ("异常", "bad"),
    "CLOSED": ("已关闭", "over"),
}
NOTICE_STATES = {
    "waiting": ("等着再发", "waits"),
    "sending": ("正在发", "waits"),
    "delivered": ("已收下", "good"),
    "lost": ("丢了", "bad"),
    "given_up": ("不再发", "bad"),
}
WAYS = {
    "JSAPI": "公众号",
    "NATIVE": "扫码",
    "MICROPAY": "付款码",
    "CODEPAY": "付款码",
}
INBOUND = {
    "text": "文字",
    "subscribe": "关注",
    "unsubscribe": "取消关注",
    "SCAN": "扫码",
    "CLICK": "点菜单",
    "VIEW": "打开菜单网页",
    "TEMPLATESENDJOBFINISH": "模板消息结果",
    "subscribe_msg_popup_event": "订阅弹窗",
    "subscribe_msg_change_event": "订阅设置",
    "subscribe_msg_sent_event": "订阅消息结果",
}
EVENTS = {
    "TRANSACTION.SUCCESS": "付款成功",
    "REFUND.SUCCESS": "退款成功",
    "REFUND.ABNORMAL": "退款异常",
    "REFUND.CLOSED": "退款关闭",
}


@dataclass(frozen=True)
class Chip:
    """A state in one word; `tone` is waits, good, bad or over."""

    label: str
    tone: str


@dataclass(frozen=True)
class OrderRow:
    """An order with its refunds and the notices about both."""

    number: str
    amount: str
    description: str
    way: str
    payer: str
    when: str
    state: str
    chip: Chip
    refunds: list[RefundRow]
    notices: list[NoticeRow]


@dataclass(frozen=True)
class RefundRow:
    """A refund; `open` while somebody may still decide how it ends."""

    number: str
    amount: str
    chip: Chip
    when: str
    open: bool


@dataclass(frozen=True)
class Attempt:
    """One attempt to hand a notice over."""

    label: str
    answer: str
    tone: str
    fault: str


@dataclass(frozen=True)
class NoticeRow:
    """A notice and every attempt so far; `next` is empty when none follows."""

    id: str
    event: str
    chip: Chip
    when: str
    next: str
    number: str
    attempts: list[Attempt]


@dataclass(frozen=True)
class InboundRow:
    """A message or event pushed to the merchant's server, with every attempt."""

    label: str
    chip: Chip
    attempts: list[Attempt]


@dataclass(frozen=True)
class TextRow:
    """A text message to any number."""

    number: str
    text: str
    when: str


@dataclass(frozen=True)
class FaultRow:
    """An injected fault: how often it struck, how often it still may."""

    id: int
    name: str
    says: str
    detail: str
    hits: int
    left: str


@held
async def panel(request: Request, sandbox: Sandbox, user: User) -> Response:
    """The panel anew."""
    return page(shown(sandbox, user))


@from_the_phone
async def drop_fault(request: Request) -> Response:
    """A waiting fault, or all of them (`id` 0), shall not strike any more."""
    sandbox, which = sandbox_of(request), int((await sent(request)).get("id", 0))
    sandbox.store.run("UPDATE faults SET times_left = 0 WHERE ? IN (0, id)", which)
    return JSONResponse({})


@from_the_phone
async def forget_struck(request: Request) -> Response:
    """Empty the list of faults that have struck for the last time."""
    sandbox_of(request).store.run("DELETE FROM faults WHERE times_left = 0")
    return JSONResponse({})


def shown(sandbox: Sandbox, user: User | None) -> str:
    """The panel as markup."""
    now = sandbox.clock.now()
    waiting, struck = faults(sandbox)
    return render(
        "drawer.html",
        people=persons(sandbox, user),
        holder=user,
        account_name=sandbox.settings.account_name,
        balance=looks.yuan(user.balance_fen) if user else "",
        card_name=chats.CARD_NAME,
        card_works=cashier.card_works(sandbox, user) if user else True,
        now=f"{looks.bill_time(now)}:{looks.local(now):%S}",
        offset=_offset(sandbox.clock.offset_s),
        offset_s=sandbox.clock.offset_s,
        to_morning_s=_to_morning(now),
        wire=sandbox.clock.shifts_wire,
        fault_groups=fault_words.groups(),
        waiting=waiting,
        struck=struck,
        most=SHOWN,
        orders=order_rows(sandbox),
        notices=notice_rows(sandbox)[:SHOWN],
        templates=_subscriptions(sandbox),
        consents=_consents(sandbox, user) if user else [],
        texts=_texts(sandbox),
        inbound=_inbound(sandbox),
        callback_url=inbound.callback_url(sandbox),
    )


def persons(sandbox: Sandbox, user: User | None) -> list[dict[str, object]]:
    """Everybody who could hold a phone; `current` holds this one."""
    return [
        {
            "openid": person.openid,
            "nickname": person.nickname,
            "note": looks.note_of(person),
            "look": looks.look_of(person),
            "current": user is not None and person.openid == user.openid,
        }
        for person in people.everyone(sandbox)
    ]


def faults(sandbox: Sandbox) -> tuple[list[FaultRow], list[FaultRow]]:
    """The faults that wait, and those that have struck for the last time, newest first."""
    found = sandbox.store.all(PendingFault, "SELECT * FROM faults ORDER BY id DESC LIMIT ?", 100)
    waiting = [_fault(fault) for fault in found if fault.times_left != 0]
    return waiting, [_fault(fault) for fault in found if fault.times_left == 0 and fault.hits]


def order_rows(sandbox: Sandbox) -> list[OrderRow]:
    """The newest orders."""
    orders.expire(sandbox)
    listed = sandbox.store.all(
        Order, "SELECT * FROM orders ORDER BY created_at DESC, rowid DESC LIMIT ?", SHOWN
    )
    about = notice_rows(sandbox)
    return [
        _order(sandbox, order, [row for row in about if row.number == order.out_trade_no])
        for order in listed
    ]


def notice_rows(sandbox: Sandbox) -> list[NoticeRow]:
    """The newest notices with their attempts."""
    listed = sandbox.store.all(
        Notice, "SELECT * FROM notices ORDER BY created_at DESC, rowid DESC LIMIT ?", 3 * SHOWN
    )
    return [_notice(sandbox, notice) for notice in listed]


def _fault(fault: PendingFault) -> FaultRow:
    details = [
        f"{fault.copies} 份" if fault.copies > 1 else "",
        f"{fault.seconds:g} 秒" if fault.seconds else "",
        f"只对含“{fault.match}”的" if fault.match else "",
        f"值 {fault.value}" if fault.value else "",
    ]
    return FaultRow(
        id=fault.id,
        name=fault.kind,
        says=fault_words.says(fault.kind),
        detail="，".join(detail for detail in details if detail),
        hits=fault.hits,
        left="一直" if fault.times_left < 0 else f"还有 {fault.times_left} 次",
    )


def _order(sandbox: Sandbox, order: Order, about: list[NoticeRow]) -> OrderRow:
    scan = paycodes.scan_of(sandbox, order.out_trade_no)
    shown_by = scan.openid if scan else ""
    payer = people.find(sandbox, order.payer_openid or order.openid or shown_by)
    refunds = sandbox.store.all(
        Refund,
        "SELECT * FROM refunds WHERE out_trade_no = ? ORDER BY created_at, rowid",
        order.out_trade_no,
    )
    return OrderRow(
        number=order.out_trade_no,
        amount=looks.yuan(order.total_fen),
        description=order.description,
        way=WAYS.get(order.trade_type, order.trade_type),
        payer=payer.nickname if payer else "还不知道谁付",
        when=looks.bill_time(order.created_at),
        state=order.state,
        chip=_chip(STATES, order.state),
        refunds=[_refund(refund) for refund in refunds],
        notices=about,
    )


def _refund(refund: Refund) -> RefundRow:
    return RefundRow(
        number=refund.out_refund_no,
        amount=looks.yuan(refund.amount_fen),
        chip=_chip(REFUND_STATES, refund.status),
        when=looks.bill_time(refund.created_at),
        open=refund.status in ("PROCESSING", "ABNORMAL"),
    )


def _notice(sandbox: Sandbox, notice: Notice) -> NoticeRow:
    attempts = sandbox.store.all(
        Delivery, "SELECT * FROM deliveries WHERE notice_id = ? ORDER BY id", notice.id
    )
    return NoticeRow(
        id=notice.id,
        event=EVENTS.get(notice.event_type, notice.event_type),
        chip=_chip(NOTICE_STATES, notice.status),
        when=looks.full_time(notice.created_at)[11:],
        next=looks.full_time(notice.next_at)[11:] if notice.next_at else "",
        number=notice.out_trade_no,
        attempts=[_attempt(attempt) for attempt in attempts],
    )


def _subscriptions(sandbox: Sandbox) -> list[ApprovedTemplate]:
    return [one for one in templates.approved(sandbox) if one.product != templates.TEMPLATE][:5]


def _consents(sandbox: Sandbox, user: User) -> list[dict[str, object]]:
    titles = {one.template_id: one.title for one in templates.approved(sandbox)}
    return [
        {
            "title": titles.get(one.template_id, one.template_id),
            "permanent": one.permanent,
            "left": one.sends_left,
        }
        for one in consents.all_of(sandbox, user.openid)
    ]


def _texts(sandbox: Sandbox) -> list[TextRow]:
    newest = reversed(sms.latest(sandbox)[-SHOWN:])
    return [TextRow(one.number, one.text, looks.bill_time(one.at)) for one in newest]


def _inbound(sandbox: Sandbox) -> list[InboundRow]:
    listed = sandbox.store.all(Inbound, "SELECT * FROM inbound ORDER BY id DESC LIMIT ?", SHOWN)
    return [_pushed(sandbox, one) for one in listed]


def _pushed(sandbox: Sandbox, one: Inbound) -> InboundRow:
    name = one.event or one.kind
    person = people.find(sandbox, one.openid)
    words = [INBOUND.get(name, name), person.nickname if person else "", one.event_key]
    attempts = sandbox.store.all(
        CallbackDelivery,
        "SELECT * FROM callback_deliveries WHERE inbound_id = ? ORDER BY id",
        one.id,
    )
    return InboundRow(
        label=" · ".join(word for word in words if word),
        chip=_chip(NOTICE_STATES, one.status),
        attempts=[_attempt(attempt) for attempt in attempts],
    )


def _attempt(attempt: Delivery | CallbackDelivery) -> Attempt:
    copy = f"，第 {attempt.copy} 份" if attempt.copy > 1 else ""
    answer = str(attempt.status) if attempt.status else "没有回答"
    return Attempt(
        label=f"{looks.full_time(attempt.sent_at)[11:]} 第 {attempt.attempt} 次{copy}",
        answer=f"{answer} · {attempt.ms:.0f} ms",
        tone="good" if attempt.status in (200, 204) else "bad",
        fault=fault_words.says(attempt.fault) if attempt.fault else "",
    )


def _chip(words: dict[str, tuple[str, str]], state: str) -> Chip:
    return Chip(*words.get(state, (state, "over")))


def _offset(seconds: float) -> str:
    """`快 1 天 2 小时 3 分`; empty when the clock is right."""
    minutes = round(abs(seconds) / 60)
    if not minutes:
        return ""
    days, rest = divmod(minutes, 24 * 60)
    parts = [(days, "天"), (rest // 60, "小时"), (rest % 60, "分")]
    words = " ".join(f"{count} {unit}" for count, unit in parts if count)
    return f"{'快' if seconds > 0 else '慢'} {words}"


def _to_morning(now: float) -> int:
    """Seconds from now until ten o'clock tomorrow, Beijing."""
    then = looks.local(now)
    since_midnight = then.hour * 3600 + then.minute * 60 + then.second
    return 24 * 3600 - since_midnight + 10 * 3600
