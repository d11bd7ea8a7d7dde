"""People who cannot prove who they are yet: newborns and unidentified emergency patients (M3.4)."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction

from hospital.kernel import audit, request_keys, serials
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid
from hospital.patients import contacts, documents, queries
from hospital.patients.actions import guardians, persons
from hospital.patients.actions.guardians import GuardianNotKnown
from hospital.patients.golden import Origin
from hospital.patients.models import Patient, PatientIdentifier
from hospital.patients.states import (
    REAL_NAME,
    Assurance,
    GuardianRelation,
    NumberKind,
    PatientKind,
    Sex,
    Source,
)
from hospital.patients.thresholds import NEWBORN_DAYS

NAMELESS: Final = "无名氏"
#: How children of one birth are told apart until they have names.
BIRTH_ORDERS: Final = ("", "甲", "乙", "丙", "丁")
_CHILD_WORDS: Final = {Sex.MALE: "之子", Sex.FEMALE: "之女"}
_OLDEST_GUESS: Final = 120


def register_newborn(
    *,
    mother_id: int,
    sex: Sex,
    birth_date: dt.date,
    birth_order: str,
    key: str,
    by: Actor,
    at: dt.datetime,
) -> Patient:
    """Make a newborn under its mother's name with a temporary number, the mother as guardian.

    `birth_order` is "" for a single child, else 甲, 乙, 丙 or 丁. The same `key` gives the same
    child.

    Raises Invalid (by field), NotFound, GuardianNotKnown when the mother is not real-name.
    """
    mother = queries.patient(patient_id=mother_id)
    errors = _newborn_errors(sex, birth_date, birth_order, on=hospital_day(at))
    if mother.sex == Sex.MALE:
        errors["mother_no"] = ["这位患者登记为男性，请核对母亲的号码。"]
    if errors:
        raise Invalid(errors)
    if mother.assurance not in REAL_NAME:
        raise GuardianNotKnown("母亲须先实名建档，再登记新生儿。")
    inputs = {"mother": mother.pk, "sex": sex.value, "born": birth_date, "order": birth_order}
    values: dict[str, object] = {
        "name": f"{mother.name[:34]}{_CHILD_WORDS[sex]}{birth_order}",
        "sex": sex,
        "birth_date": birth_date,
    }
    with transaction.atomic():
        claim = request_keys.claim(
            key=f"{by}:{key}", scope="patients.register_newborn", inputs=inputs, at=at
        )
        if claim.answer is not None:
            return queries.patient(patient_id=claim.answer["patient_id"])
        persons.lock(mother.pk)
        if _same_child(mother, str(values["name"]), birth_date):
            raise Invalid({"birth_order": ["这个孩子已经登记过；双胞胎请选择甲、乙。"]})
        origin = Origin(Source.DESK, Assurance.DECLARED, at)
        child = _make(values, origin, kind=PatientKind.NEWBORN, by=by)
        guardians.link(child, mother, GuardianRelation.MOTHER, by=by, at=at)
        claim.finish({"patient_id": child.pk})
    return child


def register_unidentified(
    *, name: str, sex: Sex, age: int, note: str, key: str, by: Actor, at: dt.datetime
) -> Patient:
    """Make a rescue patient without a document; `name` may be what somebody called the patient.

    `age` is a guess in years; `note` says how and where the patient came. The same `key` gives
    the same patient. Raises Invalid (by field).
    """
    errors: dict[str, list[str]] = {}
    clean = ""
    try:
        clean = contacts.clean_name(name) if name.strip() else ""
    except contacts.BadName as problem:
        errors["name"] = [problem.message]
    if not 0 <= age <= _OLDEST_GUESS:
        errors["age"] = [f"估计年龄为 0 到 {_OLDEST_GUESS} 岁。"]
    if not note.strip():
        errors["note"] = ["请填写送来的经过，例如：120 于桃源路送来，男，蓝色外套。"]
    if errors:
        raise Invalid(errors)
    on = hospital_day(at)
    inputs = {"name": bool(clean), "sex": sex.value, "age": age}
    with transaction.atomic():
        claim = request_keys.claim(
            key=f"{by}:{key}", scope="patients.register_unidentified", inputs=inputs, at=at
        )
        if claim.answer is not None:
            return queries.patient(patient_id=claim.answer["patient_id"])
        assurance = Assurance.DECLARED if clean else Assurance.NONE
        patient = _make(
            {"name": clean or NAMELESS, "sex": sex, "birth_date": dt.date(on.year - age, 1, 1)},
            Origin(Source.DESK, assurance, at),
            kind=PatientKind.UNIDENTIFIED,
            by=by,
            reason=note.strip()[:200],
        )
        claim.finish({"patient_id": patient.pk})
    return patient


def _newborn_errors(
    sex: Sex, birth_date: dt.date, birth_order: str, *, on: dt.date
) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if sex not in _CHILD_WORDS:
        errors["sex"] = ["请选择性别。"]
    if birth_order not in BIRTH_ORDERS:
        errors["birth_order"] = ["请选择单胎或第几个孩子。"]
    try:
        documents.check_birth_date(birth_date, on=on)
    except documents.BadDocument as problem:
        errors["birth_date"] = [problem.message]
    most = NEWBORN_DAYS.value()
    if (on - birth_date).days > most:
        errors["birth_date"] = [f"出生已超过 {most} 天，请凭户口簿或身份证建档。"]
    return errors


def _same_child(mother: Patient, name: str, birth_date: dt.date) -> bool:
    rows = Patient.objects.filter(kind=PatientKind.NEWBORN, guardians__guardian=mother)
    return rows.filter(name=name, birth_date=birth_date).exists()


def _make(
    values: dict[str, object],
    origin: Origin,
    *,
    kind: PatientKind,
    by: Actor,
    reason: str = "",
) -> Patient:
    is_guess = kind is PatientKind.UNIDENTIFIED
    patient = persons.new_patient(values, origin, kind=kind, is_birth_date_estimated=is_guess)
    day = hospital_day(origin.at)
    serial = serials.gap_free(series=f"temporary:{day:%y%m%d}")
    number = f"L{day:%y%m%d}{serial:04d}"
    PatientIdentifier.objects.create(
        patient=patient,
        kind=NumberKind.TEMPORARY,
        value=number,
        value_index=queries.number_index(NumberKind.TEMPORARY, number),
        source=origin.source,
        assurance=origin.assurance,
        created_at=origin.at,
    )
    audit.record(
        act="patients.create_patient",
        subject=patient,
        by=by,
        at=origin.at,
        after={"kind": kind.value},
        reason=reason,
    )
    return patient
