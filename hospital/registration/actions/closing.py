"""The end of a session (SM1): by itself once nobody waits, by doctor or nurse all the same, and by
the system at 23:59.

Locks: session. Who is left waiting is marked by a job each, under the locks of `end_visit`.
"""

import datetime as dt
from collections.abc import Collection
from typing import Final

from django.db import transaction

from hospital.kernel import audit, clock, events
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus
from hospital.scheduling import actions as scheduling

_LAST_CALL: Final = dt.time(23, 59)


@transaction.atomic
def close_ended(*, by: Actor, at: dt.datetime) -> list[int]:
    """Close the sessions that are over and in which nobody waits who has checked in, and at 23:59
    those in which somebody does (SM1); their ids. Idempotent, may come late."""
    ended = scheduling.lock_ended(at=at)
    awaited = {schedule_id for _, schedule_id in _waiting(ended)}
    late = [pk for pk, ends_at in ended.items() if pk in awaited and at >= last_call(ends_at)]
    over = [pk for pk in ended if pk not in awaited]
    closed = scheduling.close_sessions(schedule_ids=over, by=by, at=at)
    closed += scheduling.close_sessions(
        schedule_ids=late, reason="到 23:59 仍有人候诊", by=by, at=at
    )
    _leave(late)
    return closed


@transaction.atomic
def close_session(*, schedule_id: int, reason: str, by: Actor, at: dt.datetime) -> int:
    """结束出诊 on purpose: whoever still waits is left unseen, with the right to the money back
    (SM1, SM3). Returns how many those are.

    Raises NotFound, CannotClose; Invalid without a reason.
    """
    why = reason.strip()[:100]
    if not why:
        raise Invalid.of("reason", "请写明结束出诊的原因。")
    schedule = scheduling.close_session(schedule_id=schedule_id, reason=why, by=by, at=at)
    left = _leave([schedule_id])
    audit.record(
        act="registration.close_session",
        subject=schedule,
        by=by,
        at=at,
        after={"left_unseen": left},
        reason=why,
    )
    return left


def last_call(ends_at: dt.datetime) -> dt.datetime:
    """When the system closes a session whoever waits: 23:59 of the day it ends on, or its end."""
    day = clock.hospital_day(ends_at - dt.timedelta(microseconds=1))
    return max(ends_at, clock.at_local(day, _LAST_CALL))


def _leave(schedule_ids: Collection[int]) -> int:
    """Have everybody marked who still waits in sessions just closed; how many they are."""
    left = _waiting(schedule_ids)
    for appointment_id, _ in left:
        events.later("registration.jobs.end_visit", appointment_id=appointment_id)
    return len(left)


def _waiting(schedule_ids: Collection[int]) -> list[tuple[int, int]]:
    rows = Appointment.objects.filter(
        schedule_id__in=schedule_ids, status=AppointmentStatus.CHECKED_IN
    )
    return list(rows.order_by("pk").values_list("pk", "schedule_id"))
