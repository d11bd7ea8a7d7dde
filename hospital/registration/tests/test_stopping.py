"""停诊 for those who had booked: undone once, owed the first offer, taken back cleanly (M1.8)."""

import datetime as dt

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from hospital.billing import queries as bills
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.messaging.models import Message
from hospital.registration import actions, stops
from hospital.registration.models import Appointment, WaitlistEntry
from hospital.scheduling import actions as scheduling
from hospital.scheduling import queries as sessions
from hospital.scheduling.states import Channel
from hospital.testing.bookings import a_booking, a_paid_booking, pay
from hospital.testing.jobs import run_jobs
from hospital.testing.organisation import a_department
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, moment

pytestmark = pytest.mark.django_db
OFFICE = Actor("staff", 1)
HOUR = dt.timedelta(hours=1)


def stop(schedule_id: int, *, at: dt.datetime = NOW) -> None:
    scheduling.suspend_schedule(schedule_id=schedule_id, reason="病假：发热", by=OFFICE, at=at)


def undo(*rows: Appointment, at: dt.datetime = NOW) -> list[bool]:
    return [actions.cancel_suspended_one(appointment_id=row.pk, by=SYSTEM, at=at) for row in rows]


def test_m1_08_who_had_a_number_is_owed_the_first_offer_for_a_day() -> None:
    schedule = a_released_schedule()
    paid, unpaid = a_paid_booking(schedule=schedule), a_booking(schedule=schedule)
    stop(schedule.pk)

    assert undo(paid, unpaid) == [True, True]
    assert undo(paid, unpaid) == [False, False]

    entry = WaitlistEntry.objects.get()
    assert (entry.owed_for_id, entry.patient_id, entry.schedule_id) == (
        paid.pk,
        paid.patient_id,
        None,
    )
    assert (entry.practitioner_id, entry.status) == (schedule.practitioner_id, "waiting")
    assert entry.valid_until == NOW + dt.timedelta(hours=24)


def test_m1_08_money_that_comes_after_the_stop_goes_back() -> None:
    schedule = a_released_schedule()
    unpaid = a_booking(schedule=schedule)
    stop(schedule.pk)
    undo(unpaid)

    pay(unpaid.bill)
    actions.confirm(bill_id=unpaid.bill_id, by=SYSTEM, at=NOW)

    connection.check_constraints()
    unpaid.refresh_from_db()
    assert unpaid.status == "cancelled"
    assert bills.balance(bill_id=unpaid.bill_id) == bills.Balance(2500, 0, 2500)


def test_sm1_a_job_that_comes_after_the_session_was_resumed_undoes_nobody() -> None:
    schedule = a_released_schedule()
    early, late = a_paid_booking(schedule=schedule), a_paid_booking(schedule=schedule)
    stop(schedule.pk)
    undo(early)
    actions.resume_session(schedule_id=schedule.pk, reason="医生已到", by=OFFICE, at=NOW)

    assert actions.cancel_suspended(schedule_id=schedule.pk) == 0
    assert undo(late) == [False]

    for row, status in ((early, "cancelled"), (late, "booked")):
        row.refresh_from_db()
        assert row.status == status
    assert Message.objects.filter(kind="N06").count() == 1


def test_m1_08_the_preview_counts_whom_a_stop_touches() -> None:
    schedule = a_released_schedule()
    paid, here, seen = (a_paid_booking(schedule=schedule) for _ in range(3))
    a_booking(schedule=schedule)
    at = moment(TOMORROW, 9)
    for row in (here, seen):
        actions.check_in(number=row.number, by=SYSTEM, at=at)
    actions.start_visit(number=seen.number, by=SYSTEM, at=at)

    found = stops.preview(schedule_id=schedule.pk)

    assert (found.paid, found.paid_fen, found.unpaid, found.checked_in, found.seen) == (
        2,
        5000,
        1,
        1,
        1,
    )
    assert [row.number for row in found.rows][:2] == [paid.number, here.number]
    assert (found.waiting, found.without_wechat) == (0, 0)


def test_m1_08_the_result_follows_every_booking_to_its_end() -> None:
    schedule = a_released_schedule()
    paid, unpaid = a_paid_booking(schedule=schedule), a_booking(schedule=schedule)
    stop(schedule.pk)
    facts = sessions.last_stop(schedule_id=schedule.pk)
    assert facts is not None
    assert (facts.by, facts.reason, facts.resumed_at) == ("staff:1", "病假：发热", None)

    before = stops.result(schedule_id=schedule.pk, since=facts.at)
    assert (before.cancelled, before.is_done, len(before.rows)) == (0, False, 2)
    assert run_jobs(only="registration.") == []
    after = stops.result(schedule_id=schedule.pk, since=facts.at)

    assert (after.cancelled, after.due, after.due_fen, after.is_done) == (2, 1, 2500, False)
    labels = {row.number: (row.refund_label, row.told.label, row.offer_label) for row in after.rows}
    assert labels == {
        paid.number: ("退款中", "正在通知", "候补中"),
        unpaid.number: ("未付费", "正在通知", ""),
    }
    # What an earlier stop of the same session undid is not this one's.
    assert stops.result(schedule_id=schedule.pk, since=clock.now() + HOUR).rows == ()


def test_sm1_the_result_of_a_stop_taken_back_is_done_whoever_is_booked() -> None:
    schedule = a_released_schedule()
    early, late = a_paid_booking(schedule=schedule), a_paid_booking(schedule=schedule)
    stop(schedule.pk)
    undo(early)
    actions.resume_session(schedule_id=schedule.pk, reason="医生已到", by=OFFICE, at=NOW)

    found = stops.result(schedule_id=schedule.pk, since=NOW)

    assert [row.number for row in found.rows] == [early.number]
    assert found.cancelled == len(found.rows)
    late.refresh_from_db()
    assert late.status == "booked"


def test_m1_08_what_an_exchanged_booking_was_paid_with_is_counted_too() -> None:
    department = a_department()
    first, second = (
        a_released_schedule(department=department, day=TOMORROW + dt.timedelta(days=number))
        for number in range(2)
    )
    old = a_paid_booking(schedule=first)
    new = actions.exchange(
        number=old.number,
        schedule_id=second.pk,
        band_id=None,
        key="x",
        channel=Channel.WECHAT,
        by=OFFICE,
        at=NOW,
    )
    preview = stops.preview(schedule_id=second.pk)
    assert (preview.paid, preview.paid_fen) == (1, 2500)
    stop(second.pk)
    undo(new)

    found = stops.result(schedule_id=second.pk, since=NOW)

    assert (found.due, found.due_fen, found.is_done) == (1, 2500, False)
    assert [row.refund_label for row in found.rows] == ["退款中"]


def test_the_result_of_many_costs_no_more_statements_than_that_of_few(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    few, many = a_released_schedule(), a_released_schedule()
    for schedule, count in ((few, 1), (many, 4)):
        for _ in range(count):
            a_paid_booking(schedule=schedule)
        stop(schedule.pk)
        actions.cancel_suspended(schedule_id=schedule.pk)
    assert run_jobs(only="registration.") == []

    for schedule in (few, many):
        with django_assert_num_queries(8):
            stops.result(schedule_id=schedule.pk, since=NOW)
