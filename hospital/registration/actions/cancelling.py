"""Cancelling: by the patient within M1.7's times, and by staff.

Whatever was paid goes back to the paying account, whoever cancels.
"""

import datetime as dt
from typing import Final

from django.db import transaction

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.catalogue.queries import NoFee
from hospital.kernel import audit, events
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound
from hospital.kernel.states import move
from hospital.registration import rules, telling
from hospital.registration.actions.numbers import give_number_back
from hospital.registration.actions.settling import lock, publish
from hospital.registration.models import Appointment
from hospital.registration.money import bills_of, standing_of, take_all_back
from hospital.registration.states import LIVE, AppointmentStatus, CancelReason
from hospital.scheduling import queries as sessions

_WHY_NOT: Final = {
    AppointmentStatus.CHECKED_IN: "患者已签到，退号须写明原因，按“签到后退号”办理。",
    AppointmentStatus.FULFILLED: "已经开始就诊，不能退号退费。",
    AppointmentStatus.CANCELLED: "该预约已经取消，不用再退。",
}


@transaction.atomic
def cancel(*, number: str, by: Actor, at: dt.datetime, reason: str = "") -> Appointment:
    """Cancel an appointment by its number; whether it is this person's is the page's question.

    A patient, and an outside platform for one, is bound to M1.7's times; staff cancel until the
    patient has checked in, which locks no doctor's day and counts for nothing. Raises NotFound,
    CannotCancel, CancelTooLate.
    """
    appointment = _locked(number)
    is_late = False
    is_own_wish = by.kind in ("patient", "partner")
    if is_own_wish and not may_go_freely(appointment):
        is_late = rules.check_cancel(
            status=appointment.status,
            visit_date=appointment.visit_date,
            band_starts_at=appointment.slot.band.starts_at,
            at=at,
        )
    elif appointment.status not in (AppointmentStatus.PENDING, AppointmentStatus.BOOKED):
        raise _cannot(appointment.status)
    return undo(
        appointment,
        CancelReason.USER if is_own_wish else CancelReason.STAFF,
        is_late=is_late,
        reason=reason or ("患者退号" if is_own_wish else "医院代退"),
        by=by,
        at=at,
    )


@transaction.atomic
def cancel_after_check_in(*, number: str, reason: str, by: Actor, at: dt.datetime) -> Appointment:
    """退号 after the patient has checked in, approved by staff with a reason: full refund, and no
    late cancellation (M1.7). Once the visit has begun there is none.

    Raises NotFound, CannotCancel, Invalid without a reason.
    """
    why = reason.strip()[:100]
    if not why:
        raise Invalid({"reason": ["请写明退号原因。"]})
    appointment = _locked(number)
    if appointment.status != AppointmentStatus.CHECKED_IN:
        raise _cannot(appointment.status)
    move(appointment, AppointmentStatus.BOOKED, by=by, at=at, reason="签到后退号")
    undo(appointment, CancelReason.STAFF, is_late=False, reason=why, by=by, at=at)
    audit.record(
        act="registration.cancel_after_check_in", subject=appointment, by=by, at=at, reason=why
    )
    return appointment


@transaction.atomic
def cancel_refunded(*, bill_id: int, by: Actor, at: dt.datetime) -> bool:
    """Give the number back when the desk has refunded everything it was paid with: nobody keeps a
    place and the money both (M1.6). False when there is nothing to give back; a visit that began
    keeps its appointment."""
    known = Appointment.objects.filter(bill_id=bill_id).first()
    while known is not None and known.successor_id is not None:
        known = Appointment.objects.get(pk=known.successor_id)
    if known is None:
        return False
    billing.lock_bill(bill_id=known.bill_id)
    appointment = lock(known.pk)
    if appointment.status not in LIVE or not _is_refunded(appointment):
        return False
    refunded_fen = sum(bills.bill(bill_id=one).total_fen for one in bills_of(appointment))
    reason = "费用已全部退回"
    if appointment.status == AppointmentStatus.CHECKED_IN:
        move(appointment, AppointmentStatus.BOOKED, by=by, at=at, reason=reason)
    undo(
        appointment,
        CancelReason.USER,
        is_late=False,
        reason=reason,
        refunded_fen=refunded_fen,
        by=by,
        at=at,
    )
    return True


def _is_refunded(appointment: Appointment) -> bool:
    """Whether all it was paid with has been taken back, although it costs something."""
    if standing_of(appointment):
        return False
    found = sessions.facts_of(schedule_ids=[appointment.schedule_id])
    facts = found.get(appointment.schedule_id)
    try:
        return facts is not None and sessions.fee_of(facts).total_fen > 0
    except NoFee:  # its price is no longer in force: it cost what was paid
        return True


def may_go_freely(appointment: Appointment) -> bool:
    """Another doctor than the one booked gives the right to cancel at any time (M1.9)."""
    return bool(appointment.consent) and appointment.status == AppointmentStatus.BOOKED


def _cannot(status: str) -> rules.CannotCancel:
    return rules.CannotCancel(_WHY_NOT.get(AppointmentStatus(status), ""))


def _locked(number: str) -> Appointment:
    """The booking under the locks on its bill and itself. Raises NotFound."""
    known = Appointment.objects.select_related("slot__band").filter(number=number).first()
    if known is None:
        raise NotFound("没有找到这个预约。")
    billing.lock_bill(bill_id=known.bill_id)
    appointment = lock(known.pk)
    if appointment.slot_id == known.slot_id:
        appointment.slot = known.slot
    return appointment


def undo(
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
        cancel_note=reason[:100],
    )
    give_number_back(appointment, wait=was_booked, reason=reason, by=by, at=at)
    refund_fen = refunded_fen + take_all_back(appointment, reason=reason, by=by, at=at)
    if why == CancelReason.HOSPITAL:
        telling.suspended(appointment, refund_fen=refund_fen, by=by, at=at)
    elif was_booked:
        telling.cancelled(appointment, refund_fen=refund_fen, by=by, at=at)
    for pending in appointment.exchanges.filter(status=AppointmentStatus.PENDING):
        events.later("registration.jobs.drop_exchange", appointment_id=pending.pk)
    if is_late:
        events.later("registration.jobs.recount_restrictions", patient_id=appointment.patient_id)
    publish(appointment)
    return appointment
