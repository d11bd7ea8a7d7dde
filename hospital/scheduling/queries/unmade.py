"""What the templates ask for, and what of it could not be made and why (M15.1, M15.2)."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from hospital.kernel.clock import hospital_day
from hospital.kernel.settings_rows import Scope
from hospital.scheduling import thresholds, weekly
from hospital.scheduling.models import Roster, RosterEntry, Schedule
from hospital.scheduling.queries.calendar import special_days
from hospital.scheduling.queries.leave import leaves_of
from hospital.scheduling.states import ScheduleStatus, SessionPeriod
from hospital.scheduling.weeks import DAYS, days_through, monday_of


@dataclass(frozen=True, slots=True)
class Unmade:
    """A template's session that is not there, and why not in words."""

    visit_date: dt.date
    period_label: str
    department_code: str
    department_name: str
    doctor_name: str
    reason: str


def asked_for(
    *,
    first: dt.date,
    through: dt.date,
    department_ids: Collection[int] | None = None,
    at: dt.datetime,
) -> list[Schedule]:
    """The sessions the templates of these departments, or of all, have in weeks nobody opened a
    roster for, day by day, not saved: without what is switched off or not in force, doctors on
    leave or without a licence, and what is over."""
    opened = set(
        Roster.objects.filter(monday__gte=monday_of(first)).values_list("department", "monday")
    )
    templates, calendar = weekly.standing_templates(), special_days(first, through)
    if department_ids is not None:
        templates = [one for one in templates if one.department_id in department_ids]
    doctors = {one.practitioner_id for one in templates if one.practitioner_id is not None}
    away = leaves_of(practitioner_ids=doctors, from_date=first, to_date=through)
    return [
        schedule
        for day in days_through(first, through)
        for template in templates
        if (template.department_id, monday_of(day)) not in opened
        and weekly.holds(template, day, calendar)
        and (schedule := weekly.session_of(template, day)).ends_at > at
        and not any(one.covers(schedule) for one in away)
    ]


def held_in_weeks(
    practitioner_ids: Collection[int], days: Iterable[dt.date]
) -> Counter[tuple[int, dt.date]]:
    """How many sessions each holds in the weeks of these days, by doctor and Monday (M15.2): what
    stands and what rosters still in draft have; what is called off does not count."""
    mondays = {monday_of(day) for day in days}
    if not mondays:
        return Counter()
    span = min(mondays), max(mondays) + dt.timedelta(days=DAYS - 1)
    off = (ScheduleStatus.CANCELLED, ScheduleStatus.SUSPENDED)
    theirs = {"practitioner_id__in": practitioner_ids, "visit_date__range": span}
    standing = Schedule.objects.filter(**theirs).exclude(status__in=off)
    drafted = RosterEntry.objects.filter(**theirs, schedule__isnull=True, is_removed=False)
    return Counter(
        (person, monday_of(day))
        for rows in (standing, drafted)
        for person, day in rows.values_list("practitioner_id", "visit_date")
    )


def week_caps(practitioner_ids: Iterable[int]) -> dict[int, int]:
    """The most sessions of a week each may hold (M15.2)."""
    return {pk: thresholds.WEEK_CAP.value(Scope("practitioner", pk)) for pk in practitioner_ids}


def unmade(*, department_ids: Collection[int] | None, at: dt.datetime) -> list[Unmade]:
    """What of the templates is missing in the days made so far, of these departments or of all:
    the doctor or room was taken, or the doctor's week is full. What only waits for the night is
    not listed."""
    first = hospital_day(at)
    through = first + dt.timedelta(days=thresholds.GENERATE_DAYS.value())
    beside = first - dt.timedelta(days=1), through + dt.timedelta(days=1)
    standing = list(
        Schedule.objects.filter(visit_date__range=beside)
        .exclude(status=ScheduleStatus.CANCELLED)
        .only("template", "visit_date", "starts_at", "ends_at", "practitioner", "room")
    )
    there = {(one.template_id, one.visit_date) for one in standing}
    missing = [
        one
        for one in asked_for(first=first, through=through, department_ids=department_ids, at=at)
        if (one.template_id, one.visit_date) not in there
    ]
    people = {one.practitioner_id for one in missing if one.practitioner_id is not None}
    held, caps = held_in_weeks(people, (one.visit_date for one in missing)), week_caps(people)
    return [
        Unmade(
            visit_date=one.visit_date,
            period_label=str(SessionPeriod(one.session_period).label),
            department_code=one.department.code,
            department_name=one.department.name,
            doctor_name=one.practitioner.name if one.practitioner else "不指定医生",
            reason=reason,
        )
        for one in missing
        if (reason := _reason(one, standing, held, caps))
    ]


def _reason(
    missing: Schedule,
    standing: Iterable[Schedule],
    held: Counter[tuple[int, dt.date]],
    caps: dict[int, int],
) -> str:
    meanwhile = [
        one
        for one in standing
        if one.starts_at < missing.ends_at and missing.starts_at < one.ends_at
    ]
    person = missing.practitioner_id
    if person is not None and any(one.practitioner_id == person for one in meanwhile):
        return "医生这时已有别的出诊"
    if any(one.room_id == missing.room_id for one in meanwhile):
        return "诊室这时已有别的出诊"
    if person is None:
        return ""
    week = person, monday_of(missing.visit_date)
    if held[week] >= caps[person]:
        return f"医生这一周已有 {held[week]} 次出诊，上限 {caps[person]} 次"
    return ""
