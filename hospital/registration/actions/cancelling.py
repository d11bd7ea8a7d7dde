"""Cancelling: by the patient within M1.7's times, by staff, and by a suspended session (M1.8).

Whatever was paid goes back to the paying account, whoever cancels.
"""

import datetime as dt

from django.db import transaction

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.states import PAID
from hospital.kernel import events
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound
from hospital.kernel.states import move
from hospital.registration import rules, telling
from hospital.registration.actions.settling import lock, publish
from hospital.registration.models import Appointment
from hospital.registration.states import LIVE, AppointmentStatus, CancelReason
from hospital.scheduling import actions as scheduling


@transaction.atomic
def cancel(*, number: str, by: Actor, at: dt.datetime, reason: str = "") -> Appointment:
    """Cancel an appointment by its number; whether it is this person's is the page's question.

    A patient, and an outside platform for one, is bound to M1.7's times; staff cancel until the
    patient has checked in. Raises
    NotFound, CannotCancel, CancelTooLate.
    """
    known = Appointment.objects.select_related("slot__band").filter(number=number).first()
    if known is None:
        raise NotFound("没有找到这个预约。")
    billing.lock_bill(bill_id=known.bill_id)
    appointment = lock(known.pk)
    is_late = False
    if by.kind in ("patient", "partner"):
        is_late = rules.check_cancel(
            status=appointment.status,
            visit_date=appointment.visit_date,
            band_starts_at=known.slot.band.starts_at,
            at=at,
        )
    elif appointment.status not in (AppointmentStatus.PENDING, AppointmentStatus.BOOKED):
        raise rules.CannotCancel
    return _undo(
        appointment, CancelReason.USER, is_late=is_late, reason=reason or "患者退号", by=by, at=at
    )


def cancel_suspended(*, schedule_id: int) -> int:
    """Defer the undoing of every booking of a suspended session, each in its own job (M1.8).

    Returns how many there are; asking twice undoes nothing twice.
    """
    found = Appointment.objects.filter(schedule_id=schedule_id, status__in=LIVE)
    with transaction.atomic():
        ids = list(found.order_by("pk").values_list("pk", flat=True))
        for appointment_id in ids:
            events.later("registration.jobs.cancel_suspended_one", appointment_id=appointment_id)
    return len(ids)


@transaction.atomic
def cancel_suspended_one(*, appointment_id: int, by: Actor, at: dt.datetime) -> bool:
    """Undo one booking of a suspended session with a full refund; False when there is nothing.

    Not the patient's doing: it counts for no limit and is no late cancellation.
    """
    known = Appointment.objects.filter(pk=appointment_id).first()
    if known is None:
        return False
    billing.lock_bill(bill_id=known.bill_id)
    appointment = lock(known.pk)
    if appointment.status == AppointmentStatus.CHECKED_IN:
        move(appointment, AppointmentStatus.BOOKED, by=by, at=at, reason="停诊")
    if appointment.status not in (AppointmentStatus.PENDING, AppointmentStatus.BOOKED):
        return False
    _undo(appointment, CancelReason.HOSPITAL, is_late=False, reason="停诊", by=by, at=at)
    return True


@transaction.atomic
def cancel_refunded(*, bill_id: int, by: Actor, at: dt.datetime) -> bool:
    """Give the number back when the desk has refunded everything it was paid with: nobody keeps a
    place and the money both (M1.6). False when there is nothing to give back; a visit that began
    keeps its appointment."""
    known = Appointment.objects.filter(bill_id=bill_id).first()
    if known is None:
        return False
    bill = billing.lock_bill(bill_id=bill_id)
    appointment = lock(known.pk)
    if appointment.status not in LIVE or not bills.is_wholly_reversed(bill_id=bill_id):
        return False
    reason = "费用已全部退回"
    if appointment.status == AppointmentStatus.CHECKED_IN:
        move(appointment, AppointmentStatus.BOOKED, by=by, at=at, reason=reason)
    _undo(
        appointment,
        CancelReason.USER,
        is_late=False,
        reason=reason,
        refunded_fen=bill.total_fen,
        by=by,
        at=at,
    )
    return True


def _undo(
    appointment: Appointment,
    why: CancelReason,
    *,
    is_late: bool,
    reason: str,
    refunded_fen: int = 0,
    by: Actor,
    at: dt.datetime,
) -> Appointment:
    """Cancel under the locks on bill and appointment: number back, money back, patient told.

    A payment under way is ended at WeChat behind this; should its money arrive all the same,
    `confirm` returns it.
    """
    was_booked = appointment.status == AppointmentStatus.BOOKED
    move(
        appointment,
        AppointmentStatus.CANCELLED,
        by=by,
        at=at,
        reason=reason,
        cancel_reason=why,
        cancelled_at=at,
        is_late_cancel=is_late,
    )
    scheduling.free_slot(slot_id=appointment.slot_id, wait=was_booked, reason=reason, by=by, at=at)
    refund_fen = refunded_fen
    if billing.lock_bill(bill_id=appointment.bill_id).status in PAID:
        refund_fen += billing.reverse_charges(
            bill_id=appointment.bill_id, reason=reason, by=by, at=at
        )
    else:
        billing.cancel_bill(bill_id=appointment.bill_id, by=by, at=at, reason=reason)
    if why == CancelReason.HOSPITAL:
        telling.suspended(appointment, refund_fen=refund_fen, by=by, at=at)
    elif was_booked:
        telling.cancelled(appointment, refund_fen=refund_fen, by=by, at=at)
    if is_late:
        events.later("registration.jobs.recount_restrictions", patient_id=appointment.patient_id)
    publish(appointment)
    return appointment
