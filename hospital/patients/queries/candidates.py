"""Patients who may be the person at the desk: found through indexes, scored in Python (M3.7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import Prefetch, Q

from hospital.kernel import pinyin
from hospital.patients import likeness, thresholds
from hospital.patients.facts import Person
from hospital.patients.likeness import Likeness, Profile
from hospital.patients.models import (
    LONGEST_PINYIN,
    PINYIN_AS_TYPED,
    Guardian,
    Patient,
    PatientIdentifier,
)
from hospital.patients.queries.identifiers import documents_of, number_index, phone_index
from hospital.patients.states import DocumentKind, IdentifierStatus, PatientKind, Sex

#: Far more people than share a name and a birthday; only protects against a broken import.
_COMPARED_AT_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """A known patient and how alike it is to the person at the desk."""

    patient: Patient
    likeness: Likeness


def candidates(
    *, person: Person, at_least: int, guardian_ids: Iterable[int] = ()
) -> list[Candidate]:
    """Return the known patients who reach a score, likest first.

    The database answers `likeness.may_matter` through its indexes; whoever is not in its answer
    cannot reach the lowest score that may be set.
    """
    wanted = profile_of_person(person, guardian_ids=guardian_ids)
    weights = thresholds.weights()
    found = [
        Candidate(row, likeness.compare(wanted, profile_of(row), weights=weights))
        for row in _who_may_matter(person, wanted)
    ]
    alike = [one for one in found if one.likeness.score >= at_least]
    return sorted(alike, key=lambda one: (-one.likeness.score, one.patient.pk))


def compare_with(*, person: Person, patient: Patient) -> Candidate:
    """Return one patient as a candidate, whatever its score: the clerk looks at both."""
    found = likeness.compare(
        profile_of_person(person), profile_of(patient), weights=thresholds.weights()
    )
    return Candidate(patient, found)


def profile_of_person(person: Person, *, guardian_ids: Iterable[int] = ()) -> Profile:
    """Return what is compared of a checked person."""
    return Profile(
        name=person.name,
        sound=sound(person.name),
        sex=person.sex,
        birth_date=person.birth_date,
        numbers={person.document.kind: frozenset({person.document.number})},
        phone=phone_index(person.phone) if person.phone else "",
        address=person.address,
        guardians=frozenset(guardian_ids),
    )


def profile_of(patient: Patient) -> Profile:
    """Return what is compared of a stored patient."""
    numbers: dict[DocumentKind, frozenset[str]] = {}
    for row in documents_of(patient):
        kind = DocumentKind(row.kind)
        numbers[kind] = numbers.get(kind, frozenset()) | {row.value}
    links = [row for row in patient.guardians.all() if row.ended_at is None]
    return Profile(
        name=patient.name,
        sound=patient.pinyin.replace(" ", ""),
        sex=Sex(patient.sex),
        birth_date=None if patient.is_birth_date_estimated else patient.birth_date,
        numbers=numbers,
        phone=patient.phone_index,
        address=patient.address,
        guardians=frozenset(row.guardian_id for row in links),
    )


def sound(name: str) -> str:
    """Return a name as it sounds: its pinyin as it is kept, without spaces."""
    return pinyin.name_pinyin(name)[:LONGEST_PINYIN].replace(" ", "")


def _who_may_matter(person: Person, wanted: Profile) -> list[Patient]:
    rows = Patient.objects.alias(typed_pinyin=PINYIN_AS_TYPED).filter(
        is_active=True, merged_into__isnull=True
    )
    close = Q(birth_date__in=likeness.birth_dates(person.birth_date)) | Q(
        is_birth_date_estimated=True
    )
    if wanted.phone:
        close |= Q(phone_index=wanted.phone)
    named = rows.exclude(kind=PatientKind.UNIDENTIFIED).filter(close, typed_pinyin=wanted.sound)
    kind, number = person.document.kind, person.document.number
    numbers = {number, *likeness.swapped_numbers(number)}
    indexes = [number_index(kind, one) for one in numbers]
    numbered = PatientIdentifier.objects.filter(
        ~Q(status=IdentifierStatus.VOID), kind=kind, value_index__in=indexes
    )
    ids = {
        *named.values_list("pk", flat=True)[:_COMPARED_AT_MOST],
        *numbered.values_list("patient_id", flat=True)[:_COMPARED_AT_MOST],
    }
    links = Prefetch("guardians", queryset=Guardian.objects.filter(ended_at__isnull=True))
    return list(rows.filter(pk__in=ids).prefetch_related("identifiers", links))
