"""Persons an outside platform books for: found by document, name and phone together, or made.

A platform is told that somebody fits or does not, never what is on file and never which of the
three was wrong; tries that did not fit are counted per platform (M3.12).
"""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Final

from django.db import connection

from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid, Refusal
from hospital.kernel.models import AuditEntry
from hospital.patients import contacts, queries
from hospital.patients.actions import identifying, persons
from hospital.patients.actions.checking import check_facts, is_child
from hospital.patients.actions.finding import FoundPerson
from hospital.patients.facts import Facts, Person
from hospital.patients.golden import Origin
from hospital.patients.models import IdentityVerification, Patient
from hospital.patients.states import METHOD_ASSURANCE, METHOD_SOURCES, VerificationMethod
from hospital.patients.thresholds import PARTNER_MISMATCHES

_METHOD: Final = VerificationMethod.PARTNER


class IdentityNotConfirmed(Refusal):
    """Document, name and phone are not all those of one person on file (M3.12)."""

    code: ClassVar[str] = "IDENTITY_NOT_CONFIRMED"
    default_message: ClassVar[str] = (
        "姓名、证件号码和手机号与医院登记的信息不一致，无法通过平台挂号。"
        "请患者核对，或携带证件到挂号窗口、在医院公众号办理。"
    )


class ChildNeedsGuardian(Refusal):
    """Nobody under 14 is filed without a guardian the hospital knows (M3.4)."""

    code: ClassVar[str] = "CHILD_NEEDS_GUARDIAN"
    default_message: ClassVar[str] = (
        "患者未满 14 周岁且未在本院建档，请监护人在医院公众号或挂号窗口为其建档后再预约。"
    )


class TooManyUnconfirmed(Refusal):
    """The platform named too many persons lately who did not fit."""

    code: ClassVar[str] = "TOO_MANY_UNCONFIRMED"
    default_message: ClassVar[str] = "24 小时内身份信息不一致的次数过多，请联系医院信息科。"


def bring_person(*, facts: Facts, by: Actor, at: dt.datetime) -> FoundPerson:
    """Return the patient whose document, name and phone a platform tells, made when nobody has
    brought the document yet; in the caller's transaction.

    What is on file stays as it is: a platform proves nothing about somebody known. Somebody new is
    worth a document typed by hand (M3.3) until a clerk has seen it. Raises Invalid (by field),
    TooManyUnconfirmed, IdentityNotConfirmed (`note_unconfirmed` it), ChildNeedsGuardian.
    """
    assert connection.in_atomic_block, "a person is made with what it is made for, or not at all"
    if not facts.phone.strip():
        raise Invalid({"phone": ["请填写手机号。"]})
    person = check_facts(facts, at=at)
    _check_tries(by, at=at)
    persons.lock_words(identifying.number_word(person))
    owner = queries.document_owner(kind=person.document.kind, number=person.document.number)
    if owner is not None:
        _check_fits(owner, person)
        return FoundPerson(owner.pk, is_new=False)
    if is_child(person.birth_date, on=hospital_day(at)):
        raise ChildNeedsGuardian
    return FoundPerson(_make(person, by=by, at=at).pk, is_new=True)


def note_unconfirmed(*, by: Actor, at: dt.datetime) -> None:
    """Count, after the try itself was undone, that a platform named somebody who did not fit."""
    audit.record(
        act=queries.MISMATCH,
        subject=None,
        by=by,
        at=at,
        after={"code": IdentityNotConfirmed.code},
    )


def _check_tries(by: Actor, *, at: dt.datetime) -> None:
    since = at - dt.timedelta(days=1)
    tried = AuditEntry.objects.filter(by=str(by), act=queries.MISMATCH, at__gt=since)
    if tried.count() >= PARTNER_MISMATCHES.value():
        raise TooManyUnconfirmed


def _check_fits(owner: Patient, person: Person) -> None:
    same_phone = owner.phone_index == queries.phone_index(person.phone)
    if not same_phone or not contacts.is_same_name(owner.name, person.name):
        raise IdentityNotConfirmed


def _make(person: Person, *, by: Actor, at: dt.datetime) -> Patient:
    origin = Origin(METHOD_SOURCES[_METHOD], METHOD_ASSURANCE[_METHOD], at)
    patient = persons.new_patient(persons.values_of(person), origin)
    identifier = identifying.file_document(patient, person, origin, by=by)
    IdentityVerification.objects.create(
        patient=patient,
        identifier=identifier,
        method=_METHOD,
        assurance=origin.assurance,
        by=str(by),
        at=at,
    )
    audit.record(
        act="patients.create_patient",
        subject=patient,
        by=by,
        at=at,
        after={"method": _METHOD.value, "document": person.document.kind.value},
        person_id=patient.pk,
    )
    return patient
