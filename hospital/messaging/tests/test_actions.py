"""Telling: once per event and person, committed with its cause, in the inbox whatever happens."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from hospital.identity.models import WeChatUser
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import NotFound, Stale
from hospital.kernel.models import Transition
from hospital.messaging import actions, queries
from hospital.messaging.models import Message
from hospital.messaging.states import MessageStatus, Reason
from hospital.testing.jobs import due_jobs
from hospital.testing.people import a_patient, a_wechat_user

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
FIELDS = {"amount": "¥25.00", "route": "支付用户零钱", "state": "退款成功"}


def tell(*users: WeChatUser, event_key: str = "refund:1:succeeded") -> list[int]:
    return actions.send(
        kind="N26",
        to=[user.pk for user in users],
        event_key=event_key,
        subject=users[0],
        fields=FIELDS,
        path="/m/appointments/abc/",
        by=SYSTEM,
        at=AT,
    )


def test_it_writes_a_message_and_one_delivery_for_each_person() -> None:
    mother, father = a_wechat_user(), a_wechat_user()

    ids = tell(mother, father, mother)

    assert [message.wechat_user_id for message in Message.objects.order_by("pk")] == [
        mother.pk,
        father.pk,
    ]
    message = Message.objects.get(pk=ids[0])
    assert (message.status, message.attempts, message.created_at) == ("queued", 0, AT)
    assert message.fields == FIELDS
    assert len(message.token) == 22
    assert due_jobs() == ["messaging.jobs.deliver"] * 2


def test_the_same_event_tells_nobody_twice() -> None:
    mother, father = a_wechat_user(), a_wechat_user()
    tell(mother)

    assert len(tell(mother, father)) == 1
    assert tell(mother, father) == []
    assert len(tell(mother, event_key="refund:2:succeeded")) == 1
    assert len(due_jobs()) == 3


def test_message_and_delivery_go_back_with_their_cause() -> None:
    user = a_wechat_user()

    def fail_after_telling() -> None:
        with transaction.atomic():
            tell(user)
            raise LookupError

    with pytest.raises(LookupError):
        fail_after_telling()

    assert not Message.objects.exists()
    assert due_jobs() == []


def test_wrong_fields_are_a_bug() -> None:
    user = a_wechat_user()
    with pytest.raises(AssertionError):
        actions.send(
            kind="N26",
            to=[user.pk],
            event_key="x",
            subject=user,
            fields={"amount": "¥1.00"},
            path="/m/",
            by=SYSTEM,
            at=AT,
        )


def test_one_try_belongs_to_one_worker() -> None:
    (message_id,) = tell(a_wechat_user())
    seen_by_both = Message.objects.get(pk=message_id)

    first = actions.begin_attempt(message_id=message_id)

    assert first is not None
    assert first.attempts == 1
    late = Message.objects.filter(pk=message_id, attempts=seen_by_both.attempts).update(attempts=1)
    assert late == 0
    assert actions.begin_attempt(message_id=0) is None


def test_a_message_is_settled_once() -> None:
    (message_id,) = tell(a_wechat_user())
    message, same = Message.objects.get(pk=message_id), Message.objects.get(pk=message_id)

    actions.record_sent(message=message, wechat_message_id="77", at=AT)

    with pytest.raises(Stale):
        actions.record_undelivered(message=same, reason=Reason.BLOCKED, at=AT)
    message.refresh_from_db()
    assert (message.status, message.sent_at, message.wechat_message_id) == ("sent", AT, "77")
    assert Transition.objects.get(subject_id=message_id).to_status == "sent"
    assert actions.begin_attempt(message_id=message_id) is None


def test_tries_come_slower_and_end() -> None:
    (message_id,) = tell(a_wechat_user())
    waits = []
    for _ in range(actions.ATTEMPTS.value()):
        message = actions.begin_attempt(message_id=message_id)
        assert message is not None
        actions.try_later(message=message, at=AT)
        with connection.cursor() as cursor:
            cursor.execute("SELECT scheduled_at FROM procrastinate_jobs ORDER BY id DESC LIMIT 1")
            (scheduled_at,) = cursor.fetchone()
        waits.append((scheduled_at - AT).total_seconds())

    assert waits == [5, 30, 120, 600, 1800, 1800]  # the sixth deferred nothing more
    message = Message.objects.get(pk=message_id)
    assert (message.status, message.failure) == (MessageStatus.UNDELIVERED, Reason.GAVE_UP)
    assert len(due_jobs()) == 6


def test_the_database_refuses_what_the_lifecycle_lacks() -> None:
    (message_id,) = tell(a_wechat_user())
    rows = Message.objects.filter(pk=message_id)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(status="sent")
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(status="undelivered")
    rows.update(status="sent", sent_at=AT)
    with pytest.raises(DatabaseError, match="queued"), transaction.atomic():
        rows.update(status="queued", sent_at=None)


def test_reading_marks_once_and_only_ones_own() -> None:
    user, stranger = a_wechat_user(), a_wechat_user()
    tell(user, stranger)
    token = Message.objects.get(wechat_user=user).token
    actor = Actor("patient", user.pk)
    assert queries.unread_count(wechat_user_id=user.pk) == 1

    actions.mark_read(wechat_user_id=user.pk, token=token, by=actor, at=AT)
    later = AT + dt.timedelta(hours=1)
    actions.mark_read(wechat_user_id=user.pk, token=token, by=actor, at=later)

    assert Message.objects.get(token=token).read_at == AT
    assert queries.unread_count(wechat_user_id=user.pk) == 0
    with pytest.raises(NotFound):
        actions.mark_read(wechat_user_id=stranger.pk, token=token, by=actor, at=AT)
    assert queries.unread_count(wechat_user_id=stranger.pk) == 1


def test_the_desk_reads_what_was_said_about_a_thing() -> None:
    patient = a_patient(at=AT)
    user = a_wechat_user()
    actions.send(
        kind="N26",
        to=[user.pk],
        event_key="refund:9:abnormal",
        subject=patient,
        fields=FIELDS,
        path="/m/",
        by=SYSTEM,
        at=AT,
    )
    message = actions.begin_attempt(message_id=Message.objects.get().pk)
    assert message is not None
    actions.record_undelivered(message=message, reason=Reason.NOT_FOLLOWING, at=AT)

    (row,) = queries.messages_of(patient)

    assert (row.kind, row.title, row.wechat_user_id) == ("N26", "退费通知", user.pk)
    assert (row.status, row.reason, row.attempts) == ("undelivered", "未关注公众号", 1)
    assert queries.messages_of(user) == []
