"""Urgent news of a patient nobody acts for on WeChat: the own phone, then the call list (M1.8)."""

from __future__ import annotations

import pytest

from hospital.kernel.actors import SYSTEM
from hospital.messaging import actions, queries
from hospital.messaging.models import CallTask, Delivery, Message
from hospital.messaging.registry import KINDS
from hospital.messaging.states import CallStatus
from hospital.messaging.tests.world import AT, stands
from hospital.patients.models import Patient
from hospital.testing.jobs import run_jobs
from hospital.testing.people import a_patient
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db


def tell(patient: Patient | None, kind: str = "N06", *, event_key: str = "t:1") -> list[int]:
    subject = patient or a_patient(at=AT)
    return actions.send(
        kind=kind,
        to=[],
        event_key=event_key,
        subject=subject,
        fields=KINDS[kind].sample,
        path="/m/appointments/abc/",
        by=SYSTEM,
        at=AT,
        patient_id=patient.pk if patient else None,
    )


def test_m1_08_who_has_no_wechat_gets_one_sms(wechat: StandIn) -> None:
    patient = a_patient(phone="13900139000", at=AT)

    (message_id,) = tell(patient)
    assert tell(patient) == []
    assert run_jobs(only="messaging") == []

    message = Message.objects.get()
    assert message.pk == message_id
    assert stands(message) == ("sent", "sms", "")
    (text,) = wechat.sms()
    assert text["number"] == "13900139000"
    assert list(Delivery.objects.values_list("channel", "outcome")) == [("sms", "sent")]
    assert not CallTask.objects.exists()
    (row,) = queries.messages_about([(message.subject_type, patient.pk)])
    assert (row.wechat_user_id, row.status_label) == (None, "已发送")


def test_m1_08_whom_the_sms_does_not_reach_goes_on_the_call_list(wechat: StandIn) -> None:
    patient = a_patient(at=AT)
    wechat.fault("sms_refused")

    tell(patient)
    assert run_jobs(only="messaging") == []

    assert stands(Message.objects.get()) == ("fallback", "call", "sms_refused")
    assert wechat.sms() == []
    (call,) = queries.calls(status=CallStatus.OPEN)
    assert (call.person, call.reason) == (patient.masked_name, "短信平台拒绝发送")


def test_what_is_not_urgent_or_about_nobody_is_told_to_nobody(wechat: StandIn) -> None:
    patient = a_patient(at=AT)

    assert tell(patient, "N05") == []
    assert tell(None) == []

    assert not Message.objects.exists()
