"""What the weekly templates would have in a week, and what is there already: the sessions a
roster begins with (M15.1, M15.4)."""

import datetime as dt
from collections.abc import Collection

from hospital.kernel import clock
from hospital.scheduling import bands, thresholds
from hospital.scheduling.holidays import Calendar, SpecialDay, runs
from hospital.scheduling.models import Roster, RosterEntry, Schedule, ScheduleTemplate
from hospital.scheduling.states import ScheduleStatus
from hospital.scheduling.weeks import week_days


def standing_templates() -> list[ScheduleTemplate]:
    """The templates sessions come from: switched on, with all they need switched on, by code."""
    found = ScheduleTemplate.objects.filter(
        is_active=True,
        department__is_active=True,
        service_type__is_active=True,
        room__is_active=True,
    )
    found = found.exclude(practitioner__is_active=False).order_by("code")
    return list(found.select_related("department", "practitioner", "service_type", "room"))


def runs_on(template: ScheduleTemplate, day: dt.date, special: SpecialDay | None) -> bool:
    """Whether a template has a session on a day, if all it needs is there (M15.4)."""
    return runs(
        weekday=template.weekday, on_holidays=template.on_holidays, day=day, special=special
    )


def holds(template: ScheduleTemplate, day: dt.date, calendar: Calendar) -> bool:
    """Whether a template has a session on a day as the calendar has it (M15.4), with all it needs
    in force and a doctor licensed to hold it."""
    doctor = template.practitioner
    needed = (template, template.department, template.service_type, template.room, doctor)
    return (
        runs_on(template, day, calendar.get(day))
        and all(
            (one.valid_from is None or one.valid_from <= day)
            and (one.valid_to is None or day < one.valid_to)
            for one in needed
            if one is not None
        )
        and (doctor is None or day <= doctor.licence_end_date)
    )


def session_of(template: ScheduleTemplate, day: dt.date) -> Schedule:
    """A template's session of a day, not saved."""
    starts_at, ends_at = bands.session_bounds(day, template.starts, template.ends)
    return Schedule(
        template=template,
        department=template.department,
        practitioner=template.practitioner,
        service_type=template.service_type,
        room=template.room,
        visit_date=day,
        session_period=template.session_period,
        starts_at=starts_at,
        ends_at=ends_at,
        capacity=template.capacity,
        release_at=release_moment(day),
        status=ScheduleStatus.PUBLISHED,
    )


def release_moment(day: dt.date) -> dt.datetime:
    """When the numbers of a visit day come out (M1.1), UTC."""
    released_on = day - dt.timedelta(days=thresholds.HORIZON_DAYS.value())
    return clock.at_local(released_on, thresholds.release_time())


def made_entries(roster: Roster) -> list[RosterEntry]:
    """The sessions of a roster's week that are there already, as entries, not saved."""
    days = week_days(roster.monday)
    schedules = (
        Schedule.objects.filter(
            department_id=roster.department_id, visit_date__range=(days[0], days[-1])
        )
        .exclude(status=ScheduleStatus.CANCELLED)
        .select_related("template", "practitioner", "planned_practitioner", "service_type", "room")
        .prefetch_related("bands")
        .order_by("id")
    )
    return [
        RosterEntry(
            roster=roster,
            schedule=one,
            template=one.template,
            visit_date=one.visit_date,
            session_period=one.session_period,
            practitioner=one.planned_practitioner or one.practitioner,
            service_type=one.service_type,
            room=one.room,
            starts=clock.local(one.starts_at).time(),
            ends=clock.local(one.ends_at).time(),
            capacity=one.capacity,
            band_minutes=_band_minutes(one),
        )
        for one in schedules
    ]


def template_entries(
    roster: Roster,
    *,
    calendar: Calendar,
    at: dt.datetime,
    but: Collection[tuple[int | None, dt.date]] = (),
) -> list[RosterEntry]:
    """What the templates would have in a roster's week and is not there, as entries, not saved:
    neither begun nor made already."""
    days = week_days(roster.monday)
    made = Schedule.objects.filter(
        visit_date__range=(days[0], days[-1]), department_id=roster.department_id
    ).exclude(status=ScheduleStatus.CANCELLED)
    there = {*made.values_list("template_id", "visit_date"), *but}
    own = [one for one in standing_templates() if one.department_id == roster.department_id]
    return [
        RosterEntry(
            roster=roster,
            template=template,
            visit_date=day,
            session_period=template.session_period,
            practitioner=template.practitioner,
            service_type=template.service_type,
            room=template.room,
            starts=template.starts,
            ends=template.ends,
            capacity=template.capacity,
            band_minutes=template.band_minutes,
        )
        for day in days
        for template in own
        if (template.pk, day) not in there
        and holds(template, day, calendar)
        and bands.session_bounds(day, template.starts, template.ends)[0] > at
    ]


def _band_minutes(schedule: Schedule) -> int:
    if schedule.template is not None:
        return schedule.template.band_minutes
    lengths = [band.ends_at - band.starts_at for band in schedule.bands.all()]
    return int(max(lengths).total_seconds()) // 60
