"""Messages of every kind for tests, told as their areas would, and tried as a worker would."""

from __future__ import annotations

import datetime as dt
import itertools

from hospital.identity.models import WeChatUser
from hospital.kernel.actors import SYSTEM
from hospital.messaging import actions
from hospital.messaging.models import Message
from hospital.messaging.registry import KINDS
from hospital.messaging.states import Channel, Reason
from hospital.patients.models import Patient

#: Ten in the morning in the hospital: nobody sleeps.
AT = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
_numbers = itertools.count(1)


def a_message(
    kind: str,
    user: WeChatUser,
    *,
    patient: Patient | None = None,
    event_key: str = "",
    at: dt.datetime = AT,
    answers: int | None = None,
    until: dt.datetime | None = None,
) -> Message:
    """One user is told something; what it says is the kind's sample."""
    (message_id,) = actions.send(
        kind=kind,
        to=[user.pk],
        event_key=event_key or f"test:{next(_numbers)}",
        subject=patient or user,
        fields=KINDS[kind].sample,
        path="/m/appointments/abc/",
        by=SYSTEM,
        at=at,
        patient_id=patient.pk if patient else None,
        answers=answers,
        until=until,
    )
    return Message.objects.get(pk=message_id)


def begin(message: Message, *, at: dt.datetime = AT) -> actions.Try:
    """The next try, which there must be."""
    attempt = actions.begin_try(message_id=message.pk, at=at)
    assert attempt is not None
    return attempt


def fails(message: Message, channel: Channel, reason: Reason, *, at: dt.datetime = AT) -> None:
    """The next try goes through this channel and fails for good."""
    attempt = begin(message, at=at)
    assert attempt.channel is channel
    actions.record_failed(attempt=attempt, reason=reason, at=at)


def arrives(
    message: Message, channel: Channel, *, provider_id: str = "77", at: dt.datetime = AT
) -> None:
    """The next try goes through this channel, which takes it."""
    attempt = begin(message, at=at)
    assert attempt.channel is channel
    actions.record_sent(attempt=attempt, provider_id=provider_id, at=at)


def ends(message: Message, *, at: dt.datetime = AT) -> tuple[str, str, str]:
    """No channel is left; how the message stands then: status, channel, reason."""
    assert actions.begin_try(message_id=message.pk, at=at) is None
    return stands(message)


def stands(message: Message) -> tuple[str, str, str]:
    """Status, channel and reason as the database has them."""
    message.refresh_from_db()
    return message.status, message.channel, message.failure
