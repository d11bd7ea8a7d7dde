"""Finding patients by what a clerk types: one box, everything sensitive masked."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet

from hospital.kernel import pinyin
from hospital.patients import contacts, documents
from hospital.patients.models import PINYIN_AS_TYPED, Patient, PatientCard, PatientIdentifier
from hospital.patients.queries.identifiers import (
    documents_of,
    is_outpatient_no,
    number_index,
    phone_index,
)
from hospital.patients.states import (
    Assurance,
    CardStatus,
    DocumentKind,
    IdentifierStatus,
    NumberKind,
    PatientKind,
    Sex,
)

_FOUND_AT_MOST: Final = 20
_SEARCHED_AT_MOST: Final = 500
#: Numbers that can be nobody's card: ours of other kinds, phones, resident IDs.
_RESERVED: Final = re.compile(r"[0-9]{10}|L[0-9]{10}|K[0-9]{9}|1[3-9][0-9]{9}|[0-9]{17}[0-9X]")
#: Those of them that say who somebody is.
_PERSONAL: Final = re.compile(r"1[3-9][0-9]{9}|[0-9]{17}[0-9X]")


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
    kind: PatientKind
    assurance: Assurance
    is_birth_date_estimated: bool


def find(text: str) -> list[FoundPatient]:
    """Return up to 20 patients for what a clerk typed, best first; merged ones are left out.

    Understands an outpatient, card, health card or temporary number, a phone, a document number
    (sealed ones by blind index), a name or its beginning, and pinyin or initials.
    """
    rows = _matching(text).defer("address", "origins").order_by("pinyin", "pk")
    shown = rows.prefetch_related("identifiers")[:_FOUND_AT_MOST]
    return [found(row) for row in shown]


def patient_ids(text: str) -> list[int]:
    """Return ids of up to 500 patients as `find` finds them, for searches of what is theirs.

    More than `find` shows, since a common name must not hide a booking; no sealed column is opened.
    """
    return list(_matching(text).values_list("pk", flat=True)[:_SEARCHED_AT_MOST])


def card_by_number(number: str) -> PatientCard | None:
    """Return a card by the number a reader types, whatever became of it."""
    rows = PatientCard.objects.filter(number=contacts.normalise_search(number))
    return rows.select_related("patient").first()


def is_reserved_number(number: str) -> bool:
    """Say whether a number is of a kind that no blank card has."""
    return _RESERVED.fullmatch(number) is not None


def found(row: Patient) -> FoundPatient:
    """Return a patient as lists show it."""
    return FoundPatient(
        patient_id=row.pk,
        outpatient_no=row.outpatient_no,
        masked_name=row.masked_name,
        sex=Sex(row.sex).label,
        birth_date=row.birth_date,
        masked_phone=row.masked_phone,
        masked_documents=[document.masked_value for document in documents_of(row)],
        kind=PatientKind(row.kind),
        assurance=Assurance(row.assurance),
        is_birth_date_estimated=row.is_birth_date_estimated,
    )


def _matching(text: str) -> QuerySet[Patient]:
    wanted = contacts.normalise_search(text)
    rows = Patient.objects.filter(is_active=True, merged_into__isnull=True)
    if not wanted or "\0" in wanted:
        return rows.none()
    if is_outpatient_no(wanted):
        return rows.filter(outpatient_no=wanted)
    if re.search(r"[0-9]", wanted):
        return rows.filter(pk__in=_by_number(wanted))
    named = rows.alias(typed_pinyin=PINYIN_AS_TYPED).filter(_by_name(wanted))
    # A lone surname fits a sixth of everybody: sorting them all to show 20 would take seconds.
    return rows.filter(pk__in=named.values("pk")[:_SEARCHED_AT_MOST])


def _by_number(wanted: str) -> Iterable[int]:
    """Ids of the patients a number names, each index asked by itself: an OR would use none."""
    numbers = {wanted, documents.widen(wanted)} if re.fullmatch("[0-9]{15}", wanted) else {wanted}
    kinds = (*DocumentKind, *NumberKind)
    indexes = [number_index(kind, number) for kind in kinds for number in numbers]
    identified = PatientIdentifier.objects.filter(
        ~Q(status=IdentifierStatus.VOID), value_index__in=indexes
    )
    reached = Patient.objects.filter(~Q(phone_index=""), phone_index=phone_index(wanted))
    found = {
        *identified.values_list("patient_id", flat=True)[:_SEARCHED_AT_MOST],
        *reached.values_list("pk", flat=True)[:_SEARCHED_AT_MOST],
    }
    # Cards are asked for in clear, so a phone or a document number must not be among them.
    if _PERSONAL.fullmatch(wanted):
        return found
    carded = PatientCard.objects.filter(number=wanted, status=CardStatus.ACTIVE)
    return found | set(carded.values_list("patient_id", flat=True))


def _by_name(wanted: str) -> Q:
    letters = pinyin.fold(wanted)
    if letters.isascii():
        return Q(initials__startswith=letters) | Q(typed_pinyin__startswith=letters)
    return Q(name__startswith=wanted)
