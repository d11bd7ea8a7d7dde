"""Sessions: generated from templates, released, started, closed (SM1).

The sweeps (`release_due`, `start_sessions`) are one statement each and may run at any time and as
often as one likes: they pick rows by the moment they are given and skip rows others hold. Whether
anybody still waits in a session that is over is known above: `lock_ended`, then `close_sessions`.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from django.db import connection, transaction

from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import NotFound, Refusal
from hospital.live import actions as live
from hospital.scheduling import thresholds
from hospital.scheduling.actions import making
from hospital.scheduling.models import Schedule
from hospital.scheduling.queries.unmade import asked_for
from hospital.scheduling.states import ScheduleStatus

# The slots' own planned → free is told by the schedule's Transition: one row, not one a number.
_RELEASE: Final = """
    WITH due AS ({due}), moved AS (
        UPDATE scheduling_schedule schedule SET status = 'released'
        FROM due WHERE schedule.id = due.id RETURNING schedule.id
    ), freed AS (
        UPDATE scheduling_slot slot SET status = 'free'
        FROM moved WHERE slot.schedule_id = moved.id AND slot.status = 'planned'
    ), noted AS (
        INSERT INTO kernel_transition
            (subject_type, subject_id, from_status, to_status, by, at, reason)
        SELECT 'scheduling.schedule', id, 'published', 'released', %(by)s, %(at)s, '' FROM moved
    )
    SELECT id FROM moved
"""
_DUE: Final = """
    SELECT id FROM scheduling_schedule WHERE status = 'published' AND release_at <= %(at)s
"""
_RELEASE_ALL: Final = _RELEASE.format(due=f"{_DUE} ORDER BY id FOR NO KEY UPDATE SKIP LOCKED")
# Who wants a number of this session waits until it is out: to look past it would find it full.
_RELEASE_ONE: Final = _RELEASE.format(due=f"{_DUE} AND id = %(schedule)s FOR NO KEY UPDATE")
_START: Final = """
    WITH due AS (
        SELECT id FROM scheduling_schedule
        WHERE status = 'released' AND starts_at <= %(at)s ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ), moved AS (
        UPDATE scheduling_schedule schedule SET status = 'in_session'
        FROM due WHERE schedule.id = due.id RETURNING schedule.id
    ), noted AS (
        INSERT INTO kernel_transition
            (subject_type, subject_id, from_status, to_status, by, at, reason)
        SELECT 'scheduling.schedule', id, 'released', 'in_session', %(by)s, %(at)s, '' FROM moved
    )
    SELECT id FROM moved
"""
_ENDED: Final = """
    SELECT id, ends_at FROM scheduling_schedule
    WHERE status = 'in_session' AND ends_at <= %(at)s ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
"""
_CLOSE: Final = """
    WITH moved AS (
        UPDATE scheduling_schedule SET status = 'closed'
        WHERE id = ANY(%(schedules)s) AND status = 'in_session' RETURNING id
    ), noted AS (
        INSERT INTO kernel_transition
            (subject_type, subject_id, from_status, to_status, by, at, reason)
        SELECT 'scheduling.schedule', id, 'in_session', 'closed', %(by)s, %(at)s, %(reason)s
        FROM moved
    )
    SELECT id FROM moved
"""
_BEGIN: Final = """
    WITH moved AS (
        UPDATE scheduling_schedule SET status = 'in_session'
        WHERE id = %(schedule)s AND status = 'released' RETURNING id
    ), noted AS (
        INSERT INTO kernel_transition
            (subject_type, subject_id, from_status, to_status, by, at, reason)
        SELECT 'scheduling.schedule', id, 'released', 'in_session', %(by)s, %(at)s, '' FROM moved
    )
    SELECT id FROM moved
"""
_RUNNING: Final = """
    SELECT id FROM scheduling_schedule WHERE id = %(schedule)s AND status = 'in_session' FOR SHARE
"""


class CannotClose(Refusal):
    code = "CANNOT_CLOSE"
    default_message = "该出诊没有在进行，不用结束。"


@transaction.atomic
def generate_schedules(*, through: dt.date, by: Actor, at: dt.datetime) -> int:
    """Make the missing sessions of all templates from the day of `at` to `through` (included).

    Repeating it makes nothing twice. Left out: what is switched off or not in force on the day,
    doctors whose licence has ended by then or who are on leave, sessions already over, sessions
    whose doctor or room is taken at that time or whose doctor has the most sessions of a week
    already (M15.2), and weeks whose roster somebody opened.
    Sessions past their release moment come out released. Returns how many were made.
    """
    making.take_turns()
    first = hospital_day(at)
    wanted = asked_for(first=first, through=through, at=at)
    # "Do nothing" on any conflict, be it the same session again or a doctor or room taken.
    Schedule.objects.bulk_create(wanted, ignore_conflicts=True, batch_size=500)
    made = making.keep_week_caps(
        Schedule.objects.filter(visit_date__range=(first, through), bands__isnull=True)
        .select_related("template")
        .order_by("id")
    )
    making.fill([(one, one.template.band_minutes) for one in made if one.template is not None])
    release_due(by=by, at=at)
    return len(made)


def make_missing(*, by: Actor, at: dt.datetime) -> int:
    """Make at once what the night would make: a changed day, or a week given back to the
    templates, may be within the horizon."""
    through = hospital_day(at) + dt.timedelta(days=thresholds.GENERATE_DAYS.value())
    return generate_schedules(through=through, by=by, at=at)


def release_due(*, by: Actor, at: dt.datetime, schedule_id: int | None = None) -> list[int]:
    """Release every published session (or just one) whose release moment has come (M1.1).

    Returns their ids. A booking that comes before the job calls this for its own session, so the
    server's clock alone decides when numbers become bookable (M1.16); it waits for whoever is
    releasing that session just then.
    """
    values = {"at": at, "by": str(by), "schedule": schedule_id}
    released = _sweep(_RELEASE_ALL if schedule_id is None else _RELEASE_ONE, values)
    _publish(released)
    return released


def start_sessions(*, by: Actor, at: dt.datetime) -> list[int]:
    """Start the sessions whose time has come (SM1); their ids."""
    started = _sweep(_START, {"at": at, "by": str(by)})
    _publish(started)
    return started


def begin_session(*, schedule_id: int, by: Actor, at: dt.datetime) -> bool:
    """Start one session because its first patient has checked in (SM1).

    True when it is running, and until the caller's transaction ends nobody closes it: who checks
    in at the last moment is not overlooked.
    """
    _publish(_sweep(_BEGIN, {"schedule": schedule_id, "by": str(by), "at": at}))
    return bool(_sweep(_RUNNING, {"schedule": schedule_id}))


def lock_ended(*, at: dt.datetime) -> dict[int, dt.datetime]:
    """The running sessions whose time is over, each with its end, locked until the transaction
    ends; those others hold are left to the next sweep."""
    with connection.cursor() as cursor:
        cursor.execute(_ENDED, {"at": at})
        return dict(cursor.fetchall())


def close_sessions(
    *, schedule_ids: Collection[int], reason: str = "", by: Actor, at: dt.datetime
) -> list[int]:
    """Close running sessions (SM1); the ids of those that were. Whether it is time is the
    caller's question."""
    wanted = {"schedules": list(schedule_ids), "reason": reason[:100], "by": str(by), "at": at}
    closed = _sweep(_CLOSE, wanted)
    _publish(closed)
    return closed


@transaction.atomic
def close_session(*, schedule_id: int, reason: str, by: Actor, at: dt.datetime) -> Schedule:
    """Close one session on purpose, whoever still waits in it (SM1). Who leaves before its end
    calls it off instead: patients are still to come. Raises NotFound, CannotClose."""
    schedule = Schedule.objects.select_for_update(no_key=True).filter(pk=schedule_id).first()
    if schedule is None:
        raise NotFound("没有找到这次出诊。")
    if schedule.status != ScheduleStatus.IN_SESSION:
        raise CannotClose
    if at < schedule.ends_at:
        raise CannotClose("还没有到结束时间；医生提前离开请办理停诊。")
    close_sessions(schedule_ids=[schedule.pk], reason=reason, by=by, at=at)
    schedule.refresh_from_db(fields=["status"])
    return schedule


def _sweep(sql: str, values: Mapping[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [row[0] for row in cursor.fetchall()]


def _publish(schedule_ids: Iterable[int]) -> None:
    if topics := [f"schedule:{schedule_id}" for schedule_id in schedule_ids]:
        live.publish("schedules", *topics)
