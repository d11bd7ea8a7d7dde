"""Reads of the calendar: which days are not as usual, and what a change of one would touch."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q

from hospital.scheduling import holidays
from hospital.scheduling.holidays import Calendar, SpecialDay
from hospital.scheduling.models import (
    CalendarDay,
    Roster,
    RosterEntry,
    Schedule,
    ScheduleTemplate,
)
from hospital.scheduling.states import TAKEN, DayKind, ScheduleStatus, SessionPeriod
from hospital.scheduling.weekly import holds, runs_on, standing_templates
from hospital.scheduling.weeks import days_through, monday_of

_GONE = (ScheduleStatus.CANCELLED, ScheduleStatus.SUSPENDED, ScheduleStatus.CLOSED)


@dataclass(frozen=True, slots=True)
class TouchedSession:
    """A session that a changed day would not have; `taken` numbers are held or sold.

    `is_removable`: nobody can have a number of it yet and no roster has it, so it can simply go;
    else it is stopped (停诊), or taken off its roster.
    """

    schedule_id: int
    department: str
    doctor: str
    service_name: str
    period_label: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    status_label: str
    taken: int
    is_removable: bool


@dataclass(frozen=True, slots=True)
class Drafted:
    """A department's open week: so many sessions that are not made yet the day would not have, so
    many it would have and lacks. Only people change a week somebody opened."""

    department: str
    department_code: str
    monday: dt.date
    to_remove: int
    to_fill: int


@dataclass(frozen=True, slots=True)
class DayChange:
    """What a day would lose and gain: sessions that are there, codes of templates that are not;
    `drafts` are what people have to change themselves."""

    lost: tuple[TouchedSession, ...]
    gained: tuple[str, ...]
    drafts: tuple[Drafted, ...] = ()

    @property
    def removable(self) -> int:
        return sum(1 for one in self.lost if one.is_removable)

    @property
    def to_stop(self) -> int:
        return len(self.lost) - self.removable


def special_days(first: dt.date, latest: dt.date) -> Calendar:
    """The days of a stretch (both included) that are not as usual."""
    rows = CalendarDay.objects.filter(date__range=(first, latest)).order_by("date")
    return {row.date: SpecialDay(DayKind(row.kind), row.name, row.follows) for row in rows}


def is_holiday(day: dt.date) -> bool:
    """Whether the office keeps a day as a public holiday (M15.4)."""
    return holidays.is_holiday(day, special_days(day, day).get(day))


def is_rest_day(day: dt.date) -> bool:
    """Whether a day is a weekend or public holiday after exchanged days (调休)."""
    return holidays.is_rest_day(day, special_days(day, day).get(day))


def rest_days(first: dt.date, latest: dt.date) -> frozenset[dt.date]:
    """The weekends and holidays of a stretch (both included), after exchanged days."""
    special = special_days(first, latest)
    return frozenset(
        day for day in days_through(first, latest) if holidays.is_rest_day(day, special.get(day))
    )


def day_change(*, day: dt.date, special: SpecialDay | None, at: dt.datetime) -> DayChange:
    """What would change if a day became so (None: as usual), for sessions not yet begun.

    A session made without a template stays: somebody wanted it on this very day.
    """
    rows = (
        Schedule.objects.filter(visit_date=day, starts_at__gt=at, template__isnull=False)
        .exclude(status__in=_GONE)
        .select_related("template", "department", "practitioner", "service_type", "roster_entry")
        .annotate(taken=Count("slots", filter=Q(slots__status__in=TAKEN)))
        .order_by("department__pinyin", "starts_at", "id")
    )
    lost = [
        row for row in rows if row.template is not None and not runs_on(row.template, day, special)
    ]
    there = set(
        Schedule.objects.filter(visit_date=day, template__isnull=False)
        .exclude(status=ScheduleStatus.CANCELLED)
        .values_list("template_id", flat=True)
    )
    calendar = {} if special is None else {day: special}
    missing = [
        template
        for template in standing_templates()
        if template.pk not in there and holds(template, day, calendar)
    ]
    opened = list(Roster.objects.filter(monday=monday_of(day)).select_related("department"))
    departments = {roster.department_id for roster in opened}
    return DayChange(
        tuple(_touched(row, row.taken) for row in lost),
        tuple(one.code for one in missing if one.department_id not in departments),
        tuple(_drafts(opened, missing, day, special)),
    )


def _drafts(
    opened: Iterable[Roster],
    missing: Iterable[ScheduleTemplate],
    day: dt.date,
    special: SpecialDay | None,
) -> Iterable[Drafted]:
    entries = list(
        RosterEntry.objects.filter(
            roster__in=opened, visit_date=day, is_removed=False, template__isnull=False
        ).select_related("template")
    )
    on_it = {(one.roster_id, one.template_id) for one in entries}
    for roster in sorted(opened, key=lambda one: one.department.pinyin):
        unmade = [one for one in entries if one.roster_id == roster.pk and one.schedule_id is None]
        to_remove = sum(
            1 for one in unmade if one.template and not runs_on(one.template, day, special)
        )
        to_fill = sum(
            1
            for one in missing
            if one.department_id == roster.department_id and (roster.pk, one.pk) not in on_it
        )
        if to_remove or to_fill:
            department = roster.department
            yield Drafted(department.name, department.code, roster.monday, to_remove, to_fill)


def _touched(row: Schedule, taken: int) -> TouchedSession:
    return TouchedSession(
        schedule_id=row.pk,
        department=row.department.name,
        doctor=row.practitioner.name if row.practitioner else "",
        service_name=row.service_type.name,
        period_label=SessionPeriod(row.session_period).label,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        status_label=ScheduleStatus(row.status).label,
        taken=taken,
        is_removable=row.status == ScheduleStatus.PUBLISHED
        and not taken
        and not hasattr(row, "roster_entry"),
    )
