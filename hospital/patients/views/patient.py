"""The user's own patients: list, add, choose the default one."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hospital.identity.access import PatientRequest, own_path, patient_page
from hospital.kernel import clock, serials
from hospital.kernel.errors import Invalid, Refusal
from hospital.patients import actions, consent, queries, thresholds
from hospital.patients.forms import AddPatientForm
from hospital.patients.states import Relationship

#: The field a refusal is about, so that its sentence stands there; others head the form.
_FIELDS: Final[dict[type[Refusal], str]] = {
    actions.NameMismatch: "name",
    actions.PhoneMismatch: "phone",
    actions.NoPhoneOnFile: "phone",
    actions.CodeOver: "code",
    actions.WrongCode: "code",
    actions.AlreadyBound: "document_no",
    actions.TooManyUsers: "document_no",
}


@patient_page
@never_cache
@require_GET
def listing(request: PatientRequest) -> HttpResponse:
    """Show the user's patients, masked, with the default one marked."""
    patients = queries.patients_for(wechat_user_id=request.wechat_user.pk)
    limit = actions.PATIENTS_PER_USER.value()
    rows = [{"bound": bound, "unbind_url": _unbind_url(bound.number)} for bound in patients]
    context = {"rows": rows, "limit": limit, "left": max(limit - len(patients), 0)}
    return render(request, "patients/patient/list.html", context)


@patient_page
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: PatientRequest) -> HttpResponse:
    """Show the form for a new patient, send the code, add the patient and go back to where it was
    needed.

    The same form is posted twice: for the code, and with it.
    """
    path = own_path(request.POST.get("next") or request.GET.get("next"), reverse("patients-list"))
    if request.method != "POST":
        return _add_page(request, _form(request, key=serials.opaque()), path=path)
    form = _form(request)
    if not form.is_valid():
        return _add_page(request, form, path=path, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    asks = "code" not in request.POST or request.POST.get("step") == "code"
    try:
        if asks:
            actions.ask_code(
                wechat_user_id=request.wechat_user.pk,
                by=request.actor,
                at=clock.now(),
                **form.person(),
            )
            return _add_page(request, form, path=path, is_sent=True)
        actions.add_patient(
            wechat_user_id=request.wechat_user.pk,
            key=form.cleaned_data["key"],
            code=form.cleaned_data["code"],
            by=request.actor,
            at=clock.now(),
            **form.person(),
        )
    except Invalid as problem:
        form.show(problem)
        return _add_page(request, form, path=path, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except actions.CodeTooSoon as refusal:
        # A second tap, or back and forth: the first tap's code is on its way and can be typed.
        form.add_error("code", refusal.message)
        return _add_page(request, form, path=path, asks_code=True, status=HTTPStatus.CONFLICT)
    except Refusal as refusal:
        form.add_error(_FIELDS.get(type(refusal)), refusal.message)
        return _add_page(request, form, path=path, status=HTTPStatus.CONFLICT)
    messages.success(request, "已添加就诊人。")
    return HttpResponseRedirect(path)


@patient_page
@never_cache
@require_POST
def add_told(request: PatientRequest) -> HttpResponse:
    """Show again the part of the form that depends on the document typed so far."""
    form = _form(request)
    context = {"form": form, "told": form.told()}
    # Somebody still typing is not told off yet: only the document's own sentence shows.
    form.errors.clear()
    return render(request, "patients/patient/add.html#told", context)


@patient_page
@require_POST
def default(request: PatientRequest, number: str) -> HttpResponse:
    """Make a patient the default one."""
    actions.set_default(
        wechat_user_id=request.wechat_user.pk, number=number, by=request.actor, at=clock.now()
    )
    return HttpResponseRedirect(own_path(request.POST.get("next"), reverse("patients-list")))


def _form(request: PatientRequest, *, key: str = "") -> AddPatientForm:
    bound = queries.patients_for(wechat_user_id=request.wechat_user.pk)
    has_self = any(row.relationship is Relationship.SELF for row in bound)
    data = request.POST if request.method == "POST" else None
    return AddPatientForm(data, at=clock.now(), has_self=has_self, key=key)


def _add_page(
    request: PatientRequest,
    form: AddPatientForm,
    *,
    path: str,
    status: HTTPStatus = HTTPStatus.OK,
    is_sent: bool = False,
    asks_code: bool = False,
) -> HttpResponse:
    context = {
        "is_sent": is_sent,
        "asks_code": asks_code or is_sent or "code" in form.data,
        "minutes": thresholds.CODE_MINUTES.value(),
        "has_sms": bool(settings.SMS_URL),
        "form": form,
        "told": form.told(),
        "next": path,
        "purposes": consent.PURPOSES,
        "version": consent.VERSION,
    }
    return render(request, "patients/patient/add.html", context, status=status)


def _unbind_url(number: str) -> str:
    """Return the address of the page that ends a binding; it stands above us, beside the bills."""
    try:
        return reverse("portal-unbind", args=[number])
    except NoReverseMatch:
        return ""
