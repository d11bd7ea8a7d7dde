"""Reads of scheduling for the waiting list and for whoever asked to be told of a release."""

import datetime as dt
from collections.abc import Collection

from hospital.scheduling import sessions, thresholds
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.sessions import SessionFacts
from hospital.scheduling.states import LISTED, ScheduleStatus, SlotStatus

_OPEN = (ScheduleStatus.RELEASED, ScheduleStatus.IN_SESSION)


def free_for_list(*, schedule_id: int, at: dt.datetime) -> int:
    """How many numbers of a session could be offered to its waiting list now, counted afresh."""
    return Slot.objects.filter(
        schedule_id=schedule_id,
        schedule__status__in=_OPEN,
        status=SlotStatus.FREE,
        pool__in=LISTED,
        band__starts_at__gt=thresholds.kept_after(at),
    ).count()


def sessions_with_list() -> list[SessionFacts]:
    """The sessions whose numbers are kept for a waiting list, read afresh."""
    return sessions.load(Schedule.objects.filter(has_waiting=True))


def released_between(
    *, after: dt.datetime, until: dt.datetime, department_id: int | None = None
) -> list[SessionFacts]:
    """The sessions, of a department or of all, to be released after one moment and at another at
    the latest (UTC)."""
    waiting = Schedule.objects.filter(status=ScheduleStatus.PUBLISHED)
    if department_id is not None:
        waiting = waiting.filter(department_id=department_id)
    return sessions.load(waiting.filter(release_at__gt=after, release_at__lte=until))


def facts_of(*, schedule_ids: Collection[int]) -> dict[int, SessionFacts]:
    """What is known of sessions, read afresh in two statements; called-off ones are left out."""
    found = sessions.load(Schedule.objects.filter(pk__in=schedule_ids))
    return {session.id: session for session in found}
