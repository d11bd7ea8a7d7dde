"""Bindings of WeChat users to patients: adding, ending, the default one.

Adding looks for the document first (M3.12): the same document and name is the same person, so the
WeChat user is bound to that golden patient and nobody is made twice.
"""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.db import transaction

from hospital.identity import queries as identity
from hospital.kernel import audit, events, request_keys, sealed
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.kernel.settings_rows import Setting
from hospital.patients import consent, contacts, queries
from hospital.patients.actions import guardians, identifying, persons
from hospital.patients.actions.checking import check_person, is_child
from hospital.patients.events import BindingChanged
from hospital.patients.facts import Person
from hospital.patients.golden import Origin
from hospital.patients.models import Patient, PatientBinding
from hospital.patients.states import Assurance, DocumentKind, Relationship, Sex, Source

PATIENTS_PER_USER = Setting(
    key="patients.patients_per_user",
    label="每个微信用户最多绑定的就诊人",
    default=5,
    unit="人",
    minimum=1,
    maximum=20,
    rule="M11.1",
)
USERS_PER_PATIENT = Setting(
    key="patients.users_per_patient",
    label="每位就诊人最多被绑定的微信用户",
    default=3,
    unit="人",
    minimum=1,
    maximum=20,
    rule="M11.1",
)
REMOVALS_PER_MONTH = Setting(
    key="patients.removals_per_month",
    label="每个微信用户 30 天内可解除绑定的次数",
    default=3,
    unit="次",
    minimum=0,
    maximum=100,
    rule="M11.1",
)
MISMATCHES_PER_DAY = Setting(
    key="patients.mismatches_per_day",
    label="每个微信用户 24 小时内证件与姓名或手机不符的次数",
    default=5,
    unit="次",
    minimum=1,
    maximum=100,
    rule="M3.12",
)


class NameMismatch(Refusal):
    """The document is on file under another name: only the desk can look at both."""

    code: ClassVar[str] = "NAME_MISMATCH"
    default_message: ClassVar[str] = (
        "这个证件号码已登记在其他姓名下。请核对姓名；如果确认无误，请携带证件到挂号窗口办理。"
    )


class PhoneMismatch(Refusal):
    """The person is on file with another phone: knowing name and number is not enough (M3.12)."""

    code: ClassVar[str] = "PHONE_MISMATCH"
    default_message: ClassVar[str] = (
        "就诊人已在医院建档，手机号与建档时登记的不一致。请填写建档手机号，或携带证件到挂号窗口办理。"
    )


class TooManyMismatches(Refusal):
    """The same WeChat user tried too many documents that did not fit."""

    code: ClassVar[str] = "TOO_MANY_MISMATCHES"
    default_message: ClassVar[str] = "信息不符的次数过多，请明天再试，或携带证件到挂号窗口办理。"


class TooManyPatients(Refusal):
    """The WeChat user already has as many patients as allowed; details: limit."""

    code: ClassVar[str] = "TOO_MANY_PATIENTS"


class TooManyUsers(Refusal):
    """As many WeChat users as allowed are bound to the patient already; details: limit."""

    code: ClassVar[str] = "TOO_MANY_USERS"


class AlreadyBound(Refusal):
    """The patient is in the user's list already."""

    code: ClassVar[str] = "ALREADY_BOUND"
    default_message: ClassVar[str] = "这位就诊人已经在您的列表中。"


class GuardianFirst(Refusal):
    """A child under 14 needs a guardian who is a known patient (M3.4)."""

    code: ClassVar[str] = "GUARDIAN_FIRST"
    default_message: ClassVar[str] = "添加未满 14 周岁的就诊人前，请先把您本人添加为就诊人。"


class TooManyRemovals(Refusal):
    """The WeChat user ended too many bindings lately (M11.1)."""

    code: ClassVar[str] = "TOO_MANY_REMOVALS"
    default_message: ClassVar[str] = "近 30 天内解除绑定的次数过多，请到门诊办公室办理。"


def add_patient(
    *,
    wechat_user_id: int,
    name: str,
    document_kind: DocumentKind,
    document_no: str,
    phone: str,
    relationship: Relationship,
    key: str,
    by: Actor,
    at: dt.datetime,
    sex: Sex | None = None,
    birth_date: dt.date | None = None,
    is_guardian: bool = False,
) -> Patient:
    """Let a WeChat user act for a patient, making the patient when the hospital has none.

    The caller has shown the consent text and got a yes; its version is stored. Sex and birth date
    count only where the document does not tell them. `is_guardian` is the consent of M3.4 for a
    child under 14. The same `key` gives the same answer.

    Raises Invalid (by field), NameMismatch, PhoneMismatch, TooManyMismatches, TooManyPatients,
    TooManyUsers, AlreadyBound, GuardianFirst. Must not run inside a transaction of its caller,
    because a mismatch is kept to count it.
    """
    person = check_person(
        name=name,
        document_kind=document_kind,
        document_no=document_no,
        phone=phone,
        relationship=relationship,
        sex=sex,
        birth_date=birth_date,
        is_guardian=is_guardian,
        at=at,
    )
    user = identity.wechat_user(user_id=wechat_user_id)
    if user is None:
        raise NotFound
    tried = queries.mismatches(wechat_user=user, since=at - dt.timedelta(days=1))
    if tried >= MISMATCHES_PER_DAY.value():
        raise TooManyMismatches
    try:
        with transaction.atomic():
            return _bind(person, relationship, wechat_user_id=wechat_user_id, key=key, by=by, at=at)
    except (NameMismatch, PhoneMismatch) as refusal:
        code = {"code": refusal.code}
        audit.record(act=queries.MISMATCH, subject=user, by=by, at=at, after=code)
        raise


def set_default(*, wechat_user_id: int, number: str, by: Actor, at: dt.datetime) -> Patient:
    """Make the patient with this outpatient number the one the user's pages start with.

    Raises NotFound.
    """
    patient = queries.patient_for(wechat_user_id=wechat_user_id, number=number)
    with transaction.atomic():
        bindings = _locked_bindings(wechat_user_id)
        chosen = next((row for row in bindings if row.patient_id == patient.pk), None)
        if chosen is None:
            raise NotFound
        _make_default(chosen, among=bindings)
    return patient


def remove_binding(*, wechat_user_id: int, number: str, by: Actor, at: dt.datetime) -> None:
    """End a user's right to act for a patient; the patient and its history stay (M11.2).

    The caller has made sure that no unpaid bill and no coming visit depends on it; those live on
    higher floors. Raises NotFound, TooManyRemovals.
    """
    patient = queries.patient_for(wechat_user_id=wechat_user_id, number=number)
    with transaction.atomic():
        bindings = _locked_bindings(wechat_user_id)
        ending = next((row for row in bindings if row.patient_id == patient.pk), None)
        if ending is None:
            raise NotFound
        lately = PatientBinding.objects.filter(
            wechat_user=wechat_user_id, ended_at__gt=at - dt.timedelta(days=30)
        )
        if by.kind == "patient" and lately.count() >= REMOVALS_PER_MONTH.value():
            raise TooManyRemovals
        _end(ending, among=bindings, at=at)
        audit.record(act="patients.remove_binding", subject=ending, by=by, at=at)
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
        bindings = _locked_bindings(binding.wechat_user_id)
        ending = next((row for row in bindings if row.pk == binding_id), None)
        if ending is None:
            raise NotFound("这个绑定不存在，或已经解除。")
        _end(ending, among=bindings, at=at)
        audit.record(
            act="patients.force_unbind", subject=ending, by=by, at=at, reason=reason.strip()
        )
        events.emit(BindingChanged(ending.pk, "ended"))


def _bind(
    person: Person,
    relationship: Relationship,
    *,
    wechat_user_id: int,
    key: str,
    by: Actor,
    at: dt.datetime,
) -> Patient:
    document = person.document
    claim = request_keys.claim(
        key=f"{wechat_user_id}:{key}",
        scope="patients.add_patient",
        inputs={
            "document": queries.document_index(document.kind, document.number),
            "name": sealed.blind_index(person.name, "patients.name"),
            "phone": queries.phone_index(person.phone),
            "relationship": relationship.value,
        },
        at=at,
    )
    if claim.answer is not None:
        return queries.patient(patient_id=claim.answer["patient_id"])
    bindings = _locked_bindings(wechat_user_id)
    _check_list(person, relationship, bindings, at=at)
    persons.lock_words(identifying.number_word(person))
    patient = queries.document_owner(kind=document.kind, number=document.number)
    if patient is None:
        patient = _new_patient(person, by=by, at=at)
    else:
        _check_known(person, patient, bindings)
    binding = PatientBinding.objects.create(
        wechat_user_id=wechat_user_id,
        patient=patient,
        relationship=relationship,
        is_default=not bindings,
        consent_version=_consent_version(person, at=at),
        consented_at=at,
    )
    audit.record(
        act="patients.add_patient",
        subject=binding,
        by=by,
        at=at,
        after={"patient_id": patient.pk, "consent_version": binding.consent_version},
    )
    if is_child(person.birth_date, on=hospital_day(at)):
        guardians.link_self(patient, bindings, relationship, by=by, at=at)
    events.emit(BindingChanged(binding.pk, "added"))
    claim.finish({"patient_id": patient.pk})
    return patient


def _new_patient(person: Person, *, by: Actor, at: dt.datetime) -> Patient:
    """Name and number typed on the phone are worth a document seen (M3.3)."""
    origin = Origin(Source.PHONE, Assurance.DOCUMENT, at)
    patient = persons.new_patient(persons.values_of(person), origin)
    identifying.file_document(patient, person, origin, by=by)
    return patient


def _check_list(
    person: Person,
    relationship: Relationship,
    bindings: list[PatientBinding],
    *,
    at: dt.datetime,
) -> None:
    limit = PATIENTS_PER_USER.value()
    if len(bindings) >= limit:
        raise TooManyPatients(f"最多添加 {limit} 位就诊人，请先解除不再需要的就诊人。", limit=limit)
    has_self = any(row.relationship == Relationship.SELF for row in bindings)
    if has_self and relationship == Relationship.SELF:
        raise Invalid({"relationship": ["您已添加本人，请选择与就诊人的其他关系。"]})
    if is_child(person.birth_date, on=hospital_day(at)) and not has_self:
        raise GuardianFirst


def _check_known(person: Person, patient: Patient, bindings: list[PatientBinding]) -> None:
    if not contacts.is_same_name(patient.name, person.name):
        raise NameMismatch
    if any(row.patient_id == patient.pk for row in bindings):
        raise AlreadyBound
    if patient.phone_index and patient.phone_index != queries.phone_index(person.phone):
        raise PhoneMismatch
    limit = USERS_PER_PATIENT.value()
    # The patient row is the lock under which its users are counted.
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    if PatientBinding.objects.filter(patient=patient, ended_at__isnull=True).count() >= limit:
        message = f"这位就诊人已被 {limit} 个微信用户绑定，请携带证件到挂号窗口办理。"
        raise TooManyUsers(message, limit=limit)


def _consent_version(person: Person, *, at: dt.datetime) -> str:
    child = is_child(person.birth_date, on=hospital_day(at))
    return consent.GUARDIAN_VERSION if child else consent.VERSION


def _locked_bindings(wechat_user_id: int) -> list[PatientBinding]:
    """Return a user's bindings in order; the user's row is locked, also when there are none yet."""
    identity.lock_wechat_user(user_id=wechat_user_id)
    rows = PatientBinding.objects.filter(wechat_user=wechat_user_id, ended_at__isnull=True)
    return list(rows.order_by("pk"))


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
