"""Delivery against the stand-in: sent, refused for good, tried again, given up, never lost."""

from __future__ import annotations

import datetime as dt
import json
import logging
from pathlib import Path

import pytest
import time_machine
from pytest_django import Settings

from hospital.identity.models import WeChatUser
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.settings_rows import set_value
from hospital.messaging import actions
from hospital.messaging.models import Message
from hospital.messaging.thresholds import QUIET_FROM, QUIET_UNTIL
from hospital.testing.jobs import due_jobs, run_jobs
from hospital.testing.people import a_wechat_user
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db
DEMO = Path(__file__).parents[3] / "demo" / "wechat_templates.json"
OPENID = "oReaderOfMessages000001"


@pytest.fixture
def reader(wechat: StandIn, settings: Settings) -> WeChatUser:
    settings.WECHAT_TEMPLATES = json.loads(DEMO.read_text("utf-8"))
    wechat.user(openid=OPENID, subscribed=True)
    # Without quiet hours: these tests run at any hour of the real day.
    set_value(setting=QUIET_FROM, value=QUIET_UNTIL.value(), by=SYSTEM, at=clock.now())
    return a_wechat_user(openid=OPENID)


def tell(user: WeChatUser) -> Message:
    (message_id,) = actions.send(
        kind="N01",
        to=[user.pk],
        event_key="appointment:1:booked",
        subject=user,
        fields={
            "patient": "陈*宁",
            "department": "针灸推拿科",
            "doctor": "林若水 主任医师",
            "time": "11月24日 周二 08:30-09:00",
            "number": "A012",
        },
        path="/m/appointments/abc/",
        by=SYSTEM,
        at=clock.now(),
    )
    return Message.objects.get(pk=message_id)


def on_the_phone(wechat: StandIn) -> list[dict[str, object]]:
    return [
        {**message, "data": json.loads(message["data"])}
        if isinstance(message["data"], str)
        else message
        for message in wechat.state()["messages"]
    ]


def test_a_message_arrives_with_its_link(
    reader: WeChatUser, wechat: StandIn, settings: Settings
) -> None:
    message = tell(reader)

    assert run_jobs() == []

    message.refresh_from_db()
    assert (message.status, message.attempts) == ("sent", 1)
    delivery = message.deliveries.get()
    assert (delivery.channel, delivery.outcome, delivery.tries) == ("template", "sent", 1)
    assert delivery.provider_id
    (card,) = on_the_phone(wechat)
    assert card["url"] == f"{settings.PUBLIC_URL}/m/messages/{message.token}/"
    data = card["data"]
    assert isinstance(data, dict)
    assert data["thing1"]["value"] == "陈*宁"
    assert data["thing4"]["value"] == "11月24日 08:30-09:00"
    assert data["character_string5"]["value"] == "A012"


def test_delivering_again_sends_nothing_more(reader: WeChatUser, wechat: StandIn) -> None:
    from hospital.messaging import jobs

    message = tell(reader)
    run_jobs()

    jobs.deliver(message_id=message.pk, something_new=1)

    assert len(on_the_phone(wechat)) == 1
    message.refresh_from_db()
    assert message.attempts == 1


@pytest.mark.parametrize(
    ("facts", "failure"),
    [({"subscribed": False}, "not_following"), ({"blocked": True}, "blocked")],
)
def test_who_cannot_be_reached_reads_it_in_the_inbox(
    reader: WeChatUser, wechat: StandIn, facts: dict[str, bool], failure: str
) -> None:
    wechat.user(openid=OPENID, **facts)
    message = tell(reader)

    assert run_jobs() == []

    message.refresh_from_db()
    assert (message.status, message.failure, message.sent_at) == ("fallback", failure, None)
    assert message.channel == "inbox"
    assert due_jobs() == []
    assert on_the_phone(wechat) == []


def test_an_outage_is_waited_out_and_the_message_comes_once(
    reader: WeChatUser, wechat: StandIn
) -> None:
    start = clock.now()
    message = tell(reader)
    wechat.fault("http_500", times=2, match="/cgi-bin/message/template/send")
    with time_machine.travel(start + dt.timedelta(seconds=1)):
        assert run_jobs() == []
        message.refresh_from_db()
        assert (message.status, message.attempts) == ("queued", 1)
    with time_machine.travel(start + dt.timedelta(minutes=1)):
        assert run_jobs() == []
    with time_machine.travel(start + dt.timedelta(minutes=5)):
        assert run_jobs() == []

    message.refresh_from_db()
    assert message.status == "sent"
    assert len(on_the_phone(wechat)) == 1


def test_a_lost_answer_does_not_show_the_message_twice(reader: WeChatUser, wechat: StandIn) -> None:
    start = clock.now()
    message = tell(reader)
    wechat.fault("timeout_after_success", times=1, match="/cgi-bin/message/template/send")
    run_jobs()
    with time_machine.travel(start + dt.timedelta(minutes=5)):
        run_jobs()

    message.refresh_from_db()
    assert message.status == "sent"
    assert len(on_the_phone(wechat)) == 1


def test_a_refused_token_is_renewed_once(reader: WeChatUser, wechat: StandIn) -> None:
    wechat.fault("token_invalid", times=1)
    message = tell(reader)

    assert run_jobs() == []

    message.refresh_from_db()
    assert (message.status, message.attempts) == ("sent", 1)


def test_without_template_or_account_it_stays_in_the_inbox(
    reader: WeChatUser, settings: Settings
) -> None:
    settings.WECHAT_TEMPLATES = []
    untemplated = tell(reader)
    run_jobs()
    settings.WECHAT_TEMPLATES = json.loads(DEMO.read_text("utf-8"))
    settings.WECHAT = None
    Message.objects.filter(pk=untemplated.pk).update(event_key="another")
    unconnected = tell(reader)
    run_jobs()

    untemplated.refresh_from_db()
    unconnected.refresh_from_db()
    assert (untemplated.status, untemplated.failure) == ("fallback", "no_template")
    assert (unconnected.status, unconnected.failure) == ("fallback", "not_connected")


def test_a_text_its_template_cannot_hold_stays_in_the_inbox(
    reader: WeChatUser, settings: Settings
) -> None:
    settings.WECHAT_TEMPLATES = [
        {"kind": "N01", "template_id": "x", "fields": {"doctor": "amount1"}}
    ]
    message = tell(reader)

    assert run_jobs() == []

    message.refresh_from_db()
    assert (message.status, message.failure) == ("fallback", "bad_field")


def test_the_log_names_nobody(reader: WeChatUser, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        tell(reader)
        run_jobs()

    records = [record for record in caplog.records if record.name != "django.db.backends"]
    text = "\n".join(str(vars(record)) for record in records)
    for secret in (OPENID, "陈*宁", "林若水"):
        assert secret not in text
