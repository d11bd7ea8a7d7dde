"""Finding patients by what a clerk types: one box, everything sensitive masked."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet

from hospital.kernel import pinyin
from hospital.patients import contacts, documents
from hospital.patients.models import PINYIN_AS_TYPED, Patient
from hospital.patients.queries.identifiers import document_index, is_outpatient_no, phone_index
from hospital.patients.states import DocumentKind, Sex

_FOUND_AT_MOST: Final = 20
_SEARCHED_AT_MOST: Final = 500


@dataclass(frozen=True, slots=True)
class FoundPatient:
    """A hit of the desk's search; masked, because a list is read over shoulders (X12)."""

    patient_id: int
    outpatient_no: str
    masked_name: str
    sex: str
    birth_date: dt.date
    masked_phone: str
    masked_documents: list[str]


def find(text: str) -> list[FoundPatient]:
    """Return up to 20 patients for what a clerk typed, best first; merged ones are left out.

    Understands an outpatient number, a phone, a document number (both by blind index), a name
    or its beginning, and pinyin or initials.
    """
    ordered = _matching(text).prefetch_related("identifiers").order_by("pinyin", "pk")
    return [_found(row) for row in ordered[:_FOUND_AT_MOST]]


def patient_ids(text: str) -> list[int]:
    """Return ids of up to 500 patients as `find` finds them, for searches of what is theirs.

    More than `find` shows, since a common name must not hide a booking; no sealed column is opened.
    """
    return list(_matching(text).values_list("pk", flat=True)[:_SEARCHED_AT_MOST])


def _matching(text: str) -> QuerySet[Patient]:
    wanted = contacts.normalise_search(text)
    if not wanted:
        return Patient.objects.none()
    by_number = _by_number(wanted)
    rows = Patient.objects.filter(is_active=True, merged_into__isnull=True)
    rows = rows.alias(typed_pinyin=PINYIN_AS_TYPED)
    hits = rows.filter(by_number) if by_number is not None else rows.filter(_by_name(wanted))
    return hits.distinct()


def _by_number(wanted: str) -> Q | None:
    if is_outpatient_no(wanted):
        return Q(outpatient_no=wanted)
    if not re.search(r"[0-9]", wanted):
        return None
    numbers = {wanted, documents.widen(wanted)} if re.fullmatch("[0-9]{15}", wanted) else {wanted}
    indexes = [document_index(kind, number) for kind in DocumentKind for number in numbers]
    return Q(phone_index=phone_index(wanted)) | Q(identifiers__value_index__in=indexes)


def _by_name(wanted: str) -> Q:
    letters = pinyin.fold(wanted)
    if letters.isascii():
        return Q(initials__startswith=letters) | Q(typed_pinyin__startswith=letters)
    return Q(name__startswith=wanted)


def _found(row: Patient) -> FoundPatient:
    documents_of_row = sorted(row.identifiers.all(), key=lambda document: document.pk)
    return FoundPatient(
        patient_id=row.pk,
        outpatient_no=row.outpatient_no,
        masked_name=row.masked_name,
        sex=Sex(row.sex).label,
        birth_date=row.birth_date,
        masked_phone=row.masked_phone,
        masked_documents=[document.masked_value for document in documents_of_row],
    )
