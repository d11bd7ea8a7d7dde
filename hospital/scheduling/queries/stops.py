"""Reads of scheduling about a session called off: when, by whom, why, and whether taken back."""

import datetime as dt
from dataclasses import dataclass

from hospital.kernel.models import Transition
from hospital.kernel.states import subject_type
from hospital.scheduling.models import Schedule
from hospital.scheduling.states import ScheduleStatus


@dataclass(frozen=True, slots=True)
class StopFacts:
    """The last 停诊 of a session; `resumed_at` is None while it stands. Moments are UTC, actors
    such as "staff:3"."""

    at: dt.datetime
    by: str
    reason: str
    resumed_at: dt.datetime | None
    resumed_by: str
    resume_reason: str
    may_resume_until: dt.datetime


def is_suspended(*, schedule_id: int) -> bool:
    """Whether a session is called off at this moment, read fresh."""
    return Schedule.objects.filter(pk=schedule_id, status=ScheduleStatus.SUSPENDED).exists()


def last_stop(*, schedule_id: int) -> StopFacts | None:
    """How a session was called off last, None when it never was."""
    schedule = Schedule.objects.filter(pk=schedule_id).first()
    moves = Transition.objects.filter(
        subject_type=subject_type(Schedule), subject_id=schedule_id
    ).order_by("-id")
    stop = moves.filter(to_status=ScheduleStatus.SUSPENDED).first()
    if schedule is None or stop is None:
        return None
    back = moves.filter(from_status=ScheduleStatus.SUSPENDED, id__gt=stop.pk).first()
    return StopFacts(
        at=stop.at,
        by=stop.by,
        reason=stop.reason,
        resumed_at=back.at if back else None,
        resumed_by=back.by if back else "",
        resume_reason=back.reason if back else "",
        may_resume_until=schedule.starts_at,
    )


def planned_doctor(*, schedule_id: int) -> str:
    """Who was on the roster of a session that another doctor holds (替诊); "" when nobody else."""
    row = Schedule.objects.select_related("planned_practitioner").filter(pk=schedule_id).first()
    return row.planned_practitioner.name if row and row.planned_practitioner else ""
