"""Golden patients: making one, changing golden values, showing them in clear."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection, transaction

from hospital.kernel import audit, events, pinyin, serials
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid
from hospital.patients import contacts, golden, queries
from hospital.patients.events import PhoneChanged
from hospital.patients.facts import Person
from hospital.patients.golden import Origin
from hospital.patients.models import LONGEST_INITIALS, LONGEST_PINYIN, Patient
from hospital.patients.reference import ETHNIC_GROUPS
from hospital.patients.states import Assurance, PatientKind, Source

#: Keeps every number at ten digits without leading zeros.
_FIRST_DIGIT: Final = "2"
SERIES: Final = "patient"
#: What a clerk may correct without a document: how to reach somebody, not who it is.
_CORRECTABLE: Final = ("phone", "address", "ethnic_group", "name_note")


def reveal(*, patient_id: int, what: str, by: Actor, at: dt.datetime, reason: str) -> list[str]:
    """Return a patient's "name", "phone", "address" or "documents" in clear.

    Every reveal is audited with its purpose (X12). Raises NotFound, Invalid without a purpose.
    """
    if not reason.strip():
        raise Invalid({"reason": ["请填写查看的用途。"]})
    patient = queries.patient(patient_id=patient_id)
    values = {
        "name": [patient.name],
        "phone": [patient.phone],
        "address": [patient.address],
        "documents": [row.value for row in queries.live_identifiers(patient)],
    }[what]
    audit.record(
        act="patients.reveal", subject=patient, by=by, at=at, after={"what": what}, reason=reason
    )
    return values


def correct(
    *,
    patient_id: int,
    phone: str,
    address: str,
    ethnic_group: str,
    name_note: str,
    reason: str,
    by: Actor,
    at: dt.datetime,
) -> list[str]:
    """Write what a patient tells at the desk about how to reach them; returns the changed fields.

    Name, sex and birth date follow documents only (M3.11). A blank removes a value on purpose:
    a phone given up belongs to somebody else soon. Raises NotFound, Invalid.
    """
    errors: dict[str, list[str]] = {}
    told = {"ethnic_group": ethnic_group, "name_note": name_note.strip()}
    try:
        told["phone"] = contacts.clean_phone(phone) if phone.strip() else ""
    except contacts.BadPhone as problem:
        errors["phone"] = [problem.message]
    try:
        told["address"] = contacts.clean_address(address)
    except contacts.BadAddress as problem:
        errors["address"] = [problem.message]
    if ethnic_group and ethnic_group not in ETHNIC_GROUPS:
        errors["ethnic_group"] = ["请从列表中选择民族。"]
    if not reason.strip():
        errors["reason"] = ["请填写修改的原因。"]
    if errors:
        raise Invalid(errors)
    with transaction.atomic():
        patient = lock(queries.patient(patient_id=patient_id).pk)
        changed: dict[str, object] = {
            field: told[field] for field in _CORRECTABLE if getattr(patient, field) != told[field]
        }
        if changed:
            _write(patient, changed, Origin(Source.DESK, Assurance.DECLARED, at))
            audit.record(
                act="patients.correct",
                subject=patient,
                by=by,
                at=at,
                after={"fields": sorted(changed)},
                reason=reason.strip(),
            )
    return sorted(changed)


def set_phone(patient: Patient, phone: str, *, at: dt.datetime) -> None:
    """Reach a patient, whose row the caller has locked, under a phone it has proved to hold."""
    _write(patient, {"phone": phone}, Origin(Source.PHONE, Assurance.DECLARED, at))


def take_values(patient: Patient, person: Person, origin: Origin) -> list[str]:
    """Let the golden record take what survivorship gives it of a person's values (M3.11).

    The caller holds the patient's row. Returns the names of the changed fields.
    """
    brought = values_of(person)
    held = {field: getattr(patient, field) for field in brought}
    taken = golden.survivors(held, patient.origins, brought, origin)
    if not taken:
        return []
    _write(patient, taken, origin)
    return sorted(field for field, value in taken.items() if held[field] != value)


def new_patient(
    values: dict[str, object],
    origin: Origin,
    *,
    kind: PatientKind = PatientKind.KNOWN,
    is_birth_date_estimated: bool = False,
) -> Patient:
    """Make the golden row of somebody nobody has brought before; the caller files the document."""
    told = {field: value for field, value in values.items() if value}
    patient = Patient(
        outpatient_no=outpatient_no(serials.gap_free(series=SERIES)),
        kind=kind,
        is_birth_date_estimated=is_birth_date_estimated,
        assurance=origin.assurance,
        origins={field: golden.origin_of(field, origin).kept() for field in told},
        created_at=origin.at,
        **told,
    )
    _derive(patient)
    patient.save(force_insert=True)
    return patient


def outpatient_no(serial: int) -> str:
    """Return the outpatient number of a running number: ten digits, the last one checks.

    It stands in addresses and as a bar code on the phone, so nobody's neighbour can be counted out.
    """
    digits = _FIRST_DIGIT + serials.scattered(serial)
    return digits + serials.check_digit(digits)


def values_of(person: Person) -> dict[str, object]:
    """Return a checked person's golden values by field."""
    return {field: getattr(person, field) for field in golden.GOLDEN_FIELDS}


def lock(patient_id: int) -> Patient:
    """Return a patient with its row locked to the end of the transaction."""
    return Patient.objects.select_for_update(no_key=True).get(pk=patient_id)


def lock_words(*words: str) -> None:
    """Let transactions about the same words (blind indexes, pinyin) go one after the other."""
    with connection.cursor() as cursor:
        for word in words:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [word])


def _write(patient: Patient, values: dict[str, object], origin: Origin) -> None:
    before = patient.phone
    for field, value in values.items():
        setattr(patient, field, value)
    patient.origins = patient.origins | {
        field: golden.origin_of(field, origin).kept() for field in values
    }
    if "birth_date" in values:
        patient.is_birth_date_estimated = False
    _derive(patient)
    patient.save()
    if patient.phone != before:
        events.emit(PhoneChanged(patient.pk))


def _derive(patient: Patient) -> None:
    """Bring the search columns in line with what they are computed from."""
    patient.pinyin = pinyin.name_pinyin(patient.name)[:LONGEST_PINYIN]
    patient.initials = pinyin.name_initials(patient.name)[:LONGEST_INITIALS]
    patient.phone_index = queries.phone_index(patient.phone) if patient.phone else ""
