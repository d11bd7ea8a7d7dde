"""Bad luck and timing: a worker killed in the middle, two clerks at once, a night in between."""

from __future__ import annotations

import datetime as dt

import pytest
from pytest_django import Settings

from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Stale
from hospital.messaging import actions
from hospital.messaging.models import CallTask, Delivery
from hospital.messaging.states import CallStatus, Channel, Reason, Switch
from hospital.messaging.tests.world import AT, a_message, arrives, begin, ends, fails, stands
from hospital.patients.models import PatientBinding
from hospital.testing.jobs import due_jobs, run_jobs
from hospital.testing.people import a_patient, a_staff, a_wechat_user, staff_client
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db
CLERKS = Actor("staff", 3), Actor("staff", 4)
LATER = AT + dt.timedelta(minutes=1)
#: 23:30 in the hospital; quiet hours end at 07:00.
NIGHT = clock.at_local(dt.date(2026, 11, 23), dt.time(23, 30))
MORNING = clock.at_local(dt.date(2026, 11, 24), dt.time(7, 0))


@pytest.fixture
def subscription(settings: Settings) -> None:
    fields = {"amount": "amount1", "route": "thing2", "state": "thing3"}
    entry = {"kind": "N26", "template_id": "sub-26", "product": "subscription", "fields": fields}
    settings.WECHAT_TEMPLATES = [entry]


@pytest.mark.usefixtures("subscription")
def test_a_notification_cut_short_is_not_sent_a_second_time(wechat: StandIn) -> None:
    """The worker died between asking WeChat and writing it down; WeChat drops no repeats here."""
    user = a_wechat_user(openid="oCutShort0000000000001")
    wechat.user(openid=user.openid, subscribed=True)
    wechat.consent(openid=user.openid, template_id="sub-26", count=3)
    message = a_message("N26", user, at=clock.now(), answers=user.pk)
    begin(message, at=clock.now())

    assert run_jobs() == []

    assert stands(message) == ("fallback", "inbox", "unsure")
    assert list(Delivery.objects.values_list("channel", "outcome", "reason", "tries")) == [
        ("subscription", "failed", "unsure", 1)
    ]
    assert wechat.state()["messages"] == []


@pytest.mark.usefixtures("subscription")
def test_a_notification_that_certainly_failed_is_tried_again() -> None:
    message = a_message("N26", a_wechat_user())
    attempt = begin(message)

    assert actions.try_later(attempt=attempt, at=AT)
    again = begin(message, at=LATER)

    assert (again.delivery.pk, again.delivery.tries) == (attempt.delivery.pk, 2)
    assert Delivery.objects.get().ended_at is None


def test_a_template_message_cut_short_is_sent_again_under_its_reference() -> None:
    message = a_message("N01", a_wechat_user())
    first = begin(message)

    second = begin(message, at=LATER)

    assert (second.reference, second.delivery.tries) == (first.reference, 2)


def test_two_clerks_send_one_message_again_once() -> None:
    """The second one pressed the button of a page that was older than the first one's send."""
    message = a_message("N01", a_wechat_user())
    arrives(message, Channel.TEMPLATE)
    actions.resend(message_id=message.pk, seen_round=0, by=CLERKS[0], at=LATER)
    arrives(message, Channel.TEMPLATE, provider_id="78", at=LATER)
    jobs = due_jobs()

    with pytest.raises(Stale):
        actions.resend(message_id=message.pk, seen_round=0, by=CLERKS[1], at=LATER)

    message.refresh_from_db()
    assert (message.round, message.status) == (1, "sent")
    assert due_jobs() == jobs


def test_what_a_night_overtook_waits_for_the_morning() -> None:
    """Told in the day, WeChat or the worker was away until night: nobody is woken by it."""
    message = a_message("N26", a_wechat_user(), at=NIGHT - dt.timedelta(hours=3))

    assert actions.begin_try(message_id=message.pk, at=NIGHT) is None

    message.refresh_from_db()
    assert (message.status, message.attempts, message.not_before) == ("queued", 0, MORNING)
    assert due_jobs() == ["messaging.jobs.deliver"] * 2
    assert begin(message, at=MORNING).channel is Channel.TEMPLATE


def test_the_night_does_not_hold_back_answers_urgent_news_staff_and_who_wants_them() -> None:
    told = NIGHT - dt.timedelta(hours=3)
    user, night_owl = a_wechat_user(), a_wechat_user()
    actions.turn_switches(
        wechat_user_id=night_owl.pk, wishes={Switch.ANYTIME: True}, by=SYSTEM, at=told
    )
    begin(a_message("N05", user, at=NIGHT, answers=user.pk), at=NIGHT + dt.timedelta(minutes=29))
    begin(a_message("N06", user, at=told), at=NIGHT)
    begin(a_message("N26", night_owl, at=told), at=NIGHT)
    message = a_message("N26", user, at=told)
    arrives(message, Channel.TEMPLATE, at=told)
    actions.resend(message_id=message.pk, seen_round=0, by=CLERKS[0], at=NIGHT)
    begin(message, at=NIGHT)


def test_urgent_news_is_telephoned_when_the_last_reader_left() -> None:
    """Of two bound users one could not be reached, and the other one gave the binding up."""
    one, other = a_wechat_user(), a_wechat_user()
    patient = a_patient(one, at=AT)
    PatientBinding.objects.create(
        patient=patient,
        wechat_user=other,
        relationship="parent",
        consent_version="1",
        consented_at=AT,
    )
    first = a_message("N06", one, patient=patient, event_key="appointment:7:x")
    second = a_message("N06", other, patient=patient, event_key="appointment:7:x")
    fails(first, Channel.TEMPLATE, Reason.BLOCKED)
    fails(first, Channel.SMS, Reason.SMS_REFUSED)
    assert ends(first) == ("fallback", "inbox", "blocked")
    PatientBinding.objects.filter(wechat_user=other).update(ended_at=AT)

    assert ends(second) == ("not_done", "", "unbound")

    assert CallTask.objects.get().message_id == second.pk


def test_a_closed_call_shows_no_phone_and_says_what_is_true() -> None:
    clerk = staff_client(account=a_staff(Role.OUTPATIENT_OFFICE))
    user = a_wechat_user()
    message = a_message("N06", user, patient=a_patient(user, phone="13900139001", at=AT))
    fails(message, Channel.TEMPLATE, Reason.BLOCKED)
    fails(message, Channel.SMS, Reason.SMS_REFUSED)
    ends(message)
    task = CallTask.objects.get()
    for status in (CallStatus.UNREACHABLE, CallStatus.DONE):
        note = "三次无人接听"
        actions.close_call(task_id=task.pk, status=status, note=note, by=CLERKS[0], at=AT)
        with pytest.raises(actions.CallClosed) as refused:
            actions.close_call(
                task_id=task.pk, status=CallStatus.UNREACHABLE, note=note, by=CLERKS[1], at=AT
            )
        assert str(status.label) in refused.value.message

    answer = clerk.post(f"/staff/messages/calls/{task.pk}/phone/")

    assert answer.status_code == 409
    assert b"13900139001" not in answer.content
