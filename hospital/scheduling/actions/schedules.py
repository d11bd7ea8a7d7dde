"""Sessions: generated from templates, released, started, closed, suspended (SM1).

The sweeps (`release_due`, `advance_sessions`) are one statement each and may run at any time and
as often as one likes: they pick rows by the moment they are given and skip rows others hold.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import connection, transaction

from hospital.kernel import events
from hospital.kernel.actors import Actor
from hospital.kernel.clock import at_local, hospital_day
from hospital.kernel.errors import NotFound, Refusal
from hospital.kernel.states import move
from hospital.live import actions as live
from hospital.scheduling import bands, quotas, thresholds
from hospital.scheduling.events import ScheduleSuspended
from hospital.scheduling.models import Schedule, ScheduleTemplate, TimeBand
from hospital.scheduling.sessions import scopes_of
from hospital.scheduling.states import Pool, ScheduleStatus

_FILL: Final = """
    INSERT INTO scheduling_slot
        (schedule_id, band_id, sequence_no, is_add_on, pool, status, withheld)
    SELECT band.schedule_id, band.id, number, false,
        (string_to_array(dealt.pools, ','))[number], 'planned', ''
    FROM unnest(%(schedules)s::bigint[], %(pools)s::text[]) dealt(schedule_id, pools)
    JOIN scheduling_timeband band ON band.schedule_id = dealt.schedule_id,
         generate_series(band.first_sequence_no, band.first_sequence_no + band.capacity - 1) number
"""
# The slots' own planned → free is told by the schedule's Transition: one row, not one a number.
_RELEASE: Final = """
    WITH due AS (
        SELECT id FROM scheduling_schedule
        WHERE status = 'published' AND release_at <= %(at)s
        AND (%(only)s::bigint IS NULL OR id = %(only)s)
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ), moved AS (
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
_ADVANCE: Final = """
    WITH due AS (
        SELECT id FROM scheduling_schedule
        WHERE status = %(old)s AND {moment} <= %(at)s ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ), moved AS (
        UPDATE scheduling_schedule schedule SET status = %(to)s
        FROM due WHERE schedule.id = due.id RETURNING schedule.id
    ), noted AS (
        INSERT INTO kernel_transition
            (subject_type, subject_id, from_status, to_status, by, at, reason)
        SELECT 'scheduling.schedule', id, %(old)s, %(to)s, %(by)s, %(at)s, '' FROM moved
    )
    SELECT id FROM moved
"""
_BLOCK: Final = """
    WITH blocked AS (
        UPDATE scheduling_slot slot SET status = 'blocked', withheld = 'stop'
        FROM scheduling_slot was
        WHERE was.id = slot.id AND slot.schedule_id = %(schedule)s
        AND slot.status IN ('planned', 'free')
        RETURNING slot.id, was.status
    )
    INSERT INTO kernel_transition
        (subject_type, subject_id, from_status, to_status, by, at, reason)
    SELECT 'scheduling.slot', id, status, 'blocked', %(by)s, %(at)s, %(reason)s FROM blocked
"""


class CannotSuspend(Refusal):
    code = "CANNOT_SUSPEND"
    default_message = "该出诊已停诊或已结束，不能再停诊。"


@transaction.atomic
def generate_schedules(*, through: dt.date, by: Actor, at: dt.datetime) -> int:
    """Make the missing sessions of all templates from the day of `at` to `through` (included).

    Repeating it makes nothing twice. Left out: what is switched off or not in force on the day,
    doctors whose licence has ended by then, sessions already over, and sessions whose doctor or
    room is taken at that time (M15.2). Sessions past their release moment come out released.
    Returns how many were made.
    """
    first = hospital_day(at)
    days = [first + dt.timedelta(days=offset) for offset in range((through - first).days + 1)]
    templates = list(
        ScheduleTemplate.objects.filter(
            is_active=True,
            department__is_active=True,
            service_type__is_active=True,
            room__is_active=True,
        )
        .exclude(practitioner__is_active=False)
        .select_related("department", "practitioner", "service_type", "room")
        .order_by("code")
    )
    wanted = [
        schedule
        for day in days
        for template in templates
        if _holds(template, day) and (schedule := _schedule(template, day)).ends_at > at
    ]
    # "Do nothing" on any conflict, be it the same session again or a doctor or room taken.
    Schedule.objects.bulk_create(wanted, ignore_conflicts=True, batch_size=500)
    made = list(
        Schedule.objects.filter(visit_date__range=(first, through), bands__isnull=True)
        .select_related("template")
        .order_by("id")
    )
    _fill(made)
    release_due(by=by, at=at)
    return len(made)


def release_due(*, by: Actor, at: dt.datetime, schedule_id: int | None = None) -> list[int]:
    """Release every published session (or just one) whose release moment has come (M1.1).

    Returns their ids. A booking that comes before the job calls this for its own session, so the
    server's clock alone decides when numbers become bookable (M1.16).
    """
    released = _sweep(_RELEASE, {"at": at, "by": str(by), "only": schedule_id})
    _publish(released)
    return released


def advance_sessions(*, by: Actor, at: dt.datetime) -> list[int]:
    """Start the sessions whose time has come and close those whose time is over; their ids."""
    moves = (
        ("starts_at", ScheduleStatus.RELEASED, ScheduleStatus.IN_SESSION),
        ("ends_at", ScheduleStatus.IN_SESSION, ScheduleStatus.CLOSED),
    )
    moved: list[int] = []
    for moment, old, to in moves:
        sql = _ADVANCE.format(moment=moment)
        moved += _sweep(sql, {"at": at, "by": str(by), "old": old, "to": to})
    _publish(moved)
    return moved


@transaction.atomic
def suspend_schedule(*, schedule_id: int, reason: str, by: Actor, at: dt.datetime) -> Schedule:
    """停诊: no number can be claimed any more, and the news undoes what was booked (M1.8).

    Blocking the free slots waits for every claim in flight, so none outlives the commit. Raises
    NotFound, CannotSuspend.
    """
    schedule = Schedule.objects.select_for_update(no_key=True).filter(pk=schedule_id).first()
    if schedule is None:
        raise NotFound
    if (schedule.status, ScheduleStatus.SUSPENDED) not in Schedule.MOVES:
        raise CannotSuspend
    move(schedule, ScheduleStatus.SUSPENDED, by=by, at=at, reason=reason, suspend_reason=reason)
    with connection.cursor() as cursor:
        cursor.execute(_BLOCK, {"schedule": schedule.pk, "by": str(by), "at": at, "reason": reason})
    events.emit(ScheduleSuspended(schedule_id=schedule.pk))
    _publish([schedule.pk])
    return schedule


def _holds(template: ScheduleTemplate, day: dt.date) -> bool:
    """Whether a template has a session on a day on which all it needs is in force, with a doctor
    licensed to hold it."""
    doctor = template.practitioner
    needed = (template, template.department, template.service_type, template.room, doctor)
    return (
        template.weekday == day.isoweekday()
        and all(
            (one.valid_from is None or one.valid_from <= day)
            and (one.valid_to is None or day < one.valid_to)
            for one in needed
            if one is not None
        )
        and (doctor is None or day <= doctor.licence_end_date)
    )


def _schedule(template: ScheduleTemplate, day: dt.date) -> Schedule:
    starts_at, ends_at = bands.session_bounds(day, template.starts, template.ends)
    released_on = day - dt.timedelta(days=thresholds.HORIZON_DAYS.value())
    return Schedule(
        template=template,
        department_id=template.department_id,
        practitioner_id=template.practitioner_id,
        service_type_id=template.service_type_id,
        room_id=template.room_id,
        visit_date=day,
        session_period=template.session_period,
        starts_at=starts_at,
        ends_at=ends_at,
        capacity=template.capacity,
        release_at=at_local(released_on, thresholds.release_time()),
        status=ScheduleStatus.PUBLISHED,
    )


def _fill(schedules: list[Schedule]) -> None:
    TimeBand.objects.bulk_create(
        [
            TimeBand(
                schedule=schedule,
                first_sequence_no=band.first_sequence_no,
                starts_at=band.starts_at,
                ends_at=band.ends_at,
                capacity=band.capacity,
            )
            for schedule in schedules
            for band in bands.cut(
                starts_at=schedule.starts_at,
                ends_at=schedule.ends_at,
                band_minutes=schedule.template.band_minutes,
                capacity=schedule.capacity,
            )
        ],
        batch_size=500,
    )
    dealt = [
        ",".join(quotas.deal(quotas.share(schedule.capacity, _percents(schedule))))
        for schedule in schedules
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _FILL, {"schedules": [schedule.pk for schedule in schedules], "pools": dealt}
        )


def _percents(schedule: Schedule) -> dict[Pool, int]:
    return thresholds.quota_percents(*scopes_of(schedule))


def _sweep(sql: str, values: Mapping[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [row[0] for row in cursor.fetchall()]


def _publish(schedule_ids: Iterable[int]) -> None:
    if topics := [f"schedule:{schedule_id}" for schedule_id in schedule_ids]:
        live.publish("schedules", *topics)
