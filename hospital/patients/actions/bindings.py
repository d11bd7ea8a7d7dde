"""Bindings of WeChat users to patients: ending them, and the default one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import ClassVar, Final

from django.db import transaction

from hospital.identity import queries as identity
from hospital.kernel import audit, events
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.kernel.models import AuditEntry
from hospital.kernel.settings_rows import Setting
from hospital.kernel.states import subject_type
from hospital.patients import queries
from hospital.patients.events import BindingChanged
from hospital.patients.models import Patient, PatientBinding
from hospital.patients.thresholds import BINDING_DAYS

_REMOVED: Final = "patients.remove_binding"
REMOVALS_PER_MONTH = Setting(
    key="patients.removals_per_month",
    label="每个微信用户在统计天数内可解除绑定的次数",
    default=3,
    unit="次",
    minimum=0,
    maximum=100,
    rule="M11.1",
)


class TooManyRemovals(Refusal):
    """The WeChat user ended too many bindings lately (M11.1)."""

    code: ClassVar[str] = "TOO_MANY_REMOVALS"
    default_message: ClassVar[str] = "近期解除绑定的次数过多，请到门诊办公室办理。"


class BindingNeeded(Refusal):
    """A visit to come or a bill to pay depends on the binding (M11.2)."""

    code: ClassVar[str] = "BINDING_NEEDED"
    default_message: ClassVar[str] = "还有未就诊的预约或未付的账单，现在不能解除绑定。"


def set_default(*, wechat_user_id: int, number: str, by: Actor, at: dt.datetime) -> Patient:
    """Make the patient with this outpatient number the one the user's pages start with.

    Raises NotFound.
    """
    patient = queries.patient_for(wechat_user_id=wechat_user_id, number=number)
    with transaction.atomic():
        bindings = locked_bindings(wechat_user_id)
        chosen = next((row for row in bindings if row.patient_id == patient.pk), None)
        if chosen is None:
            raise NotFound
        _make_default(chosen, among=bindings)
    return patient


def remove_binding(
    *,
    wechat_user_id: int,
    number: str,
    by: Actor,
    at: dt.datetime,
    is_needed: Callable[[], bool] | None = None,
) -> None:
    """End a user's right to act for a patient; the patient and its history stay (M11.2).

    `is_needed` says whether an unpaid bill or a coming visit depends on it; those live on higher
    floors. It is asked under the user's lock, under which bookings are made too. Raises NotFound,
    BindingNeeded, TooManyRemovals.
    """
    patient = queries.patient_for(wechat_user_id=wechat_user_id, number=number)
    with transaction.atomic():
        bindings = locked_bindings(wechat_user_id)
        ending = next((row for row in bindings if row.patient_id == patient.pk), None)
        if ending is None:
            raise NotFound
        if is_needed is not None and is_needed():
            raise BindingNeeded
        if by.kind == "patient" and _removals(wechat_user_id, at=at) >= REMOVALS_PER_MONTH.value():
            days = BINDING_DAYS.value()
            raise TooManyRemovals(f"近 {days} 天内解除绑定的次数过多，请到门诊办公室办理。")
        _end(ending, among=bindings, at=at)
        audit.record(act=_REMOVED, subject=ending, by=by, at=at)
        events.emit(BindingChanged(ending.pk, "ended"))


def end_other(
    *, wechat_user_id: int, number: str, binding_id: int, by: Actor, at: dt.datetime
) -> None:
    """End somebody else's right to act for a patient: by the patient itself, or by the guardian of
    a child under 14 (M11, E14).

    What the other has booked or owes stays as it is. Raises NotFound, also when the user has no
    say, or the binding is another patient's.
    """
    own = queries.own_binding(wechat_user_id=wechat_user_id, number=number)
    if own.pk == binding_id or not queries.may_manage(own, on=hospital_day(at)):
        raise NotFound("没有找到这个绑定。")
    with transaction.atomic():
        other = PatientBinding.objects.filter(
            pk=binding_id, patient=own.patient, ended_at__isnull=True
        ).first()
        bindings = locked_bindings(other.wechat_user_id) if other is not None else []
        ending = next((row for row in bindings if row.pk == binding_id), None)
        if ending is None:
            raise NotFound("没有找到这个绑定。")
        _end(ending, among=bindings, at=at)
        audit.record(act="patients.end_other", subject=ending, by=by, at=at)
        events.emit(BindingChanged(ending.pk, "ended"))


def force_unbind(*, binding_id: int, reason: str, by: Actor, at: dt.datetime) -> None:
    """End a binding for the hospital: a lost phone, a divorce, a stranger (M11).

    Neither limits nor unpaid bills keep it: what is owed stays with the patient. Raises Invalid
    without a reason, NotFound when it does not exist or has ended.
    """
    if not reason.strip():
        raise Invalid({"reason": ["请填写强制解除的原因。"]})
    with transaction.atomic():
        binding = PatientBinding.objects.filter(pk=binding_id, ended_at__isnull=True).first()
        if binding is None:
            raise NotFound("这个绑定不存在，或已经解除。")
        bindings = locked_bindings(binding.wechat_user_id)
        ending = next((row for row in bindings if row.pk == binding_id), None)
        if ending is None:
            raise NotFound("这个绑定不存在，或已经解除。")
        _end(ending, among=bindings, at=at)
        audit.record(
            act="patients.force_unbind", subject=ending, by=by, at=at, reason=reason.strip()
        )
        events.emit(BindingChanged(ending.pk, "ended"))


def locked_bindings(wechat_user_id: int) -> list[PatientBinding]:
    """Return a user's bindings in order; the user's row is locked, also when there are none yet."""
    identity.lock_wechat_user(user_id=wechat_user_id)
    rows = PatientBinding.objects.filter(wechat_user=wechat_user_id, ended_at__isnull=True)
    return list(rows.order_by("pk"))


def _removals(wechat_user_id: int, *, at: dt.datetime) -> int:
    """How many bindings a user ended lately; those that others ended are not the user's doing."""
    since = at - dt.timedelta(days=BINDING_DAYS.value())
    ended = PatientBinding.objects.filter(wechat_user=wechat_user_id, ended_at__gt=since)
    entries = AuditEntry.objects.filter(
        act=_REMOVED,
        subject_type=subject_type(PatientBinding),
        subject_id__in=list(ended.values_list("pk", flat=True)),
    )
    return entries.count()


def _end(ending: PatientBinding, *, among: list[PatientBinding], at: dt.datetime) -> None:
    was_default = ending.is_default
    ending.is_default, ending.ended_at = False, at
    ending.save(update_fields=["is_default", "ended_at"])
    left = [row for row in among if row.pk != ending.pk]
    if was_default and left:
        _make_default(left[0], among=left)


def _make_default(chosen: PatientBinding, *, among: list[PatientBinding]) -> None:
    others = [row.pk for row in among if row.is_default and row.pk != chosen.pk]
    PatientBinding.objects.filter(pk__in=others).update(is_default=False)
    PatientBinding.objects.filter(pk=chosen.pk).update(is_default=True)
