"""The day of the visit (SM3): checked in, seen, stayed away, left unseen, and corrected afterwards.

Locks: patient (where incidents are counted), bill, appointment, slot. The sweeps read each row
again under its locks, so they may come late, twice, or in any order.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Q, QuerySet

from hospital.billing import actions as billing
from hospital.billing.states import PAID
from hospital.kernel import audit, clock
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.kernel.states import move
from hospital.patients import queries as patients
from hospital.registration import incidents, telling, thresholds
from hospital.registration.actions.restrictions import recount
from hospital.registration.actions.settling import lock, publish
from hospital.registration.models import Appointment
from hospital.registration.money import take_all_back
from hospital.registration.states import (
    AppointmentStatus,
    BookingKind,
    CancelReason,
    Consent,
    RestrictionCause,
)
from hospital.scheduling import actions as scheduling
from hospital.scheduling.states import ScheduleStatus, SlotStatus

if TYPE_CHECKING:
    from hospital.billing.models import Bill

_SWEPT_AT_MOST: Final = 500
#: Sessions older than this were swept long ago, whatever stood still meanwhile.
_LOOKED_BACK: Final = dt.timedelta(days=31)
_CLAIMED: Final = (AppointmentStatus.BOOKED, AppointmentStatus.CHECKED_IN)


class CannotCheckIn(Refusal):
    code = "CANNOT_CHECK_IN"
    default_message = "该预约现在不能签到。"


class CannotBegin(Refusal):
    code = "CANNOT_BEGIN"
    default_message = "该预约现在不能开始就诊。"


class NothingToCorrect(Refusal):
    code = "NOTHING_TO_CORRECT"
    default_message = "该预约没有可更正的爽约或未就诊记录。"


@transaction.atomic
def check_in(*, number: str, by: Actor, at: dt.datetime) -> Appointment:
    """签到: the patient is here, on the day, and has paid. The first one begins the session (SM1).

    Checking in twice is checking in once. Raises NotFound, CannotCheckIn.
    """
    appointment, bill = _locked(number)
    if appointment.status == AppointmentStatus.CHECKED_IN:
        return appointment
    if appointment.status != AppointmentStatus.BOOKED:
        label = AppointmentStatus(appointment.status).label
        raise CannotCheckIn(f"该预约{label}，不能签到。")
    if clock.hospital_day(at) < appointment.visit_date:
        day = appointment.visit_date
        raise CannotCheckIn(f"就诊日期是 {day.month}月{day.day}日，请在当天签到。")
    schedule = appointment.schedule
    if schedule.status == ScheduleStatus.SUSPENDED:
        raise CannotCheckIn("本次出诊已停诊，不能签到。")
    if at >= schedule.ends_at:
        raise CannotCheckIn("本次出诊已经结束，请到门诊办公室处理。")
    _check_paid(bill, CannotCheckIn)
    if not scheduling.begin_session(schedule_id=schedule.pk, by=by, at=at):
        raise CannotCheckIn("本次出诊没有在进行，请到门诊办公室处理。")
    move(appointment, AppointmentStatus.CHECKED_IN, by=by, at=at, checked_in_at=at)
    publish(appointment)
    return appointment


@transaction.atomic
def undo_check_in(*, number: str, reason: str, by: Actor, at: dt.datetime) -> Appointment:
    """Take a check-in back, before the patient is called (SM3). Raises NotFound, CannotCheckIn;
    Invalid without a reason."""
    if not reason.strip():
        raise Invalid({"reason": ["请写明撤销签到的原因。"]})
    appointment, _ = _locked(number)
    if appointment.status != AppointmentStatus.CHECKED_IN:
        raise CannotCheckIn("该预约没有签到，或已经开始就诊。")
    if appointment.booking_kind == BookingKind.EMERGENCY:
        raise CannotCheckIn("急诊登记时患者已在院，不能撤销签到；登记有误请退号。")
    move(
        appointment,
        AppointmentStatus.BOOKED,
        by=by,
        at=at,
        reason=reason.strip()[:100],
        checked_in_at=None,
    )
    publish(appointment)
    return appointment


@transaction.atomic
def start_visit(*, number: str, by: Actor, at: dt.datetime) -> Appointment:
    """The encounter begins: the number is used up, and nothing is refunded any more (SM2, SM3).

    Whom the doctor sees without a check-in has checked in by that. Beginning twice is beginning
    once. Raises NotFound, CannotBegin.
    """
    appointment, bill = _locked(number)
    if appointment.status == AppointmentStatus.FULFILLED:
        return appointment
    if appointment.status not in _CLAIMED:
        label = AppointmentStatus(appointment.status).label
        raise CannotBegin(f"该预约{label}，不能开始就诊。")
    if clock.hospital_day(at) < appointment.visit_date:
        raise CannotBegin("还没有到就诊日期。")
    _check_paid(bill, CannotBegin)
    if appointment.status == AppointmentStatus.BOOKED:
        move(appointment, AppointmentStatus.CHECKED_IN, by=by, at=at, checked_in_at=at)
        scheduling.begin_session(schedule_id=appointment.schedule_id, by=by, at=at)
    move(appointment, AppointmentStatus.FULFILLED, by=by, at=at)
    if appointment.slot.status == SlotStatus.BOOKED:  # a no-show corrected has lost its number
        scheduling.consume_slot(slot_id=appointment.slot_id, by=by, at=at)
    publish(appointment)
    return appointment


def visits_to_end(*, at: dt.datetime) -> list[int]:
    """The bookings whose time is over without a visit: not checked in half an hour after the
    session's end, also while it stays open for others; or checked in and not seen when it was
    closed (M1.10, SM3)."""
    return list(_over(at).order_by("pk").values_list("pk", flat=True)[:_SWEPT_AT_MOST])


@transaction.atomic
def end_visit(*, appointment_id: int, by: Actor, at: dt.datetime) -> bool:
    """Mark one booking as missed, number forfeited and patient told (N13), or as left unseen,
    which is no no-show; False when neither is so (any more)."""
    known = _over(at).filter(pk=appointment_id).first()
    if known is None:
        return False
    patients.lock_patient(patient_id=known.patient_id)
    bill = billing.lock_bill(bill_id=known.bill_id)
    appointment = lock(appointment_id)
    if appointment.status == AppointmentStatus.CHECKED_IN:
        move(appointment, AppointmentStatus.LEFT_UNSEEN, by=by, at=at)
        publish(appointment)
        return True
    if appointment.status != AppointmentStatus.BOOKED or bill.status not in PAID:
        return False  # unpaid ones are given up, not missed
    move(appointment, AppointmentStatus.NOSHOW, by=by, at=at)
    scheduling.forfeit_slot(slot_id=appointment.slot_id, by=by, at=at)
    count, consequence = _what_follows(appointment)
    telling.stayed_away(appointment, count=count, consequence=consequence, by=by, at=at)
    recount(patient_id=appointment.patient_id, by=by, at=at)
    publish(appointment)
    return True


@transaction.atomic
def correct_noshow(
    *, number: str, was_there: bool, reason: str, by: Actor, at: dt.datetime
) -> Appointment:
    """It was no no-show (SM3): the patient was there, and the booking stands; or could not come,
    and it is cancelled with the money given back. Restrictions are counted anew.

    The number stays forfeited: its turn is over. Raises NotFound, NothingToCorrect; Invalid
    without a reason.
    """
    note = reason.strip()[:100]
    if not note:
        raise Invalid({"reason": ["请写明更正的原因。"]})
    known = _known(number)
    patients.lock_patient(patient_id=known.patient_id)
    billing.lock_bill(bill_id=known.bill_id)
    appointment = lock(known.pk)
    if appointment.status != AppointmentStatus.NOSHOW:
        raise NothingToCorrect
    if was_there:
        move(appointment, AppointmentStatus.BOOKED, by=by, at=at, reason=note)
    else:
        _cancel(appointment, note, by=by, at=at)
    audit.record(
        act="registration.correct_noshow",
        subject=appointment,
        by=by,
        at=at,
        before={"status": AppointmentStatus.NOSHOW.label},
        after={"status": AppointmentStatus(appointment.status).label},
        reason=note,
    )
    recount(patient_id=appointment.patient_id, by=by, at=at)
    publish(appointment)
    return appointment


@transaction.atomic
def refund_unseen(*, number: str, reason: str, by: Actor, at: dt.datetime) -> Appointment:
    """Give the money back to somebody who had checked in and was never seen (SM3).

    Raises NotFound, NothingToCorrect; Invalid without a reason.
    """
    note = reason.strip()[:100]
    if not note:
        raise Invalid({"reason": ["请写明退号的原因。"]})
    appointment, _ = _locked(number)
    if appointment.status != AppointmentStatus.LEFT_UNSEEN:
        raise NothingToCorrect
    _cancel(appointment, note, by=by, at=at)
    if appointment.slot.status == SlotStatus.BOOKED:
        scheduling.free_slot(
            slot_id=appointment.slot_id, wait=True, delay=False, reason=note, by=by, at=at
        )
    audit.record(act="registration.refund_unseen", subject=appointment, by=by, at=at, reason=note)
    publish(appointment)
    return appointment


def _over(at: dt.datetime) -> QuerySet[Appointment]:
    today = clock.hospital_day(at)
    # Who never agreed to a substitute is called off, however late that is noticed (M1.9).
    missed = Q(status=AppointmentStatus.BOOKED, slot__status=SlotStatus.BOOKED) & ~Q(
        consent=Consent.ASKED
    )
    missed &= Q(schedule__ends_at__lte=at - dt.timedelta(minutes=thresholds.NOSHOW_MINUTES.value()))
    unseen = Q(status=AppointmentStatus.CHECKED_IN, schedule__status=ScheduleStatus.CLOSED)
    return Appointment.objects.filter(
        missed | unseen, schedule__visit_date__range=(today - _LOOKED_BACK, today)
    ).exclude(schedule__status=ScheduleStatus.SUSPENDED)  # those are given back (M1.8)


def _cancel(appointment: Appointment, reason: str, *, by: Actor, at: dt.datetime) -> None:
    """Cancelled by the house, under the locks: what was paid goes back, the patient is told."""
    move(
        appointment,
        AppointmentStatus.CANCELLED,
        by=by,
        at=at,
        reason=reason,
        cancel_reason=CancelReason.STAFF,
        cancelled_at=at,
    )
    refund_fen = take_all_back(appointment, reason=reason, by=by, at=at)
    telling.cancelled(appointment, refund_fen=refund_fen, by=by, at=at)


def _what_follows(appointment: Appointment) -> tuple[int, str]:
    """How many no-shows there are with this one, and what that means (N13)."""
    limit = incidents.limit_of(RestrictionCause.NOSHOW)
    end = appointment.schedule.ends_at
    missed = Appointment.objects.filter(
        patient_id=appointment.patient_id, status=AppointmentStatus.NOSHOW
    )
    moments = missed.values_list("schedule__ends_at", flat=True)
    count = incidents.count_to(moments, end, limit)
    days = limit.lasting.days
    if count >= limit.most:
        return count, f"暂停线上预约{days}天"
    return count, f"满{limit.most}次暂停线上预约{days}天"


def _check_paid(bill: Bill, refusal: type[Refusal]) -> None:
    if bill.status not in PAID and not bill.credit_guarantee:
        raise refusal("该预约还没有支付，请先缴费。")


def _known(number: str) -> Appointment:
    found = Appointment.objects.filter(number=number).first()
    if found is None:
        raise NotFound("没有找到这个预约。")
    return found


def _locked(number: str) -> tuple[Appointment, Bill]:
    known = _known(number)
    bill = billing.lock_bill(bill_id=known.bill_id)
    return lock(known.pk), bill
