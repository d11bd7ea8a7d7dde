"""Adding a patient on the phone: who may, and what makes it the same person (M3.12, M11.1).

Adding looks for the document first: the same document and name is the same person, so the WeChat
user is bound to that golden patient and nobody is made twice. Whoever does it on the phone types
a code that went to the patient's own phone.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from django.db import transaction

from hospital.identity import queries as identity
from hospital.kernel import audit, events, request_keys, sealed
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.kernel.settings_rows import Setting
from hospital.patients import consent, contacts, queries
from hospital.patients.actions import codes, guardians, identifying, persons
from hospital.patients.actions.bindings import locked_bindings
from hospital.patients.actions.checking import check_person, is_child
from hospital.patients.events import BindingChanged
from hospital.patients.facts import Person
from hospital.patients.golden import Origin
from hospital.patients.models import Patient, PatientBinding, PhoneCode
from hospital.patients.states import (
    Assurance,
    CodePurpose,
    DocumentKind,
    Relationship,
    Sex,
    Source,
)
from hospital.patients.thresholds import BINDING_DAYS

if TYPE_CHECKING:
    from hospital.identity.models import WeChatUser

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
ADDITIONS_PER_MONTH = Setting(
    key="patients.additions_per_month",
    label="每个微信用户在统计天数内可添加就诊人的次数（本人不计）",
    default=3,
    unit="次",
    minimum=1,
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


class NoPhoneOnFile(Refusal):
    """The person is on file without a phone, so no code can prove its consent (M3.12)."""

    code: ClassVar[str] = "NO_PHONE_ON_FILE"
    default_message: ClassVar[str] = (
        "就诊人已在医院建档，但没有登记手机号。请携带证件到挂号窗口登记手机号后再添加。"
    )


class TooManyMismatches(Refusal):
    """The same WeChat user tried too many documents that did not fit."""

    code: ClassVar[str] = "TOO_MANY_MISMATCHES"
    default_message: ClassVar[str] = "信息不符的次数过多，请明天再试，或携带证件到挂号窗口办理。"


class TooManyPatients(Refusal):
    """The WeChat user already has as many patients as allowed; details: limit."""

    code: ClassVar[str] = "TOO_MANY_PATIENTS"


class TooManyAdditions(Refusal):
    """The WeChat user added too many people lately (M11.1)."""

    code: ClassVar[str] = "TOO_MANY_ADDITIONS"
    default_message: ClassVar[str] = (
        "近期添加就诊人的次数过多，请过些天再试；急需就诊可到挂号窗口挂号。"
    )


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


def ask_code(
    *,
    wechat_user_id: int,
    name: str,
    document_kind: DocumentKind,
    document_no: str,
    phone: str,
    relationship: Relationship,
    by: Actor,
    at: dt.datetime,
    sex: Sex | None = None,
    birth_date: dt.date | None = None,
    is_guardian: bool = False,
) -> PhoneCode:
    """Send a code to the phone of somebody to be added, once nothing else stands against it.

    The phone is the one on file where the person is known (M3.12), so the code comes to whoever
    must agree. Raises what `add_patient` raises, CodeTooSoon and TooManyCodes; like it, must not
    run inside a transaction.
    """
    told = Told(name, document_kind, document_no, phone, relationship, sex, birth_date)
    person, user = _person(told, wechat_user_id, is_guardian=is_guardian, at=at)
    with _counted(user, by=by, at=at):
        bindings = locked_bindings(wechat_user_id)
        _check_list(person, relationship, user, bindings, by=by, at=at)
        known = _owner(person)
        if known is not None:
            _check_known(person, known, bindings, by=by)
        return codes.send(
            wechat_user_id=wechat_user_id,
            purpose=CodePurpose.BIND,
            about=_about(person),
            phone=person.phone,
            at=at,
        )


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
    code: str = "",
) -> Patient:
    """Let a WeChat user act for a patient, making the patient when the hospital has none.

    The caller has shown the consent text and got a yes; its version is stored. Sex and birth date
    count only where the document does not tell them. `is_guardian` is the consent of M3.4 for a
    child under 14. Who does it on the phone types the `code` of `ask_code`; the hospital's own
    people have seen the document instead (M3.12). The same `key` gives the same answer.

    Raises Invalid (by field), NameMismatch, PhoneMismatch, NoPhoneOnFile, TooManyMismatches,
    TooManyPatients, TooManyAdditions, TooManyUsers, AlreadyBound, GuardianFirst,
    GuardianNotKnown, WrongCode, CodeOver. Must not run inside a transaction of its caller, because
    a mismatch or a wrong code is kept to count it.
    """
    told = Told(name, document_kind, document_no, phone, relationship, sex, birth_date)
    person, user = _person(told, wechat_user_id, is_guardian=is_guardian, at=at)
    proof = None
    if by.kind == "patient":
        proof = codes.attempt(
            wechat_user_id=wechat_user_id,
            purpose=CodePurpose.BIND,
            about=_about(person),
            phone=person.phone,
            typed=code,
            at=at,
        )
    with _counted(user, by=by, at=at):
        return _bind(person, relationship, proof, user=user, key=key, by=by, at=at)


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody typed about a person to add, unchecked."""

    name: str
    document_kind: DocumentKind
    document_no: str
    phone: str
    relationship: Relationship
    sex: Sex | None
    birth_date: dt.date | None


def _person(
    told: Told, wechat_user_id: int, *, is_guardian: bool, at: dt.datetime
) -> tuple[Person, WeChatUser]:
    person = check_person(
        name=told.name,
        document_kind=told.document_kind,
        document_no=told.document_no,
        phone=told.phone,
        relationship=told.relationship,
        sex=told.sex,
        birth_date=told.birth_date,
        is_guardian=is_guardian,
        at=at,
    )
    user = identity.wechat_user(user_id=wechat_user_id)
    if user is None:
        raise NotFound
    _check_mismatches(user, at=at)
    return person, user


@contextlib.contextmanager
def _counted(user: WeChatUser, *, by: Actor, at: dt.datetime) -> Iterator[None]:
    """One try of a user at a time, in a transaction; a document that does not fit is counted,
    also though nothing else of the try is kept."""
    problem: Refusal | None = None
    with transaction.atomic():
        identity.lock_wechat_user(user_id=user.pk)
        _check_mismatches(user, at=at)
        try:
            with transaction.atomic():
                yield
        except (NameMismatch, PhoneMismatch) as refusal:
            told = {"code": refusal.code}
            audit.record(act=queries.MISMATCH, subject=user, by=by, at=at, after=told)
            problem = refusal
    if problem is not None:
        raise problem


def _check_mismatches(user: WeChatUser, *, at: dt.datetime) -> None:
    tried = queries.mismatches(wechat_user=user, since=at - dt.timedelta(days=1))
    if tried >= MISMATCHES_PER_DAY.value():
        raise TooManyMismatches


def _bind(
    person: Person,
    relationship: Relationship,
    proof: PhoneCode | None,
    *,
    user: WeChatUser,
    key: str,
    by: Actor,
    at: dt.datetime,
) -> Patient:
    claim = request_keys.claim(
        key=f"{user.pk}:{key}",
        scope="patients.add_patient",
        inputs={
            "document": _about(person),
            "name": sealed.blind_index(person.name, "patients.name"),
            "phone": queries.phone_index(person.phone),
            "relationship": relationship.value,
        },
        at=at,
    )
    if claim.answer is not None:
        return queries.patient(patient_id=claim.answer["patient_id"])
    bindings = locked_bindings(user.pk)
    _check_list(person, relationship, user, bindings, by=by, at=at)
    persons.lock_words(identifying.number_word(person))
    patient = _owner(person)
    if patient is None:
        patient = _new_patient(person, by=by, at=at)
    else:
        _check_known(person, patient, bindings, by=by)
        identifying.prove_by_phone(persons.lock(patient.pk), person, by=by, at=at)
    if proof is not None:
        codes.use(proof, at=at)
    binding = PatientBinding.objects.create(
        wechat_user=user,
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


def _owner(person: Person) -> Patient | None:
    return queries.document_owner(kind=person.document.kind, number=person.document.number)


def _about(person: Person) -> str:
    return queries.document_index(person.document.kind, person.document.number)


def _new_patient(person: Person, *, by: Actor, at: dt.datetime) -> Patient:
    """Name and number typed on the phone are worth a document seen (M3.3)."""
    origin = Origin(Source.PHONE, Assurance.DOCUMENT, at)
    patient = persons.new_patient(persons.values_of(person), origin)
    identifying.file_document(patient, person, origin, by=by)
    return patient


def _check_list(
    person: Person,
    relationship: Relationship,
    user: WeChatUser,
    bindings: list[PatientBinding],
    *,
    by: Actor,
    at: dt.datetime,
) -> None:
    limit = PATIENTS_PER_USER.value()
    if len(bindings) >= limit:
        raise TooManyPatients(f"最多添加 {limit} 位就诊人，请先解除不再需要的就诊人。", limit=limit)
    has_self = any(row.relationship == Relationship.SELF for row in bindings)
    if has_self and relationship == Relationship.SELF:
        raise Invalid({"relationship": ["您已添加本人，请选择与就诊人的其他关系。"]})
    if is_child(person.birth_date, on=hospital_day(at)):
        _check_guardian(bindings, at=at)
    if by.kind == "patient" and relationship != Relationship.SELF:
        days = BINDING_DAYS.value()
        since = at - dt.timedelta(days=days)
        added = PatientBinding.objects.filter(wechat_user=user, consented_at__gt=since)
        lately = added.exclude(relationship=Relationship.SELF)
        if lately.count() >= ADDITIONS_PER_MONTH.value():
            raise TooManyAdditions(
                f"近 {days} 天内添加就诊人的次数过多，请过些天再试；急需就诊可到挂号窗口挂号。"
            )


def _check_guardian(bindings: list[PatientBinding], *, at: dt.datetime) -> None:
    """Whoever adds a child answers for it: known, real-name and of age (M3.4)."""
    own = next((row.patient for row in bindings if row.relationship == Relationship.SELF), None)
    if own is None:
        raise GuardianFirst
    if not guardians.may_guard(own, on=hospital_day(at)):
        raise guardians.GuardianNotKnown


def _check_known(
    person: Person, patient: Patient, bindings: list[PatientBinding], *, by: Actor
) -> None:
    if not contacts.is_same_name(patient.name, person.name):
        raise NameMismatch
    if any(row.patient_id == patient.pk for row in bindings):
        raise AlreadyBound
    if patient.phone_index and patient.phone_index != queries.phone_index(person.phone):
        raise PhoneMismatch
    if by.kind == "patient" and not patient.phone_index:
        raise NoPhoneOnFile
    limit = USERS_PER_PATIENT.value()
    # The patient row is the lock under which its users are counted.
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    if PatientBinding.objects.filter(patient=patient, ended_at__isnull=True).count() >= limit:
        message = (
            f"这位就诊人已被 {limit} 个微信用户绑定。"
            "请本人在手机上解除其中一个，或携带证件到门诊办公室办理。"
        )
        raise TooManyUsers(message, limit=limit)


def _consent_version(person: Person, *, at: dt.datetime) -> str:
    child = is_child(person.birth_date, on=hospital_day(at))
    return consent.GUARDIAN_VERSION if child else consent.VERSION
