"""What WeChat reports afterwards, and what staff do then: send again, telephone."""

from __future__ import annotations

import datetime as dt

import pytest
from pytest_django import Settings

from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound
from hospital.kernel.models import AuditEntry
from hospital.messaging import actions
from hospital.messaging.models import CallTask, Delivery
from hospital.messaging.states import CallStatus, Channel, Reason
from hospital.messaging.tests.world import AT, a_message, arrives, begin, ends, fails, stands
from hospital.testing.jobs import due_jobs
from hospital.testing.people import a_patient, a_wechat_user

pytestmark = pytest.mark.django_db
STAFF = Actor("staff", 7)
LATER = AT + dt.timedelta(seconds=3)
TEMPLATE, SMS = Channel.TEMPLATE, Channel.SMS


def reported(openid: str, status: str, *, number: str = "77", template_id: str = "") -> bool:
    return actions.record_delivery(
        provider_id=number, openid=openid, status=status, template_id=template_id, at=LATER
    )


def test_a_success_is_written_back_once() -> None:
    user = a_wechat_user()
    message = a_message("N26", user)
    arrives(message, TEMPLATE)

    assert reported(user.openid, "success")
    assert reported(user.openid, "failed:user block"), "the first report holds"

    assert stands(message) == ("delivered", "template", "")
    assert message.delivered_at == LATER
    assert Delivery.objects.get().outcome == "delivered"


def test_a_report_nobody_can_place_changes_nothing() -> None:
    user, other = a_wechat_user(), a_wechat_user()
    message = a_message("N26", user)
    arrives(message, TEMPLATE)

    assert not reported(user.openid, "success", number="78")
    assert not reported(user.openid, "success", number="")
    assert not reported(other.openid, "success")

    assert stands(message) == ("sent", "template", "")


@pytest.mark.parametrize(
    ("status", "reason"),
    [("failed:user block", "blocked"), ("failed: system failed", "system_failed")],
)
def test_what_did_not_arrive_goes_on_to_the_next_channel(status: str, reason: str) -> None:
    user = a_wechat_user()
    message = a_message("N06", user, patient=a_patient(user, at=AT))
    arrives(message, TEMPLATE)
    jobs = len(due_jobs())

    assert reported(user.openid, status)

    assert stands(message) == ("failed", "", reason)
    assert due_jobs()[jobs:] == ["messaging.jobs.deliver"]
    arrives(message, SMS)
    assert stands(message) == ("fallback", "sms", reason)


def test_a_subscription_is_found_by_its_template(settings: Settings) -> None:
    fields = {"amount": "amount1", "route": "thing2", "state": "thing3"}
    settings.WECHAT_TEMPLATES = [
        {"kind": "N26", "template_id": "s-26", "product": "subscription", "fields": fields}
    ]
    user = a_wechat_user()
    first, second = a_message("N26", user), a_message("N26", user)
    for message in (first, second):
        arrives(message, Channel.SUBSCRIPTION, provider_id="")

    assert not reported(user.openid, "success", number="91", template_id="s-99")
    assert reported(user.openid, "success", number="91", template_id="s-26")
    assert reported(user.openid, "success", number="91", template_id="s-26"), "a repeat"

    assert stands(first) == ("delivered", "subscription", "")
    assert stands(second) == ("sent", "subscription", "")
    assert reported(user.openid, "success", number="92", template_id="s-26")
    assert stands(second) == ("delivered", "subscription", "")


def test_staff_send_again_under_another_reference_and_it_is_audited() -> None:
    user = a_wechat_user()
    message = a_message("N26", user)
    fails(message, TEMPLATE, Reason.BLOCKED)
    assert ends(message) == ("fallback", "inbox", "blocked")

    actions.resend(message_id=message.pk, seen_round=0, by=STAFF, at=AT)

    assert stands(message) == ("queued", "", "")
    with pytest.raises(actions.SendUnderWay):
        actions.resend(message_id=message.pk, seen_round=0, by=STAFF, at=AT)
    attempt = begin(message)
    assert attempt.reference == f"{message.token}-1"
    actions.record_sent(attempt=attempt, provider_id="78", at=AT)
    assert stands(message) == ("sent", "template", "")
    entry = AuditEntry.objects.get(act="messaging.resend")
    assert (entry.by, entry.before) == ("staff:7", {"status": "fallback", "channel": "inbox"})
    assert Delivery.objects.filter(message=message).count() == 2


def test_a_late_report_about_an_earlier_round_leaves_the_new_one_alone() -> None:
    user = a_wechat_user()
    message = a_message("N26", user)
    arrives(message, TEMPLATE)
    actions.resend(message_id=message.pk, seen_round=0, by=STAFF, at=AT)

    assert reported(user.openid, "failed:user block")

    assert stands(message) == ("queued", "", "")
    assert Delivery.objects.get().outcome == "failed"


def test_what_was_not_to_be_sent_or_is_over_is_not_sent_again() -> None:
    user = a_wechat_user()
    gone = a_message("N02", user, until=AT)
    assert ends(gone) == ("not_done", "", "expired")
    over = a_message("N02", user, until=LATER)
    arrives(over, TEMPLATE)

    with pytest.raises(actions.MayNotResend, match="已过有效时间"):
        actions.resend(message_id=gone.pk, seen_round=0, by=STAFF, at=AT)
    with pytest.raises(actions.MayNotResend):
        actions.resend(message_id=over.pk, seen_round=0, by=STAFF, at=LATER)
    with pytest.raises(NotFound):
        actions.resend(message_id=0, seen_round=0, by=STAFF, at=AT)
    assert stands(over) == ("sent", "template", "")
    assert not AuditEntry.objects.filter(act="messaging.resend").exists()


def test_a_call_ends_told_even_after_nobody_answered() -> None:
    user = a_wechat_user()
    message = a_message("N06", user, patient=a_patient(user, at=AT))
    fails(message, TEMPLATE, Reason.BLOCKED)
    fails(message, SMS, Reason.NO_PHONE)
    ends(message)
    task = CallTask.objects.get()

    def close(status: CallStatus, note: str = "") -> None:
        actions.close_call(task_id=task.pk, status=status, note=note, by=STAFF, at=LATER)

    close(CallStatus.UNREACHABLE, "三次无人接听")
    with pytest.raises(actions.CallClosed):
        close(CallStatus.UNREACHABLE, "又打了一次")
    close(CallStatus.DONE, "患者来电")
    with pytest.raises(actions.CallClosed):
        close(CallStatus.DONE)

    task.refresh_from_db()
    assert (task.status, task.note, task.closed_by) == ("done", "患者来电", "staff:7")
    with pytest.raises(NotFound):
        actions.close_call(task_id=0, status=CallStatus.DONE, note="", by=STAFF, at=AT)
