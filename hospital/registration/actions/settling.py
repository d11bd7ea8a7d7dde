"""What money, or its absence, does to an appointment (M1.6): confirm, give up.

Locks: patient (only where another booking of the patient matters), bill, appointment, slot. Each
action reads again under its locks, so jobs may come late, twice, or in any order.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.states import PAID, BillStatus
from hospital.kernel import audit, events
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound, Refusal
from hospital.kernel.states import move
from hospital.live import actions as live
from hospital.patients import queries as patients
from hospital.registration import telling
from hospital.registration.actions.replacing import let_go, lock_replaced
from hospital.registration.models import Appointment
from hospital.registration.states import VOID, AppointmentStatus, CancelReason, Consent
from hospital.scheduling import actions as scheduling
from hospital.scheduling.actions import SlotTaken

if TYPE_CHECKING:
    from hospital.billing.models import Bill


class CannotCollect(Refusal):
    code = "CANNOT_COLLECT"
    default_message = "该预约不能取号。"


@transaction.atomic
def confirm(*, bill_id: int, by: Actor, at: dt.datetime) -> Appointment | None:
    """Book the appointment a settled bill paid for; None when the bill is for something else.

    Money that came after the hold ran out gets the same number again, or another of its band,
    else it goes back (M1.6): never both booked and refunded, never neither.
    """
    known = Appointment.objects.select_related("schedule").filter(bill_id=bill_id).first()
    if known is None:
        return None
    patients.lock_patient(patient_id=known.patient_id)
    bill = billing.lock_bill(bill_id=bill_id)
    appointment = lock(known.pk)
    # The money of one that was exchanged pays for the booking it was exchanged for.
    if bill.status not in PAID or appointment.successor_id is not None:
        return appointment
    if appointment.status == AppointmentStatus.PENDING:
        if appointment.replaces_id is not None and lock_replaced(appointment) is None:
            return _fail_exchange(appointment, by=by, at=at)
        seat(appointment, by=by, at=at)
    elif appointment.status in VOID and not _seat_again(appointment, by=by, at=at):
        billing.reverse_charges(bill_id=bill_id, reason="预约已取消，款项退回", by=by, at=at)
        return appointment
    # 替诊 while it was unpaid: there is somebody to tell, or a difference to give back (M1.9).
    is_other = appointment.practitioner_id != known.schedule.practitioner_id
    if (is_other or appointment.consent) and appointment.consent != Consent.ASKED:
        events.later("registration.jobs.settle_substitution_one", appointment_id=appointment.pk)
    return appointment


@transaction.atomic
def release_unpaid(
    *, appointment_id: int, is_left: bool = False, by: Actor, at: dt.datetime
) -> bool:
    """Give up an appointment whose hold ran out unpaid; True when it was given up.

    A bill being paid is left to payments, which asks WeChat and closes the order first; a paid
    one is left to `confirm`. Before the hold's end nothing happens but a new timer, unless whoever
    stood at a kiosk left it (`is_left`): who walked away needs no message about it.
    """
    known = Appointment.objects.filter(pk=appointment_id).first()
    if known is None:
        return False
    bill = billing.lock_bill(bill_id=known.bill_id)
    appointment = lock(known.pk)
    if bill.status != BillStatus.ISSUED:
        return False
    if bill.credit_guarantee and appointment.status not in VOID:
        return False  # owed until it is paid (M1.17)
    if appointment.status == AppointmentStatus.BOOKED:  # to be paid on arrival
        return give_up_uncollected(appointment_id=appointment_id, by=by, at=at)
    if appointment.status != AppointmentStatus.PENDING:
        billing.cancel_bill(bill_id=bill.pk, by=by, at=at)
        return False
    if at < appointment.hold_until and not is_left:
        events.later(
            "registration.jobs.release_unpaid",
            at=appointment.hold_until,
            appointment_id=appointment.pk,
        )
        return False
    billing.expire_bill(bill_id=bill.pk, by=by, at=at)
    move(
        appointment,
        AppointmentStatus.CANCELLED,
        by=by,
        at=at,
        cancel_reason=CancelReason.PAYMENT_TIMEOUT,
        cancelled_at=at,
    )
    reason = "没有付款就离开" if is_left else "超时未支付"
    scheduling.free_slot(slot_id=appointment.slot_id, reason=reason, by=by, at=at)
    if not is_left:
        telling.timed_out(appointment, by=by, at=at)
    publish(appointment)
    return True


@transaction.atomic
def give_up_uncollected(*, appointment_id: int, by: Actor, at: dt.datetime) -> bool:
    """Give a number that was to be paid on arrival to the walk-ins: nobody came for it by the
    start of its band and the minutes of grace (M1.13). True when it was given up.

    A bill being paid at this moment is left to what becomes of the payment.
    """
    known = Appointment.objects.filter(pk=appointment_id).first()
    if known is None:
        return False
    bill = billing.lock_bill(bill_id=known.bill_id)
    appointment = lock(known.pk)
    if bill.status != BillStatus.ISSUED or appointment.status != AppointmentStatus.BOOKED:
        return False
    if at < appointment.hold_until:
        return False
    billing.expire_bill(bill_id=bill.pk, by=by, at=at)
    move(
        appointment,
        AppointmentStatus.CANCELLED,
        by=by,
        at=at,
        cancel_reason=CancelReason.NOT_COLLECTED,
        cancelled_at=at,
    )
    # At once, not after a random wait: the walk-ins stand at the window.
    scheduling.free_slot(
        slot_id=appointment.slot_id, wait=True, delay=False, reason="未按时取号", by=by, at=at
    )
    telling.timed_out(appointment, by=by, at=at)
    publish(appointment)
    return True


@transaction.atomic
def collect(*, number: str, by: Actor, at: dt.datetime) -> Appointment:
    """取号: the patient is here and has shown who it is; what is owed is paid first (H3.2).

    Collecting twice keeps the first moment. An emergency owes it until later (M1.17): its booking
    is given out as it is, also after the treatment has begun. Raises NotFound, CannotCollect.
    """
    known = Appointment.objects.filter(number=number).first()
    if known is None:
        raise NotFound("没有找到这个预约。")
    bill = billing.lock_bill(bill_id=known.bill_id)
    appointment = lock(known.pk)
    if _is_guaranteed(appointment, bill):
        return appointment
    if appointment.status not in (AppointmentStatus.BOOKED, AppointmentStatus.CHECKED_IN):
        raise CannotCollect(f"该预约{AppointmentStatus(appointment.status).label}，不能取号。")
    if bill.status not in PAID:
        raise CannotCollect("该预约还没有支付，请先收费再取号。")
    if appointment.collected_at is None:
        Appointment.objects.filter(pk=appointment.pk).update(collected_at=at)
        appointment.collected_at = at
        audit.record(act="registration.collect", subject=appointment, by=by, at=at)
        publish(appointment)
    return appointment


def release_unpaid_bill(*, bill_id: int, by: Actor, at: dt.datetime) -> bool:
    """`release_unpaid` for a bill whose payment came to nothing."""
    known = Appointment.objects.filter(bill_id=bill_id).first()
    return known is not None and release_unpaid(appointment_id=known.pk, by=by, at=at)


def seat(
    appointment: Appointment, *, tells: bool = True, by: Actor, at: dt.datetime
) -> Appointment:
    """Turn a held, paid appointment into a booked one and tell the patient (N01). What it takes
    the place of is let go first: nobody has two bookings for one."""
    if appointment.replaces_id is not None and (old := lock_replaced(appointment)) is not None:
        let_go(old, appointment, by=by, at=at)
    scheduling.book_slot(slot_id=appointment.slot_id, by=by, at=at)
    move(appointment, AppointmentStatus.BOOKED, by=by, at=at, booked_at=at)
    if tells:
        telling.booked(appointment, by=by, at=at)
    publish(appointment)
    return appointment


def lock(appointment_id: int) -> Appointment:
    """The appointment, locked to the end of the caller's transaction."""
    return Appointment.objects.select_for_update(no_key=True).get(pk=appointment_id)


def publish(appointment: Appointment) -> None:
    live.publish(f"appointment:{appointment.pk}")


def _fail_exchange(appointment: Appointment, *, by: Actor, at: dt.datetime) -> Appointment:
    """The difference was paid, but the booking it was paid beside is gone: it goes back."""
    reason = "原预约已取消，改约作废"
    billing.reverse_charges(bill_id=appointment.bill_id, reason=reason, by=by, at=at)
    move(
        appointment,
        AppointmentStatus.CANCELLED,
        by=by,
        at=at,
        reason=reason,
        cancel_reason=CancelReason.STAFF,
        cancel_note=reason,
        cancelled_at=at,
    )
    scheduling.free_slot(slot_id=appointment.slot_id, reason=reason, by=by, at=at)
    telling.cancelled(appointment, refund_fen=appointment.bill.total_fen, by=by, at=at)
    publish(appointment)
    return appointment


def _seat_again(appointment: Appointment, *, by: Actor, at: dt.datetime) -> bool:
    """Book an appointment given up for want of payment that came after all; False if it cannot.

    It cannot when its charges are on their way back, when the patient has booked the session or
    the department's day otherwise since, or when the band has no number left.
    """
    if appointment.cancel_reason != CancelReason.PAYMENT_TIMEOUT:
        return False
    if appointment.replaces_id is not None:  # the booking it was to replace still stands
        return False
    if bills.is_reversed(bill_id=appointment.bill_id) or _booked_otherwise(appointment):
        return False
    band_id = appointment.slot.band_id
    try:
        slot = scheduling.hold_slot(
            schedule_id=appointment.schedule_id,
            band_id=band_id,
            prefer_slot_id=appointment.slot_id,
            until=at,
            by=by,
            at=at,
        )
    except SlotTaken:  # the rule's other branch, not an error: the money goes back
        return False
    scheduling.book_slot(slot_id=slot.pk, by=by, at=at)
    move(
        appointment,
        AppointmentStatus.BOOKED,
        by=by,
        at=at,
        reason="超时后到账，重新入号",
        slot_id=slot.pk,
        booked_at=at,
        cancelled_at=None,
        cancel_reason=CancelReason.NONE,
    )
    telling.booked(appointment, by=by, at=at)
    publish(appointment)
    return True


def _is_guaranteed(appointment: Appointment, bill: Bill) -> bool:
    """An emergency that is here, and owes its fee or is already being treated."""
    is_treated = appointment.status == AppointmentStatus.FULFILLED
    is_owed = appointment.status == AppointmentStatus.CHECKED_IN and bill.status not in PAID
    return bill.credit_guarantee and (is_owed or is_treated)


def _booked_otherwise(appointment: Appointment) -> bool:
    others = Appointment.objects.filter(
        patient_id=appointment.patient_id,
        department_id=appointment.department_id,
        visit_date=appointment.visit_date,
    )
    return others.exclude(status__in=VOID).exists()
