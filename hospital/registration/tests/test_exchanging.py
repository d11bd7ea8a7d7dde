"""改约: the old booking stays until the new one stands; the difference is settled (SM3, H3.3)."""

import datetime as dt

import pytest
from django.db import connection

from hospital.billing import queries as bills
from hospital.billing.states import MoneyState
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.states import move
from hospital.messaging.models import Message
from hospital.registration import actions, queries, rules
from hospital.registration.actions import CannotExchange, ExchangeUnderWay
from hospital.registration.models import Appointment
from hospital.registration.money import standing_of
from hospital.registration.states import PaidWhen
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.states import Channel, Pool
from hospital.testing.bookings import a_booking, a_paid_booking, pay
from hospital.testing.jobs import due_jobs, run_jobs
from hospital.testing.organisation import a_department
from hospital.testing.people import a_patient
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, band_of, moment

pytestmark = pytest.mark.django_db
CLERK = Actor("staff", 1)


def sessions(*fees: int) -> list[Schedule]:
    """Sessions of one department on following days, at these fees."""
    department = a_department()
    return [
        a_released_schedule(
            department=department, fee_fen=fen, day=TOMORROW + dt.timedelta(days=number)
        )
        for number, fen in enumerate(fees)
    ]


def owner(row: Appointment) -> Actor:
    assert row.wechat_user_id is not None
    return Actor("patient", row.wechat_user_id)


def exchange(
    row: Appointment,
    to: Schedule,
    *,
    place: int = 0,
    key: str = "x1",
    by: Actor | None = None,
    at: dt.datetime = NOW,
    channel: Channel = Channel.WECHAT,
) -> Appointment:
    new = actions.exchange(
        number=row.number,
        schedule_id=to.pk,
        band_id=band_of(to, place).pk,
        key=key,
        channel=channel,
        by=by or owner(row),
        at=at,
    )
    connection.check_constraints()
    return fresh(new)


def fresh(row: Appointment) -> Appointment:
    return Appointment.objects.select_related("slot", "bill").get(pk=row.pk)


def balance(row: Appointment) -> tuple[int, int, int]:
    found = bills.balance(bill_id=row.bill_id)
    return found.cash_fen, found.revenue_fen, found.due_fen


def nothing_changed(row: Appointment, before: tuple[int, int]) -> None:
    again = fresh(row)
    assert (again.status, again.slot.status, again.successor_id) == ("booked", "booked", None)
    assert (Appointment.objects.count(), Message.objects.count()) == before
    assert not bills.is_reversed(bill_id=row.bill_id)


def counts() -> tuple[int, int]:
    return Appointment.objects.count(), Message.objects.count()


def test_sm3_for_the_same_fee_the_new_booking_stands_at_once_and_the_old_one_has_a_successor() -> (
    None
):
    first, second = sessions(2500, 2500)
    old = a_paid_booking(schedule=first)

    new = exchange(old, second)
    again = exchange(old, second)

    assert again.pk == new.pk
    old = fresh(old)
    assert (new.status, new.slot.status, new.replaces_id) == ("booked", "booked", old.pk)
    assert (old.status, old.cancel_reason, old.is_late_cancel) == (
        "cancelled",
        "rescheduled",
        False,
    )
    assert (old.successor_id, old.slot.status) == (new.pk, "reclaim_wait")
    # What was paid stays with the first bill; the second asked for nothing.
    assert (balance(old), new.bill.total_fen, new.bill.status) == ((2500, 2500, 0), 0, "settled")
    kinds = Message.objects.order_by("pk").values_list("kind", "subject_id")
    assert list(kinds) == [("N01", old.pk), ("N01", new.pk)]


def test_h3_03_a_cheaper_one_gives_the_difference_back_to_who_paid() -> None:
    first, second = sessions(2500, 1800)
    old = a_paid_booking(schedule=first)

    new = exchange(old, second)

    assert new.status == "booked"
    assert balance(old) == (2500, 1800, 700)
    assert run_jobs(only="registration.") == []
    assert fresh(new).status == "booked"


def test_h3_03_a_dearer_one_waits_for_the_difference_and_the_old_one_stays_till_then() -> None:
    first, second = sessions(2500, 4000)
    old = a_paid_booking(schedule=first)

    new = exchange(old, second)

    assert (new.status, new.slot.status, new.bill.total_fen) == ("pending", "held", 1500)
    assert (fresh(old).status, fresh(old).slot.status) == ("booked", "booked")
    with pytest.raises(ExchangeUnderWay) as refusal:
        exchange(old, second, place=1, key="x2")
    assert refusal.value.details["number"] == new.number

    pay(new.bill)
    actions.confirm(bill_id=new.bill_id, by=SYSTEM, at=NOW)
    actions.confirm(bill_id=new.bill_id, by=SYSTEM, at=NOW)

    connection.check_constraints()
    assert (fresh(new).status, fresh(old).cancel_reason) == ("booked", "rescheduled")
    assert (balance(old), balance(new)) == ((2500, 2500, 0), (1500, 1500, 0))


def test_m1_07_what_was_exchanged_twice_goes_back_whole_each_part_the_way_it_came() -> None:
    first, second, third = sessions(2500, 4000, 3000)
    one = a_paid_booking(schedule=first)
    two = exchange(one, second)
    pay(two.bill)
    actions.confirm(bill_id=two.bill_id, by=SYSTEM, at=NOW)
    three = exchange(two, third, key="x2")
    assert (balance(one), balance(two)) == ((2500, 2500, 0), (1500, 500, 1000))
    Message.objects.all().delete()

    actions.cancel(number=three.number, by=owner(three), at=NOW)

    connection.check_constraints()
    assert (balance(one), balance(two), balance(three)) == (
        (2500, 0, 2500),
        (1500, 0, 1500),
        (0, 0, 0),
    )
    assert Message.objects.get().fields["refund"] == "¥30.00"
    assert run_jobs(only="registration.") == []


def test_m1_06_an_unpaid_difference_leaves_the_old_booking_as_it_was() -> None:
    first, second = sessions(2500, 4000)
    old = a_paid_booking(schedule=first)
    new = exchange(old, second)
    late = NOW + dt.timedelta(minutes=16)

    assert actions.release_unpaid(appointment_id=new.pk, by=SYSTEM, at=late)
    pay(new.bill, at=late)
    actions.confirm(bill_id=new.bill_id, by=SYSTEM, at=late)

    connection.check_constraints()
    assert (fresh(new).status, fresh(new).cancel_reason) == ("cancelled", "payment_timeout")
    assert (fresh(old).status, balance(old)) == ("booked", (2500, 2500, 0))
    assert balance(new) == (1500, 0, 1500)
    told = Message.objects.get(kind="N03")
    assert told.fields["reason"] == "超时未支付，原预约保留"


def test_an_old_booking_given_up_meanwhile_takes_the_exchange_with_it() -> None:
    first, second = sessions(2500, 4000)
    old = a_paid_booking(schedule=first)
    new = exchange(old, second)

    actions.cancel(number=old.number, by=owner(old), at=NOW)
    pay(new.bill)  # at this very moment
    actions.confirm(bill_id=new.bill_id, by=SYSTEM, at=NOW)
    assert "registration.jobs.drop_exchange" in due_jobs()
    assert not actions.drop_exchange(appointment_id=new.pk, by=SYSTEM, at=NOW)

    connection.check_constraints()
    assert (fresh(new).status, fresh(new).slot.status) == ("cancelled", "free")
    assert (balance(old), balance(new)) == ((2500, 0, 2500), (1500, 0, 1500))


def test_an_unpaid_exchange_falls_with_the_booking_it_began_with() -> None:
    first, second = sessions(2500, 4000)
    old = a_paid_booking(schedule=first)
    new = exchange(old, second)
    actions.cancel(number=old.number, by=owner(old), at=NOW)

    assert actions.drop_exchange(appointment_id=new.pk, by=SYSTEM, at=NOW)

    assert (fresh(new).status, fresh(new).slot.status) == ("cancelled", "free")
    assert fresh(new).bill.status == "cancelled"


def test_m1_04_limits_see_an_exchange_as_one_booking() -> None:
    """The same session, department, doctor and day: only another hour."""
    (session,) = sessions(2500)
    old = a_paid_booking(schedule=session)

    new = exchange(old, session, place=2)

    assert (fresh(old).cancel_reason, new.status) == ("rescheduled", "booked")
    with pytest.raises(rules.Duplicate):
        a_booking(patient=old.patient, schedule=session, band=band_of(session, 1))


def test_m1_07_patients_exchange_within_the_times_of_cancelling_and_staff_until_check_in() -> None:
    first, second = sessions(2500, 2500)
    old = a_paid_booking(schedule=first)
    before = counts()
    with pytest.raises(rules.CancelTooLate):
        exchange(old, second, at=moment(TOMORROW, 7, 31))
    nothing_changed(old, before)

    new = exchange(old, second, by=CLERK, at=moment(TOMORROW, 7, 45))

    assert (new.wechat_user_id, new.made_by) == (old.wechat_user_id, "staff:1")
    assert not fresh(old).is_late_cancel


def test_m1_07_a_day_given_up_on_that_day_counts_as_late_another_hour_does_not() -> None:
    first, second = sessions(2500, 2500)
    at = moment(TOMORROW, 6)
    same_day = a_paid_booking(schedule=first)
    other_day = a_paid_booking(schedule=first)

    exchange(same_day, first, place=2, at=at)
    exchange(other_day, second, at=at, key="x2")

    assert not fresh(same_day).is_late_cancel
    assert fresh(other_day).is_late_cancel
    assert "registration.jobs.recount_restrictions" in due_jobs()


def test_what_cannot_be_exchanged_stays_as_it_is() -> None:
    first, second = sessions(2500, 2500)
    paid = a_paid_booking(schedule=first)
    before = counts()
    stranger = Actor("patient", a_booking(schedule=first).wechat_user_id or 0)
    before = counts()

    with pytest.raises(rules.NotIdentified):
        exchange(paid, second, by=stranger)
    with pytest.raises(CannotExchange, match="原来的时段"):
        exchange(paid, first)
    nothing_changed(paid, before)
    pending = a_booking(schedule=second)
    with pytest.raises(CannotExchange, match="还没有支付"):
        exchange(pending, first, place=1)
    row = fresh(paid)
    move(row, "checked_in", by=SYSTEM, at=NOW)
    with pytest.raises(CannotExchange, match="已签到"):
        exchange(row, second, place=1)


def test_m1_13_one_to_be_paid_on_arrival_stays_so() -> None:
    department = a_department()
    first, second = (
        a_released_schedule(
            department=department,
            shares={Pool.WECHAT: 8, Pool.WINDOW: 8},
            day=TOMORROW + dt.timedelta(days=number),
        )
        for number in range(2)
    )
    old = actions.book(
        patient_id=a_patient(at=NOW).pk,
        schedule_id=first.pk,
        band_id=None,
        channel=Channel.WINDOW,
        paid_when=PaidWhen.ARRIVAL,
        key="arrival",
        by=CLERK,
        at=NOW,
    )

    new = exchange(old, second, by=CLERK, channel=Channel.WINDOW)

    assert (new.status, new.paid_when, new.bill.status) == ("booked", "arrival", "issued")
    assert (fresh(old).cancel_reason, fresh(old).bill.status) == ("rescheduled", "cancelled")
    assert new.bill.total_fen == 2500


def test_h3_03_what_was_never_paid_before_an_exchange_is_no_money_after_it() -> None:
    dear, cheap, other = sessions(4000, 2500, 2500)
    Slot.objects.update(pool=Pool.PUBLIC)
    booked = actions.book(
        patient_id=a_patient().pk,
        schedule_id=dear.pk,
        band_id=band_of(dear).pk,
        channel=Channel.PHONE,
        paid_when=PaidWhen.ARRIVAL,
        key="phone",
        by=CLERK,
        at=NOW,
    )
    new = exchange(booked, cheap, by=CLERK, channel=Channel.WINDOW)
    shown = queries.appointment(number=new.number, at=NOW)
    assert (shown.money, shown.total_fen) == (MoneyState.UNPAID, new.bill.total_fen)
    pay(new.bill)

    last = exchange(new, other, key="x2", by=CLERK, channel=Channel.WINDOW)

    assert (standing_of(last), bills.refund_due_fen(bill_id=new.bill_id)) == (2500, 0)
