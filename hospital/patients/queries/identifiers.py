"""Numbers that lead to a patient: their blind indexes, and whose they are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from hospital.kernel import sealed, serials
from hospital.patients.models import Patient, PatientIdentifier
from hospital.patients.queries.persons import patient
from hospital.patients.states import DocumentKind, IdentifierStatus, NumberKind

OUTPATIENT_NO_LENGTH: Final = 10
_HEALTH_CARD: Final = re.compile(r"([0-9A-Z]{16,64})(:[0-9])?")


def document_owner(*, kind: DocumentKind, number: str) -> Patient | None:
    """Return the golden patient of a checked document, None when nobody has brought it yet."""
    rows = PatientIdentifier.objects.filter(kind=kind, value_index=document_index(kind, number))
    identifier = rows.exclude(status=IdentifierStatus.VOID).first()
    return patient(patient_id=identifier.patient_id) if identifier is not None else None


def live_identifiers(owner: Patient) -> Sequence[PatientIdentifier]:
    """Return a patient's active numbers, oldest first, from what was prefetched where it was."""
    rows = [row for row in owner.identifiers.all() if row.status == IdentifierStatus.ACTIVE]
    return sorted(rows, key=lambda row: row.pk)


def documents_of(owner: Patient) -> Sequence[PatientIdentifier]:
    """Return a patient's active documents, without health cards and temporary numbers."""
    return [row for row in live_identifiers(owner) if row.kind in DocumentKind.values]


def health_card_of(owner: Patient) -> str:
    """Return a patient's electronic health card number, masked, "" without one."""
    cards = [row for row in live_identifiers(owner) if row.kind == NumberKind.HEALTH_CARD]
    return cards[-1].masked_value if cards else ""


def document_index(kind: DocumentKind, number: str) -> str:
    """Return the blind index of a document number, separate per kind."""
    return number_index(kind, number)


def number_index(kind: DocumentKind | NumberKind, number: str) -> str:
    """Return the blind index of any number that names a patient, separate per kind."""
    return sealed.blind_index(number, f"patients.document.{kind}")


def phone_index(phone: str) -> str:
    """Return the blind index of a phone number."""
    return sealed.blind_index(phone, "patients.phone")


def clean_health_card(text: str) -> str:
    """Return the number of an electronic health card as it is stored, "" when it cannot be one.

    The code on the phone says the card's 64 characters, sometimes with ":1" behind them.
    """
    narrow = unicodedata.normalize("NFKC", text[:100]).strip().upper()
    card = _HEALTH_CARD.fullmatch(narrow)
    return card.group(1) if card else ""


def is_outpatient_no(text: str) -> bool:
    """Say whether a text is an outpatient number with the right check digit."""
    return (
        len(text) == OUTPATIENT_NO_LENGTH
        and text.isascii()
        and text.isdigit()
        and serials.check_digit(text[:-1]) == text[-1]
    )
