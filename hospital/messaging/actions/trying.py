"""One try after the other, one channel after the other, until the message is with the person.

The channels of a message are template or subscription, SMS, inbox, call list (M8.3). A worker
takes a try, speaks to the channel without a transaction, and records what came of it. The last
channel always works: the message is in the inbox from the start.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction
from django.db.models import F, QuerySet

from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import Stale
from hospital.kernel.events import later
from hospital.kernel.states import move
from hospital.messaging import approved, queries
from hospital.messaging.models import CallTask, Consent, Delivery, Message
from hospital.messaging.states import OPEN, Channel, MessageStatus, Outcome, Reason
from hospital.messaging.thresholds import ATTEMPTS, URGENT_ATTEMPTS
from hospital.patients import queries as patients

#: Seconds to wait after failure 1, 2, …; the last one goes for all later ones.
_WAITS: Final = (5, 30, 120, 600, 1800)
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

    None when nothing is to be done any more: it is sent, not to be sent, or this call has found
    that no channel is left and has left it to the inbox (and, if urgent, the call list).
    """
    with transaction.atomic():
        message = _lock(message_id)
        if message is None or message.status not in OPEN:
            return None
        is_fresh = not message.attempts and not message.round
        done = [] if is_fresh else list(_deliveries(message))
        under_way = done[-1] if done and done[-1].outcome == Outcome.TRYING else None
        if reason := _no_more(message, at):
            _drop(message, under_way, reason, at)
            return None
        if message.status == MessageStatus.PREPARATION:
            move(message, MessageStatus.QUEUED, by=SYSTEM, at=at)
        if under_way is not None:
            Delivery.objects.filter(pk=under_way.pk).update(tries=F("tries") + 1)
            under_way.tries += 1
        delivery = under_way or _next(message, done, at)
        if delivery is None:
            _leave_to_inbox(message, at)
            return None
        Message.objects.filter(pk=message.pk).update(attempts=F("attempts") + 1)
        message.attempts += 1
        return Try(message, delivery)


def record_sent(*, attempt: Try, provider_id: str, at: dt.datetime) -> None:
    """Record that the channel took the message. Raises Stale when that was recorded before."""
    with transaction.atomic():
        _end(attempt, outcome=Outcome.SENT, provider_id=provider_id[:64], sent_at=at)
        message = attempt.message
        to = (
            MessageStatus.SENT if message.status == MessageStatus.QUEUED else MessageStatus.FALLBACK
        )
        move(message, to, by=SYSTEM, at=at, channel=attempt.channel.value, sent_at=at)
        if attempt.channel is Channel.SUBSCRIPTION:
            consents = _consents(attempt).filter(is_permanent=False, left__gt=0)
            consents.update(left=F("left") - 1, changed_at=at)


def record_failed(
    *, attempt: Try, reason: Reason, at: dt.datetime, is_skipped: bool = False
) -> None:
    """Record that this channel will not bring it (or was not asked at all). Raises Stale."""
    with transaction.atomic():
        outcome = Outcome.SKIPPED if is_skipped else Outcome.FAILED
        _end(attempt, outcome=outcome, reason=reason, ended_at=at)
        if attempt.message.status == MessageStatus.QUEUED:
            move(
                attempt.message,
                MessageStatus.FAILED,
                by=SYSTEM,
                at=at,
                reason=reason.label,
                failure=reason.value,
            )
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
    later("messaging.jobs.deliver", at=at + wait, message_id=attempt.message.pk)
    return True


def _lock(message_id: int) -> Message | None:
    rows = Message.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("wechat_user").filter(pk=message_id).first()


def _deliveries(message: Message) -> QuerySet[Delivery]:
    return message.deliveries.filter(round=message.round).order_by("pk")


def _no_more(message: Message, at: dt.datetime) -> Reason | None:
    """Why a message must not be sent any more, if so."""
    if message.expires_at is not None and message.expires_at <= at:
        return Reason.EXPIRED
    switch = message.about.switch
    if switch and not queries.is_on(wechat_user_id=message.wechat_user_id, switch=switch):
        return Reason.SWITCHED_OFF
    if message.patient_id is not None and message.wechat_user_id not in patients.users_to_tell(
        patient_id=message.patient_id
    ):
        return Reason.UNBOUND
    return None


def _drop(message: Message, under_way: Delivery | None, reason: Reason, at: dt.datetime) -> None:
    """Send it no more. One that was failing already keeps the reason it failed for."""
    if under_way is not None:
        rows = Delivery.objects.filter(pk=under_way.pk)
        rows.update(outcome=Outcome.FAILED, reason=reason, ended_at=at)
    if message.status == MessageStatus.FAILED:
        _leave_to_inbox(message, at)
        return
    move(
        message,
        MessageStatus.NOT_DONE,
        by=SYSTEM,
        at=at,
        reason=reason.label,
        failure=reason.value,
    )


def _next(message: Message, done: list[Delivery], at: dt.datetime) -> Delivery | None:
    """Begin the first channel of the plan not tried in this round; None when there is none."""
    tried = {Channel(delivery.channel) for delivery in done}
    for channel in approved.channels_of(message.about):
        if channel in tried:
            continue
        delivery = Delivery(message=message, round=message.round, channel=channel, started_at=at)
        if channel is Channel.SMS and queries.is_other_told(message):
            # The patient's own phone need not ring when another bound user was reached.
            delivery.outcome, delivery.reason = Outcome.SKIPPED, Reason.OTHERS_TOLD
            delivery.ended_at = at
            delivery.save()
            continue
        delivery.tries = 1
        delivery.save()
        return delivery
    return None


def _leave_to_inbox(message: Message, at: dt.datetime) -> None:
    """No channel is left. Urgent news that reached nobody of the event goes to the call list.

    Under a lock per event, so that of two users' messages ending at once one sees the other.
    """
    channel = Channel.INBOX
    if message.about.is_urgent:
        with connection.cursor() as cursor:
            cursor.execute(_ONE_AT_A_TIME, [f"{message.kind} {message.event_key}"])
        if not queries.is_other_told(message) and not queries.is_other_open(message):
            channel = Channel.CALL
            CallTask.objects.get_or_create(
                kind=message.kind,
                event_key=message.event_key,
                defaults={"message": message, "opened_at": at},
            )
    move(message, MessageStatus.FALLBACK, by=SYSTEM, at=at, channel=channel.value)


def _end(attempt: Try, **changes: object) -> None:
    rows = Delivery.objects.filter(pk=attempt.delivery.pk, outcome=Outcome.TRYING)
    if rows.update(**changes) == 0:
        raise Stale


def _consents(attempt: Try) -> QuerySet[Consent]:
    message = attempt.message
    template = approved.template_of(message.about, attempt.channel)
    return Consent.objects.filter(
        wechat_user=message.wechat_user_id,
        template_id=template.template_id if template else "",
    )
