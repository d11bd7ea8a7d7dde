"""How each operation of the account is reached: telling people, hearing them, who they are."""

from __future__ import annotations

from django.conf import settings

from hospital.identity.models import WeChatUser
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.messaging import account_gateway
from hospital.messaging import actions as messaging
from hospital.messaging.models import MenuVersion
from hospital.messaging.states import Match, MenuStatus, RuleKind
from hospital.payments.models import Refund
from hospital.scheduling import actions as scheduling
from hospital.testing import callbacks
from hospital.wechat.menus import Button, Menu
from tests.journeys.faults.walk import TAPS, Walk
from tests.journeys.phone import Phone
from wechat_sandbox.fault_kinds import KINDS, Point

EDITOR = Actor("staff", 4)
WRITER = "oWriterToTheAccount0000001"
HOME = "/m/"
#: What the hospital answers such a page with.
PAGES = {"暂时连不上微信": 503, "登录没有完成": 409}


def token(walk: Walk) -> None:
    walk.strike()
    walk.is_booked()
    walk.passes(minutes=6)


def message(walk: Walk) -> None:
    if KINDS[walk.row.fault].point is Point.RESULT:
        _listens(walk)
        walk.strike()
        walk.is_booked()
        walk.wait_for_notices(2)
    else:
        token(walk)


def notification(walk: Walk) -> None:
    """The patient has agreed to a few of them."""
    (template,) = settings.WECHAT_TEMPLATES
    walk.story.wechat.consent(walk.openid, str(template["template_id"]), left=3)
    message(walk)


def sms(walk: Walk) -> None:
    """Who booked blocks the account, then the session is called off (N06)."""
    walk.is_booked()
    walk.story.wechat.user(openid=walk.openid, blocked=True)
    walk.strike()
    scheduling.suspend_schedule(
        schedule_id=walk.story.schedule.pk, reason="病假", by=SYSTEM, at=clock.now()
    )
    walk.passes(minutes=3)
    refund = Refund.objects.get()
    walk.story.wechat.refund_state(refund.out_refund_no, "SUCCESS")
    walk.wait_for_notices(2)


def said(walk: Walk) -> None:
    """Somebody writes to the account; every text is answered."""
    _is_told(walk)
    walk.strike()
    walk.story.wechat.letters.answers = list(walk.row.door)
    walk.story.wechat.inbound(WRITER, "text", text="在吗")
    walk.wait_for_notices(len(walk.row.door))


def report(walk: Walk) -> None:
    """The notice of the payment comes first, that of the message after it."""
    _listens(walk)
    walk.strike()
    walk.story.wechat.letters.answers = [204, *walk.row.door]
    walk.is_booked()
    walk.wait_for_notices(1 + len(walk.row.door))
    assert walk.answers.pop(0) == 204


def answer(walk: Walk) -> None:
    _is_told(walk)
    walk.strike()
    walk.story.wechat.inbound(WRITER, "text", text="在吗")
    walk.wait_for_notices(1)
    walk.passes(minutes=3)


def menu(walk: Walk) -> None:
    """Somebody publishes; while WeChat refuses, the draft is published again."""
    draft = messaging.start_draft(copy_of=None, by=EDITOR, at=clock.now())
    wanted = Menu(buttons=(Button(name="官网", kind="view", url="https://hospital.example/"),))
    messaging.save_draft(
        menu_id=draft.pk, revision=draft.revision, menu=wanted, by=EDITOR, at=clock.now()
    )
    walk.strike()
    for _ in range(TAPS):
        version = MenuVersion.objects.get()
        if version.status != MenuStatus.DRAFT:
            break
        account_gateway.start_publishing(
            menu_id=version.pk, revision=version.revision, by=EDITOR, at=clock.now()
        )
    walk.passes(minutes=1)


def log_in(walk: Walk) -> None:
    """Somebody opens the hospital's home; where a page says so, they go in again."""
    phone = Phone(walk.story.wechat)
    walk.strike()
    if walk.row.page:
        page = phone.open(HOME, status=PAGES[walk.row.page])
        assert walk.row.page in page.text, page.text
        assert not WeChatUser.objects.exists()
        phone.follow("重新进入")
    else:
        phone.open(HOME)
    walk.landed_on = phone.page.path
    phone.handset.close()


def _listens(walk: Walk) -> None:
    """The account's callbacks come to us."""
    wechat = walk.story.wechat
    wechat.callback_url(wechat.letters.address + callbacks.ADDRESS)
    wechat.callback_mode("safe")


def _is_told(walk: Walk) -> None:
    """Somebody follows the account, which answers whatever is written."""
    _listens(walk)
    messaging.save_rule(
        rule_id=None,
        kind=RuleKind.DEFAULT,
        name="您好",
        words=[],
        match=Match.EXACT,
        priority=100,
        text="您好",
        is_on=True,
        by=SYSTEM,
        at=clock.now(),
    )
    walk.story.wechat.user(openid=WRITER, subscribed=True)
