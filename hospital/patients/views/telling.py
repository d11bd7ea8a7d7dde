"""A record's facts as lines for the page, masked (X12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hospital.kernel import clock
from hospital.patients import golden
from hospital.patients.queries import Record
from hospital.patients.states import (
    Assurance,
    IdentifierStatus,
    NumberKind,
    Sex,
    VerificationMethod,
)
from hospital.ui.wording import age_text, full_day_text

_TONES: Final = {
    IdentifierStatus.ACTIVE: "brand",
    IdentifierStatus.REPLACED: "",
    IdentifierStatus.VOID: "danger",
}


def facts(record: Record) -> list[dict[str, str]]:
    """Return the golden values with where each came from."""
    patient = record.patient
    values = {
        "name": patient.masked_name,
        "name_note": patient.name_note,
        "sex": Sex(patient.sex).label,
        "birth_date": birth_text(record),
        "ethnic_group": record.ethnic_group,
        "nationality": record.nationality,
        "phone": patient.masked_phone,
        "address": "已登记" if patient.address else "",
    }
    return [
        {"label": label, "value": values[field] or "未登记", "note": _origin(record, field)}
        for field, label in golden.GOLDEN_FIELDS.items()
        if values[field] or field != "name_note"
    ]


def birth_text(record: Record) -> str:
    """Return birth date and age (M3.13); an estimate says so."""
    patient = record.patient
    age = age_text(patient.birth_date, on=clock.today())
    if patient.is_birth_date_estimated:
        return f"约 {age}（估计）"
    return f"{full_day_text(patient.birth_date)}　{age}"


def identifiers(record: Record) -> list[dict[str, object]]:
    """Return the numbers of a patient with period and origin."""
    return [
        {
            "row": row,
            "label": row.label,
            "value": row.masked_value,
            "status": IdentifierStatus(row.status).label,
            "tone": _TONES[IdentifierStatus(row.status)],
            "period": _period(row.valid_from, row.valid_until),
            "assurance": Assurance(row.assurance).label,
            "may_void": row.status == IdentifierStatus.ACTIVE and row.kind != NumberKind.TEMPORARY,
        }
        for row in record.identifiers
    ]


def proofs(record: Record, *, names: Mapping[str, str]) -> list[dict[str, object]]:
    """Return the proofs of identity, newest first, as events of a timeline."""
    return [
        {
            "title": VerificationMethod(row.method).label,
            "at": row.at,
            "by": names.get(row.by, "患者本人" if row.by.startswith("patient") else "系统"),
            "note": f"{row.identifier.label} {row.identifier.masked_value}，"
            f"等级：{Assurance(row.assurance).label}",
            "tone": "brand" if row.assurance == Assurance.VERIFIED else "info",
        }
        for row in record.verifications
    ]


def _origin(record: Record, field: str) -> str:
    origin = record.origins.get(field)
    if origin is None:
        return ""
    return f"{origin.source.label}，{clock.hospital_day(origin.at):%Y-%m-%d}"


def _period(start: object, end: object) -> str:
    if start is None and end is None:
        return ""
    return f"{start or '不详'} 至 {end or '长期'}"
