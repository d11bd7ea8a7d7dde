"""Telling people something, once per event, and marking as read."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Final

from django.db import connection, models, transaction

from hospital.kernel import serials
from hospital.kernel.actors import Actor
from hospital.kernel.events import later
from hospital.kernel.states import subject_type
from hospital.messaging import queries, quiet, thresholds
from hospital.messaging.models import Message
from hospital.messaging.registry import KINDS, Kind
from hospital.messaging.states import MessageStatus

_TELL: Final = """
    INSERT INTO messaging_message (token, kind, wechat_user_id, status, not_before, patient_id,
        subject_type, subject_id, event_key, fields, path, created_at, expires_at,
        channel, failure, round, attempts)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '', '', 0, 0)
    ON CONFLICT DO NOTHING RETURNING id
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
    patient_id: int | None = None,
    answers: int | None = None,
    until: dt.datetime | None = None,
) -> list[int]:
    """Tell WeChat users something, once per event; return the ids of the new messages.

    Writes the messages and defers their delivery in the caller's transaction. `to` are
    WeChatUser ids, `event_key` names the event ("appointment:12:booked"), `fields` are exactly
    those of the kind, as plain Chinese text (they are cut only for WeChat), `path` opens the
    exact thing ("/m/appointments/…"). A repeat of the event tells nobody again (M8.1).

    `patient_id` is whom it is about: an SMS or a call goes to that patient, and who is no longer
    bound to it gets nothing any more. Urgent news of a patient whom `to` names nobody for goes to
    the patient's own phone alone. `answers` is the user whose own act just now it answers, so
    that quiet hours do not hold it back. After `until` (UTC) it is of no use and is not sent.
    """
    about = KINDS[kind]
    assert about.audience == "patient", f"{kind} is for members of staff"
    assert fields.keys() == about.fields.keys(), (
        f"{kind} wants {list(about.fields)}, not {list(fields)}"
    )
    assert path.startswith("/"), "a message links to a path of our own"
    ordered = json.dumps({name: fields[name] for name in about.fields}, ensure_ascii=False)
    facts = (patient_id, subject_type(subject), subject.pk, event_key, ordered, path, at, until)
    users = list(dict.fromkeys(to))
    awake_at, asleep = _asleep(about, users, answers=answers, at=at)
    is_for_phone = not users and bool(about.is_urgent and about.sms and patient_id)
    new: list[int] = []
    with transaction.atomic(), connection.cursor() as cursor:
        for user_id in [None] if is_for_phone else users:
            waits = awake_at if user_id in asleep else None
            status = MessageStatus.PREPARATION if waits else MessageStatus.QUEUED
            cursor.execute(_TELL, [serials.opaque(), kind, user_id, status, waits, *facts])
            if row := cursor.fetchone():
                new.append(int(row[0]))
                later("messaging.jobs.deliver", at=waits, message_id=int(row[0]))
    return new


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


def _asleep(
    kind: Kind, users: list[int], *, answers: int | None, at: dt.datetime
) -> tuple[dt.datetime | None, set[int]]:
    """When the quiet hours end and who must not be woken before; nobody outside of them.

    Who wants messages at any time is not asleep, nor who has been told something just now that
    did not wait: that was an answer to an own act.
    """
    start, end = thresholds.quiet_hours()
    night = None if kind.is_urgent else quiet.period_around(at, start=start, end=end)
    if night is None:
        return None, set()
    lately = at - dt.timedelta(minutes=thresholds.AWAKE_MINUTES.value())
    awake = {answers} | queries.wants_anytime(users)
    awake |= queries.told_at_once(users, since=max(lately, night.start))
    return night.end, set(users) - awake
