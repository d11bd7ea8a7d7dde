"""Channel after channel: what is tried, what is skipped, what is not to be done, who is called."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from hospital.identity.models import WeChatUser
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import Stale
from hospital.kernel.models import Transition
from hospital.messaging import actions, thresholds
from hospital.messaging.models import CallTask, Consent, Delivery, Message
from hospital.messaging.states import Channel, Reason, Switch
from hospital.messaging.tests.world import AT, a_message, arrives, begin, ends, fails, stands
from hospital.patients.models import PatientBinding
from hospital.patients.states import Relationship
from hospital.testing.people import a_patient, a_wechat_user

pytestmark = pytest.mark.django_db
TEMPLATE, SUBSCRIPTION, SMS = Channel.TEMPLATE, Channel.SUBSCRIPTION, Channel.SMS
LATER = AT + dt.timedelta(minutes=5)


def test_the_usual_way_takes_as_few_statements_as_the_rules_allow() -> None:
    """Law 13: the message with its reader's switches; the bindings; begin; sent."""
    user = a_wechat_user()
    message = a_message("N01", user, patient=a_patient(user, at=AT), answers=user.pk)
    thresholds.quiet_hours()

    with CaptureQueriesContext(connection) as captured:
        arrives(message, TEMPLATE)

    statements = [row["sql"] for row in captured if "SAVEPOINT" not in row["sql"]]
    assert len(statements) == 4, statements


def test_what_the_first_channel_takes_is_sent_once() -> None:
    message = a_message("N26", a_wechat_user())
    attempt, same = begin(message), begin(message)
    assert (attempt.reference, attempt.delivery.pk) == (message.token, same.delivery.pk)

    actions.record_sent(attempt=attempt, provider_id="77", at=AT)

    with pytest.raises(Stale):
        actions.record_failed(attempt=same, reason=Reason.BLOCKED, at=AT)
    assert stands(message) == ("sent", "template", "")
    delivery = Delivery.objects.get()
    assert (delivery.outcome, delivery.provider_id, delivery.tries) == ("sent", "77", 2)
    assert Transition.objects.get(subject_id=message.pk).to_status == "sent"
    assert actions.begin_try(message_id=message.pk, at=AT) is None
    assert actions.begin_try(message_id=0, at=AT) is None


def test_sm17_a_refused_kind_without_sms_stays_in_the_inbox() -> None:
    message = a_message("N26", a_wechat_user())

    fails(message, TEMPLATE, Reason.NOT_FOLLOWING)

    assert stands(message) == ("failed", "", "not_following")
    assert ends(message) == ("fallback", "inbox", "not_following")
    assert not CallTask.objects.exists()
    assert [move.to_status for move in Transition.objects.order_by("pk")] == ["failed", "fallback"]


def test_m8_3_a_suspension_goes_out_as_sms_when_wechat_refuses() -> None:
    user = a_wechat_user()
    message = a_message("N06", user, patient=a_patient(user, at=AT))

    fails(message, TEMPLATE, Reason.BLOCKED)
    arrives(message, SMS, provider_id="sms-1")

    assert stands(message) == ("fallback", "sms", "blocked")
    assert message.sent_at == AT
    rows = Delivery.objects.order_by("pk").values_list("channel", "outcome", "reason")
    assert list(rows) == [("template", "failed", "blocked"), ("sms", "sent", "")]
    assert not CallTask.objects.exists()


def test_urgent_news_that_reached_nobody_goes_to_the_call_list_once() -> None:
    mother, father = a_wechat_user(), a_wechat_user()
    patient = a_patient(mother, at=AT)
    _bind(father, patient.pk)
    first = a_message("N06", mother, patient=patient, event_key="appointment:1:suspended")
    second = a_message("N06", father, patient=patient, event_key="appointment:1:suspended")
    for message in (first, second):
        fails(message, TEMPLATE, Reason.BLOCKED)
        fails(message, SMS, Reason.SMS_REFUSED)

    assert ends(first) == ("fallback", "inbox", "blocked"), "the other may still be reached"
    assert not CallTask.objects.exists()
    assert ends(second) == ("fallback", "call", "blocked")

    task = CallTask.objects.get()
    assert (task.status, task.event_key, task.message_id) == (
        "open",
        "appointment:1:suspended",
        second.pk,
    )


def test_nobody_telephones_or_texts_when_another_bound_user_was_told() -> None:
    mother, father = a_wechat_user(), a_wechat_user()
    patient = a_patient(mother, at=AT)
    _bind(father, patient.pk)
    told = a_message("N06", mother, patient=patient, event_key="appointment:2:suspended")
    blocked = a_message("N06", father, patient=patient, event_key="appointment:2:suspended")
    arrives(told, TEMPLATE)

    fails(blocked, TEMPLATE, Reason.BLOCKED)

    assert ends(blocked) == ("fallback", "inbox", "blocked")
    skipped = Delivery.objects.get(message=blocked, channel="sms")
    assert (skipped.outcome, skipped.reason, skipped.tries) == ("skipped", "others_told", 0)
    assert not CallTask.objects.exists()


def test_tries_come_slower_and_end() -> None:
    message = a_message("N26", a_wechat_user())
    goes_on = [
        actions.try_later(attempt=begin(message), at=AT) for _ in range(thresholds.ATTEMPTS.value())
    ]

    assert goes_on == [True] * 5 + [False]
    assert _waits() == [5, 30, 120, 600, 1800]
    assert stands(message) == ("failed", "", "gave_up")
    assert ends(message) == ("fallback", "inbox", "gave_up")


def test_urgent_news_gives_a_channel_up_sooner() -> None:
    user = a_wechat_user()
    message = a_message("N06", user, patient=a_patient(user, at=AT))
    goes_on = [actions.try_later(attempt=begin(message), at=AT) for _ in range(3)]

    assert goes_on == [True, True, False]
    assert begin(message).channel is SMS


def test_what_its_reader_switched_off_is_not_sent_but_can_be_read() -> None:
    user = a_wechat_user()
    wishes = {Switch.BOOKING: False, Switch.TODO: True, Switch.ANYTIME: False}
    actions.turn_switches(wechat_user_id=user.pk, wishes=wishes, by=SYSTEM, at=AT)
    booked, reminded = a_message("N01", user), a_message("N02", user)
    suspended = a_message("N06", user, patient=a_patient(user, at=AT))

    assert ends(booked) == ("not_done", "", "switched_off")
    assert begin(reminded).channel is TEMPLATE
    assert begin(suspended).channel is TEMPLATE, "what matters comes all the same"
    assert Message.objects.filter(wechat_user=user).count() == 3


def test_what_is_of_no_use_any_more_is_not_sent() -> None:
    message = a_message("N02", a_wechat_user(), until=LATER)
    begin(message, at=LATER - dt.timedelta(microseconds=1))

    assert ends(message, at=LATER) == ("not_done", "", "expired")
    delivery = Delivery.objects.get()
    assert (delivery.outcome, delivery.reason) == ("failed", "expired")


def test_x12_who_is_no_longer_bound_gets_nothing_any_more() -> None:
    user = a_wechat_user()
    patient = a_patient(user, at=AT)
    message, refund = a_message("N01", user, patient=patient), a_message("N26", user)
    PatientBinding.objects.filter(patient=patient).update(is_default=False, ended_at=AT)

    assert ends(message) == ("not_done", "", "unbound")
    assert begin(refund).channel is TEMPLATE, "the payer is told whose money it was"


def test_one_consent_is_one_notification(settings: Settings) -> None:
    settings.WECHAT_TEMPLATES = _both_products()
    user = a_wechat_user()
    actions.add_consent(wechat_user_id=user.pk, template_id="s-26", count=2, at=AT)
    message = a_message("N26", user)

    arrives(message, SUBSCRIPTION, provider_id="")

    assert Consent.objects.get().left == 1
    refused = a_message("N26", user)
    fails(refused, SUBSCRIPTION, Reason.NO_CONSENT)
    assert Consent.objects.get().left == 0, "WeChat's count is the truth"
    arrives(refused, TEMPLATE)
    assert stands(refused) == ("fallback", "template", "no_consent")
    actions.add_consent(wechat_user_id=user.pk, template_id="s-26", is_permanent=True, at=AT)
    arrives(a_message("N26", user), SUBSCRIPTION, provider_id="")
    assert Consent.objects.get().is_permanent
    actions.withdraw_consent(wechat_user_id=user.pk, template_id="s-26", at=AT)
    assert not Consent.objects.get().is_permanent


def _both_products() -> list[dict[str, object]]:
    fields = {"amount": "amount1", "route": "thing2", "state": "thing3"}
    return [
        {"kind": "N26", "template_id": "s-26", "product": "subscription", "fields": fields},
        {"kind": "N26", "template_id": "t-26", "fields": fields},
    ]


def _bind(user: WeChatUser, patient_id: int) -> None:
    PatientBinding.objects.create(
        wechat_user=user,
        patient_id=patient_id,
        relationship=Relationship.OTHER,
        consent_version="1",
        consented_at=AT,
    )


def _waits() -> list[float]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT scheduled_at FROM procrastinate_jobs WHERE scheduled_at IS NOT NULL ORDER BY id"
        )
        return [(at - AT).total_seconds() for (at,) in cursor.fetchall()]
