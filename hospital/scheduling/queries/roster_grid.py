"""The grid of one department's week: practitioner × day × period, with what speaks against each
session, whether patients have numbers of it, and what publishing will do (M15.1, M15.2)."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Q

from hospital.kernel import clock
from hospital.kernel.settings_rows import Scope
from hospital.organisation import queries as organisation
from hospital.organisation.states import Title
from hospital.scheduling import holidays, thresholds
from hospital.scheduling.conflicts import Conflict
from hospital.scheduling.holidays import Calendar, SpecialDay
from hospital.scheduling.models import Roster, RosterEntry, Slot
from hospital.scheduling.queries.calendar import special_days
from hospital.scheduling.queries.duties import conflicts_of
from hospital.scheduling.queries.leave import LeaveFacts, leaves_of
from hospital.scheduling.queries.rosters import HOURS
from hospital.scheduling.roster_words import NOBODY, hours_text
from hospital.scheduling.states import TAKEN, ScheduleStatus, SessionPeriod
from hospital.scheduling.weekly import made_entries, template_entries
from hospital.scheduling.weeks import week_days
from hospital.ui.wording import WEEKDAYS, weekday_text

if TYPE_CHECKING:
    from hospital.organisation.models import Practitioner

#: Periods every week shows; the others show when somebody sits there or asks for them.
_USUAL: Final = (SessionPeriod.AM, SessionPeriod.PM)
_TITLES: Final = tuple(Title)


@dataclass(frozen=True, slots=True)
class Chip:
    """A session in a cell of the grid. `entry_id` is None in a week nobody opened.

    `is_fixed`: patients may have its numbers, so it can only be stopped. `change` says what
    publishing will do with it: "new", "moved", "gone" or "".
    """

    entry_id: int | None
    schedule_id: int | None
    service: str
    room: str
    hours: str
    is_usual: bool
    capacity: int
    taken: int
    status: str
    status_label: str
    is_fixed: bool
    change: str
    note: str
    conflicts: tuple[Conflict, ...]

    @property
    def tone(self) -> str:
        """How it looks: what is refused speaks louder than what only warns."""
        if any(one.is_refused for one in self.conflicts):
            return "conflict"
        return "warned" if self.conflicts else ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One practitioner's period of a day. `away` is the reason of a leave, "" without one."""

    day: dt.date
    period: str
    key: str
    label: str
    is_over: bool
    is_rest: bool
    away: str
    chips: tuple[Chip, ...]


@dataclass(frozen=True, slots=True)
class GridRow:
    """One practitioner of the grid; without an id the clinic's own sessions."""

    practitioner_id: int | None
    name: str
    title_label: str
    sessions: int
    cap: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A period of the day with the hours most sessions of the week have in it."""

    label: str
    hours: str


@dataclass(frozen=True, slots=True)
class GridDay:
    """A day's head: `note` is the holiday or the weekday it follows (调休)."""

    day: dt.date
    note: str
    is_rest: bool
    columns: tuple[Column, ...]
    sessions: int


@dataclass(frozen=True, slots=True)
class Grid:
    """A department's week, ready to be drawn."""

    days: tuple[GridDay, ...]
    rows: tuple[GridRow, ...]
    conflicts: tuple[Conflict, ...]
    sessions: int
    capacity: int
    missing: int


@dataclass(frozen=True)
class _Facts:
    """What cells are made from, read once for the whole week."""

    at: dt.datetime
    by_place: Mapping[tuple[dt.date, str, int], list[RosterEntry]]
    taken: Mapping[int, int]
    conflicts: Mapping[int, list[Conflict]]
    away: Sequence[LeaveFacts]
    calendar: Calendar
    hours: Mapping[str, str]


def grid(*, roster: Roster, at: dt.datetime, all_periods: bool = False) -> Grid:
    """The grid of a roster; of a week nobody opened (a roster that is not saved) what the
    templates have and what is made of it."""
    days = week_days(roster.monday)
    calendar = special_days(days[0], days[-1])
    entries = _entries(roster, calendar, at=at)
    found = conflicts_of(roster) if roster.pk else []
    people = _people(roster, entries)
    facts = _Facts(
        at=at,
        by_place=_by_place(entries),
        taken=_taken(entries),
        conflicts=_by_entry(found),
        away=leaves_of(
            practitioner_ids=[person.pk for person in people if person is not None],
            from_date=days[0],
            to_date=days[-1],
        ),
        calendar=calendar,
        hours=_hours(entries),
    )
    standing = [one for one in entries if not one.is_removed]
    used = {(one.visit_date, one.session_period) for one in entries}
    periods = {
        day: tuple(
            period
            for period in SessionPeriod
            if all_periods or period in _USUAL or (day, period) in used
        )
        for day in days
    }
    return Grid(
        days=tuple(_day(day, periods[day], standing, facts) for day in days),
        rows=tuple(_row(person, periods, facts, standing) for person in people),
        conflicts=tuple(found),
        sessions=len(standing),
        capacity=sum(one.places for one in standing),
        missing=sum(1 for one in standing if one.schedule_id is None) if roster.pk else 0,
    )


def chip(entry: RosterEntry) -> Chip:
    """One session alone, for its form."""
    taken = _taken([entry])
    return _chip(entry, taken=taken.get(entry.schedule_id or 0, 0), found=(), usual="")


def _entries(roster: Roster, calendar: Calendar, *, at: dt.datetime) -> list[RosterEntry]:
    """What stands on the roster, and what is taken off it while patients still see it."""
    if not roster.pk:
        return [*made_entries(roster), *template_entries(roster, calendar=calendar, at=at)]
    shown = Q(is_removed=False) | Q(schedule__isnull=False)
    return list(
        roster.entries.filter(shown)
        .exclude(is_removed=True, schedule__status=ScheduleStatus.CANCELLED)
        .select_related("roster", "practitioner", "service_type", "room")
        .select_related("schedule__practitioner", "schedule__room")
        .order_by("starts", "pk")
    )


def _hours(entries: Iterable[RosterEntry]) -> Mapping[str, str]:
    """The hours most sessions of a period have; cells say theirs only where they differ."""
    counted: dict[str, Counter[str]] = {}
    for one in entries:
        counted.setdefault(one.session_period, Counter())[hours_text(one)] += 1
    return {period: hours.most_common(1)[0][0] for period, hours in counted.items()}


def _by_place(
    entries: Iterable[RosterEntry],
) -> Mapping[tuple[dt.date, str, int], list[RosterEntry]]:
    found: dict[tuple[dt.date, str, int], list[RosterEntry]] = {}
    for one in entries:
        place = (one.visit_date, one.session_period, one.practitioner_id or 0)
        found.setdefault(place, []).append(one)
    return found


def _by_entry(found: Iterable[Conflict]) -> Mapping[int, list[Conflict]]:
    by_entry: dict[int, list[Conflict]] = {}
    for conflict in found:
        for key in conflict.keys:
            by_entry.setdefault(key, []).append(conflict)
    return by_entry


def _taken(entries: Iterable[RosterEntry]) -> Mapping[int, int]:
    ids = [one.schedule_id for one in entries if one.schedule_id is not None]
    counted = Slot.objects.filter(schedule_id__in=ids, status__in=TAKEN)
    return dict(
        counted.values_list("schedule_id").annotate(count=Count("pk")).order_by("schedule_id")
    )


def _people(roster: Roster, entries: Iterable[RosterEntry]) -> list["Practitioner | None"]:
    """Everybody of the department on any day of the week and whoever is on the roster, by title,
    then pinyin; last the clinic itself."""
    days = week_days(roster.monday)
    known = {
        person.pk: person
        for day in (days[0], days[-1])
        for person in organisation.practitioners_of(roster.department_id, on=day)
    }
    known |= {one.practitioner.pk: one.practitioner for one in entries if one.practitioner}
    ordered = sorted(
        known.values(), key=lambda one: (_TITLES.index(Title(one.title)), one.pinyin, one.code)
    )
    return [*ordered, None]


def _day(
    day: dt.date,
    periods: Sequence[SessionPeriod],
    entries: Iterable[RosterEntry],
    facts: _Facts,
) -> GridDay:
    special = facts.calendar.get(day)
    return GridDay(
        day=day,
        note=_note(special),
        is_rest=holidays.is_rest_day(day, special),
        columns=tuple(Column(period.label, facts.hours.get(period, "")) for period in periods),
        sessions=sum(1 for one in entries if one.visit_date == day),
    )


def _note(special: SpecialDay | None) -> str:
    if special is None:
        return ""
    if special.follows is not None:
        return f"{special.name}（按{WEEKDAYS[special.follows - 1]}）"
    return special.name


def _row(
    person: "Practitioner | None",
    periods: Mapping[dt.date, Sequence[SessionPeriod]],
    facts: _Facts,
    entries: Iterable[RosterEntry],
) -> GridRow:
    person_id = person.pk if person else None
    scopes = [Scope("practitioner", person.pk)] if person else []
    return GridRow(
        practitioner_id=person_id,
        name=person.name if person else NOBODY,
        title_label=str(Title(person.title).label) if person else "科室号",
        sessions=sum(1 for one in entries if one.practitioner_id == person_id),
        cap=thresholds.WEEK_CAP.value(*scopes) if person else 0,
        cells=tuple(_cell(person, day, one, facts) for day in periods for one in periods[day]),
    )


def _cell(
    person: "Practitioner | None", day: dt.date, period: SessionPeriod, facts: _Facts
) -> Cell:
    person_id = person.pk if person else 0
    starts, ends = HOURS[period]
    starts_at, ends_at = clock.at_local(day, starts), clock.at_local(day, ends)
    if ends <= starts:
        ends_at += dt.timedelta(days=1)
    name = person.name if person else NOBODY
    return Cell(
        day=day,
        period=period.value,
        key=f"{day.isoformat()}_{period.value}_{person_id}",
        label=f"{name} {weekday_text(day)}{period.label}",
        is_over=ends_at <= facts.at,
        is_rest=holidays.is_rest_day(day, facts.calendar.get(day)),
        away=next(
            (
                one.reason_label
                for one in facts.away
                if one.practitioner_id == person_id
                and one.starts_at < ends_at
                and starts_at < one.ends_at
            ),
            "",
        ),
        chips=tuple(
            _chip(
                one,
                taken=facts.taken.get(one.schedule_id or 0, 0),
                found=facts.conflicts.get(one.pk, ()),
                usual=facts.hours.get(period.value, ""),
            )
            for one in facts.by_place.get((day, period.value, person_id), ())
        ),
    )


def _chip(entry: RosterEntry, *, taken: int, found: Sequence[Conflict], usual: str) -> Chip:
    schedule = entry.schedule
    note = ""
    if schedule is not None and schedule.planned_practitioner_id is not None:
        holder = schedule.practitioner.name if schedule.practitioner else NOBODY
        note = f"替诊：{holder}"
    return Chip(
        entry_id=entry.pk,
        schedule_id=entry.schedule_id,
        service=entry.service_type.name,
        room=entry.sits_in.name,
        hours=hours_text(entry),
        is_usual=hours_text(entry) == usual,
        capacity=entry.places,
        taken=taken,
        status=schedule.status if schedule else "",
        status_label=str(ScheduleStatus(schedule.status).label) if schedule else "",
        is_fixed=schedule is not None
        and (taken > 0 or schedule.status != ScheduleStatus.PUBLISHED),
        change=_change(entry),
        note=note,
        conflicts=tuple(found),
    )


def _change(entry: RosterEntry) -> str:
    """What publishing will do with it."""
    if entry.is_removed:
        return "gone"
    if entry.schedule is None and entry.roster.published_version is not None:
        return "new"
    if entry.schedule is not None and entry.schedule.room_id != entry.room_id:
        return "moved"
    return ""
