"""Every channel against the stand-in, and what each of its faults leads to."""

from __future__ import annotations

import datetime as dt
import json
import logging
from pathlib import Path

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from hospital.identity.models import WeChatUser
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.settings_rows import set_value
from hospital.messaging.models import CallTask, Delivery, Message
from hospital.messaging.tests.world import AT, a_message, stands
from hospital.messaging.thresholds import QUIET_FROM, QUIET_UNTIL
from hospital.patients.models import Patient
from hospital.testing import callbacks
from hospital.testing.jobs import run_jobs
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db
DEMO = Path(__file__).parents[3] / "demo" / "wechat_templates.json"
OPENID, PHONE = "oReaderOfMessages000002", "13900139000"
SEND = "/cgi-bin/message/template/send"


@pytest.fixture
def reader(wechat: StandIn, settings: Settings) -> WeChatUser:
    settings.WECHAT_TEMPLATES = json.loads(DEMO.read_text("utf-8"))
    wechat.user(openid=OPENID, subscribed=True)
    # Without quiet hours: these tests run at any hour of the real day.
    set_value(setting=QUIET_FROM, value=QUIET_UNTIL.value(), by=SYSTEM, at=clock.now())
    return a_wechat_user(openid=OPENID)


@pytest.fixture
def patient(reader: WeChatUser) -> Patient:
    return a_patient(reader, phone=PHONE, at=AT)


def suspended(reader: WeChatUser, patient: Patient, *, key: str = "appointment:9:x") -> Message:
    return a_message("N06", reader, patient=patient, event_key=key, at=clock.now())


def tries(message: Message) -> list[tuple[str, str, str]]:
    rows = Delivery.objects.filter(message=message).order_by("pk")
    return list(rows.values_list("channel", "outcome", "reason"))


def work(minutes: float = 0) -> None:
    """What falls due within some minutes is done, each at its moment or a little later."""
    start = clock.now()
    for second in range(0, int(minutes * 60) + 1, 30):
        with time_machine.travel(start + dt.timedelta(seconds=second)):
            assert run_jobs() == []


def subscription_only(settings: Settings) -> str:
    fields = {"amount": "amount1", "route": "thing2", "state": "thing3"}
    entry = {"kind": "N26", "template_id": "sub-26", "product": "subscription", "fields": fields}
    settings.WECHAT_TEMPLATES = [entry]
    return "sub-26"


def test_a_blocked_reader_gets_one_sms_for_the_event(
    reader: WeChatUser, patient: Patient, wechat: StandIn
) -> None:
    wechat.fault("user_blocked")
    message = suspended(reader, patient)

    work()

    assert stands(message) == ("fallback", "sms", "blocked")
    assert tries(message) == [("template", "failed", "blocked"), ("sms", "sent", "")]
    (text,) = wechat.sms()
    assert text["number"] == PHONE
    assert text["text"].startswith("【杏林县中医院】陈*宁预约的陈知行 针灸推拿科")
    assert Delivery.objects.get(channel="sms").provider_id.startswith("sms-")


def test_two_users_of_one_patient_are_one_sms(
    reader: WeChatUser, patient: Patient, wechat: StandIn
) -> None:
    wechat.user(openid=OPENID, blocked=True)
    first = suspended(reader, patient)
    work()
    Message.objects.filter(pk=first.pk).update(event_key="moved")
    second = suspended(reader, patient)
    work()

    assert {stands(first)[1], stands(second)[1]} == {"sms"}
    assert len(wechat.sms()) == 1, "the same reference is the same SMS"


def test_sms_500_is_tried_again_and_sent_once(
    reader: WeChatUser, patient: Patient, wechat: StandIn
) -> None:
    wechat.fault("user_blocked")
    wechat.fault("sms_500", times=1)
    message = suspended(reader, patient)

    work(minutes=1)

    assert stands(message) == ("fallback", "sms", "blocked")
    assert len(wechat.sms()) == 1
    assert Delivery.objects.get(channel="sms").tries == 2


def test_sms_refused_leads_to_a_call(reader: WeChatUser, patient: Patient, wechat: StandIn) -> None:
    wechat.fault("not_following")
    wechat.fault("sms_refused")
    message = suspended(reader, patient)

    work()

    assert stands(message) == ("fallback", "call", "not_following")
    assert tries(message)[1] == ("sms", "failed", "sms_refused")
    assert CallTask.objects.get().message_id == message.pk
    assert wechat.sms() == []


@pytest.mark.parametrize(
    ("without", "reason"), [("platform", "no_sms"), ("phone", "no_phone"), ("answer", "gave_up")]
)
def test_without_a_way_to_text_somebody_telephones(
    reader: WeChatUser,
    patient: Patient,
    wechat: StandIn,
    settings: Settings,
    without: str,
    reason: str,
) -> None:
    wechat.fault("user_blocked")
    if without == "platform":
        settings.SMS_URL = ""
    elif without == "phone":
        Patient.objects.filter(pk=patient.pk).update(phone="", phone_index="")
    else:
        settings.SMS_URL = "http://127.0.0.1:9/"
    message = suspended(reader, patient)

    work(minutes=2)

    assert stands(message) == ("fallback", "call", "blocked")
    skipped = "failed" if without == "answer" else "skipped"
    assert tries(message)[1] == ("sms", skipped, reason)


def test_wechat_down_for_urgent_news_is_left_for_sms_within_minutes(
    reader: WeChatUser, patient: Patient, wechat: StandIn
) -> None:
    wechat.fault("token_invalid_forever")
    message = suspended(reader, patient)

    work(minutes=2)

    assert stands(message) == ("fallback", "sms", "gave_up")
    assert len(wechat.sms()) == 1


@pytest.mark.parametrize("fault", ["token_invalid_forever", "busy"])
def test_what_can_wait_goes_out_when_wechat_is_back(
    reader: WeChatUser, wechat: StandIn, fault: str
) -> None:
    wechat.fault(fault, match=SEND, times=3)
    message = a_message("N01", reader, at=clock.now())
    work()
    assert stands(message) == ("queued", "", "")
    wechat.calm()

    work(minutes=3)

    assert stands(message) == ("sent", "template", "")
    assert len(wechat.state()["messages"]) == 1


def test_a_field_wechat_refuses_stays_in_the_inbox(reader: WeChatUser, wechat: StandIn) -> None:
    wechat.fault("bad_field")
    message = a_message("N01", reader, at=clock.now())

    work()

    assert stands(message) == ("fallback", "inbox", "bad_field")


def test_a_subscription_uses_a_consent_and_without_one_goes_on(
    reader: WeChatUser, wechat: StandIn, settings: Settings
) -> None:
    template_id = subscription_only(settings)
    wechat.consent(OPENID, template_id, left=1)
    sent = a_message("N26", reader, at=clock.now(), answers=reader.pk)
    work()
    refused = a_message("N26", reader, at=clock.now(), answers=reader.pk)
    work()

    assert stands(sent) == ("sent", "subscription", "")
    assert stands(refused) == ("fallback", "inbox", "no_consent")
    (card,) = wechat.state()["messages"]
    assert card["url"].endswith(f"/m/messages/{sent.token}/")


def test_a_lost_answer_to_a_subscription_is_not_repeated(
    reader: WeChatUser, wechat: StandIn, settings: Settings
) -> None:
    template_id = subscription_only(settings)
    wechat.consent(OPENID, template_id, left=2)
    wechat.fault("timeout_after_success", times=1, match="bizsend")
    message = a_message("N26", reader, at=clock.now(), answers=reader.pk)

    work(minutes=1)

    assert stands(message) == ("fallback", "inbox", "unsure")
    assert len(wechat.state()["messages"]) == 1


def test_what_wechat_reports_afterwards_moves_the_message(
    reader: WeChatUser, patient: Patient, wechat: StandIn, client: Client
) -> None:
    arrived, lost = suspended(reader, patient, key="a:1"), suspended(reader, patient, key="a:2")
    work()
    for message, words in ((arrived, "success"), (lost, "failed:user block")):
        number = Delivery.objects.get(message=message).provider_id
        report = callbacks.event(OPENID, "TEMPLATESENDJOBFINISH", MsgID=number, Status=words)
        assert callbacks.post(client, *callbacks.signed(report, nonce=number)).status_code == 200

    work()

    assert stands(arrived) == ("delivered", "template", "")
    assert stands(lost) == ("fallback", "sms", "blocked")


def test_the_log_names_neither_phone_nor_text(
    reader: WeChatUser, patient: Patient, wechat: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    wechat.fault("user_blocked")
    with caplog.at_level(logging.DEBUG):
        suspended(reader, patient)
        work()

    records = [record for record in caplog.records if record.name != "django.db.backends"]
    said = "\n".join(str(vars(record)) for record in records)
    assert "sms call" in said
    for secret in (OPENID, PHONE, "陈*宁", "陈知行"):
        assert secret not in said
