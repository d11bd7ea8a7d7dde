"""Numbers that lead to a patient: their blind indexes, and whose they are."""

from __future__ import annotations

from typing import Final

from hospital.kernel import sealed, serials
from hospital.patients.models import Patient, PatientIdentifier
from hospital.patients.queries.persons import patient
from hospital.patients.states import DocumentKind

OUTPATIENT_NO_LENGTH: Final = 10


def document_owner(*, kind: DocumentKind, number: str) -> Patient | None:
    """Return the golden patient of a checked document, None when nobody has brought it yet."""
    rows = PatientIdentifier.objects.filter(kind=kind, value_index=document_index(kind, number))
    identifier = rows.first()
    return patient(patient_id=identifier.patient_id) if identifier is not None else None


def document_index(kind: DocumentKind, number: str) -> str:
    """Return the blind index of a document number, separate per kind."""
    return sealed.blind_index(number, f"patients.document.{kind}")


def phone_index(phone: str) -> str:
    """Return the blind index of a phone number."""
    return sealed.blind_index(phone, "patients.phone")


def is_outpatient_no(text: str) -> bool:
    """Say whether a text is an outpatient number with the right check digit."""
    return (
        len(text) == OUTPATIENT_NO_LENGTH
        and text.isascii()
        and text.isdigit()
        and serials.check_digit(text[:-1]) == text[-1]
    )
