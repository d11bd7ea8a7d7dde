"""The patient's card on the phone (M11.3): a QR code that goes stale, numbers to read out."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from hospital.identity.access import PatientRequest, patient_page
from hospital.kernel import clock
from hospital.patients import actions, queries, thresholds
from hospital.patients.models import Patient

#: The next code is there before the shown one is over.
_AHEAD_SECONDS = 10


@patient_page
@never_cache
@require_safe
def card(request: PatientRequest, number: str) -> HttpResponse:
    """One patient's card; the user's others are a tap away."""
    user_id = request.wechat_user.pk
    patient = queries.patient_for(wechat_user_id=user_id, number=number)
    others = [row for row in queries.patients_for(wechat_user_id=user_id) if row.number != number]
    context = {
        "patient": patient,
        "health_card": queries.health_card_of(patient),
        "others": others,
        **_pass(request, patient),
    }
    return render(request, "patients/patient/card.html", context)


@patient_page
@never_cache
@require_POST
def renew(request: PatientRequest, number: str) -> HttpResponse:
    """Show a fresh code; without the script the whole card."""
    patient = queries.patient_for(wechat_user_id=request.wechat_user.pk, number=number)
    if not request.htmx:
        return redirect("patients-card-shown", number=number)
    context = {"patient": patient, **_pass(request, patient)}
    return render(request, "patients/patient/card.html#pass", context)


def _pass(request: PatientRequest, patient: Patient) -> dict[str, object]:
    seconds = thresholds.PASS_SECONDS.value()
    token = actions.show_pass(
        wechat_user_id=request.wechat_user.pk,
        number=patient.outpatient_no,
        by=request.actor,
        at=clock.now(),
    )
    return {"token": token, "seconds": seconds, "renew_seconds": seconds - _AHEAD_SECONDS}
