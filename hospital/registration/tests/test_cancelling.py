"""Giving a number back: when it is free, when it is late, when it is too late (M1.7, M1.8)."""

import datetime as dt

import pytest
from django.db import connection

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid, NotFound
from hospital.kernel.models import AuditEntry
from hospital.kernel.states import history, move
from hospital.messaging.models import Message
from hospital.registration import actions
from hospital.registration.models import Appointment
from hospital.registration.rules import CancelTooLate, CannotCancel
from hospital.registration.states import AppointmentStatus
from hospital.scheduling import actions as scheduling
from hospital.testing.bookings import a_booking, a_paid_booking, pay
from hospital.testing.jobs import run_jobs
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, band_of, moment

pytestmark = pytest.mark.django_db
PATIENT = Actor("patient", 1)
CLERK = Actor("staff", 1)
MIDNIGHT = moment(TOMORROW, 0)


def fresh(appointment: Appointment) -> Appointment:
    return Appointment.objects.select_related("slot", "bill").get(pk=appointment.pk)


def cancel(appointment: Appointment, at: dt.datetime = NOW, by: Actor = PATIENT) -> Appointment:
    actions.cancel(number=appointment.number, by=by, at=at)
    connection.check_constraints()
    return fresh(appointment)


def refused(appointment: Appointment, at: dt.datetime, refusal: type[CannotCancel]) -> None:
    before = fresh(appointment), Message.objects.count(), len(history(appointment))
    with pytest.raises(refusal):
        actions.cancel(number=appointment.number, by=PATIENT, at=at)
    after = fresh(appointment), Message.objects.count(), len(history(appointment))
    assert after == before
    assert after[0].status == before[0].status
    assert not bills.is_reversed(bill_id=appointment.bill_id)


def test_m1_07_n05_until_midnight_before_cancelling_is_free_and_the_money_goes_back() -> None:
    booked = a_paid_booking(schedule=a_released_schedule(fee_fen=2500))
    Message.objects.all().delete()

    row = cancel(booked, MIDNIGHT - dt.timedelta(microseconds=1))

    assert (row.status, row.cancel_reason, row.is_late_cancel) == ("cancelled", "user", False)
    assert row.slot.status == "reclaim_wait"
    assert bills.balance(bill_id=row.bill_id) == bills.Balance(2500, 0, 2500)
    message = Message.objects.get()
    assert message.kind == "N05"
    assert message.fields == {
        "patient": row.patient.masked_name,
        "department": "针灸推拿科",
        "date": "11月24日 周二",
        "refund": "¥25.00",
        "arrival": "原路退回，以微信到账为准",
    }


def test_m1_07_on_the_day_until_half_an_hour_before_the_band_it_counts_as_late() -> None:
    schedule = a_released_schedule()
    at_midnight = a_paid_booking(schedule=schedule)
    last_moment = a_paid_booking(schedule=schedule, band=band_of(schedule, 1))

    assert cancel(at_midnight, MIDNIGHT).is_late_cancel
    row = cancel(last_moment, moment(TOMORROW, 8, 30))

    assert (row.status, row.is_late_cancel) == ("cancelled", True)
    assert bills.balance(bill_id=row.bill_id).due_fen == 2500


def test_m1_07_later_than_that_is_refused_and_says_where_to_go() -> None:
    booked = a_paid_booking()

    refused(booked, moment(TOMORROW, 7, 30) + dt.timedelta(microseconds=1), CancelTooLate)


def test_m1_07_after_check_in_or_the_visit_only_the_window_helps() -> None:
    booked = fresh(a_paid_booking())
    move(booked, AppointmentStatus.CHECKED_IN, by=SYSTEM, at=NOW)
    refused(booked, NOW, CannotCancel)
    with pytest.raises(CannotCancel):
        actions.cancel(number=booked.number, by=CLERK, at=NOW)
    move(booked, AppointmentStatus.FULFILLED, by=SYSTEM, at=NOW)
    refused(booked, NOW, CannotCancel)


def test_staff_cancel_on_the_day_without_it_counting_against_the_patient() -> None:
    booked = a_paid_booking()

    row = cancel(booked, moment(TOMORROW, 9), CLERK)

    assert (row.status, row.is_late_cancel) == ("cancelled", False)
    assert history(row)[-1].by == "staff:1"


def test_an_unpaid_booking_is_cancelled_without_a_message_and_its_number_is_free() -> None:
    row = cancel(a_booking())

    assert (row.status, row.cancel_reason) == ("cancelled", "user")
    assert (row.slot.status, row.bill.status) == ("free", "cancelled")
    assert not Message.objects.exists()


def test_m1_06_money_that_came_a_moment_before_the_cancellation_goes_back() -> None:
    booked = a_booking()
    pay(booked.bill)

    row = cancel(booked)
    actions.confirm(bill_id=row.bill_id, by=SYSTEM, at=NOW)

    assert (fresh(booked).status, row.slot.status) == ("cancelled", "free")
    assert bills.balance(bill_id=row.bill_id) == bills.Balance(2500, 0, 2500)


def test_a_free_booking_is_cancelled_with_nothing_to_return() -> None:
    booked = a_booking(schedule=a_released_schedule(fee_fen=0))

    row = cancel(booked)

    assert (row.status, row.bill.status) == ("cancelled", "refunded")
    assert Message.objects.get(kind="N05").fields["arrival"] == "无需退费"


def test_cancelling_twice_or_what_is_not_there_is_refused() -> None:
    booked = a_paid_booking()
    cancel(booked)
    due = bills.balance(bill_id=booked.bill_id)

    with pytest.raises(CannotCancel):
        cancel(booked)
    with pytest.raises(NotFound):
        actions.cancel(number="nope", by=PATIENT, at=NOW)

    assert bills.balance(bill_id=booked.bill_id) == due


@pytest.mark.parametrize("status", ["booked", "checked_in"])
def test_m1_06_what_the_desk_refunded_in_full_keeps_no_place(status: str) -> None:
    booked = fresh(a_paid_booking(schedule=a_released_schedule(fee_fen=2500)))
    if status == "checked_in":
        move(booked, AppointmentStatus.CHECKED_IN, by=SYSTEM, at=NOW)
    lines = bills.charges_of(bill_id=booked.bill_id)
    Message.objects.all().delete()

    give_back(booked, [line.pk for line in lines[1:]])
    assert fresh(booked).status == status, "part of it was refunded: the visit stands"
    give_back(booked, [lines[0].pk])

    row = fresh(booked)
    assert (row.status, row.slot.status) == ("cancelled", "reclaim_wait")
    assert bills.balance(bill_id=row.bill_id).due_fen == 2500
    assert Message.objects.get(kind="N05").fields["refund"] == "¥25.00"
    assert not actions.cancel_refunded(bill_id=row.bill_id, by=SYSTEM, at=NOW)


def give_back(appointment: Appointment, charge_ids: list[int]) -> None:
    """The desk reverses these lines, and what follows from it."""
    billing.reverse_charges(
        bill_id=appointment.bill_id, reason="退费", charge_ids=charge_ids, by=CLERK, at=NOW
    )
    assert run_jobs(only="registration.jobs.cancel_refunded") == []


def test_m1_08_n06_a_suspended_session_undoes_every_booking_in_full_and_once() -> None:
    schedule = a_released_schedule(capacity=8)
    paid, unpaid, in_hall = (
        a_paid_booking(schedule=schedule),
        a_booking(schedule=schedule),
        fresh(a_paid_booking(schedule=schedule, band=band_of(schedule, 1))),
    )
    move(in_hall, AppointmentStatus.CHECKED_IN, by=SYSTEM, at=NOW)
    scheduling.suspend_schedule(schedule_id=schedule.pk, reason="病假", by=CLERK, at=NOW)

    assert run_jobs(only="registration.jobs.cancel_suspended") == []
    assert actions.cancel_suspended(schedule_id=schedule.pk) == 0
    assert not actions.cancel_suspended_one(appointment_id=paid.pk, by=SYSTEM, at=NOW)

    connection.check_constraints()
    for appointment, due_fen in ((paid, 2500), (unpaid, 0), (in_hall, 2500)):
        row = fresh(appointment)
        assert (row.status, row.cancel_reason, row.is_late_cancel) == (
            "cancelled",
            "hospital",
            False,
        )
        assert bills.balance(bill_id=row.bill_id).due_fen == due_fen
    told = {row.subject_id: row.fields["refund"] for row in Message.objects.filter(kind="N06")}
    assert told == {
        paid.pk: "¥25.00 原路退回",
        unpaid.pk: "未付费，无需退款",
        in_hall.pk: "¥25.00 原路退回",
    }
    assert not Message.objects.filter(kind="N05").exists()
    assert not actions.cancel_suspended_one(appointment_id=0, by=SYSTEM, at=NOW)


def test_m1_07_after_check_in_staff_approve_with_a_reason_and_everything_goes_back() -> None:
    booked = a_paid_booking(schedule=a_released_schedule(fee_fen=2500))
    at = moment(TOMORROW, 9)
    actions.check_in(number=booked.number, by=SYSTEM, at=at)
    Message.objects.all().delete()
    with pytest.raises(CannotCancel, match="签到后退号"):
        actions.cancel(number=booked.number, by=CLERK, at=at)
    with pytest.raises(Invalid):
        actions.cancel_after_check_in(number=booked.number, reason=" ", by=CLERK, at=at)
    assert fresh(booked).status == "checked_in"

    actions.cancel_after_check_in(number=booked.number, reason="突发高热转急诊", by=CLERK, at=at)

    connection.check_constraints()
    row = fresh(booked)
    assert (row.status, row.cancel_reason, row.is_late_cancel, row.cancel_note) == (
        "cancelled",
        "staff",
        False,
        "突发高热转急诊",
    )
    assert bills.balance(bill_id=row.bill_id).due_fen == 2500
    assert [message.kind for message in Message.objects.all()] == ["N05"]
    entry = AuditEntry.objects.get(act="registration.cancel_after_check_in")
    assert (entry.subject_id, entry.by, entry.reason) == (booked.pk, "staff:1", "突发高热转急诊")
    with pytest.raises(CannotCancel, match="已经取消"):
        actions.cancel_after_check_in(number=booked.number, reason="再退", by=CLERK, at=at)


def test_m1_07_once_the_visit_has_begun_nobody_gets_the_money_back() -> None:
    booked = a_paid_booking(schedule=a_released_schedule(fee_fen=2500))
    at = moment(TOMORROW, 9)
    actions.check_in(number=booked.number, by=SYSTEM, at=at)
    actions.start_visit(number=booked.number, by=SYSTEM, at=at)

    refused(booked, at, CannotCancel)
    with pytest.raises(CannotCancel, match="已经开始就诊"):
        actions.cancel(number=booked.number, by=CLERK, at=at)
    with pytest.raises(CannotCancel, match="已经开始就诊"):
        actions.cancel_after_check_in(number=booked.number, reason="要求退号", by=CLERK, at=at)

    assert fresh(booked).status == "fulfilled"
    assert not bills.is_reversed(bill_id=booked.bill_id)


def test_m1_07_what_staff_cancel_locks_no_doctors_day() -> None:
    schedule = a_released_schedule()
    booked = a_paid_booking(schedule=schedule)

    row = cancel(booked, by=CLERK)

    assert (row.cancel_reason, row.cancel_note) == ("staff", "医院代退")
    assert a_booking(patient=booked.patient, schedule=schedule).status == "pending"
