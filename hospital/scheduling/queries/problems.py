"""A department's weeks as the question the search answers (scheduling/proposal), from the tables.

Ids become text. What is made already is fixed; what stands on a draft, or else what the templates
would make, is the roster by hand that a proposal must not be worse than. Clinics without a doctor,
other departments and colleagues not planned for only keep their rooms, and people in two
departments their hours in the other.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hospital.catalogue import queries as catalogue
from hospital.kernel.clock import at_local, hospital_day
from hospital.kernel.settings_rows import Scope
from hospital.organisation import queries as organisation
from hospital.organisation.states import Title
from hospital.scheduling import holidays, thresholds
from hospital.scheduling.holidays import Calendar
from hospital.scheduling.models import (
    Roster,
    RosterEntry,
    RosterNeed,
    RosterProposal,
    RosterWish,
    Schedule,
    ScheduleTemplate,
)
from hospital.scheduling.proposal.problem import (
    Assignment,
    Leave,
    Mind,
    Need,
    Past,
    Period,
    Person,
    Problem,
    Room,
    Service,
    Wish,
)
from hospital.scheduling.queries.calendar import rest_days, special_days
from hospital.scheduling.queries.leave import leaves_of
from hospital.scheduling.states import RosterStatus, ScheduleStatus, WishMind
from hospital.scheduling.weekly import holds, standing_templates
from hospital.scheduling.weeks import days_through, monday_of

if TYPE_CHECKING:
    from hospital.organisation.models import Practitioner

RoomTime = tuple[int, tuple[dt.date, Period]]

_ONE_DAY: Final = dt.timedelta(days=1)
_QUARTER: Final = dt.timedelta(days=92)
_LOOK_BACK: Final = dt.timedelta(days=14)
_NOT_HELD: Final = (ScheduleStatus.CANCELLED, ScheduleStatus.SUSPENDED)
#: From when until when a period may last, in hours of its day: a leave that touches it takes it.
_HOURS: Final = {
    Period.AM: (0, 12),
    Period.NOON: (12, 14),
    Period.PM: (12, 18),
    Period.EVENING: (18, 24),
    Period.NIGHT: (20, 32),
}


@dataclass(frozen=True, slots=True)
class Planned:
    """A session that is not made yet, of any department: drafted where its week is open, else what
    a template would make. `is_settled`: it stands on a roster that is submitted."""

    department_id: int
    day: dt.date
    period: Period
    service_type_id: int
    practitioner_id: int | None
    room_id: int
    is_settled: bool = False

    @property
    def assignment(self) -> Assignment:
        service, person = str(self.service_type_id), str(self.practitioner_id)
        return Assignment(self.day, self.period, service, person, str(self.room_id))


@dataclass(frozen=True, slots=True)
class Stretch:
    """Half-open days of one department with all that is read of them once."""

    department_id: int
    from_date: dt.date
    to_date: dt.date
    calendar: Calendar
    made: tuple[Schedule, ...]
    planned: tuple[Planned, ...]
    templates: tuple[ScheduleTemplate, ...]

    @property
    def days(self) -> list[dt.date]:
        return days_through(self.from_date, self.latest)

    @property
    def latest(self) -> dt.date:
        return self.to_date - _ONE_DAY

    def is_own(self, one: Schedule | Planned, ids: Collection[int]) -> bool:
        """Whether a session is the department's, of somebody planned for."""
        return one.department_id == self.department_id and one.practitioner_id in ids


def problem_of(
    *, department_id: int, from_date: dt.date, to_date: dt.date, people: Collection[int]
) -> Problem:
    """The question for a department, half-open days and these practitioners."""
    stretch = _stretch(department_id, from_date, to_date)
    needs = list(RosterNeed.objects.filter(department_id=department_id).order_by("id"))
    doctors = _doctors(department_id, people)
    ids = [doctor.pk for doctor in doctors]
    fixed = list(_fixed(stretch, ids))
    inside = [one for one in fixed if from_date <= one.day < to_date]
    return Problem(
        from_date=from_date,
        to_date=to_date,
        people=tuple(_person(doctor, needs, stretch) for doctor in doctors),
        services=_services(needs, fixed, stretch),
        needs=tuple(_needs(needs, stretch)),
        rooms=tuple(_rooms(stretch, ids)),
        leaves=tuple(_leaves(doctors, stretch)),
        wishes=tuple(_wishes(ids, stretch)),
        past=tuple(_past(doctors, stretch)),
        fixed=tuple(fixed),
        template=tuple(_by_hand(stretch, ids, inside)),
        rest_days=rest_days(from_date, stretch.latest),
        rules=thresholds.proposal_rules(Scope("department", department_id)),
    )


def problem_of_proposal(*, proposal_id: int) -> tuple[Problem, int]:
    """The question of a proposal somebody asked for, and how many seconds it may take."""
    asked = RosterProposal.objects.get(pk=proposal_id)
    problem = problem_of(
        department_id=asked.department_id,
        from_date=asked.from_date,
        to_date=asked.to_date,
        people=asked.people,
    )
    return problem, asked.seconds


def usual_people(*, department_id: int, at: dt.datetime) -> set[int]:
    """Who sits in a department's clinics by template or did in the last quarter."""
    held = Schedule.objects.filter(
        department_id=department_id, visit_date__gt=hospital_day(at) - _QUARTER
    )
    by_template = ScheduleTemplate.objects.filter(department_id=department_id, is_active=True)
    found = {
        *held.values_list("practitioner_id", flat=True),
        *by_template.values_list("practitioner_id", flat=True),
    }
    return {int(one) for one in found if one}


def need_weekday(day: dt.date, calendar: Calendar) -> int:
    """Which needs hold on a day: those of its weekday, of the one it follows, or of holidays."""
    special = calendar.get(day)
    if holidays.is_holiday(day, special):
        return RosterNeed.HOLIDAY
    return holidays.weekday_of(day, special)


def _stretch(department_id: int, from_date: dt.date, to_date: dt.date) -> Stretch:
    rows = (
        Schedule.objects.filter(visit_date__range=(from_date - _LOOK_BACK, to_date + _LOOK_BACK))
        .exclude(status__in=_NOT_HELD)
        .select_related("service_type")
        .order_by("id")
    )
    templates, latest = standing_templates(), to_date - _ONE_DAY
    calendar = special_days(from_date, latest)
    return Stretch(
        department_id,
        from_date,
        to_date,
        calendar,
        tuple(rows),
        (
            *_drafted(from_date, latest),
            *_from_templates(templates, from_date, latest, calendar),
        ),
        tuple(templates),
    )


def _fixed(stretch: Stretch, ids: Collection[int]) -> Iterable[Assignment]:
    """What the people planned for have for certain: sessions made, and those of weeks that wait
    for the office's approval, which a proposal leaves alone."""
    for row in stretch.made:
        if stretch.is_own(row, ids):
            yield _of_schedule(row)
    for one in stretch.planned:
        if one.is_settled and stretch.is_own(one, ids):
            yield one.assignment


def _doctors(department_id: int, people: Collection[int]) -> "list[Practitioner]":
    known = organisation.role_periods(department_id=department_id)
    wanted = [one for one in people if one in known]
    return organisation.practitioners_by_id(wanted)


def _person(doctor: "Practitioner", needs: Iterable[RosterNeed], stretch: Stretch) -> Person:
    """May hold what has a price for the title, and what the templates give them."""
    fees = catalogue.registration_fees(on=stretch.from_date)
    services = {
        need.service_type_id for need in needs if (need.service_type_id, doctor.title) in fees
    } | {
        template.service_type_id
        for template in stretch.templates
        if template.practitioner_id == doctor.pk
    }
    return Person(
        id=str(doctor.pk),
        name=doctor.name,
        title=Title(doctor.title),
        services=frozenset(str(one) for one in services),
        week_cap=thresholds.WEEK_CAP.value(Scope("practitioner", doctor.pk)),
    )


def _services(
    needs: Iterable[RosterNeed], fixed: Iterable[Assignment], stretch: Stretch
) -> tuple[Service, ...]:
    named = {row.id: row.name for row in catalogue.service_types()}
    used = {need.service_type_id for need in needs} | {int(one.service) for one in fixed}
    used |= {
        template.service_type_id
        for template in stretch.templates
        if template.department_id == stretch.department_id
    }
    return tuple(Service(str(one), named.get(one, "停用的号别")) for one in sorted(used))


def _needs(needs: Iterable[RosterNeed], stretch: Stretch) -> Iterable[Need]:
    by_weekday: dict[int, list[RosterNeed]] = {}
    for need in needs:
        by_weekday.setdefault(need.weekday, []).append(need)
    for day in stretch.days:
        for need in by_weekday.get(need_weekday(day, stretch.calendar), ()):
            yield Need(
                day=day,
                period=Period(need.session_period),
                service=str(need.service_type_id),
                minimum=need.minimum,
                target=need.target,
                minimum_title=Title(need.minimum_title) if need.minimum_title else None,
            )


def _rooms(stretch: Stretch, ids: Collection[int]) -> Iterable[Room]:
    """The department's own rooms and those its templates use, with when others sit there."""
    used = {one.room_id for one in stretch.templates if one.department_id == stretch.department_id}
    taken: dict[int, set[tuple[dt.date, Period]]] = {}
    for room_id, when in _sat_in(stretch, ids):
        taken.setdefault(room_id, set()).add(when)
    for room in organisation.rooms_for(stretch.department_id):
        if room.is_own or room.id in used:
            yield Room(str(room.id), room.name, taken=frozenset(taken.get(room.id, ())))


def _sat_in(stretch: Stretch, ids: Collection[int]) -> Iterable[RoomTime]:
    """Where others than the people planned for sit or will sit: other departments, clinics without
    a doctor, and colleagues who are not planned for."""
    for row in stretch.made:
        if not stretch.is_own(row, ids):
            yield row.room_id, (row.visit_date, Period(row.session_period))
    for one in stretch.planned:
        if not stretch.is_own(one, ids):
            yield one.room_id, (one.day, one.period)


def _leaves(doctors: "Iterable[Practitioner]", stretch: Stretch) -> Iterable[Leave]:
    """Leave, the end of a licence, days without a role, and work in other departments."""
    doctors = list(doctors)
    ids = [doctor.pk for doctor in doctors]
    away = leaves_of(practitioner_ids=ids, from_date=stretch.from_date, to_date=stretch.to_date)
    for one in away:
        yield from _days_away(str(one.practitioner_id), one.starts_at, one.ends_at, stretch)
    roles = organisation.role_periods(department_id=stretch.department_id)
    for doctor in doctors:
        for day in stretch.days:
            works = any(
                start <= day and (end is None or day < end) for start, end in roles[doctor.pk]
            )
            if not works or day > doctor.licence_end_date or not _is_in_force(doctor, day):
                yield Leave(str(doctor.pk), day, day + _ONE_DAY)
    yield from _elsewhere(stretch, ids)


def _elsewhere(stretch: Stretch, ids: Collection[int]) -> Iterable[Leave]:
    """When people sit, or will sit, in other departments."""
    made = [
        (row.practitioner_id, row.visit_date, Period(row.session_period))
        for row in stretch.made
        if row.department_id != stretch.department_id
    ]
    planned = [
        (one.practitioner_id, one.day, one.period)
        for one in stretch.planned
        if one.department_id != stretch.department_id
    ]
    for person, day, period in (*made, *planned):
        if person in ids:
            yield Leave(str(person), day, day + _ONE_DAY, frozenset({period}))


def _is_in_force(doctor: "Practitioner", day: dt.date) -> bool:
    begun = doctor.valid_from is None or doctor.valid_from <= day
    return begun and (doctor.valid_to is None or day < doctor.valid_to)


def _days_away(
    person: str, starts_at: dt.datetime, ends_at: dt.datetime, stretch: Stretch
) -> Iterable[Leave]:
    """A leave day by day, whole days put together."""
    whole: list[dt.date] = []
    for day in stretch.days:
        midnight = at_local(day)
        periods = frozenset(
            period
            for period, (first, last) in _HOURS.items()
            if starts_at < midnight + dt.timedelta(hours=last)
            and midnight + dt.timedelta(hours=first) < ends_at
        )
        if len(periods) == len(_HOURS):
            whole.append(day)
        elif periods:
            yield Leave(person, day, day + _ONE_DAY, periods)
    if whole:
        yield Leave(person, whole[0], whole[-1] + _ONE_DAY)


def _wishes(ids: Collection[int], stretch: Stretch) -> Iterable[Wish]:
    minds = {WishMind.WANTS: Mind.WANTS, WishMind.RATHER_NOT: Mind.RATHER_NOT}
    for row in RosterWish.objects.filter(practitioner_id__in=ids).order_by("id"):
        for day in stretch.days:
            if row.visit_date == day or row.weekday == day.isoweekday():
                yield Wish(
                    person=str(row.practitioner_id),
                    day=day,
                    mind=minds[WishMind(row.mind)],
                    period=Period(row.session_period) if row.session_period else None,
                    weight=row.weight,
                )


def _past(doctors: "Iterable[Practitioner]", stretch: Stretch) -> Iterable[Past]:
    """Rest days worked and nights of the last quarter; who is new has no row."""
    doctors = list(doctors)
    since = stretch.from_date - _QUARTER
    resting = rest_days(since, stretch.from_date - _ONE_DAY)
    rows = Schedule.objects.filter(
        practitioner_id__in=[doctor.pk for doctor in doctors],
        visit_date__gte=since,
        visit_date__lt=stretch.from_date,
    ).exclude(status__in=_NOT_HELD)
    days: dict[int, set[dt.date]] = {}
    nights: dict[int, int] = {}
    seen = set()
    for doctor_id, day, period in rows.values_list(
        "practitioner_id", "visit_date", "session_period"
    ):
        seen.add(doctor_id)
        if day in resting:
            days.setdefault(doctor_id, set()).add(day)
        if period == Period.NIGHT:
            nights[doctor_id] = nights.get(doctor_id, 0) + 1
    roles = organisation.role_periods(department_id=stretch.department_id)
    for doctor in doctors:
        is_old = any(start <= since for start, _ in roles[doctor.pk])
        if doctor.pk in seen or is_old:
            worked = len(days.get(doctor.pk, ()))
            yield Past(str(doctor.pk), worked, nights.get(doctor.pk, 0))


def _by_hand(
    stretch: Stretch, ids: Collection[int], fixed: Iterable[Assignment]
) -> Iterable[Assignment]:
    """The roster made by hand: what is fixed, then drafts where a week is open, else templates."""
    own = [one.assignment for one in stretch.planned if stretch.is_own(one, ids)]
    seen = set()
    for one in (*fixed, *own):
        if one.seat not in seen:
            seen.add(one.seat)
            yield one


def _drafted(first: dt.date, latest: dt.date) -> Iterable[Planned]:
    """What stands on open weeks, drafted or submitted, and is not made yet."""
    rows = RosterEntry.objects.filter(
        visit_date__range=(first, latest), is_removed=False, schedule__isnull=True
    ).select_related("roster")
    for row in rows.order_by("visit_date", "id"):
        yield Planned(
            row.roster.department_id,
            row.visit_date,
            Period(row.session_period),
            row.service_type_id,
            row.practitioner_id,
            row.room_id,
            is_settled=row.roster.status == RosterStatus.SUBMITTED,
        )


def _from_templates(
    templates: Sequence[ScheduleTemplate], first: dt.date, latest: dt.date, calendar: Calendar
) -> Iterable[Planned]:
    """What the templates would make in weeks nobody opened."""
    opened = set(
        Roster.objects.filter(monday__range=(monday_of(first), latest)).values_list(
            "department_id", "monday"
        )
    )
    # What was called off stays called off: it was somebody's decision too.
    made = set(
        Schedule.objects.filter(visit_date__range=(first, latest))
        .exclude(status=ScheduleStatus.CANCELLED)
        .values_list("template_id", "visit_date")
    )
    for day in days_through(first, latest):
        for one in templates:
            if (
                (one.department_id, monday_of(day)) not in opened
                and (one.pk, day) not in made
                and holds(one, day, calendar)
            ):
                yield Planned(
                    one.department_id,
                    day,
                    Period(one.session_period),
                    one.service_type_id,
                    one.practitioner_id,
                    one.room_id,
                )


def _of_schedule(row: Schedule) -> Assignment:
    return Assignment(
        row.visit_date,
        Period(row.session_period),
        str(row.service_type_id),
        str(row.practitioner_id),
        str(row.room_id),
    )
