"""A roster with all around it, as conflicts.py judges it: everybody's sessions of the week and of
the days beside it, leave, licences, roles, rooms, prices. A fixed number of statements."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from django.db.models import Q, QuerySet

from hospital.catalogue import queries as catalogue
from hospital.kernel.settings_rows import Scope
from hospital.organisation import queries as organisation
from hospital.scheduling import bands, conflicts, thresholds
from hospital.scheduling.conflicts import Away, Conflict, Duty, Person, Standing, Week
from hospital.scheduling.holidays import Calendar
from hospital.scheduling.models import Roster, RosterEntry, Schedule
from hospital.scheduling.queries.calendar import special_days
from hospital.scheduling.queries.leave import leaves_of
from hospital.scheduling.states import ScheduleStatus
from hospital.scheduling.weekly import runs_on
from hospital.scheduling.weeks import DAYS

if TYPE_CHECKING:
    from hospital.catalogue.models import ServiceType
    from hospital.organisation.models import Location, Practitioner

_BESIDE: Final = dt.timedelta(days=1)


def conflicts_of(roster: Roster) -> list[Conflict]:
    """What speaks against a roster as it stands (M15.2), refused ones first."""
    return conflicts.find(week_of(roster))


def week_of(roster: Roster) -> Week:
    """The roster's sessions and all they may collide with."""
    first, latest = roster.monday - _BESIDE, roster.monday + dt.timedelta(days=DAYS)
    rows = _entries(RosterEntry.objects.filter(roster=roster))
    entries, schedules = _around(roster, rows, first, latest)
    calendar = special_days(roster.monday, latest)
    own = [
        dataclasses.replace(_of_entry(one), off_calendar=_off_calendar(one, calendar))
        for one in rows
    ]
    others = [
        *(dataclasses.replace(_of_entry(one), key=None) for one in entries),
        *(_of_schedule(one) for one in schedules),
    ]
    all_of_them: list[RosterEntry | Schedule] = [*rows, *entries, *schedules]
    people = {row.pk: row for one in all_of_them if (row := _holder(one)) is not None}
    here = organisation.role_periods(department_id=roster.department_id)
    return Week(
        monday=roster.monday,
        duties=own,
        others=others,
        people={
            pk: Person(
                standing=_standing(row),
                title=row.title,
                licence_end_date=row.licence_end_date,
                here=tuple(here.get(pk, ())),
                week_cap=thresholds.WEEK_CAP.value(Scope("practitioner", pk)),
            )
            for pk, row in people.items()
        },
        rooms={room.pk: _standing(room) for room in map(_room, all_of_them)},
        services={one.service_type_id: _standing(one.service_type) for one in all_of_them},
        away=[
            Away(one.practitioner_id, one.starts_at, one.ends_at, one.reason_label)
            for one in leaves_of(practitioner_ids=list(people), from_date=first, to_date=latest)
        ],
        fees=_fees([roster.monday, latest - _BESIDE]),
    )


def _entries(rows: QuerySet[RosterEntry]) -> list[RosterEntry]:
    found = rows.filter(is_removed=False).select_related(
        "roster__department",
        "schedule__practitioner",
        "schedule__room",
        "practitioner",
        "room",
        "service_type",
        "template",
    )
    return list(found.order_by("id"))


def _around(
    roster: Roster, rows: Sequence[RosterEntry], first: dt.date, latest: dt.date
) -> tuple[list[RosterEntry], list[Schedule]]:
    """What others draft and what is made with a doctor or a room of these entries: nothing else in
    the hospital can collide with them."""
    people = {holder.pk for one in rows if (holder := _holder(one)) is not None}
    rooms = {one.sits_in.pk for one in rows}
    shares = Q(practitioner__in=people) | Q(room__in=rooms)
    # Of a published entry the session says who sits where by now.
    by_now = Q(schedule__practitioner__in=people) | Q(schedule__room__in=rooms)
    entries = _entries(
        RosterEntry.objects.filter(shares | by_now, visit_date__range=(first, latest)).exclude(
            roster=roster
        )
    )
    schedules = (
        Schedule.objects.filter(shares, visit_date__range=(first, latest))
        .exclude(status=ScheduleStatus.CANCELLED)
        # What an entry still wants is that entry; what this roster takes off goes with it.
        .exclude(roster_entry__is_removed=False)
        .exclude(roster_entry__roster=roster)
        .select_related("department", "practitioner", "room", "service_type")
        .order_by("id")
    )
    return entries, list(schedules)


def _of_entry(entry: RosterEntry) -> Duty:
    starts_at, ends_at = bands.session_bounds(entry.visit_date, entry.starts, entry.ends)
    holder = _holder(entry)
    return Duty(
        key=entry.pk,
        day=entry.visit_date,
        period=entry.session_period,
        starts_at=starts_at,
        ends_at=ends_at,
        practitioner_id=holder.pk if holder else None,
        room_id=entry.sits_in.pk,
        service_type_id=entry.service_type_id,
        department_id=entry.roster.department_id,
        department=entry.roster.department.name,
        is_off=entry.schedule is not None and entry.schedule.status == ScheduleStatus.SUSPENDED,
    )


def _off_calendar(entry: RosterEntry, calendar: Calendar) -> str:
    """The name of the special day on which an entry's template has no session, "" without one:
    the calendar may have changed after the week was opened (M15.4)."""
    template, special = entry.template, calendar.get(entry.visit_date)
    if template is None or special is None:
        return ""
    return "" if runs_on(template, entry.visit_date, special) else special.name


def _of_schedule(schedule: Schedule) -> Duty:
    return Duty(
        key=None,
        day=schedule.visit_date,
        period=schedule.session_period,
        starts_at=schedule.starts_at,
        ends_at=schedule.ends_at,
        practitioner_id=schedule.practitioner_id,
        room_id=schedule.room_id,
        service_type_id=schedule.service_type_id,
        department_id=schedule.department_id,
        department=schedule.department.name,
        is_off=schedule.status == ScheduleStatus.SUSPENDED,
    )


def _holder(one: RosterEntry | Schedule) -> "Practitioner | None":
    """Who sits there: of a published entry whoever holds its session now (替诊)."""
    if isinstance(one, RosterEntry) and one.schedule is not None:
        return one.schedule.practitioner
    return one.practitioner


def _room(one: RosterEntry | Schedule) -> "Location":
    return one.sits_in if isinstance(one, RosterEntry) else one.room


def _standing(row: "Practitioner | Location | ServiceType") -> Standing:
    return Standing(row.name, row.is_active, row.valid_from, row.valid_to)


def _fees(days: Iterable[dt.date]) -> frozenset[tuple[int, str]]:
    """What has a price on all of these days; of the days between somebody else takes care."""
    found = [frozenset(catalogue.registration_fees(on=day)) for day in days]
    return frozenset.intersection(*found)
