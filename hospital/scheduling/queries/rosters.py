"""Rosters: one of them, and which weeks of which departments need somebody (M15.1)."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Max, Q

from hospital.kernel.errors import NotFound
from hospital.organisation import queries as organisation
from hospital.organisation.queries import DepartmentRow
from hospital.scheduling import thresholds
from hospital.scheduling.models import Roster, Schedule, ScheduleTemplate
from hospital.scheduling.states import RosterStatus, ScheduleStatus, SessionPeriod
from hospital.scheduling.weeks import DAYS, monday_of

_STANDING: Final = Q(entries__is_removed=False)
_MISSING: Final = _STANDING & Q(entries__schedule=None)
_WEEK: Final = dt.timedelta(days=DAYS)
_ONE_DAY: Final = dt.timedelta(days=1)
#: The hours of a period where no template says others.
HOURS: Final[Mapping[str, tuple[dt.time, dt.time]]] = {
    SessionPeriod.AM: (dt.time(8), dt.time(12)),
    SessionPeriod.NOON: (dt.time(12), dt.time(14)),
    SessionPeriod.PM: (dt.time(14, 30), dt.time(17, 30)),
    SessionPeriod.EVENING: (dt.time(18), dt.time(20)),
    SessionPeriod.NIGHT: (dt.time(20), dt.time(8)),
}


@dataclass(frozen=True, slots=True)
class WeekCell:
    """One department's week in the overview. `status` "" is a week nobody opened: its sessions
    come from the templates. `due_on` is the last day to publish it (M15.1)."""

    monday: dt.date
    status: str
    label: str
    sessions: int
    due_on: dt.date
    is_pressing: bool
    is_late: bool


@dataclass(frozen=True, slots=True)
class DepartmentWeeks:
    """A department with its coming weeks."""

    department: DepartmentRow
    weeks: tuple[WeekCell, ...]


def roster(*, roster_id: int) -> Roster:
    """Raises NotFound."""
    found = Roster.objects.select_related("department").filter(pk=roster_id).first()
    if found is None:
        raise NotFound("没有找到这份排班表。")
    return found


def roster_of(*, department_id: int, monday: dt.date) -> Roster | None:
    """The roster of a week, None while nobody opened it."""
    found = Roster.objects.select_related("department")
    return found.filter(department_id=department_id, monday=monday).first()


def due_on(monday: dt.date) -> dt.date:
    """The last day on which a week's roster is published in time (M15.1)."""
    ahead = thresholds.HORIZON_DAYS.value() + thresholds.PUBLISH_DAYS.value()
    return monday - dt.timedelta(days=ahead)


def department_weeks(
    *, department_ids: Collection[int] | None, today: dt.date, weeks: int
) -> list[DepartmentWeeks]:
    """The coming weeks of every department that has clinics, this week first; within the ids where
    they are given. Late ones are those that ought to be published by now."""
    first = monday_of(today)
    mondays = [first + number * _WEEK for number in range(weeks)]
    rows = [
        row
        for row in organisation.bookable_departments()
        if department_ids is None or row.id in department_ids
    ]
    rosters = {
        (row.department_id, row.monday): row
        for row in Roster.objects.filter(monday__in=mondays).annotate(
            wanted=Count("entries", filter=_STANDING), missing=Count("entries", filter=_MISSING)
        )
    }
    made = _made_by_week(mondays)
    return [
        DepartmentWeeks(
            row,
            tuple(
                _week_cell(
                    rosters.get((row.id, monday)), monday, made.get((row.id, monday), 0), today
                )
                for monday in mondays
            ),
        )
        for row in rows
    ]


def _made_by_week(mondays: Sequence[dt.date]) -> dict[tuple[int, dt.date], int]:
    counted = (
        Schedule.objects.filter(visit_date__range=(mondays[0], mondays[-1] + _WEEK - _ONE_DAY))
        .exclude(status=ScheduleStatus.CANCELLED)
        .values_list("department_id", "visit_date")
        .annotate(count=Count("pk"))
    )
    found: dict[tuple[int, dt.date], int] = {}
    for department_id, day, count in counted:
        key = department_id, monday_of(day)
        found[key] = found.get(key, 0) + count
    return found


def _week_cell(row: Roster | None, monday: dt.date, made: int, today: dt.date) -> WeekCell:
    due = due_on(monday)
    is_open = row is not None and is_waited_for(row, missing=getattr(row, "missing", 0))
    return WeekCell(
        monday=monday,
        status=row.status if row else "",
        label=state_label(row),
        sessions=getattr(row, "wanted", made) if row else made,
        due_on=due,
        is_pressing=is_open and today >= due - _ONE_DAY,
        is_late=is_open and today > due,
    )


def state_label(row: Roster | None) -> str:
    """What people call the state a week's roster is in."""
    if row is None:
        return "按模板"
    if row.status == RosterStatus.DRAFT and row.published_version is not None:
        return "修订中"
    if row.status == RosterStatus.DRAFT and row.remark:
        return "已退回"
    return str(RosterStatus(row.status).label)


def is_waited_for(row: Roster, *, missing: int) -> bool:
    """Whether patients wait for a roster's sessions: a revision, or a week whose sessions are all
    there already, keeps nobody waiting."""
    is_open = row.status != RosterStatus.PUBLISHED
    return is_open and row.published_version is None and missing > 0


def usual_hours(department_id: int, period: str) -> tuple[dt.time, dt.time]:
    """The hours most of a department's weekly sessions of a period have."""
    usual = (
        ScheduleTemplate.objects.filter(
            department_id=department_id, session_period=period, is_active=True
        )
        .values_list("starts", "ends")
        .annotate(count=Count("pk"), latest=Max("pk"))
        .order_by("-count", "-latest")
        .first()
    )
    return (usual[0], usual[1]) if usual else HOURS[period]
