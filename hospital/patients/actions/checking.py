"""What was typed or read about a person, cleaned and judged in one place for phone and desk."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Final

from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid
from hospital.patients import consent, contacts, documents
from hospital.patients.facts import Facts, Person
from hospital.patients.reference import CHINA, COUNTRIES, ETHNIC_GROUPS
from hospital.patients.states import DocumentKind, Relationship, Sex

_LONGEST_NOTE: Final = 40
#: What the kind of document says about nationality; longer prefixes of the number decide first.
_REGIONS: Final = {
    (DocumentKind.RESIDENCE_PERMIT, "81"): "HKG",
    (DocumentKind.RESIDENCE_PERMIT, "82"): "MAC",
    (DocumentKind.RESIDENCE_PERMIT, "83"): "TWN",
    (DocumentKind.HK_MACAU_PERMIT, "H"): "HKG",
    (DocumentKind.HK_MACAU_PERMIT, "M"): "MAC",
    (DocumentKind.TAIWAN_PERMIT, ""): "TWN",
    (DocumentKind.RESIDENT_ID, ""): CHINA,
    (DocumentKind.OFFICER_CARD, ""): CHINA,
}


def check_person(
    *,
    name: str,
    document_kind: DocumentKind,
    document_no: str,
    phone: str,
    relationship: Relationship,
    sex: Sex | None,
    birth_date: dt.date | None,
    is_guardian: bool,
    at: dt.datetime,
) -> Person:
    """Return the cleaned input of the phone. Raises Invalid, naming every wrong field at once.

    A child under 14 is added by a guardian who agrees, and nobody under 14 is "self" (M3.4).
    """
    facts = Facts(name, document_kind, document_no, phone, sex, birth_date)
    person, errors = _clean(facts, on=hospital_day(at))
    if not phone.strip():
        errors["phone"] = ["请填写手机号。"]
    born = person.birth_date if person is not None else _told_birth_date(facts, hospital_day(at))
    if born is not None and is_child(born, on=hospital_day(at)):
        errors |= _child_errors(relationship, is_guardian=is_guardian)
    if errors or person is None:
        raise Invalid(errors)
    return person


def check_facts(facts: Facts, *, at: dt.datetime) -> Person:
    """Return the cleaned input of the desk. Raises Invalid, naming every wrong field at once.

    The phone may be missing: old people and children have none of their own.
    """
    person, errors = _clean(facts, on=hospital_day(at))
    if errors or person is None:
        raise Invalid(errors)
    return person


def is_child(birth_date: dt.date, *, on: dt.date) -> bool:
    """Say whether somebody is under 14 on a day, so that a guardian must agree (M3.4, X11)."""
    return documents.age_in_years(birth_date, on=on) < consent.GUARDIAN_AGE


def _clean(facts: Facts, *, on: dt.date) -> tuple[Person | None, dict[str, list[str]]]:
    errors: dict[str, list[str]] = {}
    name = phone = address = ""
    document: documents.Document | None = None
    try:
        name = contacts.clean_name(facts.name)
    except contacts.BadName as problem:
        errors["name"] = [problem.message]
    try:
        phone = contacts.clean_phone(facts.phone) if facts.phone.strip() else ""
    except contacts.BadPhone as problem:
        errors["phone"] = [problem.message]
    try:
        address = contacts.clean_address(facts.address)
    except contacts.BadAddress as problem:
        errors["address"] = [problem.message]
    try:
        document = documents.check(facts.document_kind, facts.document_no, on=on)
    except documents.BadDocument as problem:
        errors["document_no"] = [problem.message]
    errors |= _side_errors(facts)
    if document is None:
        return None, errors
    sex = document.sex or facts.sex
    errors |= _birth_date_errors(document, facts.birth_date, on=on)
    birth_date = document.birth_date or facts.birth_date
    if sex is None or sex is Sex.UNKNOWN:
        errors["sex"] = ["请选择性别。"]
    if sex is None or birth_date is None:
        return None, errors
    person = Person(name, document, phone, sex, birth_date)
    return (
        replace(
            person,
            name_note=facts.name_note.strip(),
            ethnic_group=facts.ethnic_group,
            nationality=facts.nationality or _nationality(document),
            address=address,
            valid_from=facts.valid_from,
            valid_until=facts.valid_until,
        ),
        errors,
    )


def _side_errors(facts: Facts) -> dict[str, list[str]]:
    """What is wrong with the less important fields."""
    errors: dict[str, list[str]] = {}
    if facts.ethnic_group and facts.ethnic_group not in ETHNIC_GROUPS:
        errors["ethnic_group"] = ["请从列表中选择民族。"]
    if facts.nationality and facts.nationality not in COUNTRIES:
        errors["nationality"] = ["请从列表中选择国籍或地区。"]
    if len(facts.name_note) > _LONGEST_NOTE or not facts.name_note.isprintable():
        errors["name_note"] = [f"生僻字写法不能超过 {_LONGEST_NOTE} 个字。"]
    if facts.valid_from and facts.valid_until and facts.valid_until < facts.valid_from:
        errors["valid_until"] = ["有效期的结束不能早于开始。"]
    return errors


def _birth_date_errors(
    document: documents.Document, birth_date: dt.date | None, *, on: dt.date
) -> dict[str, list[str]]:
    if document.birth_date is not None:
        return {}
    if birth_date is None:
        return {"birth_date": ["请选择出生日期。"]}
    try:
        documents.check_birth_date(birth_date, on=on)
    except documents.BadDocument as problem:
        return {"birth_date": [problem.message]}
    return {}


def _told_birth_date(facts: Facts, on: dt.date) -> dt.date | None:
    """The birth date of input that is wrong elsewhere, so that all errors show at once."""
    try:
        document = documents.check(facts.document_kind, facts.document_no, on=on)
    except documents.BadDocument:
        return facts.birth_date
    return document.birth_date or facts.birth_date


def _child_errors(relationship: Relationship, *, is_guardian: bool) -> dict[str, list[str]]:
    if relationship == Relationship.SELF:
        return {"relationship": ["未满 14 周岁，请由监护人添加，并选择与您的关系。"]}
    return {} if is_guardian else {"is_guardian": ["就诊人未满 14 周岁，需要监护人同意。"]}


def _nationality(document: documents.Document) -> str:
    for (kind, prefix), code in _REGIONS.items():
        if kind is document.kind and document.number.startswith(prefix):
            return code
    return ""
