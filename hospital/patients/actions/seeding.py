"""Filling a test or demo database with made-up patients, thousands a second."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import ClassVar, Final

from django.db import transaction

from hospital.kernel import audit, pinyin, serials
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Refusal
from hospital.patients import golden, queries
from hospital.patients.actions import cards, persons
from hospital.patients.golden import Origin
from hospital.patients.models import (
    IdentityVerification,
    Patient,
    PatientCard,
    PatientIdentifier,
)
from hospital.patients.reference import CHINA, HAN
from hospital.patients.states import Assurance, CardKind, DocumentKind, Source, VerificationMethod
from hospital.patients.synthetic import Somebody, somebody

_BATCH: Final = 2000
_CARD_EVERY: Final = 3
_READER_EVERY: Final = 2
#: Old records without a document, so that the upgrade list is never empty.
_DECLARED_EVERY: Final = 200
#: Another person for a number that came twice.
_ELSEWHERE: Final = 100_000_000


class AlreadySeeded(Refusal):
    """People of this seed are in the index already."""

    code: ClassVar[str] = "ALREADY_SEEDED"
    default_message: ClassVar[str] = "这一批模拟患者已经生成过，请换一个种子（--seed）。"


def seed_patients(*, count: int, seed: int, by: Actor, at: dt.datetime) -> Iterator[int]:
    """Make `count` made-up patients; yields how many are done. In an empty database the same seed
    makes the same ones; a number somebody has already is not given again.

    Runs in one transaction, so an interrupted run leaves nothing. A third have a card, half were
    read by a reader, one in 200 is an old record without a document. Raises AlreadySeeded.
    """
    on = hospital_day(at)
    known = _known_numbers()
    if _index(somebody(seed, 1, on=on)) in known:
        raise AlreadySeeded
    people = _people(count, seed, known, on=on)
    with transaction.atomic():
        outpatient = iter(serials.gap_free_many(series=persons.SERIES, count=count))
        card_count = (count + _CARD_EVERY - 1) // _CARD_EVERY
        numbers = iter(serials.gap_free_many(series=cards.SERIES, count=card_count))
        for start in range(0, count, _BATCH):
            batch = [next(people) for _ in range(min(_BATCH, count - start))]
            rows = [
                _patient(one, start + place, next(outpatient), at=at)
                for place, one in enumerate(batch)
            ]
            Patient.objects.bulk_create(rows)
            _file(batch, rows, start, by=by, at=at)
            given = [row for place, row in enumerate(rows, start) if place % _CARD_EVERY == 0]
            PatientCard.objects.bulk_create(_card(row, next(numbers), at=at) for row in given)
            yield start + len(batch)
        audit.record(
            act="patients.seed_patients",
            subject=None,
            by=by,
            at=at,
            after={"count": count, "seed": seed},
        )


def _people(count: int, seed: int, known: set[str], *, on: dt.date) -> Iterator[Somebody]:
    """Whoever has a number somebody else has, of this seed or of another, is replaced."""
    for index in range(1, count + 1):
        one, place = somebody(seed, index, on=on), index
        while (number := _index(one)) in known:
            place += _ELSEWHERE
            one = somebody(seed, place, on=on)
        known.add(number)
        yield one


def _known_numbers() -> set[str]:
    """The blind indexes of the resident IDs there are."""
    rows = PatientIdentifier.objects.filter(kind=DocumentKind.RESIDENT_ID)
    return set(rows.values_list("value_index", flat=True))


def _index(one: Somebody) -> str:
    return queries.document_index(DocumentKind.RESIDENT_ID, one.number)


def _patient(one: Somebody, place: int, serial: int, *, at: dt.datetime) -> Patient:
    origin = _origin(place, at)
    sound = pinyin.name_pinyin(one.name)
    values = {
        "name": one.name,
        "sex": one.sex,
        "birth_date": one.birth_date,
        "ethnic_group": HAN if "·" not in one.name else "05",
        "nationality": CHINA,
        "address": one.address,
        "phone": one.phone,
    }
    return Patient(
        outpatient_no=persons.outpatient_no(serial),
        pinyin=sound,
        initials="".join(syllable[0] for syllable in sound.split()),
        phone_index=queries.phone_index(one.phone),
        assurance=origin.assurance,
        origins={field: golden.origin_of(field, origin).kept() for field in values},
        created_at=at,
        **values,
    )


def _file(
    batch: list[Somebody], rows: list[Patient], start: int, *, by: Actor, at: dt.datetime
) -> None:
    """File the documents with their proofs."""
    filed = [
        PatientIdentifier(
            patient=row,
            kind=DocumentKind.RESIDENT_ID,
            value=one.number,
            value_index=_index(one),
            source=_origin(place, at).source,
            assurance=row.assurance,
            created_at=at,
        )
        for place, (one, row) in enumerate(zip(batch, rows, strict=True), start)
        if row.assurance != Assurance.DECLARED
    ]
    PatientIdentifier.objects.bulk_create(filed)
    IdentityVerification.objects.bulk_create(
        IdentityVerification(
            patient_id=row.patient_id,
            identifier=row,
            method=_METHODS[Source(row.source)],
            assurance=row.assurance,
            by=str(by),
            at=at,
        )
        for row in filed
    )


def _card(patient: Patient, serial: int, *, at: dt.datetime) -> PatientCard:
    number = cards.our_number(serial)
    return PatientCard(patient=patient, number=number, kind=CardKind.BARCODE, issued_at=at)


def _origin(place: int, at: dt.datetime) -> Origin:
    if place % _DECLARED_EVERY == _DECLARED_EVERY - 1:
        return Origin(Source.IMPORT, Assurance.DECLARED, at)
    if place % _READER_EVERY == 0:
        return Origin(Source.READER, Assurance.VERIFIED, at)
    return Origin(Source.DESK, Assurance.DOCUMENT, at)


_METHODS: Final = {
    Source.READER: VerificationMethod.READER,
    Source.DESK: VerificationMethod.HAND,
}
