"""停诊 and back: a session is called off with every number nobody has, and may be resumed before
its start (SM1, M1.8).

What was booked is undone by the news, above; what a stop withheld is marked, so that resuming
brings back exactly that.
"""

import datetime as dt
from typing import Final

from django.db import connection, transaction

from hospital.kernel import audit, events
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound, Refusal
from hospital.kernel.states import move
from hospital.live import actions as live
from hospital.scheduling.actions.stop_requests import answer_by_stop
from hospital.scheduling.events import ScheduleSuspended
from hospital.scheduling.models import Schedule
from hospital.scheduling.states import ScheduleStatus

_BLOCK: Final = """
    WITH blocked AS (
        UPDATE scheduling_slot slot SET status = 'blocked', withheld = 'stop'
        FROM scheduling_slot was
        WHERE was.id = slot.id AND slot.schedule_id = %(schedule)s
        AND slot.status IN ('planned', 'free')
        RETURNING slot.id, was.status
    ), noted AS (
        INSERT INTO kernel_transition
            (subject_type, subject_id, from_status, to_status, by, at, reason)
        SELECT 'scheduling.slot', id, status, 'blocked', %(by)s, %(at)s, %(reason)s FROM blocked
    )
    SELECT count(*) FROM blocked
"""
# Before its release moment a free number cannot be booked either: the clock decides (M1.16).
_GIVE_BACK: Final = """
    WITH freed AS (
        UPDATE scheduling_slot slot SET status = 'free', withheld = ''
        WHERE slot.schedule_id = %(schedule)s
        AND slot.status = 'blocked' AND slot.withheld = 'stop'
        RETURNING slot.id
    ), noted AS (
        INSERT INTO kernel_transition
            (subject_type, subject_id, from_status, to_status, by, at, reason)
        SELECT 'scheduling.slot', id, 'blocked', 'free', %(by)s, %(at)s, %(reason)s FROM freed
    )
    SELECT count(*) FROM freed
"""


class CannotSuspend(Refusal):
    code = "CANNOT_SUSPEND"
    default_message = "该出诊已停诊或已结束，不能再停诊。"


class CannotResume(Refusal):
    code = "CANNOT_RESUME"
    default_message = "该出诊没有停诊，不需要恢复。"


@transaction.atomic
def suspend_schedule(
    *, schedule_id: int, reason: str, is_running: bool = False, by: Actor, at: dt.datetime
) -> Schedule:
    """停诊: no number can be claimed any more, and the news undoes what was booked (M1.8).

    Also in the middle of a session: who was seen was seen (SM1); with `is_running` only there.
    Blocking the free slots waits for every claim in flight, so none outlives the commit. Raises
    NotFound, CannotSuspend.
    """
    schedule = _lock(schedule_id)
    if (schedule.status, ScheduleStatus.SUSPENDED) not in Schedule.MOVES or schedule.ends_at <= at:
        raise CannotSuspend
    if is_running and schedule.status != ScheduleStatus.IN_SESSION:
        raise CannotSuspend("还没有开诊，请联系门诊办公室办理停诊。")
    before = schedule.status
    reason = reason[:100]
    move(schedule, ScheduleStatus.SUSPENDED, by=by, at=at, reason=reason, suspend_reason=reason)
    answer_by_stop(schedule=schedule, by=by, at=at)
    withheld = _turn(_BLOCK, schedule, reason=reason, by=by, at=at)
    audit.record(
        act="scheduling.suspend",
        subject=schedule,
        by=by,
        at=at,
        before={"status": before},
        after={"withheld": withheld},
        reason=reason,
    )
    events.emit(ScheduleSuspended(schedule_id=schedule.pk))
    return schedule


@transaction.atomic
def resume_schedule(*, schedule_id: int, reason: str, by: Actor, at: dt.datetime) -> Schedule:
    """恢复出诊: the numbers the stop withheld come back; those the office withheld stay (SM1).

    Only before the session's start. Whose booking was undone keeps nothing but the right to the
    first offer. Raises NotFound, CannotResume.
    """
    schedule = _lock(schedule_id)
    if schedule.status != ScheduleStatus.SUSPENDED:
        raise CannotResume
    if at >= schedule.starts_at:
        raise CannotResume("出诊时间已到，不能恢复；可以另排一次出诊。")
    move(schedule, ScheduleStatus.RELEASED, by=by, at=at, reason=reason[:100], suspend_reason="")
    given_back = _turn(_GIVE_BACK, schedule, reason=reason[:100], by=by, at=at)
    audit.record(
        act="scheduling.resume",
        subject=schedule,
        by=by,
        at=at,
        after={"given_back": given_back},
        reason=reason[:100],
    )
    return schedule


def _turn(sql: str, schedule: Schedule, *, reason: str, by: Actor, at: dt.datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"schedule": schedule.pk, "by": str(by), "at": at, "reason": reason})
        (count,) = cursor.fetchone()
    live.publish("schedules", f"schedule:{schedule.pk}")
    return int(count)


def _lock(schedule_id: int) -> Schedule:
    schedule = Schedule.objects.select_for_update(no_key=True).filter(pk=schedule_id).first()
    if schedule is None:
        raise NotFound("没有找到这次出诊。")
    return schedule
