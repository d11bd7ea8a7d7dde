"""What money or its absence does: booked, timed out, late but seated, late and returned (M1.6)."""

import datetime as dt

import pytest
from django.db import connection

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.states import BillStatus
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.states import history
from hospital.messaging.models import Message
from hospital.registration import actions
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus, CancelReason
from hospital.scheduling import actions as scheduling
from hospital.scheduling.models import Slot
from hospital.testing.bookings import a_booking, a_paid_booking, pay
from hospital.testing.jobs import due_jobs
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.schedules import NOW, a_released_schedule, band_of

pytestmark = pytest.mark.django_db
HOLD_END = NOW + dt.timedelta(minutes=15)
LATE = HOLD_END + dt.timedelta(seconds=5)


def fresh(appointment: Appointment) -> Appointment:
    return Appointment.objects.select_related("slot", "bill").get(pk=appointment.pk)


def confirm(appointment: Appointment, at: dt.datetime = NOW) -> None:
    actions.confirm(bill_id=appointment.bill_id, by=SYSTEM, at=at)


def release(appointment: Appointment, at: dt.datetime = HOLD_END) -> bool:
    return actions.release_unpaid(appointment_id=appointment.pk, by=SYSTEM, at=at)


def kinds() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("kind", flat=True))


def check(appointment: Appointment) -> None:
    """Never both booked and refunded, never neither; the ledger balances."""
    connection.check_constraints()
    row = fresh(appointment)
    reversed_ = bills.is_reversed(bill_id=row.bill_id)
    paid = row.bill.settled_at is not None
    assert not (row.status == AppointmentStatus.BOOKED and reversed_)
    assert not (paid and row.status == AppointmentStatus.CANCELLED and not reversed_)


def test_n01_a_paid_booking_is_booked_and_the_patient_told_once() -> None:
    booked = a_booking(schedule=a_released_schedule(capacity=4))
    pay(booked.bill)

    confirm(booked)
    confirm(booked)

    row = fresh(booked)
    assert (row.status, row.booked_at, row.slot.status) == ("booked", NOW, "booked")
    message = Message.objects.get()
    assert message.kind == "N01"
    assert message.path == f"/m/appointments/{row.number}/"
    assert message.fields == {
        "patient": row.patient.masked_name,
        "department": "针灸推拿科",
        "doctor": "陈知行",
        "time": "11月24日 周二 08:00-09:00",
        "number": "1号",
    }
    assert [move.to_status for move in history(row)] == ["booked"]
    check(booked)


def test_everybody_bound_to_the_patient_is_told() -> None:
    mother, father = a_wechat_user(), a_wechat_user()
    number = a_patient(mother).identifiers.get().value
    patient = a_patient(father, document_no=number)

    a_paid_booking(user=father, patient=patient)

    assert list(Message.objects.order_by("pk").values_list("wechat_user_id", flat=True)) == [
        father.pk,
        mother.pk,
    ]


def test_a_bill_for_something_else_is_none_of_our_business() -> None:
    assert actions.confirm(bill_id=0, by=SYSTEM, at=NOW) is None
    assert actions.release_unpaid_bill(bill_id=0, by=SYSTEM, at=NOW) is False
    assert actions.release_unpaid(appointment_id=0, by=SYSTEM, at=NOW) is False


def test_an_unpaid_bill_confirms_nothing() -> None:
    booked = a_booking()

    confirm(booked)

    assert fresh(booked).status == AppointmentStatus.PENDING
    assert kinds() == []


def test_m1_06_a_hold_that_ran_out_unpaid_gives_its_number_back() -> None:
    booked = a_booking()

    assert release(booked)
    assert not release(booked)

    row = fresh(booked)
    assert (row.status, row.cancel_reason, row.cancelled_at) == (
        "cancelled",
        CancelReason.PAYMENT_TIMEOUT,
        HOLD_END,
    )
    assert (row.slot.status, row.bill.status) == ("free", "expired")
    assert kinds() == ["N03"]
    check(booked)


def test_m1_06_before_its_end_a_hold_stays_and_the_timer_is_set_again() -> None:
    booked = a_booking()

    assert not release(booked, HOLD_END - dt.timedelta(seconds=1))

    assert fresh(booked).status == AppointmentStatus.PENDING
    ours = [name for name in due_jobs() if name.startswith("registration.")]
    assert ours == ["registration.jobs.release_unpaid"] * 2


def test_m1_06_while_a_payment_runs_the_hold_stays_until_the_order_is_closed() -> None:
    booked = a_booking()
    billing.start_paying(bill_id=booked.bill_id, by=SYSTEM, at=NOW)

    assert not release(booked, LATE)
    assert fresh(booked).status == AppointmentStatus.PENDING

    billing.stop_paying(bill_id=booked.bill_id, by=SYSTEM, at=LATE)
    assert "registration.jobs.release_unpaid_bill" in due_jobs()
    assert actions.release_unpaid_bill(bill_id=booked.bill_id, by=SYSTEM, at=LATE)
    assert fresh(booked).status == AppointmentStatus.CANCELLED


def test_m1_06_a_paid_hold_is_not_given_back_although_its_confirmation_is_late() -> None:
    booked = a_booking()
    pay(booked.bill, at=HOLD_END)

    assert not release(booked, LATE)

    confirm(booked, LATE)
    assert fresh(booked).status == AppointmentStatus.BOOKED
    check(booked)


def test_m1_06_late_money_gets_the_same_number_when_it_is_free() -> None:
    booked = a_booking(schedule=a_released_schedule(capacity=8))
    release(booked)
    slot_id = booked.slot_id

    pay(booked.bill, at=LATE)
    confirm(booked, LATE)
    confirm(booked, LATE)

    row = fresh(booked)
    assert (row.status, row.slot_id, row.slot.status) == ("booked", slot_id, "booked")
    assert (row.cancel_reason, row.cancelled_at, row.booked_at) == ("", None, LATE)
    assert row.bill.status == BillStatus.SETTLED
    assert kinds() == ["N03", "N01"]
    assert [move.to_status for move in history(row)] == ["cancelled", "booked"]
    check(booked)


def test_m1_06_late_money_gets_another_number_of_the_band_and_is_told_which() -> None:
    schedule = a_released_schedule(capacity=8)
    booked = a_booking(schedule=schedule)
    release(booked)
    other = a_booking(schedule=schedule, at=LATE)
    assert other.slot_id == booked.slot_id

    pay(booked.bill, at=LATE)
    confirm(booked, LATE)

    row = fresh(booked)
    assert (row.status, row.slot.sequence_no, row.slot.band_id) == (
        "booked",
        2,
        other.slot.band_id,
    )
    assert Message.objects.get(kind="N01").fields["number"] == "2号"
    check(booked)


def test_e2_late_money_goes_back_when_the_band_is_full() -> None:
    schedule = a_released_schedule(capacity=4)
    booked = a_booking(schedule=schedule)
    release(booked)
    other = a_booking(schedule=schedule, at=LATE)

    pay(booked.bill, at=LATE)
    confirm(booked, LATE)
    confirm(booked, LATE)

    row = fresh(booked)
    assert row.status == AppointmentStatus.CANCELLED
    assert bills.balance(bill_id=row.bill_id) == bills.Balance(2500, 0, 2500)
    assert fresh(other).status == AppointmentStatus.PENDING
    assert kinds() == ["N03"]
    check(booked)


def test_m1_06_late_money_goes_back_when_the_patient_has_booked_again() -> None:
    schedule = a_released_schedule(capacity=8)
    user = a_wechat_user()
    patient = a_patient(user)
    booked = a_booking(user=user, patient=patient, schedule=schedule)
    release(booked)
    again = a_paid_booking(
        user=user, patient=patient, schedule=schedule, band=band_of(schedule, 1), at=LATE
    )

    pay(booked.bill, at=LATE)
    confirm(booked, LATE)

    assert fresh(booked).status == AppointmentStatus.CANCELLED
    assert fresh(again).status == AppointmentStatus.BOOKED
    check(booked)


def test_m1_06_late_money_goes_back_when_the_patient_had_cancelled() -> None:
    booked = a_booking()
    billing.start_paying(bill_id=booked.bill_id, by=SYSTEM, at=NOW)
    actions.cancel(number=booked.number, by=Actor("patient", 1), at=NOW)
    assert fresh(booked).bill.status == BillStatus.PAYING

    pay(booked.bill)
    confirm(booked)

    row = fresh(booked)
    assert (row.status, row.cancel_reason) == ("cancelled", CancelReason.USER)
    assert bills.balance(bill_id=row.bill_id).due_fen == 2500
    check(booked)


def test_a_cancelled_bookings_bill_is_given_up_once_its_payment_came_to_nothing() -> None:
    booked = a_booking()
    billing.start_paying(bill_id=booked.bill_id, by=SYSTEM, at=NOW)
    actions.cancel(number=booked.number, by=Actor("patient", 1), at=NOW)

    billing.stop_paying(bill_id=booked.bill_id, by=SYSTEM, at=LATE)
    assert not actions.release_unpaid_bill(bill_id=booked.bill_id, by=SYSTEM, at=LATE)

    assert fresh(booked).bill.status == BillStatus.CANCELLED


def test_m1_06_late_money_goes_back_from_a_suspended_session() -> None:
    schedule = a_released_schedule()
    booked = a_booking(schedule=schedule)
    release(booked)
    scheduling.suspend_schedule(schedule_id=schedule.pk, reason="病假", by=SYSTEM, at=LATE)

    pay(booked.bill, at=LATE)
    confirm(booked, LATE)

    assert fresh(booked).status == AppointmentStatus.CANCELLED
    check(booked)


def test_n02_reminds_once_when_five_minutes_are_left() -> None:
    booked = a_booking()
    paid = a_paid_booking()
    Message.objects.all().delete()

    assert actions.remind_unpaid(by=SYSTEM, at=HOLD_END - dt.timedelta(minutes=5, seconds=1)) == 0
    assert actions.remind_unpaid(by=SYSTEM, at=HOLD_END - dt.timedelta(minutes=5)) == 1
    assert actions.remind_unpaid(by=SYSTEM, at=HOLD_END - dt.timedelta(minutes=4)) == 0

    message = Message.objects.get()
    assert (message.kind, message.subject_id) == ("N02", booked.pk)
    assert message.fields == {
        "patient": message.patient.masked_name if message.patient else "",
        "department": "针灸推拿科",
        "doctor": "陈知行",
        "pay_before": "10:15",
        "amount": "¥25.00",
    }
    assert fresh(paid).reminded_at is None


def test_e1_the_numbers_of_those_who_did_not_pay_are_bookable_again() -> None:
    schedule = a_released_schedule(capacity=2, band_minutes=240)
    unpaid = [a_booking(schedule=schedule) for _ in range(2)]

    for appointment in unpaid:
        release(appointment)
    again = [a_booking(schedule=schedule, at=LATE) for _ in range(2)]

    assert {fresh(row).slot_id for row in again} == {row.slot_id for row in unpaid}
    assert Slot.objects.filter(status="held").count() == 2
    assert hospital_day(LATE) < schedule.visit_date
