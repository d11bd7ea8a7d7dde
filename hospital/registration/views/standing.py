"""The patient's side of no-shows and late cancellations: how one stands, and appealing (M1.10)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from hospital.identity.access import PatientRequest, note_refusal, patient_page
from hospital.kernel import clock
from hospital.kernel.errors import Invalid
from hospital.patients import queries as patients
from hospital.registration import actions, queries, standing, thresholds
from hospital.registration.standing import IncidentRow
from hospital.registration.states import AppealStatus
from hospital.ui.typed import typed
from hospital.ui.wording import day_text, weekday_text

_APPEAL_TONES = {
    AppealStatus.OPEN.label: "warn",
    AppealStatus.GRANTED.label: "brand",
    AppealStatus.REJECTED.label: "",
}


@patient_page
@require_safe
def record(request: PatientRequest, number: str) -> HttpResponse:
    """Whether the patient may book in advance online, and what that rests on."""
    patient = patients.patient_for(wechat_user_id=request.wechat_user.pk, number=number)
    found = standing.standing_of(patient_id=patient.pk, at=clock.now())
    context = {
        "patient": patient,
        "standing": found,
        "incidents": [_cell(row) for row in found.incidents],
        "appeal_days": thresholds.APPEAL_DAYS.value(),
    }
    return render(request, "registration/patient/standing.html", context)


@patient_page
@require_http_methods(["GET", "HEAD", "POST"])
def appeal(request: PatientRequest, number: str) -> HttpResponse:
    """Say why it was no no-show, or see what became of saying so."""
    row = queries.appointment_for(
        wechat_user_id=request.wechat_user.pk, number=number, at=clock.now()
    )
    said, errors = "", []
    if request.method == "POST":
        said = typed(request.POST, "text", most=2 * actions.LONGEST_APPEAL)
        try:
            actions.appeal(
                number=row.number,
                wechat_user_id=request.wechat_user.pk,
                text=said,
                by=request.actor,
                at=clock.now(),
            )
        except Invalid as refusal:
            note_refusal(request, refusal)
            errors = refusal.errors["text"]
        else:
            messages.success(request, "申诉已提交，处理后可在本页查看结果。")
            return redirect("registration-appeal", row.number)
    context = {
        "row": row,
        "ground": standing.ground_of(appointment_id=row.id, at=clock.now()),
        "text": said,
        "errors": errors,
        "most": actions.LONGEST_APPEAL,
    }
    status = 422 if errors else 200
    return render(request, "registration/patient/appeal.html", context, status=status)


def _cell(row: IncidentRow) -> dict[str, object]:
    name = "registration-appeal" if row.can_appeal or row.appeal_label else ""
    return {
        "title": f"{row.cause_label} · {day_text(row.visit_date)} {weekday_text(row.visit_date)}",
        "hint": f"{row.department} {row.doctor}",
        "tag": row.appeal_label,
        "tone": _APPEAL_TONES.get(row.appeal_label, ""),
        "value": "申诉" if row.can_appeal else "",
        "url": reverse(name or "registration-appointment", args=[row.number]),
    }
