"""Reads of the messaging area: a person's inbox, and what was said about a thing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db import models
from django.db.models import Q

from hospital.kernel.errors import NotFound
from hospital.kernel.states import subject_type
from hospital.messaging.models import Message
from hospital.messaging.registry import KINDS, Kind
from hospital.messaging.states import WAYS, MessageStatus, Reason

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a message: what it is and what it says."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A message as its reader sees it."""

    token: str
    title: str
    lines: list[Line]
    created_at: dt.datetime
    is_unread: bool


@dataclass(frozen=True, slots=True)
class SentRow:
    """A message as the desk sees it on the page of the thing it is about."""

    kind: str
    title: str
    wechat_user_id: int | None
    status: MessageStatus
    channel: str
    reason: str
    attempts: int
    created_at: dt.datetime
    sent_at: dt.datetime | None
    read_at: dt.datetime | None

    @property
    def status_label(self) -> str:
        """In words; where another way was taken, that way."""
        return status_label(self.status, self.channel)


def inbox(*, wechat_user_id: int, page: int | str = 1) -> tuple[list[InboxRow], Page[Message]]:
    """Return one page of a user's messages, newest first, and the page for turning it."""
    rows = Message.objects.filter(wechat_user=wechat_user_id).order_by("-pk")
    shown = Paginator(rows, PAGE_SIZE).get_page(page)
    return [_inbox_row(message) for message in shown], shown


def unread_count(*, wechat_user_id: int) -> int:
    """Return how many messages a user has not opened yet."""
    return Message.objects.filter(wechat_user=wechat_user_id, read_at__isnull=True).count()


def message_for(*, wechat_user_id: int, token: str) -> Message:
    """Return a message if it is this user's. Raises NotFound."""
    message = Message.objects.filter(wechat_user=wechat_user_id, token=token).first()
    if message is None:
        raise NotFound("没有找到这条消息。")
    return message


@dataclass(frozen=True, slots=True)
class StaffRow:
    """A message to a member of staff, for the page of the thing it is about."""

    reader: str
    status: str
    reason: str
    at: dt.datetime


def messages_to_staff_about(*, subject: models.Model) -> list[StaffRow]:
    """Return what members of staff were told about one thing, oldest first."""
    rows = Message.objects.filter(
        staff__isnull=False, subject_type=subject_type(subject), subject_id=subject.pk
    )
    return [
        StaffRow(
            reader=message.staff.display_name if message.staff else "",
            status=status_label(message.status, message.channel),
            reason=str(Reason(message.failure).label) if message.failure else "",
            at=message.created_at,
        )
        for message in rows.select_related("staff").order_by("pk")
    ]


def messages_about(subjects: Collection[tuple[str, int]]) -> list[SentRow]:
    """Return all messages about several things, such as ("payments.refund", 3), oldest first."""
    wanted = Q(pk=None)
    for kind, number in subjects:
        wanted |= Q(subject_type=kind, subject_id=number)
    return [_sent_row(message) for message in Message.objects.filter(wanted).order_by("pk")]


def status_label(status: str, channel: str) -> str:
    """Return how a message stands, in words: the channel says more than "another way"."""
    if status == MessageStatus.FALLBACK:
        return WAYS[channel]
    return str(MessageStatus(status).label)


def lines_of(kind: Kind, fields: Mapping[str, str]) -> list[Line]:
    """Return what a message of a kind says, line by line."""
    return [Line(label, fields[name]) for name, label in kind.fields.items() if name in fields]


def _inbox_row(message: Message) -> InboxRow:
    return InboxRow(
        token=message.token,
        title=message.about.title,
        lines=lines_of(message.about, message.fields),
        created_at=message.created_at,
        is_unread=message.read_at is None,
    )


def _sent_row(message: Message) -> SentRow:
    return SentRow(
        kind=message.kind,
        title=KINDS[message.kind].title,
        wechat_user_id=message.wechat_user_id,
        status=MessageStatus(message.status),
        channel=message.channel,
        reason=Reason(message.failure).label if message.failure else "",
        attempts=message.attempts,
        created_at=message.created_at,
        sent_at=message.sent_at,
        read_at=message.read_at,
    )
