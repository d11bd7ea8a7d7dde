"""Who may act for a patient, and under which phone it is reached: pages of those who decide it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity.access import PatientRequest, patient_page
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.patients import actions, consent, queries, thresholds
from hospital.patients.forms import PhoneForm
from hospital.patients.models import Patient, PatientBinding
from hospital.patients.states import Relationship

_FIELDS: Final[dict[type[Refusal], str]] = {
    actions.SamePhone: "phone",
    actions.TooManyCodes: "phone",
    actions.CodeTooSoon: "new_code",
    actions.WrongCode: "new_code",
    actions.CodeOver: "new_code",
    actions.OldCodeWrong: "old_code",
}


@patient_page
@never_cache
@require_safe
def bound(request: PatientRequest, number: str) -> HttpResponse:
    """The user's own binding and consent; for who decides about it, everybody's."""
    binding = queries.own_binding(wechat_user_id=request.wechat_user.pk, number=number)
    may_manage = queries.may_manage(binding, on=clock.today())
    others = queries.bindings_of(binding.patient) if may_manage else []
    context = {
        "patient": binding.patient,
        "own": _line(binding),
        "consent": consent.text_of(binding.consent_version),
        "may_manage": may_manage,
        "others": [_line(row) for row in others if row.pk != binding.pk],
        "most": actions.USERS_PER_PATIENT.value(),
        "is_child": queries.is_child(patient=binding.patient, on=clock.today()),
    }
    return render(request, "patients/patient/bindings.html", context)


@patient_page
@require_POST
def end_other(request: PatientRequest, number: str, binding_id: int) -> HttpResponse:
    """Take somebody else off the patient, after the page's question."""
    actions.end_other(
        wechat_user_id=request.wechat_user.pk,
        number=number,
        binding_id=binding_id,
        by=request.actor,
        at=clock.now(),
    )
    messages.success(request, "已解除对方的绑定。")
    return redirect("patients-bound", number=number)


@sensitive_post_parameters()
@patient_page
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def phone(request: PatientRequest, number: str) -> HttpResponse:
    """Change the phone: the same form is posted twice, for the codes and with them."""
    user_id = request.wechat_user.pk
    binding = queries.own_binding(wechat_user_id=user_id, number=number)
    if not queries.may_manage(binding, on=clock.today()):
        raise NotFound("手机号只能由就诊人本人或未满 14 周岁儿童的监护人更换。")
    patient = binding.patient
    form = PhoneForm(request.POST or None)
    if request.method != "POST":
        return _phone_page(request, form, patient)
    if not form.is_valid():
        return _phone_page(request, form, patient, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    told = form.cleaned_data
    who: dict[str, Any] = {
        "wechat_user_id": user_id,
        "number": number,
        "by": request.actor,
        "at": clock.now(),
    }
    try:
        if "new_code" not in request.POST or request.POST.get("step") == "code":
            actions.ask_phone_codes(phone=told["phone"], **who)
            return _phone_page(request, form, patient, is_sent=True)
        actions.change_phone(**told, **who)
    except Invalid as problem:
        for field, sentences in problem.errors.items():
            form.add_error(field, sentences)
        return _phone_page(request, form, patient, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except tuple(_FIELDS) as refusal:
        form.add_error(_FIELDS[type(refusal)], refusal.message)
        # A second tap, or back and forth: the first tap's codes are on their way.
        is_on_its_way = isinstance(refusal, actions.CodeTooSoon)
        return _phone_page(
            request, form, patient, asks_code=is_on_its_way, status=HTTPStatus.CONFLICT
        )
    messages.success(request, "手机号已更换。")
    return redirect("patients-card-shown", number=number)


def _phone_page(
    request: PatientRequest,
    form: PhoneForm,
    patient: Patient,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    is_sent: bool = False,
    asks_code: bool = False,
) -> HttpResponse:
    context = {
        "form": form,
        "patient": patient,
        "is_sent": is_sent,
        "asks_code": asks_code or is_sent or "new_code" in form.data,
        "minutes": thresholds.CODE_MINUTES.value(),
        "has_sms": bool(settings.SMS_URL),
    }
    return render(request, "patients/patient/phone.html", context, status=status)


def _line(binding: PatientBinding) -> dict[str, object]:
    relationship = Relationship(binding.relationship)
    return {
        "id": binding.pk,
        "dialog": f"end-{binding.pk}",
        "relationship": relationship.label,
        "is_self": relationship is Relationship.SELF,
        "since": binding.consented_at,
        "version": binding.consent_title,
    }
