"""The holiday calendar (M15.4): the office says which days are not as usual.

A changed day takes away sessions nobody could see numbers of yet and makes those that now belong
there; a session with numbers out stays until the office stops it (停诊), which tells its patients.
"""

import datetime as dt

from django.db import transaction

from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid
from hospital.kernel.states import move
from hospital.scheduling import state_council
from hospital.scheduling.actions import making
from hospital.scheduling.actions.schedules import make_missing
from hospital.scheduling.actions.stop_requests import answer_by_stop
from hospital.scheduling.holidays import SpecialDay
from hospital.scheduling.models import CalendarDay, Schedule
from hospital.scheduling.queries.calendar import DayChange, day_change, special_days
from hospital.scheduling.states import DayKind, ScheduleStatus

_LONGEST_NAME = 40


@transaction.atomic
def set_day(*, day: dt.date, special: SpecialDay | None, by: Actor, at: dt.datetime) -> DayChange:
    """Keep a day as a holiday or exchanged working day, or (None) as usual again.

    Returns what that touched: removable sessions are gone by now, the others still stand. Raises
    Invalid for a day that is over, a name that is missing, a weekday that does not exist.
    """
    # First of all: whoever opens a week meanwhile takes over its sessions, and they stay then.
    making.take_turns()
    _check(day, special, at)
    if special_days(day, day).get(day) == special:
        return DayChange((), ())
    touched = _change(day, special, by, at)
    make_missing(by=by, at=at)
    return touched


@transaction.atomic
def fill_year(*, year: int, by: Actor, at: dt.datetime) -> int:
    """Enter the State Council's arrangement of a year where the office has not entered anything
    itself; how many days were entered. Days that are over touch no session, they only count as
    holidays where holidays are shared out fairly. Raises Invalid for an unknown year."""
    found = state_council.arrangement(year)
    if not found:
        raise Invalid({"year": [f"系统里还没有 {year} 年的国务院放假安排，请照通知逐日填写。"]})
    making.take_turns()
    there = special_days(dt.date(year, 1, 1), dt.date(year, 12, 31))
    today = hospital_day(at)
    missing = {day: one for day, one in found.items() if day not in there}
    for day, special in missing.items():
        if day < today:
            _write(day, special, by, at)
        else:
            _change(day, special, by, at)
    # Once for all of them: each time looks at every template and day of the horizon.
    make_missing(by=by, at=at)
    return len(missing)


def _change(day: dt.date, special: SpecialDay | None, by: Actor, at: dt.datetime) -> DayChange:
    """Write a day and call off what it takes away."""
    touched = day_change(day=day, special=special, at=at)
    _write(day, special, by, at)
    reason = f"{day:%Y-%m-%d} 日历改动"
    for row in Schedule.objects.select_for_update(no_key=True).filter(
        pk__in=[one.schedule_id for one in touched.lost if one.is_removable],
        status=ScheduleStatus.PUBLISHED,
    ):
        answer_by_stop(schedule=row, by=by, at=at)
        move(row, ScheduleStatus.CANCELLED, by=by, at=at, reason=reason)
    return touched


def _check(day: dt.date, special: SpecialDay | None, at: dt.datetime) -> None:
    wrong: dict[str, list[str]] = {}
    if day < hospital_day(at):
        wrong["date"] = ["过去的日子不能再改。"]
    if special is not None:
        if not special.name or len(special.name) > _LONGEST_NAME:
            wrong["name"] = [f"请填写名称，如“春节”，最多 {_LONGEST_NAME} 个字。"]
        if special.follows is not None and special.follows not in range(1, 8):
            wrong["follows"] = ["请选择周一至周日。"]
        if special.follows is not None and special.kind != DayKind.WORKDAY:
            wrong["follows"] = ["只有调休上班的日子才按另一个星期出诊。"]
    if wrong:
        raise Invalid(wrong)


def _write(day: dt.date, special: SpecialDay | None, by: Actor, at: dt.datetime) -> None:
    row = CalendarDay.objects.select_for_update().filter(date=day).first()
    before = _plain(row)
    if row is None:
        row = CalendarDay(date=day)
    if special is None:
        audit.record(
            act="scheduling.set_day", subject=row, by=by, at=at, before=before, after=_day(day)
        )
        row.delete()
        return
    row.kind, row.name, row.follows = special.kind, special.name, special.follows
    row.save()
    after = _day(day) | _plain(row)
    audit.record(act="scheduling.set_day", subject=row, by=by, at=at, before=before, after=after)


def _day(day: dt.date) -> dict[str, object]:
    return {"date": day.isoformat()}


def _plain(row: CalendarDay | None) -> dict[str, object]:
    if row is None:
        return {}
    return {"day_kind": str(row.kind), "name": row.name, "follows": row.follows}
