"""The messages of a booking: N01-N03, N05, N06, N13, N14, N27 (chapter 4), written in the
caller's transaction.

They go to everybody who may act for the patient, the one who booked first, and lead to the
appointment's page.
"""

import datetime as dt
from typing import Final

from hospital.kernel.actors import Actor
from hospital.kernel.clock import local
from hospital.messaging import actions as messaging
from hospital.patients import queries as patients
from hospital.registration.models import Appointment, BookingRestriction
from hospital.registration.money import way_back_of
from hospital.registration.states import CancelReason, RestrictionCause, WayBack
from hospital.registration.visit_words import day_of, doctor_of, loaded, time_of
from hospital.ui.wording import clock_text, day_text, yuan_text

_FIELD: Final = 20  # characters a field of a message has room for
_ARRIVAL: Final = {
    WayBack.NOTHING: "无需退费",
    WayBack.ACCOUNT: "原路退回，以微信到账为准",
    WayBack.CASH: "现金付的，请到挂号窗口领取",
    WayBack.BOTH: "微信付的原路退，现金到窗口领",
}
_REFUND: Final = {
    WayBack.NOTHING: "",
    WayBack.ACCOUNT: "原路退回",
    WayBack.CASH: "到窗口领现金",
    WayBack.BOTH: "退微信和现金",
}


def booked(appointment: Appointment, *, by: Actor, at: dt.datetime) -> None:
    """N01: the number is the patient's."""
    row = loaded(appointment.pk)
    fields = {
        "patient": row.patient.masked_name,
        "department": row.department.name,
        "doctor": doctor_of(row),
        "time": time_of(row),
        "number": f"{row.slot.label}号",
    }
    _send("N01", row, "booked", fields, by=by, at=at)


def still_unpaid(appointment: Appointment, *, by: Actor, at: dt.datetime) -> None:
    """N02: a few minutes are left to pay."""
    row = loaded(appointment.pk)
    fields = {
        "patient": row.patient.masked_name,
        "department": row.department.name,
        "doctor": doctor_of(row),
        "pay_before": clock_text(row.hold_until),
        "amount": yuan_text(row.bill.total_fen),
    }
    _send("N02", row, "unpaid", fields, by=by, at=at, until=row.hold_until)


def asked(appointment: Appointment, *, by: Actor, at: dt.datetime) -> None:
    """N02 at once: the doctor has added a number, the patient is not looking at a page (M2.4)."""
    row = loaded(appointment.pk)
    fields = {
        "patient": row.patient.masked_name,
        "department": row.department.name,
        "doctor": f"{doctor_of(row)} 加号",
        "pay_before": clock_text(row.hold_until),
        "amount": yuan_text(row.bill.total_fen),
    }
    _send("N02", row, "asked", fields, by=by, at=at, until=row.hold_until)


def timed_out(appointment: Appointment, *, by: Actor, at: dt.datetime) -> None:
    """N03: not paid, or not come for, in time: the number is released."""
    row = loaded(appointment.pk)
    is_unpaid = row.cancel_reason == CancelReason.PAYMENT_TIMEOUT
    reason = CancelReason(row.cancel_reason).label
    fields = {
        "patient": row.patient.masked_name,
        "department": row.department.name,
        "date": day_of(row),
        "reason": f"{reason}，原预约保留" if row.replaces_id and is_unpaid else reason,
    }
    _send("N03", row, "timeout", fields, by=by, at=at)


def cancelled(appointment: Appointment, *, refund_fen: int, by: Actor, at: dt.datetime) -> None:
    """N05: cancelled, and what comes back when."""
    row = loaded(appointment.pk)
    fields = {
        "patient": row.patient.masked_name,
        "department": row.department.name,
        "date": day_of(row),
        "refund": yuan_text(refund_fen),
        "arrival": _way_back(row, refund_fen),
    }
    _send("N05", row, "cancelled", fields, by=by, at=at)


def suspended(appointment: Appointment, *, refund_fen: int, by: Actor, at: dt.datetime) -> None:
    """N06: the hospital called the session off; what was paid comes back."""
    row = loaded(appointment.pk)
    fields = {
        "patient": row.patient.masked_name,
        "doctor": f"{doctor_of(row)} {row.department.name}",
        "date": time_of(row),
        "refund": _refund(row, refund_fen),
        "choice": "改约其他医生或日期",
    }
    _send("N06", row, "suspended", fields, by=by, at=at)


def _way_back(row: Appointment, refund_fen: int) -> str:
    """How the money comes back: notes over the counter, everything else the way it came."""
    if not refund_fen:
        return "无需退费"
    return _ARRIVAL[way_back_of(row)]


def _refund(row: Appointment, refund_fen: int) -> str:
    if not refund_fen:
        return "未付费，无需退款"
    return f"{yuan_text(refund_fen)} {_REFUND[way_back_of(row)]}"


def substituted(
    appointment: Appointment, *, was: str, back_fen: int, by: Actor, at: dt.datetime
) -> None:
    """N07: another doctor sees the patient, who may cancel at any time and pays no more (M1.9)."""
    row = loaded(appointment.pk)
    note = "可随时免费退号"
    if back_fen:
        note = f"{note}，退差价{yuan_text(back_fen)}"
    if len(note) > _FIELD:  # ten thousand yuan and more: the account page has the sum
        note = "可随时免费退号，差价已退"
    _tell_substitute(row, was, row.doctor_name, note, by=by, at=at)


def asked_about_substitute(
    appointment: Appointment, *, new: str, until: dt.datetime, by: Actor, at: dt.datetime
) -> None:
    """N07: a doctor of a lower title would see the patient, who has to agree (M1.9). The page says
    that the money comes back with the number; a field has room for twenty characters."""
    row = loaded(appointment.pk)
    day = day_text(local(until).date())
    note = f"{day} {clock_text(until)}前确认，否则退号"
    _tell_substitute(row, doctor_of(row), new, note, by=by, at=at)


def _tell_substitute(
    row: Appointment, was: str, new: str, note: str, *, by: Actor, at: dt.datetime
) -> None:
    fields = {
        "patient": row.patient.masked_name,
        "change": f"{was}→{new}",
        "date": time_of(row),
        "note": note,
    }
    _send("N07", row, f"substitute:{new}:{at:%y%m%d%H%M%S}"[:60], fields, by=by, at=at)


def stayed_away(
    appointment: Appointment, *, count: int, consequence: str, by: Actor, at: dt.datetime
) -> None:
    """N13: nobody came; how often that was, and what follows."""
    row = loaded(appointment.pk)
    fields = {
        "patient": row.patient.masked_name,
        "department": row.department.name,
        "date": day_of(row),
        "count": f"{count} 次",
        "consequence": consequence,
    }
    _send("N13", row, "noshow", fields, by=by, at=at)


def continued(appointment: Appointment, *, by: Actor, at: dt.datetime) -> None:
    """N27: come again to have the results read, free of charge."""
    row = loaded(appointment.pk)
    fields = {
        "patient": row.patient.masked_name,
        "department": row.department.name,
        "time": time_of(row),
        "number": f"{row.slot.label}号",
        "fee": "免收挂号费",
    }
    _send("N27", row, "continued", fields, by=by, at=at)


def restricted(row: BookingRestriction, *, by: Actor, at: dt.datetime) -> None:
    """N14: no booking in advance online for a while, why, and that one may object."""
    cause = RestrictionCause(row.cause).label
    fields = {
        "patient": row.patient.masked_name,
        "what": "暂停线上预约",
        "reason": f"{cause}（{row.count}次）",
        "until": f"{day_text(local(row.ends_at).date())} {clock_text(row.ends_at)}",
        "appeal": "可在手机上申诉",
    }
    _send_about(row, "restricted", fields, by=by, at=at)


def unrestricted(row: BookingRestriction, *, reason: str, by: Actor, at: dt.datetime) -> None:
    """N14: booking online is possible again."""
    fields = {
        "patient": row.patient.masked_name,
        "what": "恢复线上预约",
        "reason": reason,
        "until": f"{day_text(local(at).date())} {clock_text(at)} 起",
        "appeal": "无需申诉",
    }
    _send_about(row, "unrestricted", fields, by=by, at=at)


def _send_about(
    row: BookingRestriction, what: str, fields: dict[str, str], *, by: Actor, at: dt.datetime
) -> None:
    messaging.send(
        kind="N14",
        to=patients.users_to_tell(patient_id=row.patient_id),
        event_key=f"restriction:{row.pk}:{what}",
        subject=row,
        fields=fields,
        path=f"/m/standing/{row.patient.outpatient_no}/",
        by=by,
        at=at,
        patient_id=row.patient_id,
    )


def _send(
    kind: str,
    row: Appointment,
    what: str,
    fields: dict[str, str],
    *,
    by: Actor,
    at: dt.datetime,
    until: dt.datetime | None = None,
) -> None:
    messaging.send(
        kind=kind,
        to=patients.users_to_tell(patient_id=row.patient_id, acting_id=row.wechat_user_id),
        event_key=f"appointment:{row.pk}:{what}",
        subject=row,
        fields=fields,
        path=f"/m/appointments/{row.number}/",
        by=by,
        at=at,
        patient_id=row.patient_id,
        # Who booked is in the middle of it; a called-off session is urgent for everybody anyway.
        answers=row.wechat_user_id,
        until=until,
    )
