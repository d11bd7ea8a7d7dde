"""For monitoring: how the channels do, who still waits for a call, and whether it is night."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Min, Q

from hospital.messaging import quiet
from hospital.messaging.models import CallTask, Delivery
from hospital.messaging.states import CallStatus, Channel, Outcome, Reason
from hospital.messaging.thresholds import quiet_hours

#: Not reached because of what the reader did or wished: nothing of ours is broken.
_READERS_OWN = (Reason.NOT_FOLLOWING, Reason.BLOCKED, Reason.NO_CONSENT, Reason.OPENID_UNKNOWN)


def delivery_results(*, since: dt.datetime, channel: Channel | None = None) -> tuple[int, int]:
    """Tries of messages made since a moment (UTC) that came to an end, and how many of them failed
    for a reason that is ours or the channel's; of one channel or of all."""
    rows = Delivery.objects.filter(
        message__created_at__gte=since,
        outcome__in=(Outcome.SENT, Outcome.DELIVERED, Outcome.FAILED),
    )
    if channel is not None:
        rows = rows.filter(channel=channel)
    failed = Q(outcome=Outcome.FAILED) & ~Q(reason__in=_READERS_OWN)
    counts = rows.aggregate(ended=Count("pk"), failed=Count("pk", filter=failed))
    return counts["ended"], counts["failed"]


def waiting_calls() -> tuple[int, dt.datetime | None]:
    """How many people are still to be telephoned, and since when the first of them waits."""
    rows = CallTask.objects.filter(status=CallStatus.OPEN)
    found = rows.aggregate(count=Count("pk"), since=Min("opened_at"))
    return found["count"], found["since"]


def is_night(*, at: dt.datetime) -> bool:
    """Whether a moment (UTC) lies in the quiet hours, when only urgent news may wake people."""
    start, end = quiet_hours()
    return quiet.period_around(at, start=start, end=end) is not None
