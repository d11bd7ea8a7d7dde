"""M15.4: public holidays take the week's clinics away, exchanged working days bring them."""

import datetime as dt

import pytest

from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid
from hospital.kernel.models import AuditEntry
from hospital.scheduling import actions, queries, state_council
from hospital.scheduling.actions import rosters
from hospital.scheduling.conflicts import ConflictKind
from hospital.scheduling.holidays import SpecialDay
from hospital.scheduling.models import CalendarDay, Schedule
from hospital.scheduling.queries.duties import conflicts_of
from hospital.scheduling.states import DayKind, ScheduleStatus, SessionPeriod
from hospital.scheduling.tests.roster_world import MONDAY, TUESDAY, a_clinic
from hospital.testing.organisation import a_practitioner
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, a_template

OFFICE = Actor("staff", 7)
_ONE_DAY = dt.timedelta(days=1)
SATURDAY = TOMORROW + dt.timedelta(days=4)
NEXT_WEEK = TOMORROW + dt.timedelta(days=7)
LATER = TOMORROW + dt.timedelta(days=14)
HOLIDAY = SpecialDay(DayKind.HOLIDAY, "院庆")


def generate() -> None:
    through = LATER - dt.timedelta(days=1)
    actions.generate_schedules(through=through, by=SYSTEM, at=NOW)


def held_on(day: dt.date) -> list[str]:
    rows = Schedule.objects.filter(visit_date=day).exclude(status=ScheduleStatus.CANCELLED)
    return sorted(rows.values_list("template__code", flat=True))


@pytest.mark.django_db
def test_m15_04_a_holiday_skips_templates_unless_marked() -> None:
    a_template(code="USUAL")
    a_template(code="ALWAYS", on_holidays=True)
    actions.set_day(day=NEXT_WEEK, special=HOLIDAY, by=OFFICE, at=NOW)

    generate()

    assert held_on(TOMORROW) == ["ALWAYS", "USUAL"]
    assert held_on(NEXT_WEEK) == ["ALWAYS"]


@pytest.mark.django_db
def test_m15_04_a_worked_saturday_holds_the_clinics_of_the_weekday_it_follows() -> None:
    a_template(code="TUESDAY")
    a_template(code="SATURDAY", weekday=6)
    special = SpecialDay(DayKind.WORKDAY, "院庆调休", follows=2)
    actions.set_day(day=SATURDAY, special=special, by=OFFICE, at=NOW)

    generate()

    assert held_on(SATURDAY) == ["TUESDAY"]
    assert queries.is_rest_day(SATURDAY) is False
    assert queries.is_rest_day(SATURDAY + dt.timedelta(days=1)) is True


@pytest.mark.django_db
def test_m15_04_a_late_holiday_removes_what_nobody_could_book_and_shows_the_rest() -> None:
    sold = a_released_schedule(day=NEXT_WEEK - dt.timedelta(days=1))
    template = a_template(code="USUAL")
    generate()
    unsold = Schedule.objects.get(template=template, visit_date=NEXT_WEEK)
    assert unsold.status == ScheduleStatus.PUBLISHED

    gone = actions.set_day(day=NEXT_WEEK, special=HOLIDAY, by=OFFICE, at=NOW)
    kept = actions.set_day(day=sold.visit_date, special=HOLIDAY, by=OFFICE, at=NOW)

    unsold.refresh_from_db()
    sold.refresh_from_db()
    assert (gone.removable, gone.to_stop) == (1, 0)
    assert unsold.status == ScheduleStatus.CANCELLED
    assert (kept.removable, kept.to_stop) == (0, 1)
    assert sold.status == ScheduleStatus.RELEASED


@pytest.mark.django_db
def test_m15_04_a_holiday_taken_back_brings_its_sessions_back() -> None:
    a_template(code="USUAL")
    generate()
    actions.set_day(day=NEXT_WEEK, special=HOLIDAY, by=OFFICE, at=NOW)
    assert held_on(NEXT_WEEK) == []

    change = actions.set_day(day=NEXT_WEEK, special=None, by=OFFICE, at=NOW)

    assert change.gained == ("USUAL",)
    assert held_on(NEXT_WEEK) == ["USUAL"]
    assert CalendarDay.objects.count() == 0
    entries = AuditEntry.objects.filter(act="scheduling.set_day").order_by("pk")
    assert [entry.after for entry in entries] == [
        {"date": "2026-12-01", "day_kind": "holiday", "name": "院庆", "follows": None},
        {"date": "2026-12-01"},
    ]


@pytest.mark.django_db
def test_m15_04_preview_shows_what_a_day_would_lose_and_gain() -> None:
    a_template(code="TUE")
    a_template(code="WED", weekday=3)
    generate()

    special = SpecialDay(DayKind.WORKDAY, "调休", follows=3)
    change = queries.day_change(day=NEXT_WEEK, special=special, at=NOW)

    assert [one.taken for one in change.lost] == [0]
    assert change.gained == ("WED",)
    assert held_on(NEXT_WEEK) == ["TUE"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("day", "special", "field"),
    [
        (TOMORROW - dt.timedelta(days=2), HOLIDAY, "date"),
        (NEXT_WEEK, SpecialDay(DayKind.HOLIDAY, ""), "name"),
        (NEXT_WEEK, SpecialDay(DayKind.WORKDAY, "调休", 8), "follows"),
        (NEXT_WEEK, SpecialDay(DayKind.HOLIDAY, "院庆", 2), "follows"),
    ],
)
def test_m15_04_a_wrong_day_is_refused(day: dt.date, special: SpecialDay, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        actions.set_day(day=day, special=special, by=OFFICE, at=NOW)

    assert list(refused.value.errors) == [field]
    assert CalendarDay.objects.count() == 0


def test_m15_04_the_state_councils_year_pairs_worked_days_with_free_ones() -> None:
    found = state_council.arrangement(2026)

    worked = {day: one for day, one in found.items() if one.kind == DayKind.WORKDAY}
    assert {day: one.follows for day, one in worked.items()} == {
        dt.date(2026, 1, 4): 5,
        dt.date(2026, 2, 14): 5,
        dt.date(2026, 2, 28): 1,
        dt.date(2026, 5, 9): 2,
        dt.date(2026, 9, 20): 2,
        dt.date(2026, 10, 10): 3,
    }
    assert len(found) - len(worked) == 33
    assert found[dt.date(2026, 2, 17)] == SpecialDay(DayKind.HOLIDAY, "春节")
    assert state_council.arrangement(2027) == {}


@pytest.mark.django_db
def test_m15_04_filling_a_year_leaves_what_the_office_entered() -> None:
    early = dt.datetime(2026, 9, 21, 2, 0, tzinfo=dt.UTC)
    own = SpecialDay(DayKind.WORKDAY, "国庆值班", follows=4)
    actions.set_day(day=dt.date(2026, 10, 7), special=own, by=OFFICE, at=early)

    entered = actions.fill_year(year=2026, by=OFFICE, at=early)

    assert entered == 38
    calendar = queries.special_days(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    assert calendar[dt.date(2026, 10, 7)] == own
    assert min(calendar) == dt.date(2026, 1, 1)
    with pytest.raises(Invalid):
        actions.fill_year(year=2027, by=OFFICE, at=early)
    assert CalendarDay.objects.count() == 39


@pytest.mark.django_db
def test_m15_04_evening_clinics_follow_the_day_they_start_on() -> None:
    a_template(
        code="NIGHT",
        session_period=SessionPeriod.EVENING,
        starts=dt.time(20, 0),
        ends=dt.time(1, 0),
    )
    actions.set_day(day=NEXT_WEEK + dt.timedelta(days=1), special=HOLIDAY, by=OFFICE, at=NOW)

    generate()

    assert held_on(NEXT_WEEK) == ["NIGHT"]


@pytest.mark.django_db
def test_m15_04_what_a_changed_day_means_for_open_weeks_is_told_and_stays_with_people() -> None:
    clinic = a_clinic()
    there = a_template(code="THERE", department=clinic.department, weekday=2)
    roster = rosters.open_week(
        department_id=clinic.department.pk,
        monday=MONDAY + dt.timedelta(days=7),
        by=OFFICE,
        at=NOW,
    )
    tuesday = TUESDAY + dt.timedelta(days=7)

    gone = actions.set_day(day=tuesday, special=HOLIDAY, by=OFFICE, at=NOW)
    warned = conflicts_of(roster)
    opened = rosters.open_week(
        department_id=clinic.department.pk,
        monday=MONDAY + dt.timedelta(days=14),
        by=OFFICE,
        at=NOW,
    )
    special = SpecialDay(DayKind.WORKDAY, "调休", follows=2)
    extra = queries.day_change(day=opened.monday, special=special, at=NOW)

    assert (gone.lost, gone.gained) == ((), ())
    assert [(one.department, one.to_remove, one.to_fill) for one in gone.drafts] == [
        (clinic.department.name, 1, 0)
    ]
    assert [(one.kind, one.is_refused) for one in warned] == [(ConflictKind.OFF_CALENDAR, False)]
    assert "院庆" in warned[0].sentence
    assert roster.entries.get(is_removed=False).template == there
    # Nobody makes a session in a week that is open: it is told as missing there instead.
    assert extra.gained == ()
    assert [(one.monday, one.to_remove, one.to_fill) for one in extra.drafts] == [
        (opened.monday, 0, 1)
    ]


@pytest.mark.django_db
def test_m15_04_templates_nothing_is_made_from_are_not_promised() -> None:
    a_template(code="TUE", practitioner=a_practitioner(licence_end_date=NEXT_WEEK - _ONE_DAY))
    actions.set_day(day=NEXT_WEEK, special=HOLIDAY, by=OFFICE, at=NOW)

    change = actions.set_day(day=NEXT_WEEK, special=None, by=OFFICE, at=NOW)

    assert change.gained == ()
    assert held_on(NEXT_WEEK) == []
