"""What is said to the account: stored once, acted upon once, answered at most once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from hospital.identity.models import WeChatUser
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.models import Transition
from hospital.messaging import account_gateway, actions
from hospital.messaging.models import Consent, InboundMessage, ReplyRule
from hospital.messaging.states import InboundStatus, Match, RuleKind
from hospital.testing import callbacks
from hospital.testing.callbacks import deliver, event, message, nested, signed
from hospital.testing.jobs import due_jobs, run_jobs
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db
OPENID = "oHearingTester000000000001"


@pytest.fixture(autouse=True)
def _reachable(wechat: StandIn) -> None:
    """The person has written just now, so the account may answer."""
    wechat.user(openid=OPENID, subscribed=True)


def a_rule(kind: RuleKind, *words: str, **facts: Any) -> ReplyRule:
    said: dict[str, Any] = {"name": "规则", "match": Match.EXACT, "priority": 100}
    said |= {"text": "回复", "is_on": True}
    return actions.save_rule(
        rule_id=None, kind=kind, words=words, by=SYSTEM, at=clock.now(), **(said | facts)
    )


def the_user() -> WeChatUser:
    return WeChatUser.objects.get(openid=OPENID)


def settle() -> InboundMessage:
    """Run what waits; the one message."""
    assert run_jobs(only="messaging.") == []
    return InboundMessage.objects.get()


def chat(wechat: StandIn) -> list[str]:
    """What the account said to the person."""
    lines = wechat.chat(OPENID)
    return [line["text"] for line in lines if line["side"] == "account"]


def writes(wechat: StandIn, text: str) -> None:
    """The person writes at WeChat, which hands it to us (here by hand)."""
    wechat.inbound(OPENID, "text", text=text)


def test_the_address_is_checked(client: Client) -> None:
    query, _ = signed(b"")
    plain = {name: query[name] for name in ("signature", "timestamp", "nonce")}

    answer = client.get(callbacks.ADDRESS, {**plain, "echostr": "72183 9+1"})

    assert (answer.status_code, answer.content) == (200, b"72183 9+1")
    wrong = client.get(callbacks.ADDRESS, {**plain, "nonce": "x", "echostr": "1"})
    assert (wrong.status_code, wrong.content) == (403, b"")


def test_a_text_is_stored_sealed_and_answered_later(client: Client, wechat: StandIn) -> None:
    rule = a_rule(RuleKind.KEYWORD, "挂号", text="请点菜单“预约挂号”。")
    writes(wechat, "挂号")
    deliver(client, message(OPENID, Content="挂号"))
    assert due_jobs() == ["messaging.jobs.handle_inbound"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(m)::text FROM messaging_inboundmessage m")
        (stored,) = cursor.fetchone()
    assert "挂号" not in stored
    assert OPENID not in stored

    row = settle()

    assert (row.content, row.status, row.rule) == ("挂号", InboundStatus.ANSWERED, rule)
    assert chat(wechat) == ["请点菜单“预约挂号”。"]


def test_three_copies_are_one(client: Client, wechat: StandIn) -> None:
    a_rule(RuleKind.DEFAULT, text="您好")
    writes(wechat, "在吗")
    deliver(client, message(OPENID, Content="在吗"), times=3)

    row = settle()
    run_jobs()

    assert chat(wechat) == ["您好"]
    moves = Transition.objects.filter(subject_type="messaging.inboundmessage", subject_id=row.pk)
    assert [move.to_status for move in moves.order_by("pk")] == ["answering", "answered"]


def test_following_and_leaving_in_any_order(client: Client) -> None:
    now = clock.now()
    left = event(OPENID, "unsubscribe", at=now, EventKey="")
    came = event(OPENID, "subscribe", at=now - dt.timedelta(minutes=1), EventKey="qrscene_dept-7")

    deliver(client, left)
    deliver(client, came)
    assert run_jobs(only="messaging.") == []

    assert the_user().is_following is False
    rows = list(InboundMessage.objects.order_by("pk").values_list("event", "scene", "status"))
    assert rows == [("unsubscribe", "", "handled"), ("subscribe", "dept-7", "handled")]


def test_a_new_follower_is_welcomed_and_known(client: Client, wechat: StandIn) -> None:
    a_rule(RuleKind.WELCOME, text="欢迎关注杏林县中医院")
    wechat.user(openid=OPENID, subscribed=False)
    wechat.inbound(OPENID, "subscribe")
    deliver(client, event(OPENID, "subscribe", EventKey=""))

    assert settle().status == InboundStatus.ANSWERED
    assert the_user().is_following is True
    assert chat(wechat) == ["欢迎关注杏林县中医院"]


def test_a_scan_is_remembered_with_its_scene(client: Client) -> None:
    deliver(client, event(OPENID, "SCAN", EventKey="dept-7", Ticket="T"))

    row = settle()

    assert (row.event, row.scene, row.status) == ("scan", "dept-7", "handled")


def test_a_menu_button_gets_its_own_answer(client: Client, wechat: StandIn) -> None:
    rule = a_rule(RuleKind.MENU, text="门诊时间 8:00–17:30")
    a_rule(RuleKind.DEFAULT, text="默认")
    wechat.inbound(OPENID, "click", key=rule.key)
    deliver(client, event(OPENID, "CLICK", EventKey=rule.key))

    assert settle().rule == rule
    assert chat(wechat) == ["门诊时间 8:00–17:30"]


@pytest.mark.parametrize("key", ["", "reply:", "reply:x", "reply:99999999999999999999", "other"])
def test_a_button_nobody_knows_gets_none(client: Client, key: str) -> None:
    a_rule(RuleKind.DEFAULT, text="默认")
    deliver(client, event(OPENID, "CLICK", EventKey=key))

    assert settle().status == InboundStatus.HANDLED


def test_a_rule_switched_off_is_silent(client: Client) -> None:
    a_rule(RuleKind.KEYWORD, "挂号", is_on=False)
    deliver(client, message(OPENID, Content="挂号"))

    assert settle().status == InboundStatus.HANDLED


def test_an_unknown_kind_ends_without_a_trace(client: Client) -> None:
    deliver(client, message(OPENID, MsgType="hologram"))

    assert not InboundMessage.objects.exists()
    assert due_jobs() == []


def test_an_unknown_event_is_kept_and_means_nothing(client: Client) -> None:
    deliver(client, event(OPENID, "hologram"))

    row = settle()

    assert (row.event, row.status) == ("hologram", "handled")


def test_two_results_in_one_second_are_two(client: Client) -> None:
    at = clock.now()
    for number in ("1", "2"):
        deliver(
            client,
            event(OPENID, "TEMPLATESENDJOBFINISH", at=at, MsgID=number, Status="success"),
            times=2,
        )

    assert InboundMessage.objects.count() == 2


def test_a_report_about_nobodys_message_is_given_up_after_a_minute(client: Client) -> None:
    deliver(client, event(OPENID, "TEMPLATESENDJOBFINISH", MsgID="77", Status="success"))
    row = InboundMessage.objects.get()

    actions.handle(inbound_id=row.pk, at=row.received_at + dt.timedelta(seconds=59))
    row.refresh_from_db()
    assert row.status == InboundStatus.RECEIVED

    actions.handle(inbound_id=row.pk, at=row.received_at + dt.timedelta(seconds=60))
    row.refresh_from_db()
    assert row.status == InboundStatus.HANDLED


def consents(*, event_name: str, body: str, words: dict[str, str]) -> bytes:
    rows = "".join(
        f"<List><TemplateId>{template}</TemplateId>"
        f"<SubscribeStatusString>{word}</SubscribeStatusString></List>"
        for template, word in words.items()
    )
    return nested(event(OPENID, event_name), f"<{body}>{rows}</{body}>")


def test_consents_are_counted_and_withdrawn(client: Client) -> None:
    asked = consents(
        event_name="subscribe_msg_popup_event",
        body="SubscribeMsgPopupEvent",
        words={"T1": "accept", "T2": "reject"},
    )
    deliver(client, asked, times=3)
    assert run_jobs(only="messaging.") == []
    assert list(Consent.objects.values_list("template_id", "left")) == [("T1", 1)]

    changed = consents(
        event_name="subscribe_msg_change_event",
        body="SubscribeMsgChangeEvent",
        words={"T1": "reject"},
    )
    deliver(client, changed)
    assert run_jobs(only="messaging.") == []

    assert list(Consent.objects.values_list("template_id", "left")) == [("T1", 0)]


def test_an_answer_wechat_was_too_busy_for_comes_later(client: Client, wechat: StandIn) -> None:
    a_rule(RuleKind.DEFAULT, text="您好")
    writes(wechat, "在吗")
    wechat.fault("token_invalid", times=2)
    deliver(client, message(OPENID, Content="在吗"))
    row = settle()
    assert (row.status, row.tries, chat(wechat)) == (InboundStatus.ANSWERING, 1, [])

    account_gateway.answer(inbound_id=row.pk, attempt=2, at=clock.now())

    row.refresh_from_db()
    assert (row.status, row.tries, chat(wechat)) == (InboundStatus.ANSWERED, 2, ["您好"])


def test_an_answer_that_may_have_arrived_is_not_sent_twice(client: Client, wechat: StandIn) -> None:
    a_rule(RuleKind.DEFAULT, text="您好")
    writes(wechat, "在吗")
    wechat.fault("timeout_after_success", match="custom/send", seconds=2)
    deliver(client, message(OPENID, Content="在吗"))

    row = settle()

    assert row.status == InboundStatus.UNANSWERED
    assert row.failure.startswith("no_answer:")
    assert chat(wechat) == ["您好"]


def test_a_try_cut_short_is_not_repeated(client: Client, wechat: StandIn) -> None:
    a_rule(RuleKind.DEFAULT, text="您好")
    deliver(client, message(OPENID, Content="在吗"))
    run_jobs(only="messaging.jobs.handle_inbound")
    row = InboundMessage.objects.get()
    assert actions.begin_answer(inbound_id=row.pk, attempt=1, at=clock.now()) is not None

    assert actions.begin_answer(inbound_id=row.pk, attempt=1, at=clock.now()) is None

    row.refresh_from_db()
    assert (row.status, row.failure, chat(wechat)) == ("unanswered", "interrupted", [])


def test_nobody_is_answered_two_days_later(client: Client) -> None:
    a_rule(RuleKind.DEFAULT, text="您好")
    deliver(client, message(OPENID, at=clock.now() - dt.timedelta(hours=48), Content="在吗"))

    assert settle().status == InboundStatus.HANDLED


def test_texts_are_forgotten_after_some_days(client: Client) -> None:
    deliver(client, message(OPENID, Content="我的膝盖疼"))
    row = settle()

    assert actions.forget_texts(at=row.received_at + dt.timedelta(days=7)) == 0
    assert actions.forget_texts(at=row.received_at + dt.timedelta(days=7, seconds=1)) == 1

    row.refresh_from_db()
    assert row.content == ""
    assert actions.forget_texts(at=row.received_at + dt.timedelta(days=9)) == 0


def test_without_an_account_there_is_no_such_address(client: Client, settings: Any) -> None:
    query, body = signed(message(OPENID, Content="1"))
    settings.WECHAT = None

    assert callbacks.post(client, query, body).status_code == 404
    assert not InboundMessage.objects.exists()
