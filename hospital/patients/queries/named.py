"""Whom a list is about, without opening a sealed column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hospital.patients.models import Patient


@dataclass(frozen=True, slots=True)
class NamedPatient:
    """A patient as a list shows one; the name is masked (X12)."""

    patient_id: int
    outpatient_no: str
    masked_name: str


def named(patient_ids: Iterable[int]) -> dict[int, NamedPatient]:
    """The patients with these ids, by id; merged ones under their own number."""
    rows = Patient.objects.filter(pk__in=set(patient_ids)).only("outpatient_no", "name")
    return {row.pk: NamedPatient(row.pk, row.outpatient_no, row.masked_name) for row in rows}
