"""What pages show of sessions: one state each (M1.2), in few statements, fresh for the desk."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hospital.catalogue.queries import NoFee
from hospital.kernel import moment_cache
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import NotFound
from hospital.organisation.models import Department
from hospital.organisation.states import Title
from hospital.scheduling import actions, queries
from hospital.scheduling.models import Schedule
from hospital.scheduling.states import Offer, SessionPeriod
from hospital.testing.organisation import a_department, a_practitioner, a_service_type
from hospital.testing.schedules import (
    NOW,
    TOMORROW,
    a_released_schedule,
    an_unreleased_schedule,
    band_of,
    moment,
)

pytestmark = pytest.mark.django_db
UNTIL = NOW + dt.timedelta(minutes=15)


def sell(schedule: Schedule, count: int) -> None:
    for _ in range(count):
        slot = actions.hold_slot(schedule_id=schedule.pk, until=UNTIL, by=SYSTEM, at=NOW)
        actions.book_slot(slot_id=slot.pk, by=SYSTEM, at=NOW)


def state(schedule: Schedule, at: dt.datetime = NOW) -> queries.Offered:
    return queries.offer_of(queries.session_facts(schedule_id=schedule.pk), at=at)


def statements(read: Callable[[], object]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as context:
        read()
    return len(context)


def test_m1_02_a_session_shows_exactly_one_state() -> None:
    schedule = a_released_schedule(capacity=4)
    assert state(schedule) == queries.Offered(Offer.AVAILABLE, 4)

    sell(schedule, 3)
    assert state(schedule) == queries.Offered(Offer.AVAILABLE, 1)
    sell(schedule, 1)
    assert state(schedule) == queries.Offered(Offer.FULL, 0)

    actions.suspend_schedule(schedule_id=schedule.pk, reason="病假", by=SYSTEM, at=NOW)
    assert state(schedule) == queries.Offered(Offer.SUSPENDED, 0)


def test_m1_11_same_day_booking_ends_half_an_hour_before_the_session() -> None:
    schedule = a_released_schedule(capacity=4)

    assert state(schedule, moment(TOMORROW, 11, 29)).left == 1
    assert state(schedule, moment(TOMORROW, 11, 30)) == queries.Offered(Offer.ENDED, 0)


def test_m1_16_the_servers_clock_alone_releases() -> None:
    schedule = an_unreleased_schedule()
    release_at = schedule.release_at

    before = state(schedule, release_at - dt.timedelta(microseconds=1))
    on_time = state(schedule, release_at)

    assert before == queries.Offered(Offer.NOT_RELEASED, 0)
    assert on_time == queries.Offered(Offer.AVAILABLE, 16)


def test_m1_02_bands_that_are_over_have_nothing_left() -> None:
    schedule = a_released_schedule(capacity=8)

    sheet = queries.bands(schedule_id=schedule.pk, at=moment(TOMORROW, 9))

    assert [(band.left, band.is_over) for band in sheet.bands] == [
        (0, True),
        (2, False),
        (2, False),
        (2, False),
    ]
    assert sheet.cell.left == 6


def test_the_date_strip_shows_every_day_of_the_horizon_with_its_best_state() -> None:
    department = a_department()
    full = a_released_schedule(department=department, capacity=1, band_minutes=240)
    sell(full, 1)
    later = TOMORROW + dt.timedelta(days=2)
    a_released_schedule(department=department, day=later, capacity=4)
    gone = a_released_schedule(department=department, day=later + dt.timedelta(days=1))
    actions.suspend_schedule(schedule_id=gone.pk, reason="出差", by=SYSTEM, at=NOW)

    strip = queries.date_strip(department_id=department.pk, at=NOW)

    assert [cell.day for cell in strip] == [
        dt.date(2026, 11, 23) + dt.timedelta(days=ahead) for ahead in range(8)
    ]
    assert [cell.state for cell in strip[:5]] == [
        None,
        Offer.FULL,
        None,
        Offer.AVAILABLE,
        Offer.SUSPENDED,
    ]
    assert (strip[0].is_today, strip[3].left) == (True, 4)
    assert queries.next_useful_day(strip, after=TOMORROW) == later
    assert queries.next_useful_day(strip, after=later) is None


def test_open_sessions_group_by_doctor_and_put_those_with_places_first() -> None:
    department = a_department()
    doctor = a_practitioner(department, name="陈国华", title=Title.CHIEF)
    service = a_service_type(fee_fen=2500, fees=[(Title.CHIEF, 5000)])
    morning = a_released_schedule(
        department=department, practitioner=doctor, service_type=service, capacity=4
    )
    evening = a_released_schedule(
        department=department,
        practitioner=doctor,
        service_type=service,
        session_period=SessionPeriod.EVENING,
        starts=dt.time(18),
        ends=dt.time(20),
        capacity=2,
    )
    sold_out = a_released_schedule(department=department, capacity=1, starts=dt.time(7))
    sell(sold_out, 1)
    sell(evening, 2)

    cards = queries.open_sessions(department_id=department.pk, day=TOMORROW, at=NOW)

    assert [card.name for card in cards] == ["陈国华", "陈知行"]
    first = cards[0]
    assert (first.title_label, first.service_name) == ("主任医师", "专家门诊")
    assert [
        (cell.period_label, cell.state, cell.left, cell.is_few, cell.fee_fen)
        for cell in first.sessions
    ] == [
        ("上午", Offer.AVAILABLE, 4, True, 5000),
        ("晚上", Offer.FULL, 0, False, 5000),
    ]
    assert first.sessions[0].schedule_id == morning.pk
    assert cards[1].sessions[0].state == Offer.FULL
    assert queries.open_sessions(department_id=department.pk, day=TOMORROW, at=NOW) == cards
    assert not queries.open_sessions(
        department_id=department.pk, day=TOMORROW + dt.timedelta(days=1), at=NOW
    )


def test_a_suspended_doctor_points_to_the_next_session_with_places() -> None:
    department = a_department()
    doctor, service = a_practitioner(department), a_service_type()
    gone = a_released_schedule(department=department, practitioner=doctor, service_type=service)
    later = a_released_schedule(
        department=department,
        practitioner=doctor,
        service_type=service,
        day=TOMORROW + dt.timedelta(days=2),
    )
    actions.suspend_schedule(schedule_id=gone.pk, reason="病假", by=SYSTEM, at=NOW)

    (card,) = queries.open_sessions(department_id=department.pk, day=TOMORROW, at=NOW)

    assert card.sessions[0].suspend_reason == "病假"
    assert card.next_session is not None
    assert card.next_session.schedule_id == later.pk


def test_a_doctors_days_span_departments() -> None:
    one, other = a_department(), a_department(name="骨伤科")
    doctor = a_practitioner(one, other)
    a_released_schedule(department=one, practitioner=doctor)
    a_released_schedule(department=other, practitioner=doctor, day=TOMORROW + dt.timedelta(days=1))

    days = queries.practitioner_days(practitioner_id=doctor.pk, at=NOW)

    assert [day.day for day in days] == [TOMORROW, TOMORROW + dt.timedelta(days=1)]
    assert all(len(day.sessions) == 1 for day in days)


def test_m2_05_a_session_without_a_price_shows_none_and_has_no_quote() -> None:
    schedule = a_released_schedule(service_type=a_service_type(fee_fen=None))

    sheet = queries.bands(schedule_id=schedule.pk, at=NOW)

    assert sheet.cell.fee_fen is None
    with pytest.raises(NoFee):
        queries.fee_of(sheet.session)


def test_what_does_not_exist_is_not_found() -> None:
    schedule = a_released_schedule()
    session = queries.session_facts(schedule_id=schedule.pk)

    for read in (
        lambda: queries.bands(schedule_id=0, at=NOW),
        lambda: queries.band_of(session, 0),
        lambda: queries.place_of(slot_id=0),
    ):
        with pytest.raises(NotFound):
            read()


def test_the_board_counts_capacity_sold_held_and_left() -> None:
    schedule = a_released_schedule(capacity=8)
    sell(schedule, 2)
    actions.hold_slot(schedule_id=schedule.pk, until=UNTIL, by=SYSTEM, at=NOW)
    a_released_schedule(day=TOMORROW + dt.timedelta(days=1))

    (row,) = queries.board_today(day=TOMORROW, at=NOW)

    assert (row.capacity, row.sold, row.held, row.left) == (8, 2, 1, 5)
    assert (row.doctor, row.status_label, row.state) == ("陈知行", "已放号", Offer.AVAILABLE)
    assert queries.board_today(day=TOMORROW, at=NOW, department_ids=[0]) == []


def test_places_left_sums_each_departments_days() -> None:
    department = a_department()
    a_released_schedule(department=department, capacity=3)
    sell(a_released_schedule(department=department, capacity=2, starts=dt.time(7)), 1)

    found = queries.places_left(at=NOW)

    assert found[department.pk][TOMORROW].left == 4
    assert found[department.pk][TOMORROW].state == Offer.AVAILABLE


def test_m2_01_a_number_knows_its_band_and_estimated_turn() -> None:
    schedule = a_released_schedule(capacity=8)
    slot = actions.hold_slot(
        schedule_id=schedule.pk, band_id=band_of(schedule, 1).pk, until=UNTIL, by=SYSTEM, at=NOW
    )

    place = queries.place_of(slot_id=slot.pk)

    assert (place.sequence_no, place.expected_at) == (3, moment(TOMORROW, 9))


def _sessions_in(department: Department, count: int) -> None:
    for _ in range(count):
        a_released_schedule(department=department, capacity=4)


@pytest.mark.parametrize("count", [3, 30])
def test_law_13_lists_take_the_same_few_statements_at_any_length(count: int) -> None:
    department = a_department()
    _sessions_in(department, count)
    schedule = Schedule.objects.earliest("id")
    assert schedule.practitioner_id is not None

    budgets = {
        "strip": (2, lambda: queries.date_strip(department_id=department.pk, at=NOW)),
        "board": (2, lambda: queries.board_today(day=TOMORROW, at=NOW)),
        "places": (1, lambda: queries.places_left(at=NOW)),
    }
    used = {name: statements(read) for name, (_, read) in budgets.items()}

    assert used == {name: allowed for name, (allowed, _) in budgets.items()}


def test_law_13_pages_of_a_rush_read_the_database_once_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(moment_cache, "SECONDS", 60.0)
    department = a_department()
    _sessions_in(department, 3)

    def page() -> object:
        queries.date_strip(department_id=department.pk, at=NOW)
        return queries.open_sessions(department_id=department.pk, day=TOMORROW, at=NOW)

    assert statements(page) == 4
    assert statements(page) == 0
