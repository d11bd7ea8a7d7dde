"""What the desk reads: the log of messages, one message's whole story, the call list."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet

from hospital.kernel.clock import day_period
from hospital.kernel.errors import NotFound
from hospital.kernel.models import Transition
from hospital.kernel.states import history
from hospital.messaging.models import CallTask, Delivery, Message
from hospital.messaging.queries.inbox import status_label
from hospital.messaging.states import (
    OPEN,
    PUSHES,
    TOLD,
    WAYS,
    CallStatus,
    Channel,
    MessageStatus,
    Reason,
)
from hospital.patients import queries as patients

LOG_PAGE: Final = 50
CALLS_AT_MOST: Final = 200
#: What the log can be narrowed to: the statuses, "another way" told by the way.
SHOWN_STATUSES: Final[dict[str, str]] = {
    **{
        status.value: str(status.label)
        for status in MessageStatus
        if status is not MessageStatus.FALLBACK
    },
    **{f"by_{way}": words for way, words in WAYS.items()},
}
_CALLS: Final = {
    CallStatus.OPEN: ("待打电话", "danger"),
    CallStatus.DONE: ("电话已通知", "brand"),
    CallStatus.UNREACHABLE: ("电话联系不上", "danger"),
}
_TONES: Final = {
    MessageStatus.PREPARATION: "info",
    MessageStatus.QUEUED: "warn",
    MessageStatus.FAILED: "warn",
    MessageStatus.SENT: "brand",
    MessageStatus.DELIVERED: "brand",
    MessageStatus.NOT_DONE: "",
    MessageStatus.FALLBACK: "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """What the log is narrowed to; days are hospital days, both included."""

    text: str
    kind: str
    status: str
    reason: str
    start: dt.date
    end: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One message in the log; the name is masked (X12)."""

    id: int
    kind: str
    title: str
    person: str
    number: str
    status: str
    tone: str
    reason: str
    attempts: int
    created_at: dt.datetime
    is_read: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTotals:
    """Today's figures, and what waits now."""

    messages: int
    pushed: int
    other_way: int
    waiting: int
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStory:
    """One message with every channel tried, every move, and the call made about it."""

    message: Message
    row: LogRow
    deliveries: list[Delivery]
    moves: list[Transition]
    call: CallTask | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """One patient to be telephoned: why, and what to say."""

    id: int
    message_id: int
    kind: str
    title: str
    patient_id: int | None
    person: str
    number: str
    masked_phone: str
    says: str
    reason: str
    status: CallStatus
    note: str
    opened_at: dt.datetime
    closed_at: dt.datetime | None
    closed_by: str


def log(*, narrowed: LogFilter, page: int | str = 1) -> tuple[list[LogRow], Page[Message]]:
    """Return one page of messages, newest first, and the page for turning it."""
    first, last = day_period(narrowed.start), day_period(narrowed.end)
    rows = _for_patients().filter(created_at__gte=first.start, created_at__lt=last.end)
    if narrowed.kind:
        rows = rows.filter(kind=narrowed.kind)
    if narrowed.status:
        rows = rows.filter(_is(narrowed.status))
    if narrowed.reason:
        rows = rows.filter(failure=narrowed.reason)
    if narrowed.text:
        rows = rows.filter(_about(narrowed.text))
    shown = Paginator(rows.select_related("patient").order_by("-pk"), LOG_PAGE).get_page(page)
    found = list(shown)
    calls = _calls_about([message for message in found if message.channel == Channel.CALL])
    return [_log_row(message, calls.get(message.pk)) for message in found], shown


def log_totals(*, day: dt.date) -> LogTotals:
    """The figures of one hospital day, and what waits now."""
    period = day_period(day)
    told = Q(status__in=TOLD) | Q(status=MessageStatus.FALLBACK, channel__in=PUSHES)
    counts = (
        _for_patients()
        .filter(created_at__gte=period.start, created_at__lt=period.end)
        .aggregate(
            messages=Count("pk"),
            pushed=Count("pk", filter=told),
            other_way=Count("pk", filter=Q(status=MessageStatus.FALLBACK)),
        )
    )
    return LogTotals(
        **counts,
        waiting=_for_patients().filter(status__in=OPEN).count(),
        calls=open_calls(),
    )


def message_story(*, message_id: int) -> MessageStory:
    """For the desk. Raises NotFound."""
    message = _for_patients().select_related("patient").filter(pk=message_id).first()
    if message is None:
        raise NotFound("没有找到这条消息。")
    task = CallTask.objects.filter(kind=message.kind, event_key=message.event_key).first()
    return MessageStory(
        message=message,
        row=_log_row(message, task if message.channel == Channel.CALL else None),
        deliveries=list(message.deliveries.order_by("pk")),
        moves=history(message),
        call=task,
    )


def open_calls() -> int:
    """Count the patients who wait for a call."""
    return CallTask.objects.filter(status=CallStatus.OPEN).count()


def calls(*, status: CallStatus) -> list[CallRow]:
    """Return calls: the waiting ones oldest first, the others newest first."""
    order = "opened_at" if status is CallStatus.OPEN else "-closed_at"
    rows = CallTask.objects.filter(status=status).select_related("message__patient")
    return [_call_row(task) for task in rows.order_by(order, "pk")[:CALLS_AT_MOST]]


def call_task(*, task_id: int) -> CallTask:
    """Return one call with its message. Raises NotFound."""
    task = CallTask.objects.select_related("message").filter(pk=task_id).first()
    if task is None:
        raise NotFound("没有找到这个电话任务。")
    return task


def _for_patients() -> QuerySet[Message]:
    """What staff are told stands on the page of its subject, not in the log of patients."""
    return Message.objects.filter(staff__isnull=True)


def _is(status: str) -> Q:
    """The messages that stand so; "by_sms" are those that went out as SMS in the end."""
    if status.startswith("by_"):
        return Q(status=MessageStatus.FALLBACK, channel=status.removeprefix("by_"))
    return Q(status=status)


def _about(text: str) -> Q:
    """Messages about patients found by what was typed, or to users bound to them alone."""
    ids = patients.patient_ids(text)
    return Q(patient__in=ids) | Q(
        pk__in=_of_payers(ids).values("pk"),
    )


def _of_payers(patient_ids: list[int]) -> QuerySet[Message]:
    return Message.objects.filter(
        patient__isnull=True,
        wechat_user__patient_bindings__patient__in=patient_ids,
        wechat_user__patient_bindings__ended_at__isnull=True,
    )


def _calls_about(found: list[Message]) -> dict[int, CallTask]:
    """The calls made about messages, by the message's id; one statement for a page."""
    if not found:
        return {}
    keys = {message.event_key for message in found}
    tasks = {
        (task.kind, task.event_key): task for task in CallTask.objects.filter(event_key__in=keys)
    }
    pairs = ((message.pk, tasks.get((message.kind, message.event_key))) for message in found)
    return {pk: task for pk, task in pairs if task is not None}


def _log_row(message: Message, call: CallTask | None) -> LogRow:
    patient = message.patient
    status = status_label(message.status, message.channel)
    tone = "brand" if message.channel in PUSHES else _TONES[MessageStatus(message.status)]
    if call is not None:
        status, tone = _CALLS[CallStatus(call.status)]
    return LogRow(
        id=message.pk,
        kind=message.kind,
        title=message.about.title,
        person=patient.masked_name if patient else "付款人",
        number=patient.outpatient_no if patient else "",
        status=status,
        tone=tone,
        reason=str(Reason(message.failure).label) if message.failure else "",
        attempts=message.attempts,
        created_at=message.created_at,
        is_read=message.read_at is not None,
    )


def _call_row(task: CallTask) -> CallRow:
    message, patient = task.message, task.message.patient
    kind = message.about
    return CallRow(
        id=task.pk,
        message_id=message.pk,
        kind=kind.code,
        title=kind.title,
        patient_id=message.patient_id,
        person=patient.masked_name if patient else "",
        number=patient.outpatient_no if patient else "",
        masked_phone=patient.masked_phone if patient else "",
        says="；".join(f"{label}：{message.fields[name]}" for name, label in kind.fields.items()),
        reason=str(Reason(message.failure).label) if message.failure else "",
        status=CallStatus(task.status),
        note=task.note,
        opened_at=task.opened_at,
        closed_at=task.closed_at,
        closed_by=task.closed_by,
    )
