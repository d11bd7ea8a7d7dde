"""N35: everybody who may act for a patient hears when that changes, or when its phone does."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from django.urls import reverse

from hospital.kernel.actors import Actor
from hospital.messaging.actions.telling import send
from hospital.patients import queries as patients
from hospital.ui.wording import moment_text

if TYPE_CHECKING:
    from hospital.patients.models import Patient, PatientBinding

_KIND: Final = "N35"
ADDED: Final = "added"


def tell_binding(*, binding_id: int, what: str, by: Actor, at: dt.datetime) -> None:
    """Tell of a binding that was added or ended: all who are bound, and who no longer is.

    Who adds somebody nobody else is bound to has just seen it on the page. Told once.
    """
    binding = patients.binding(binding_id=binding_id)
    is_added = what == ADDED
    bound = patients.users_to_tell(patient_id=binding.patient_id)
    if is_added and patients.bindings_of(binding.patient)[:1] == [binding]:
        return
    since = binding.consented_at if is_added else binding.ended_at or at
    said = "新微信用户已绑定" if is_added else "一个微信绑定已解除"
    key = f"binding:{binding.pk}:{what}"
    _send(binding.patient, binding, bound, said, since, key=key, by=by, at=at)
    if not is_added and binding.wechat_user_id not in bound:
        send(
            kind=_KIND,
            to=[binding.wechat_user_id],
            event_key=key,
            subject=binding,
            fields=_fields(binding.patient, "您的微信绑定已解除", since),
            path=reverse("patients-list"),
            by=by,
            at=at,
        )


def tell_phone(*, patient_id: int, by: Actor, at: dt.datetime) -> None:
    """Tell all who are bound that a patient's phone was changed. Told once per change."""
    patient = patients.patient(patient_id=patient_id)
    since = patients.phone_since(patient) or at
    bound = patients.users_to_tell(patient_id=patient.pk)
    key = f"phone:{patient.pk}:{since.timestamp():.0f}"
    _send(patient, patient, bound, "就诊人手机号已更换", since, key=key, by=by, at=at)


def _send(
    patient: Patient,
    subject: Patient | PatientBinding,
    to: list[int],
    said: str,
    since: dt.datetime,
    *,
    key: str,
    by: Actor,
    at: dt.datetime,
) -> None:
    send(
        kind=_KIND,
        to=to,
        event_key=key,
        subject=subject,
        fields=_fields(patient, said, since),
        path=reverse("patients-bound", args=[patient.outpatient_no]),
        by=by,
        at=at,
        patient_id=patient.pk,
    )


def _fields(patient: Patient, said: str, since: dt.datetime) -> dict[str, str]:
    return {"patient": patient.masked_name, "what": said, "time": moment_text(since)}
