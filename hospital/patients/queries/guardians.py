"""Who answers for a child on a day (M3.4)."""

from __future__ import annotations

import datetime as dt

from hospital.patients import consent, documents
from hospital.patients.models import Guardian, Patient


def is_child(*, patient: Patient, on: dt.date) -> bool:
    """Say whether a patient is under 14 on a day, so that guardians decide."""
    return documents.age_in_years(patient.birth_date, on=on) < consent.GUARDIAN_AGE


def guardians_of(*, patient: Patient, on: dt.date) -> list[Guardian]:
    """Return the links to those who decide for a patient on a day; none from the 14th birthday."""
    if not is_child(patient=patient, on=on):
        return []
    rows = Guardian.objects.filter(child=patient, ended_at__isnull=True)
    return list(rows.select_related("guardian").order_by("pk"))


def wards_of(*, patient: Patient, on: dt.date) -> list[Guardian]:
    """Return the links to the children a patient decides for on a day."""
    rows = Guardian.objects.filter(guardian=patient, ended_at__isnull=True)
    linked = rows.select_related("child").order_by("pk")
    return [row for row in linked if is_child(patient=row.child, on=on)]
