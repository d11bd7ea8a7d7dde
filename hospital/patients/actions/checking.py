"""What was typed about a person, cleaned and judged in one place for phone and desk."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid
from hospital.patients import consent, contacts, documents
from hospital.patients.states import DocumentKind, Relationship, Sex


@dataclass(frozen=True, slots=True)
class Person:
    """What was typed about a patient, checked and cleaned; masked nowhere, so never logged."""

    name: str
    document: documents.Document
    phone: str
    sex: Sex
    birth_date: dt.date
    relationship: Relationship


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
    """Return the cleaned input. Raises Invalid, naming every field that is wrong at once.

    A child under 14 is added by a guardian who agrees, and nobody under 14 is "self" (M3.4).
    """
    errors: dict[str, list[str]] = {}
    day = hospital_day(at)
    clean_name = clean_phone = ""
    document: documents.Document | None = None
    try:
        clean_name = contacts.clean_name(name)
    except contacts.BadName as problem:
        errors["name"] = [problem.message]
    try:
        clean_phone = contacts.clean_phone(phone)
    except contacts.BadPhone as problem:
        errors["phone"] = [problem.message]
    try:
        document = documents.check(document_kind, document_no, on=day)
    except documents.BadDocument as problem:
        errors["document_no"] = [problem.message]
    if document is not None:
        sex = document.sex or sex
        errors |= _birth_date_errors(document, birth_date, on=day)
        birth_date = document.birth_date or birth_date
        if sex is None or sex is Sex.UNKNOWN:
            errors["sex"] = ["请选择性别。"]
    if birth_date is not None and is_child(birth_date, on=day):
        errors |= _child_errors(relationship, is_guardian=is_guardian)
    if errors or document is None or sex is None or birth_date is None:
        raise Invalid(errors)
    return Person(clean_name, document, clean_phone, sex, birth_date, relationship)


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


def is_child(birth_date: dt.date, *, on: dt.date) -> bool:
    """Say whether somebody is under 14 on a day, so that a guardian must agree (M3.4, X11)."""
    return documents.age_in_years(birth_date, on=on) < consent.GUARDIAN_AGE


def _child_errors(relationship: Relationship, *, is_guardian: bool) -> dict[str, list[str]]:
    if relationship == Relationship.SELF:
        return {"relationship": ["未满 14 周岁，请由监护人添加，并选择与您的关系。"]}
    return {} if is_guardian else {"is_guardian": ["就诊人未满 14 周岁，需要监护人同意。"]}
