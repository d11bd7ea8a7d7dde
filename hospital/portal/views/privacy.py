"""Privacy on the phone (M11.5, X11): what is kept and why, consents, a copy, who looked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from hospital.identity.access import PatientRequest, patient_page
from hospital.kernel import clock
from hospital.kernel.errors import NotFound
from hospital.patients import actions as patients_actions
from hospital.patients import queries as patients
from hospital.portal import copying, looks

if TYPE_CHECKING:
    from hospital.patients.models import Patient


@patient_page
@never_cache
@require_safe
def overview(request: PatientRequest) -> HttpResponse:
    """What is kept and why, and for each patient the consent given and what one may ask for."""
    user_id = request.wechat_user.pk
    rows = []
    for bound in patients.patients_for(wechat_user_id=user_id):
        binding = patients.own_binding(wechat_user_id=user_id, number=bound.number)
        rows.append(
            {
                "bound": bound,
                "since": binding.consented_at,
                "version": binding.consent_title,
                "may_manage": patients.may_manage(binding, on=clock.today()),
            }
        )
    removals = patients_actions.REMOVALS_PER_MONTH.value()
    context = {"rows": rows, "removals": removals, "days": patients_actions.BINDING_DAYS.value()}
    return render(request, "portal/patient/privacy.html", context)


@patient_page
@never_cache
@require_safe
def seen(request: PatientRequest, number: str) -> HttpResponse:
    """Who of the staff looked at a patient's record lately."""
    patient = _managed(request, number)
    lines = looks.looks_at(patient_id=patient.pk, at=clock.now())
    context = {"patient": patient, "lines": lines, "days": looks.DAYS}
    return render(request, "portal/patient/seen.html", context)


@patient_page
@never_cache
@require_safe
def copies(request: PatientRequest, number: str) -> HttpResponse:
    """The copies of a patient's data that are being made or can be opened."""
    patient = _managed(request, number)
    found = patients.copies_for(
        wechat_user_id=request.wechat_user.pk, patient=patient, at=clock.now()
    )
    context = {
        "patient": patient,
        "copies": found,
        "is_under_way": any(copy.made_at is None for copy in found),
        "hours": patients_actions.COPY_HOURS.value(),
    }
    return render(request, "portal/patient/copies.html", context)


@patient_page
@require_POST
def ask_copy(request: PatientRequest, number: str) -> HttpResponse:
    """Have a copy made; a job does it within moments."""
    patients_actions.ask_copy(
        wechat_user_id=request.wechat_user.pk, number=number, by=request.actor, at=clock.now()
    )
    return redirect("portal-copies", number=number)


@patient_page
@never_cache
@require_safe
def show_copy(request: PatientRequest, token: str) -> HttpResponse:
    """A copy on the phone's screen."""
    content = _open(request, token)
    context = {"sections": copying.sections_of(content), "token": token}
    return render(request, "portal/patient/copy_shown.html", context)


@patient_page
@never_cache
@require_safe
def fetch_copy(request: PatientRequest, token: str) -> HttpResponse:
    """A copy as a file."""
    answer = HttpResponse(_open(request, token), content_type="application/zip")
    answer["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    return answer


def _open(request: PatientRequest, token: str) -> bytes:
    return patients_actions.open_copy(
        wechat_user_id=request.wechat_user.pk, token=token, by=request.actor, at=clock.now()
    )


def _managed(request: PatientRequest, number: str) -> Patient:
    binding = patients.own_binding(wechat_user_id=request.wechat_user.pk, number=number)
    if not patients.may_manage(binding, on=clock.today()):
        raise NotFound("这里只对就诊人本人和未满 14 周岁儿童的监护人开放。")
    return binding.patient
