"""Members of staff are told by SMS, once per event and person, and by no other channel."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client

from hospital.identity.models import StaffAccount
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import NotFound
from hospital.messaging import actions, queries
from hospital.messaging.models import CallTask, Delivery, Message
from hospital.messaging.registry import KINDS
from hospital.messaging.tests.world import AT, a_message, stands
from hospital.testing.jobs import run_jobs
from hospital.testing.people import a_staff, a_wechat_user, patient_client, staff_client
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db
PHONE = "13900139001"


def a_colleague(phone: str = PHONE) -> StaffAccount:
    account = a_staff(Role.SYSTEM_ADMIN, display_name="沈工")
    account.phone = phone
    account.save()
    return account


def tell(*accounts: StaffAccount, event_key: str = "alert:1:1") -> list[int]:
    return actions.send_to_staff(
        kind="N38",
        to=[account.pk for account in accounts],
        event_key=event_key,
        subject=accounts[0],
        fields=KINDS["N38"].sample,
        path="/staff/monitoring/alerts/1/",
        by=SYSTEM,
        at=AT,
    )


def test_each_gets_one_sms_of_an_event(wechat: StandIn) -> None:
    first, second = a_colleague(), a_colleague("13900139002")

    assert len(tell(first, second, first)) == 2
    assert tell(first, second) == []
    assert run_jobs() == []

    sent = wechat.sms()
    assert sorted(one["number"] for one in sent) == [PHONE, "13900139002"]
    assert "系统告警（严重）微信支付通知：结果未答复：最久的一笔支付等微信答复" in sent[0]["text"]
    assert [stands(message) for message in Message.objects.all()] == [("sent", "sms", "")] * 2
    assert {row.channel for row in Delivery.objects.all()} == {"sms"}


def test_a_refused_or_missing_phone_leaves_it_to_the_page(wechat: StandIn) -> None:
    tell(a_colleague(""))
    wechat.fault("sms_refused")
    tell(a_colleague(), event_key="alert:2:1")
    assert run_jobs() == []

    rows = Message.objects.order_by("pk")
    assert [stands(row) for row in rows] == [
        ("fallback", "inbox", "no_phone"),
        ("fallback", "inbox", "sms_refused"),
    ]
    assert not CallTask.objects.exists(), "nobody telephones the IT department as a patient"


def test_a_silent_platform_is_asked_again_and_one_sms_comes(wechat: StandIn) -> None:
    wechat.fault("sms_500", times=1)
    tell(a_colleague())
    assert run_jobs() == []
    assert wechat.sms() == []
    with time_machine.travel(clock.now() + dt.timedelta(minutes=1)):
        assert run_jobs() == []
    assert len(wechat.sms()) == 1


def test_it_is_not_in_the_log_of_patients_and_nobody_sends_it_again() -> None:
    account = a_colleague()
    (message_id,) = tell(account)
    clerk = a_staff(Role.OUTPATIENT_OFFICE)
    client: Client = staff_client(account=clerk)

    assert "沈工" not in client.get("/staff/messages/").content.decode()
    assert client.get(f"/staff/messages/{message_id}/").status_code == 404
    with pytest.raises(NotFound):
        actions.resend(message_id=message_id, seen_round=0, by=Actor("staff", clerk.pk), at=AT)
    assert Message.objects.get().round == 0
    (row,) = queries.messages_to_staff_about(subject=account)
    assert (row.reader, row.status, row.at) == ("沈工", "待发送", AT)


def test_a_message_has_exactly_one_reader() -> None:
    (message_id,) = tell(a_colleague())
    message = Message.objects.filter(pk=message_id)
    with pytest.raises(IntegrityError), transaction.atomic():
        message.update(staff=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        message.update(wechat_user=a_wechat_user())
    assert Message.objects.get().staff is not None


def test_patients_hear_nothing_of_it() -> None:
    user = a_wechat_user()
    client = patient_client(user)
    assert "系统告警" not in client.get("/m/messages/settings/").content.decode()
    with pytest.raises(AssertionError, match="for members of staff"):
        a_message("N38", user)
    assert not Message.objects.exists()


def test_a_kind_for_patients_is_not_for_staff() -> None:
    account = a_colleague()
    with pytest.raises(AssertionError, match="for patients"):
        actions.send_to_staff(
            kind="N26",
            to=[account.pk],
            event_key="x",
            subject=account,
            fields=KINDS["N26"].sample,
            path="/",
            by=SYSTEM,
            at=AT,
        )
    assert not Message.objects.exists()
