"""Golden patients: making one, showing one's data in clear."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection

from hospital.kernel import audit, pinyin, serials
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid
from hospital.patients import documents, queries
from hospital.patients.actions.checking import Person
from hospital.patients.models import Patient, PatientIdentifier
from hospital.patients.states import Assurance

#: Starting here keeps every number at ten digits without leading zeros.
_FIRST_SERIAL: Final = 100_000_000
_SERIES: Final = "patient"


def reveal(*, patient_id: int, what: str, by: Actor, at: dt.datetime, reason: str) -> list[str]:
    """Return a patient's phone ("phone"), documents ("documents") or name ("name") in clear.

    Every reveal is audited with its purpose (X12). Raises NotFound, Invalid without a purpose.
    """
    if not reason.strip():
        raise Invalid({"reason": ["请填写查看的用途。"]})
    patient = queries.patient(patient_id=patient_id)
    values = {
        "name": [patient.name],
        "phone": [patient.phone],
        "documents": [row.value for row in patient.identifiers.order_by("pk")],
    }[what]
    audit.record(
        act="patients.reveal", subject=patient, by=by, at=at, after={"what": what}, reason=reason
    )
    return values


def new_patient(person: Person, *, at: dt.datetime) -> Patient:
    """Make the golden row of a checked person nobody has brought before, with the document."""
    digits = str(_FIRST_SERIAL + serials.gap_free(series=_SERIES))
    patient = Patient.objects.create(
        outpatient_no=digits + serials.check_digit(digits),
        name=person.name,
        pinyin=pinyin.name_pinyin(person.name),
        initials=pinyin.name_initials(person.name),
        sex=person.sex,
        birth_date=person.birth_date,
        phone=person.phone,
        phone_index=queries.phone_index(person.phone),
        assurance=Assurance.DOCUMENT,
        created_at=at,
    )
    PatientIdentifier.objects.create(
        patient=patient,
        kind=person.document.kind,
        value=person.document.number,
        value_index=queries.document_index(person.document.kind, person.document.number),
        created_at=at,
    )
    return patient


def lock_document(document: documents.Document) -> None:
    """Let two users who bring the same new document at once go one after the other."""
    index = queries.document_index(document.kind, document.number)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [index])
