"""Builders of clinic sessions for tests: templates generated and released by the real actions.

`NOW` is a Monday at 10:00 in the hospital; a session is on the day after its `at` unless told
otherwise. What reads the clock by itself is told `at=clock.now()`, or travels to `NOW`.
"""

import datetime as dt
import itertools
from collections.abc import Mapping

from hospital.catalogue.models import ServiceType
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.clock import at_local, hospital_day
from hospital.organisation.models import Department, Location, Practitioner
from hospital.scheduling import actions as scheduling
from hospital.scheduling.models import Schedule, ScheduleTemplate, TimeBand
from hospital.scheduling.states import Pool, SessionPeriod
from hospital.testing.organisation import a_department, a_practitioner, a_room, a_service_type

NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
TOMORROW = dt.date(2026, 11, 24)
_EVERY_DAY = dt.date(2020, 1, 1)

_numbers = itertools.count(1)


def a_template(
    *,
    department: Department | None = None,
    practitioner: Practitioner | None = None,
    service_type: ServiceType | None = None,
    room: Location | None = None,
    weekday: int = 2,
    session_period: SessionPeriod = SessionPeriod.AM,
    starts: dt.time = dt.time(8, 0),
    ends: dt.time = dt.time(12, 0),
    capacity: int = 16,
    band_minutes: int = 60,
    valid_from: dt.date = _EVERY_DAY,
    valid_to: dt.date | None = None,
    is_active: bool = True,
    on_holidays: bool = False,
    code: str = "",
) -> ScheduleTemplate:
    """A weekly session: by default Tuesday morning, a chief's, four bands of four numbers."""
    department = department or a_department()
    practitioner = practitioner or a_practitioner(department)
    code = code or f"T{next(_numbers):04d}"
    scheduling.save_template(
        code=code,
        department=department.code,
        practitioner=practitioner.code,
        service_type=(service_type or a_service_type()).code,
        room=(room or a_room(department=department)).code,
        weekday=weekday,
        session_period=session_period,
        starts=starts,
        ends=ends,
        capacity=capacity,
        band_minutes=band_minutes,
        valid_from=valid_from,
        valid_to=valid_to,
        is_active=is_active,
        on_holidays=on_holidays,
        by=SYSTEM,
        at=NOW,
    )
    return ScheduleTemplate.objects.get(code=code)


def a_released_schedule(
    *,
    day: dt.date | None = None,
    department: Department | None = None,
    practitioner: Practitioner | None = None,
    service_type: ServiceType | None = None,
    room: Location | None = None,
    session_period: SessionPeriod = SessionPeriod.AM,
    starts: dt.time = dt.time(8, 0),
    ends: dt.time = dt.time(12, 0),
    capacity: int = 16,
    band_minutes: int = 60,
    fee_fen: int = 2500,
    shares: Mapping[Pool, int] | None = None,
    at: dt.datetime = NOW,
) -> Schedule:
    """A session whose numbers are out at `at` (UTC), on the next day or one within the horizon.

    All its numbers may be claimed on WeChat unless `shares` says how many each pool has.
    """
    day = day or hospital_day(at) + dt.timedelta(days=1)
    template = a_template(
        department=department,
        practitioner=practitioner,
        service_type=service_type or a_service_type(fee_fen=fee_fen),
        room=room,
        weekday=day.isoweekday(),
        session_period=session_period,
        starts=starts,
        ends=ends,
        capacity=capacity,
        band_minutes=band_minutes,
        valid_from=day,
        valid_to=day + dt.timedelta(days=1),
    )
    scheduling.generate_schedules(through=max(day, hospital_day(at)), by=SYSTEM, at=at)
    schedule = Schedule.objects.get(template=template, visit_date=day)
    scheduling.share_numbers(
        schedule_id=schedule.pk,
        shares=shares or {Pool.WECHAT: capacity},
        reason="test",
        by=SYSTEM,
        at=min(at, at_local(day, dt.time(0)) - dt.timedelta(seconds=1)),
    )
    return schedule


def an_unreleased_schedule(*, at: dt.datetime = NOW, days_ahead: int = 8) -> Schedule:
    """A session beyond the horizon: its numbers come out later, at `release_at`."""
    return a_released_schedule(day=hospital_day(at) + dt.timedelta(days=days_ahead), at=at)


def band_of(schedule: Schedule, place: int = 0) -> TimeBand:
    """The band at a place of a session, the first by default."""
    return schedule.bands.order_by("starts_at")[place]


def change_capacity(
    band: TimeBand,
    capacity: int,
    *,
    seen: int | None = None,
    reason: str = "test",
    by: Actor = SYSTEM,
    at: dt.datetime = NOW,
) -> None:
    """Give one band another number of places; `seen` is what it has, unless told otherwise."""
    now = TimeBand.objects.get(pk=band.pk).capacity
    size = scheduling.BandSize(band.pk, capacity, now if seen is None else seen)
    scheduling.change_capacities(
        schedule_id=band.schedule_id, sizes=[size], reason=reason, by=by, at=at
    )


def moment(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    """A hospital wall-clock time as a moment in UTC."""
    return at_local(day, dt.time(hour, minute))
