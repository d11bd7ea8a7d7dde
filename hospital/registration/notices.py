"""The messages of waiting and of what is to come: N04 and N08, N03 for those who waited in vain,
N39 for a release (chapter 4). Written in the caller's transaction, as `telling` does.
"""

import datetime as dt
from typing import Final

from hospital.billing.states import PAID
from hospital.kernel.actors import Actor
from hospital.kernel.clock import local
from hospital.kernel.errors import Refusal
from hospital.messaging import actions as messaging
from hospital.patients import queries as patients
from hospital.registration import rules
from hospital.registration.models import Appointment, ReleaseWatch, WaitlistEntry
from hospital.registration.states import PaidWhen
from hospital.registration.visit_words import doctor_of, loaded, place_of, time_of
from hospital.scheduling.queries import SessionFacts
from hospital.ui.wording import day_text, weekday_text

_WAITLIST = "/m/waitlist/"
_BRING = "身份证件、医保卡、病历资料"
# Who does not come for it in time loses the number (M1.13).
_BRING_TO_PAY = "证件；时段开始前到窗口付款取号"
#: Whoever waited and may not book when the turn comes: the refusals that are longer than a field.
_LONGEST_REASON: Final = 20
_BRIEFLY: Final = {
    rules.NotIdentified.code: "就诊人还没有实名登记",
    rules.NotRealName.code: "证件未登记，请到窗口补登",
    rules.PatientInactive.code: "档案已停用，请到窗口核对",
    rules.DepartmentLimitSex.code: "该科室不接诊此性别的患者",
    rules.DepartmentLimitAge.code: "该科室不接诊此年龄的患者",
    rules.Restricted.code: "线上预约已暂停，可到窗口挂号",
    rules.LimitMonth.code: "您本月的预约数已达上限",
    rules.ChannelClosed.code: "本次出诊已停止线上挂号",
}


def offered(appointment: Appointment, *, by: Actor, at: dt.datetime) -> None:
    """N08: a number came free and is kept for the patient until it is paid."""
    row = loaded(appointment.pk)
    until = local(row.hold_until)
    fields = {
        "patient": row.patient.masked_name,
        "department": row.department.name,
        "doctor": doctor_of(row),
        "date": time_of(row),
        "pay_before": f"{day_text(until.date())} {until:%H:%M} 前",
    }
    messaging.send(
        kind="N08",
        to=patients.users_to_tell(patient_id=row.patient_id, acting_id=row.wechat_user_id),
        event_key=f"appointment:{row.pk}:offered",
        subject=row,
        fields=fields,
        path=f"/m/appointments/{row.number}/",
        by=by,
        at=at,
        patient_id=row.patient_id,
        # Whoever waits for it wants to hear at once: an offer runs out.
        answers=row.wechat_user_id,
        until=row.hold_until,
    )


def in_brief(refusal: Refusal) -> str:
    """Why the one whose turn it was gets no number, whole in the words a field has room for."""
    if len(refusal.message) <= _LONGEST_REASON:
        return refusal.message
    return _BRIEFLY.get(refusal.code, "轮到您时已不能预约")


def waited_in_vain(
    entry: WaitlistEntry, session: SessionFacts, *, reason: str, by: Actor, at: dt.datetime
) -> None:
    """N03: the waiting is over and no number came of it."""
    fields = {
        "patient": entry.patient.masked_name,
        "department": session.department_name,
        "date": f"{day_text(session.visit_date)} {weekday_text(session.visit_date)}",
        "reason": reason,
    }
    messaging.send(
        kind="N03",
        to=patients.users_to_tell(patient_id=entry.patient_id, acting_id=entry.wechat_user_id),
        event_key=f"waitlist:{entry.pk}:cleared",
        subject=entry,
        fields=fields,
        path=_WAITLIST,
        by=by,
        at=at,
        patient_id=entry.patient_id,
    )


def coming(appointment_id: int, *, which: str, by: Actor, at: dt.datetime) -> None:
    """N04: a visit is tomorrow ("eve") or within the hour ("hour")."""
    row = loaded(appointment_id, "schedule__room")
    is_to_pay = row.paid_when == PaidWhen.ARRIVAL and row.bill.status not in PAID
    fields = {
        "patient": row.patient.masked_name,
        "department": row.department.name,
        "time": time_of(row),
        "place": place_of(row),
        "bring": _BRING_TO_PAY if is_to_pay else _BRING,
    }
    messaging.send(
        kind="N04",
        to=patients.users_to_tell(patient_id=row.patient_id, acting_id=row.wechat_user_id),
        event_key=f"appointment:{row.pk}:{which}",
        subject=row,
        fields=fields,
        path=f"/m/appointments/{row.number}/",
        by=by,
        at=at,
        patient_id=row.patient_id,
        until=row.slot.band.ends_at,
    )


def release_near(watch: ReleaseWatch, session: SessionFacts, *, by: Actor, at: dt.datetime) -> None:
    """N39: the numbers of a session come out in a few minutes."""
    opens = local(session.release_at)
    day = f"{day_text(session.visit_date)} {weekday_text(session.visit_date)}"
    fields = {
        "department": session.department_name,
        "doctor": session.practitioner_name or session.service_name,
        "date": f"{day} {session.period_label}",
        "release": f"{day_text(opens.date())} {opens:%H:%M}",
    }
    messaging.send(
        kind="N39",
        to=[watch.wechat_user_id],
        event_key=f"watch:{watch.pk}:release",
        subject=watch,
        fields=fields,
        path=f"/m/sessions/{session.id}/times/",
        by=by,
        at=at,
        # It was asked for, for this very minute.
        answers=watch.wechat_user_id,
        until=session.release_at + dt.timedelta(minutes=30),
    )
