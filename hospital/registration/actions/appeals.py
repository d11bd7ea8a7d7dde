"""申诉: a patient says that a no-show or a late cancellation was not one, the office decides
(M1.10)."""

import datetime as dt
from typing import Final

from django.db import transaction

from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.kernel.states import move
from hospital.patients import queries as patients
from hospital.registration import appealing
from hospital.registration.actions.restrictions import recount
from hospital.registration.actions.settling import lock, publish
from hospital.registration.actions.visits import correct_noshow
from hospital.registration.models import Appeal, Appointment
from hospital.registration.states import AppealStatus, AppointmentStatus

LONGEST: Final = 300
_LONGEST_ANSWER: Final = 200


class CannotAppeal(Refusal):
    code = "CANNOT_APPEAL"
    default_message = "这个预约没有可以申诉的记录。"


class AppealDecided(Refusal):
    code = "APPEAL_DECIDED"
    default_message = "这个申诉已经有人处理。"


@transaction.atomic
def appeal(*, number: str, wechat_user_id: int, text: str, by: Actor, at: dt.datetime) -> Appeal:
    """Ask the office to look at a no-show or late cancellation again, once, within 30 days.

    Whether the booking is this user's patient's is the page's question. Sending it twice asks
    once. Raises NotFound, CannotAppeal; Invalid for nothing said or too much.
    """
    said = text.strip()
    if not said or len(said) > LONGEST:
        raise Invalid({"text": [f"请写明情况，不超过 {LONGEST} 字。"]})
    known = Appointment.objects.filter(number=number).first()
    if known is None:
        raise NotFound("没有找到这个预约。")
    appointment = lock(known.pk)
    mine = Appeal.objects.filter(appointment=appointment).first()
    if mine is not None:
        if mine.status == AppealStatus.OPEN and mine.text == said:
            return mine
        raise CannotAppeal("这个预约已经申诉过，请看处理结果。")
    why_not = appealing.why_not(appointment, at=at)
    if why_not:
        raise CannotAppeal(why_not)
    row = Appeal.objects.create(
        appointment=appointment,
        wechat_user_id=wechat_user_id,
        text=said,
        status=AppealStatus.OPEN,
        created_at=at,
    )
    publish(appointment)
    return row


@transaction.atomic
def decide_appeal(
    *,
    appeal_id: int,
    is_granted: bool,
    was_there: bool = False,
    answer: str,
    by: Actor,
    at: dt.datetime,
) -> Appeal:
    """Grant an appeal, so that what it is about counts no more, or reject it; with an answer.

    A granted no-show stands as a visit when the patient was there, else it is cancelled and
    refunded. Raises NotFound, AppealDecided; Invalid without an answer.
    """
    said = answer.strip()
    if not said or len(said) > _LONGEST_ANSWER:
        raise Invalid({"answer": [f"请写给患者的答复，不超过 {_LONGEST_ANSWER} 字。"]})
    known = Appeal.objects.select_related("appointment").filter(pk=appeal_id).first()
    if known is None:
        raise NotFound("没有找到这个申诉。")
    patients.lock_patient(patient_id=known.appointment.patient_id)
    row = Appeal.objects.select_for_update(no_key=True, of=("self",)).get(pk=appeal_id)
    if row.status != AppealStatus.OPEN:
        raise AppealDecided
    if is_granted:
        _undo(row.appointment, was_there=was_there, reason=said, by=by, at=at)
    move(
        row,
        AppealStatus.GRANTED if is_granted else AppealStatus.REJECTED,
        by=by,
        at=at,
        decided_by=str(by),
        decided_at=at,
        answer=said,
    )
    audit.record(
        act="registration.decide_appeal",
        subject=row.appointment,
        by=by,
        at=at,
        after={"appeal": AppealStatus(row.status).label},
    )
    publish(row.appointment)
    return row


def _undo(
    appointment: Appointment, *, was_there: bool, reason: str, by: Actor, at: dt.datetime
) -> None:
    """Take the incident back, unless it was taken back otherwise meanwhile."""
    if appointment.status == AppointmentStatus.NOSHOW:
        correct_noshow(number=appointment.number, was_there=was_there, reason=reason, by=by, at=at)
    elif appointment.is_late_cancel:
        Appointment.objects.filter(pk=appointment.pk).update(is_late_cancel=False)
        recount(patient_id=appointment.patient_id, by=by, at=at)
