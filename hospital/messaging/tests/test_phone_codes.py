"""A code by SMS reaches the phone once, while it is of use, and is kept nowhere else."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from django.conf import settings as configured
from pytest_django import Settings

from hospital.kernel import clock
from hospital.kernel.actors import Actor
from hospital.messaging import jobs
from hospital.messaging.code_gateway import NotYetSent
from hospital.messaging.models import Message
from hospital.patients.actions import ask_code
from hospital.patients.states import DocumentKind, Relationship
from hospital.testing.jobs import due_jobs
from hospital.testing.people import a_code, a_resident_id, a_wechat_user
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db
PHONE = "13700137000"


def asked() -> tuple[int, str]:
    """A code somebody waits for: its id and digits."""
    user = a_wechat_user()
    code = ask_code(
        wechat_user_id=user.pk,
        name="陈晓宁",
        document_kind=DocumentKind.RESIDENT_ID,
        document_no=a_resident_id(),
        phone=PHONE,
        relationship=Relationship.SELF,
        by=Actor("patient", user.pk),
        at=clock.now(),
    )
    return code.pk, a_code(user)


def test_it_reaches_the_phone_once_with_its_end_and_a_warning(wechat: StandIn) -> None:
    code_id, digits = asked()

    for _ in range(2):
        jobs.send_phone_code(code_id=code_id)

    (sent,) = wechat.sms(PHONE)
    assert re.fullmatch(
        rf"【{configured.HOSPITAL_NAME}】验证码{digits}，用于在微信中添加您为就诊人。"
        r"若非您本人同意，请勿告诉任何人。\d\d:\d\d前有效。",
        sent["text"],
    )
    assert not Message.objects.exists()
    assert due_jobs() == ["messaging.jobs.send_phone_code"]


def test_a_platform_in_trouble_is_asked_again(wechat: StandIn) -> None:
    code_id, digits = asked()
    wechat.fault("sms_500")

    with pytest.raises(NotYetSent):
        jobs.send_phone_code(code_id=code_id)
    assert wechat.sms(PHONE) == []
    jobs.send_phone_code(code_id=code_id)

    assert [digits in one["text"] for one in wechat.sms(PHONE)] == [True]


def test_a_code_that_is_over_is_not_sent(wechat: StandIn) -> None:
    code_id, _ = asked()

    with time_machine.travel(clock.now() + dt.timedelta(minutes=5), tick=False):
        jobs.send_phone_code(code_id=code_id)

    assert wechat.sms(PHONE) == []


def test_without_a_platform_it_is_said_in_the_log(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SMS_URL = ""
    code_id, digits = asked()

    jobs.send_phone_code(code_id=code_id)

    (line,) = [one for one in caplog.records if one.name == "hospital.messaging.code_gateway"]
    assert line.levelname == "ERROR"
    assert digits not in str(vars(line))
    assert PHONE not in str(vars(line))
