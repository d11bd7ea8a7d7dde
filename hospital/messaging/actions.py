"""Writes of the messaging area: tell people something, record how delivery went, mark as read."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Final

from django.db import connection, models, transaction
from django.db.models import F

from hospital.kernel import serials
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.events import later
from hospital.kernel.settings_rows import Setting
from hospital.kernel.states import move, subject_type
from hospital.messaging import queries
from hospital.messaging.models import Message
from hospital.messaging.registry import KINDS
from hospital.messaging.states import MessageStatus, Reason

ATTEMPTS = Setting(
    key="messaging.attempts",
    label="微信消息最多尝试发送的次数",
    default=6,
    unit="次",
    minimum=1,
    maximum=20,
    rule="M8.1",
)
#: Seconds to wait after failure 1, 2, …; the last one goes for all later ones.
_WAITS: Final = (5, 30, 120, 600, 1800)
_TELL: Final = """
    INSERT INTO messaging_message (token, kind, wechat_user_id, subject_type, subject_id,
        event_key, fields, path, status, failure, attempts, wechat_message_id, created_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'queued', '', 0, '', %s)
    ON CONFLICT (event_key, kind, wechat_user_id) DO NOTHING RETURNING id
"""


def send(
    *,
    kind: str,
    to: Iterable[int],
    event_key: str,
    subject: models.Model,
    fields: Mapping[str, str],
    path: str,
    by: Actor,
    at: dt.datetime,
) -> list[int]:
    """Tell WeChat users something, once per event; return the ids of the new messages.

    Writes the messages and defers their delivery in the caller's transaction. `to` are
    WeChatUser ids, `event_key` names the event ("appointment:12:booked"), `fields` are exactly
    those of the kind, as plain Chinese text (they are cut only for WeChat), `path` opens the
    exact thing ("/m/appointments/…"). A repeat of the event tells nobody again (M8.1).
    """
    wanted = KINDS[kind].fields
    assert fields.keys() == wanted.keys(), f"{kind} wants {list(wanted)}, not {list(fields)}"
    assert path.startswith("/"), "a message links to a path of our own"
    ordered = json.dumps({name: fields[name] for name in wanted}, ensure_ascii=False)
    about = (subject_type(subject), subject.pk, event_key, ordered, path, at)
    new: list[int] = []
    with transaction.atomic(), connection.cursor() as cursor:
        for user_id in dict.fromkeys(to):
            cursor.execute(_TELL, [serials.opaque(), kind, user_id, *about])
            new += [int(row[0]) for row in cursor.fetchall()]
        for message_id in new:
            later("messaging.jobs.deliver", message_id=message_id)
    return new


def begin_attempt(*, message_id: int) -> Message | None:
    """Take one try at sending; None when it is sent, given up, or another worker's just now."""
    message = Message.objects.select_related("wechat_user").filter(pk=message_id).first()
    if message is None or message.status != MessageStatus.QUEUED:
        return None
    rows = Message.objects.filter(
        pk=message_id, status=MessageStatus.QUEUED, attempts=message.attempts
    )
    if rows.update(attempts=F("attempts") + 1) == 0:
        return None
    message.attempts += 1
    return message


def record_sent(*, message: Message, wechat_message_id: str, at: dt.datetime) -> None:
    """Record that WeChat took the message. Raises Stale when that was recorded before."""
    with transaction.atomic():
        move(
            message,
            MessageStatus.SENT,
            by=SYSTEM,
            at=at,
            sent_at=at,
            wechat_message_id=wechat_message_id,
        )


def record_undelivered(*, message: Message, reason: Reason, at: dt.datetime) -> None:
    """Record that the message stays in the inbox only, and why. Raises Stale."""
    with transaction.atomic():
        move(
            message,
            MessageStatus.UNDELIVERED,
            by=SYSTEM,
            at=at,
            reason=reason.label,
            failure=reason.value,
        )


def try_later(*, message: Message, at: dt.datetime) -> None:
    """Defer another try after a growing wait, or give up after the last one. Raises Stale."""
    if message.attempts >= ATTEMPTS.value():
        record_undelivered(message=message, reason=Reason.GAVE_UP, at=at)
        return
    wait = _WAITS[min(message.attempts, len(_WAITS)) - 1]
    later("messaging.jobs.deliver", at=at + dt.timedelta(seconds=wait), message_id=message.pk)


def mark_read(*, wechat_user_id: int, token: str, by: Actor, at: dt.datetime) -> Message:
    """Mark a user's message as read and return it; reading again changes nothing.

    Raises NotFound when it is not this user's.
    """
    message = queries.message_for(wechat_user_id=wechat_user_id, token=token)
    Message.objects.filter(pk=message.pk, read_at__isnull=True).update(read_at=at)
    return message


def mark_all_read(*, wechat_user_id: int, by: Actor, at: dt.datetime) -> int:
    """Mark all of a user's messages as read; return how many were not."""
    unread = Message.objects.filter(wechat_user=wechat_user_id, read_at__isnull=True)
    return unread.update(read_at=at)
