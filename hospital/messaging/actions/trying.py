"""One try after the other, one channel after the other, until the message is with the person.

The channels of a message are template or subscription, SMS, inbox, call list (M8.3). A worker
takes a try, speaks to the channel without a transaction, and records what came of it. The last
channel always works: the message is in the inbox from the start.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection, transaction
from django.db.models import F, OuterRef, QuerySet

from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import Stale
from hospital.kernel.events import later
from hospital.kernel.states import move, subject_type
from hospital.messaging import approved, queries, quiet
from hospital.messaging.models import CallTask, Consent, Delivery, Message, MessagePreference
from hospital.messaging.states import (
    OPEN,
    WECHAT,
    Channel,
    MessageStatus,
    Outcome,
    Reason,
)
from hospital.messaging.thresholds import (
    ATTEMPTS,
    AWAKE_MINUTES,
    URGENT_ATTEMPTS,
    quiet_hours,
)
from hospital.patients import queries as patients

#: Seconds to wait after failure 1, 2, …; the last one goes for all later ones.
_WAITS: Final = (5, 30, 120, 600, 1800)
# The next two are the way nearly every message goes: one statement each (law 13).
_BEGIN: Final = """
    WITH begun AS (
        INSERT INTO messaging_delivery
            (message_id, round, channel, outcome, reason, provider_id, tries, started_at)
        VALUES (%s, %s, %s, 'trying', '', '', 1, %s) RETURNING id
    )
    UPDATE messaging_message SET attempts = attempts + 1 FROM begun
    WHERE messaging_message.id = %s RETURNING begun.id
"""
_SENT: Final = """
    WITH ended AS (
        UPDATE messaging_delivery
        SET outcome = 'sent', provider_id = %(provider_id)s, sent_at = %(at)s
        WHERE id = %(delivery)s AND outcome = 'trying' RETURNING id
    ), told AS (
        UPDATE messaging_message
        SET status = %(to)s, channel = %(channel)s, sent_at = %(at)s FROM ended
        WHERE messaging_message.id = %(message)s AND status = %(old)s RETURNING messaging_message.id
    )
    INSERT INTO kernel_transition
        (subject_type, subject_id, from_status, to_status, by, at, reason)
    SELECT %(type)s, id, %(old)s, %(to)s, %(by)s, %(at)s, '' FROM told
"""
_ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 8))"


@dataclass(frozen=True, slots=True)
class Try:
    """A try under way; it belongs to the worker that began it."""

    message: Message
    delivery: Delivery

    @property
    def channel(self) -> Channel:
        return Channel(self.delivery.channel)

    @property
    def reference(self) -> str:
        """What the channel may know a repeat of this very try by."""
        token, number = self.message.token, self.delivery.round
        return f"{token}-{number}" if number else token


def begin_try(*, message_id: int, at: dt.datetime) -> Try | None:
    """Take one try at sending, through the next channel when the last one failed.

    None when nothing is to be done now: it is sent, not to be sent, waits for the morning, or this
    call has found that no channel is left and has left it to the inbox (if urgent, the call list).
    """
    with transaction.atomic():
        message, turned_off = _lock(message_id)
        if message is None or message.status not in OPEN:
            return None
        is_fresh = not message.attempts and not message.round
        done = [] if is_fresh else list(_deliveries(message))
        under_way = done[-1] if done and done[-1].outcome == Outcome.TRYING else None
        if reason := _no_more(message, turned_off, at):
            _drop(message, under_way, reason, at)
            return None
        if morning := _morning_to_wait_for(message, at):
            Message.objects.filter(pk=message.pk).update(not_before=morning)
            later("messaging.jobs.deliver", at=morning, message_id=message.pk)
            return None
        if message.status == MessageStatus.PREPARATION:
            move(message, MessageStatus.QUEUED, by=SYSTEM, at=at)
        delivery = _again(message, under_way, at) or _next(message, done, at)
        if delivery is None:
            _leave_to_inbox(message, at)
            return None
        return Try(message, delivery)


def record_sent(*, attempt: Try, provider_id: str, at: dt.datetime) -> None:
    """Record that the channel took the message. Raises Stale when that was recorded before."""
    message, old = attempt.message, attempt.message.status
    to = MessageStatus.SENT if old == MessageStatus.QUEUED else MessageStatus.FALLBACK
    assert (old, to.value) in Message.MOVES, f"{old} → {to.value}"
    facts: dict[str, int | str | dt.datetime] = {
        "delivery": attempt.delivery.pk,
        "provider_id": provider_id[:64],
        "message": message.pk,
        "old": old,
        "to": to.value,
        "channel": attempt.channel.value,
        "type": subject_type(message),
        "by": str(SYSTEM),
        "at": at,
    }
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_SENT, facts)
            if cursor.rowcount == 0:
                raise Stale
        if attempt.channel is Channel.SUBSCRIPTION:
            consents = _consents(attempt).filter(is_permanent=False, left__gt=0)
            consents.update(left=F("left") - 1, changed_at=at)


def record_failed(
    *, attempt: Try, reason: Reason, at: dt.datetime, is_skipped: bool = False
) -> None:
    """Record that this channel will not bring it (or was not asked at all). Raises Stale."""
    with transaction.atomic():
        outcome = Outcome.SKIPPED if is_skipped else Outcome.FAILED
        _fail(attempt.message, attempt.delivery, outcome, reason, at)
        if reason is Reason.NO_CONSENT:
            _consents(attempt).update(left=0, is_permanent=False, changed_at=at)


def try_later(*, attempt: Try, at: dt.datetime) -> bool:
    """Defer another try after a growing wait; False when that was the last one. Raises Stale."""
    tries = attempt.delivery.tries
    most = URGENT_ATTEMPTS if attempt.message.about.is_urgent else ATTEMPTS
    if tries >= most.value():
        record_failed(attempt=attempt, reason=Reason.GAVE_UP, at=at)
        return False
    wait = dt.timedelta(seconds=_WAITS[min(tries, len(_WAITS)) - 1])
    with transaction.atomic():
        _change(attempt.delivery, ended_at=at)
        later("messaging.jobs.deliver", at=at + wait, message_id=attempt.message.pk)
    return True


def _lock(message_id: int) -> tuple[Message | None, Collection[str]]:
    """The message with its reader, locked, and the switches the reader has turned off."""
    wishes = MessagePreference.objects.filter(wechat_user=OuterRef("wechat_user"), is_on=False)
    rows = Message.objects.select_for_update(no_key=True, of=("self",))
    rows = rows.select_related("wechat_user", "staff").filter(pk=message_id)
    row = rows.annotate(turned_off=ArraySubquery(wishes.values("switch"))).first()
    return (row, row.turned_off) if row else (None, ())


def _deliveries(message: Message) -> QuerySet[Delivery]:
    return message.deliveries.filter(round=message.round).order_by("pk")


def _no_more(message: Message, turned_off: Collection[str], at: dt.datetime) -> Reason | None:
    """Why a message must not be sent any more, if so."""
    if message.expires_at is not None and message.expires_at <= at:
        return Reason.EXPIRED
    if message.about.switch in turned_off:
        return Reason.SWITCHED_OFF
    is_of_user = message.patient_id is not None and message.wechat_user_id is not None
    if is_of_user and message.wechat_user_id not in patients.users_to_tell(
        patient_id=message.patient_id or 0
    ):
        return Reason.UNBOUND
    return None


def _morning_to_wait_for(message: Message, at: dt.datetime) -> dt.datetime | None:
    """When quiet hours end that a message told before has run into: a channel or the worker was
    away. What was told at night just now is meant for the night; so is what staff send again."""
    lately = dt.timedelta(minutes=AWAKE_MINUTES.value())
    if message.about.is_urgent or message.round or at - message.created_at <= lately:
        return None
    if message.wechat_user_id is None:
        return None
    start, end = quiet_hours()
    night = quiet.period_around(at, start=start, end=end)
    if night is None or queries.wants_anytime([message.wechat_user_id]):
        return None
    return night.end


def _drop(message: Message, under_way: Delivery | None, reason: Reason, at: dt.datetime) -> None:
    """Send it no more. One that was failing already keeps the reason it failed for."""
    if under_way is not None:
        _change(under_way, outcome=Outcome.FAILED, reason=reason, ended_at=at)
    if message.status == MessageStatus.FAILED:
        _leave_to_inbox(message, at)
        return
    if reason is Reason.UNBOUND:
        _call_if_nobody_was_told(message, at)
    move(
        message,
        MessageStatus.NOT_DONE,
        by=SYSTEM,
        at=at,
        reason=reason.label,
        failure=reason.value,
    )


def _again(message: Message, under_way: Delivery | None, at: dt.datetime) -> Delivery | None:
    """Take the next try of a channel that is being tried; None when it is not to be tried again.

    A try that never ended was cut short in the middle, and may have arrived. WeChat knows a
    repeated template message by its reference, the SMS platform an SMS; a notification it would
    show twice.
    """
    if under_way is None:
        return None
    if under_way.channel == Channel.SUBSCRIPTION and under_way.ended_at is None:
        _fail(message, under_way, Outcome.FAILED, Reason.UNSURE, at)
        return None
    _change(under_way, tries=F("tries") + 1, ended_at=None)
    Message.objects.filter(pk=message.pk).update(attempts=F("attempts") + 1)
    under_way.tries, under_way.ended_at = under_way.tries + 1, None
    return under_way


def _next(message: Message, done: list[Delivery], at: dt.datetime) -> Delivery | None:
    """Begin the first channel of the plan not tried in this round; None when there is none."""
    tried = {Channel(delivery.channel) for delivery in done}
    for channel in approved.channels_of(message.about):
        if channel in tried or (channel in WECHAT and message.wechat_user_id is None):
            continue
        delivery = Delivery(message=message, round=message.round, channel=channel, started_at=at)
        is_shared = channel is Channel.SMS and message.staff_id is None
        if is_shared and queries.is_other_told(message):
            # The patient's own phone need not ring when another bound user was reached.
            delivery.outcome, delivery.reason = Outcome.SKIPPED, Reason.OTHERS_TOLD
            delivery.ended_at = at
            delivery.save()
            continue
        with connection.cursor() as cursor:
            cursor.execute(_BEGIN, [message.pk, message.round, channel.value, at, message.pk])
            (delivery.pk,) = cursor.fetchone()
        delivery.tries = 1
        return delivery
    return None


def _fail(
    message: Message, delivery: Delivery, outcome: Outcome, reason: Reason, at: dt.datetime
) -> None:
    """This channel will not bring it. Raises Stale."""
    _change(delivery, outcome=outcome, reason=reason, ended_at=at)
    if message.status == MessageStatus.QUEUED:
        label, why = reason.label, reason.value
        move(message, MessageStatus.FAILED, by=SYSTEM, at=at, reason=label, failure=why)


def _leave_to_inbox(message: Message, at: dt.datetime) -> None:
    """No channel is left. Urgent news that reached nobody of the event goes to the call list."""
    channel = Channel.CALL if _call_if_nobody_was_told(message, at) else Channel.INBOX
    move(message, MessageStatus.FALLBACK, by=SYSTEM, at=at, channel=channel.value)


def _call_if_nobody_was_told(message: Message, at: dt.datetime) -> bool:
    """Put urgent news on the call list when this was the last hope of its event.

    Under a lock per event, so that of two users' messages ending at once one sees the other.
    """
    if not message.about.is_urgent or message.staff_id is not None:
        return False
    with connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME, [f"{message.kind} {message.event_key}"])
    if queries.is_other_told(message) or queries.is_other_open(message):
        return False
    CallTask.objects.get_or_create(
        kind=message.kind,
        event_key=message.event_key,
        defaults={"message": message, "opened_at": at},
    )
    return True


def _change(delivery: Delivery, **changes: object) -> None:
    """Change a try under way. Raises Stale when it has ended."""
    rows = Delivery.objects.filter(pk=delivery.pk, outcome=Outcome.TRYING)
    if rows.update(**changes) == 0:
        raise Stale


def _consents(attempt: Try) -> QuerySet[Consent]:
    message = attempt.message
    template = approved.template_of(message.about, attempt.channel)
    return Consent.objects.filter(
        wechat_user=message.wechat_user_id,
        template_id=template.template_id if template else "",
    )
