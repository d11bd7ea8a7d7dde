"""登记有误: what was never meant, for the wrong patient or doctor, is declared void (SM3).

Locks: patient (where no-shows are counted), bills, appointment, slot.
"""

import datetime as dt
from typing import Final

from django.db import transaction

from hospital.billing import actions as billing
from hospital.kernel import audit, events
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.kernel.states import move
from hospital.patients import queries as patients
from hospital.registration import telling
from hospital.registration.actions.numbers import give_number_back
from hospital.registration.actions.restrictions import recount
from hospital.registration.actions.settling import lock, publish
from hospital.registration.models import Appointment
from hospital.registration.money import take_all_back
from hospital.registration.states import VOIDABLE, AppointmentStatus

_WHY_NOT: Final = {
    AppointmentStatus.FULFILLED: "已经开始就诊，不能按登记有误作废。",
    AppointmentStatus.CANCELLED: "该预约已经取消，不用再作废。",
    AppointmentStatus.ENTERED_IN_ERROR: "该预约已经按登记有误作废。",
}


class CannotVoid(Refusal):
    code = "CANNOT_VOID"
    default_message = "该预约不能按登记有误作废。"


@transaction.atomic
def enter_in_error(*, number: str, reason: str, by: Actor, at: dt.datetime) -> Appointment:
    """Declare a booking void before the visit has begun: the number and all that was paid go back,
    and it counts for no limit, no late cancellation, no no-show and in no figures (SM3, M1.4).

    Raises NotFound, CannotVoid; Invalid without a reason.
    """
    why = reason.strip()[:100]
    if not why:
        raise Invalid({"reason": ["请写明哪里登记错了。"]}, "请写明哪里登记错了。")
    known = Appointment.objects.filter(number=number).first()
    if known is None:
        raise NotFound("没有找到这个预约。")
    patients.lock_patient(patient_id=known.patient_id)
    billing.lock_bill(bill_id=known.bill_id)
    appointment = lock(known.pk)
    was = AppointmentStatus(appointment.status)
    if was not in VOIDABLE:
        raise CannotVoid(_WHY_NOT.get(was, ""))
    move(appointment, AppointmentStatus.ENTERED_IN_ERROR, by=by, at=at, reason=why)
    was_booked = was != AppointmentStatus.PENDING
    give_number_back(appointment, wait=was_booked, reason=why, by=by, at=at)
    refund_fen = take_all_back(appointment, reason=f"登记有误：{why}"[:100], by=by, at=at)
    if was_booked:
        telling.cancelled(appointment, refund_fen=refund_fen, by=by, at=at)
    for pending in appointment.exchanges.filter(status=AppointmentStatus.PENDING):
        events.later("registration.jobs.drop_exchange", appointment_id=pending.pk)
    audit.record(
        act="registration.enter_in_error",
        subject=appointment,
        by=by,
        at=at,
        before={"status": was.label},
        after={"status": AppointmentStatus.ENTERED_IN_ERROR.label},
        reason=why,
    )
    if was == AppointmentStatus.NOSHOW:
        recount(patient_id=appointment.patient_id, by=by, at=at)
    publish(appointment)
    return appointment
