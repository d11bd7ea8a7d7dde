"""A person at the desk beside look-alikes: field by field, what is the same and what differs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from hospital.kernel import clock
from hospital.patients import actions, likeness, queries
from hospital.patients.desk_forms import PersonForm
from hospital.patients.facts import Person
from hospital.patients.models import Patient
from hospital.patients.queries import Candidate
from hospital.patients.states import IDENTIFIER_LABELS, Assurance, Sex
from hospital.patients.thresholds import STRONG_SCORE


def comparison(form: PersonForm, candidates: Sequence[Candidate]) -> dict[str, object]:
    """Return the columns and rows of the comparison; candidates' values are masked (X12)."""
    person = actions.check_facts(form.facts(), at=clock.now())
    strong = STRONG_SCORE.value()
    columns = [
        {
            "id": one.patient.pk,
            "number": one.patient.outpatient_no,
            "score": one.likeness.score,
            "is_strong": one.likeness.score >= strong,
            "evidence": "、".join(label for label, _ in one.likeness.evidence if label),
            "vetoes": [veto.label for veto in one.likeness.vetoes],
        }
        for one in candidates
    ]
    patients = [one.patient for one in candidates]
    return {"columns": columns, "rows": _rows(person, patients)}


def _rows(person: Person, patients: Sequence[Patient]) -> list[dict[str, object]]:
    document = f"{IDENTIFIER_LABELS[person.document.kind]} {person.document.number}"
    return [
        _row("姓名", person.name, [(p.masked_name, p.name == person.name) for p in patients]),
        _row("性别", person.sex.label, [(Sex(p.sex).label, p.sex == person.sex) for p in patients]),
        _row("出生日期", _day(person.birth_date), [_birth(person, p) for p in patients]),
        _row("证件", document, [_documents(person, p) for p in patients]),
        _row("手机号", person.phone or "未填", [_phone(person, p) for p in patients]),
        _row("住址", person.address or "未填", [_address(person, p) for p in patients]),
        _row("实名", "", [(Assurance(p.assurance).label, None) for p in patients]),
    ]


def _row(label: str, told: str, cells: Sequence[tuple[str, bool | None]]) -> dict[str, object]:
    return {
        "label": label,
        "told": told,
        "cells": [
            {"text": text or "未填", "is_same": same if text else None} for text, same in cells
        ],
    }


def _birth(person: Person, patient: Patient) -> tuple[str, bool | None]:
    if patient.is_birth_date_estimated:
        return f"约 {patient.birth_date.year} 年", None
    return _day(patient.birth_date), patient.birth_date == person.birth_date


def _documents(person: Person, patient: Patient) -> tuple[str, bool | None]:
    rows = queries.documents_of(patient)
    same = any(row.value == person.document.number for row in rows)
    return "、".join(f"{row.label} {row.masked_value}" for row in rows), same


def _phone(person: Person, patient: Patient) -> tuple[str, bool | None]:
    return patient.masked_phone, patient.phone == person.phone if person.phone else None


def _address(person: Person, patient: Patient) -> tuple[str, bool | None]:
    if not patient.address:
        return "", None
    if not person.address:
        return "已登记", None
    same = likeness.is_like_address(person.address, patient.address)
    return "相近" if same else "不同", same


def _day(day: dt.date) -> str:
    return day.isoformat()
