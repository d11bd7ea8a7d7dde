"""Numbers made for one patient: the doctor's add-on (M2.4), the emergency (M1.17)."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock, serials
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.patients import queries as patients
from hospital.registration import actions, queries, thresholds
from hospital.registration.models import Appointment
from hospital.registration.permissions import ADD_ON, REGISTER_EMERGENCY
from hospital.registration.queries import AppointmentRow
from hospital.registration.states import Acuity, AppointmentStatus, BookingKind
from hospital.scheduling import queries as scheduling
from hospital.scheduling.queries import SessionFacts
from hospital.ui.masks import mask_name
from hospital.ui.typed import typed, typed_id

Line = dict[str, Any]

_TONES = {
    AppointmentStatus.PENDING: "warn",
    AppointmentStatus.BOOKED: "brand",
    AppointmentStatus.CHECKED_IN: "brand",
    AppointmentStatus.FULFILLED: "info",
    AppointmentStatus.NOSHOW: "danger",
}
_ACUITY_TONES = {
    Acuity.LIFE_THREATENED: "danger",
    Acuity.CRITICAL: "danger",
    Acuity.URGENT: "warn",
    Acuity.LESS_URGENT: "brand",
}


@staff_page(ADD_ON)
@require_http_methods(["GET", "HEAD", "POST"])
def add_on(request: StaffRequest, schedule_id: int) -> HttpResponse:
    """Take one more patient into the own session: find the patient, choose the band, add.

    Finding posts too: what people are found by stands in no address.
    """
    session = scheduling.session_facts(schedule_id=schedule_id)
    own = request.user.practitioner_id
    if own is None or session.practitioner_id != own:
        raise NotFound("没有找到这次出诊。")
    problem = ""
    if request.POST.get("act") == "add":
        try:
            added = _add(request, session)
        except Refusal as refusal:
            note_refusal(request, refusal)
            problem = _sentence(refusal)
        else:
            messages.success(request, f"已加号 {added.slot.label}，{_paying(added)}")
            return redirect("registration-add-on", schedule_id)
    text = typed(request.POST, "q", most=60)
    context = {
        "session": session,
        "bands": [band for band in session.bands if band.ends_at > clock.now()],
        "chosen_band": typed_id(typed(request.POST, "band", most=20)),
        "text": text,
        "found": patients.find(text) if text else [],
        "chosen": typed(request.POST, "patient", most=20),
        "key": serials.opaque(),
        "problem": problem,
        "minutes": thresholds.ADD_ON_PAY_MINUTES.value(),
        "most": scheduling.add_ons_allowed(schedule_id=schedule_id),
        "rows": [_line(row) for row in _added(schedule_id)],
    }
    status = 422 if problem else 200
    return render(request, "registration/staff/add_on.html", context, status=status)


@staff_page(REGISTER_EMERGENCY)
@require_http_methods(["GET", "HEAD", "POST"])
def emergency(request: StaffRequest) -> HttpResponse:
    """Register an emergency by acuity; nobody is asked for money first."""
    problem = ""
    if request.POST.get("act") == "register":
        try:
            row = _register(request)
        except Refusal as refusal:
            note_refusal(request, refusal)
            problem = _sentence(refusal)
        else:
            return redirect(f"{reverse('registration-emergency')}?new={row.number}")
    at, text = clock.now(), typed(request.POST, "q", most=60)
    sessions = scheduling.emergency_sessions(at=at)
    chosen = typed_id(typed(request.POST, "session", most=20))
    rows = [_urgent(row) for row in queries.emergencies_of(day=clock.hospital_day(at), at=at)]
    context = {
        "new": _registered(rows, typed(request.GET, "new", most=20)),
        "sessions": sessions,
        "chosen_session": chosen or next((one.id for one in sessions), None),
        "acuities": Acuity.choices,
        "chosen_acuity": typed_id(typed(request.POST, "acuity", most=2)),
        "text": text,
        "found": patients.find(text) if text else [],
        "chosen": typed(request.POST, "patient", most=20),
        "key": serials.opaque(),
        "problem": problem,
        "rows": rows,
    }
    status = 422 if problem else 200
    return render(request, "registration/staff/emergency.html", context, status=status)


def _registered(rows: list[Line], number: str) -> Line | None:
    """The one registered just now, whose slip is printed next."""
    return next((row for row in rows if row["row"].number == number), None)


def _add(request: StaffRequest, session: SessionFacts) -> Appointment:
    band_id = typed_id(typed(request.POST, "band", most=20))
    if band_id is None:
        raise Invalid({"band": ["请选择时段。"]})
    return actions.add_on(
        patient_id=_patient_id(request),
        schedule_id=session.id,
        band_id=band_id,
        practitioner_id=request.user.practitioner_id,
        key=request.POST.get("key", "")[:80],
        by=request.actor,
        at=clock.now(),
    )


def _register(request: StaffRequest) -> Appointment:
    schedule_id = typed_id(typed(request.POST, "session", most=20))
    acuity = typed_id(typed(request.POST, "acuity", most=2))
    if schedule_id is None:
        raise Invalid({"session": ["请选择急诊班次。"]})
    if acuity not in Acuity.values:
        raise Invalid({"acuity": ["请选择分级。"]})
    return actions.register_emergency(
        patient_id=_patient_id(request),
        schedule_id=schedule_id,
        acuity=Acuity(acuity),
        key=request.POST.get("key", "")[:80],
        by=request.actor,
        at=clock.now(),
    )


def _patient_id(request: StaffRequest) -> int:
    number = typed(request.POST, "patient", most=20)
    if not number:
        raise Invalid({"patient": ["请选择患者。"]})
    return patients.patient_by_number(outpatient_no=number).pk


def _added(schedule_id: int) -> list[AppointmentRow]:
    rows = queries.appointments_of_schedule(schedule_id=schedule_id, at=clock.now())
    return [row for row in rows if row.kind == BookingKind.ADD_ON]


def _paying(added: Appointment) -> str:
    if added.status != AppointmentStatus.PENDING:
        return "无需支付。"
    if added.bill.wechat_user_id is None:
        return "患者没有绑定微信，请让患者到窗口缴费。"
    return "已通知患者在手机上支付。"


def _line(row: AppointmentRow) -> Line:
    return {"row": row, "name": mask_name(row.patient_name), "tone": _TONES.get(row.status, "")}


def _urgent(row: AppointmentRow) -> Line:
    acuity = Acuity(row.acuity) if row.acuity else None
    return _line(row) | {
        "acuity": acuity.label if acuity else "",
        "acuity_tone": _ACUITY_TONES[acuity] if acuity else "",
    }


def _sentence(refusal: Refusal) -> str:
    if isinstance(refusal, Invalid):
        return " ".join(text for texts in refusal.errors.values() for text in texts)
    return refusal.message
