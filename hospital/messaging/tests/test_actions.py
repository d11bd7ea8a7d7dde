"""Telling: once per event and person, committed with its cause, in the inbox whatever happens."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from hospital.identity.models import WeChatUser
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import NotFound
from hospital.kernel.states import subject_type
from hospital.messaging import actions, queries
from hospital.messaging.models import Message
from hospital.messaging.states import Reason
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


def test_the_database_refuses_what_the_lifecycle_lacks() -> None:
    (message_id,) = tell(a_wechat_user())
    rows = Message.objects.filter(pk=message_id)
    for wrong in (
        {"status": "sent"},
        {"status": "sent", "sent_at": AT},
        {"status": "failed"},
        {"status": "not_done"},
        {"channel": "sms"},
        {"delivered_at": AT},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**wrong)
    with pytest.raises(DatabaseError, match="queued"), transaction.atomic():
        rows.update(status="fallback", channel="inbox", failure="blocked")
    rows.update(status="sent", sent_at=AT, channel="template")
    with pytest.raises(DatabaseError, match="sent"), transaction.atomic():
        rows.update(status="not_done", sent_at=None, channel="", failure="expired")


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
    message_id = Message.objects.get().pk
    attempt = actions.begin_try(message_id=message_id, at=AT)
    assert attempt is not None
    actions.record_failed(attempt=attempt, reason=Reason.NOT_FOLLOWING, at=AT)
    assert actions.begin_try(message_id=message_id, at=AT) is None

    (row,) = queries.messages_about([(subject_type(patient), patient.pk)])

    assert (row.kind, row.title, row.wechat_user_id) == ("N26", "退费通知", user.pk)
    assert (row.status, row.status_label, row.reason, row.attempts) == (
        "fallback",
        "仅站内消息",
        "未关注公众号",
        1,
    )
    assert queries.messages_about([(subject_type(user), user.pk)]) == []
