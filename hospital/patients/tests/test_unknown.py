"""Newborns and unidentified patients: a temporary number, a date, and becoming known."""

from __future__ import annotations

import datetime as dt

import pytest

from hospital.kernel import clock
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid
from hospital.patients import actions, queries
from hospital.patients.actions import Facts
from hospital.patients.models import Guardian, Patient, PatientLink
from hospital.patients.states import (
    Assurance,
    DocumentKind,
    GuardianRelation,
    PatientKind,
    Sex,
    VerificationMethod,
)
from hospital.testing.people import a_patient, a_resident_id

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
BORN = dt.date(2026, 11, 20)
CLERK = Actor("staff", 7)


def newborn(mother: Patient, key: str = "k", **changes: object) -> Patient:
    arguments: dict[str, object] = {
        "mother_id": mother.pk,
        "sex": Sex.MALE,
        "birth_date": BORN,
        "birth_order": "",
        "key": key,
        "by": CLERK,
        "at": AT,
    }
    return actions.register_newborn(**{**arguments, **changes})  # type: ignore[arg-type]


def unidentified(**changes: object) -> Patient:
    arguments: dict[str, object] = {
        "name": "",
        "sex": Sex.MALE,
        "age": 40,
        "note": "120 于桃源路送来",
        "key": "k",
        "by": CLERK,
        "at": AT,
    }
    return actions.register_unidentified(**{**arguments, **changes})  # type: ignore[arg-type]


def prove(patient: Patient, name: str, number: str) -> list[str]:
    return actions.prove_identity(
        patient_id=patient.pk,
        facts=Facts(name, DocumentKind.HOUSEHOLD_BOOK, number),
        method=VerificationMethod.HAND,
        by=CLERK,
        at=AT,
    )


def test_a_newborn_is_its_mothers_child_until_it_has_a_name() -> None:
    mother = a_patient(name="陈晓宁")

    child = newborn(mother)

    assert (child.name, child.kind) == ("陈晓宁之子", PatientKind.NEWBORN)
    assert (child.assurance, child.birth_date) == (Assurance.DECLARED, BORN)
    link = Guardian.objects.get()
    assert (link.child, link.guardian) == (child, mother)
    assert link.relationship == GuardianRelation.MOTHER
    (number,) = queries.live_identifiers(child)
    assert (number.kind, number.value) == ("temporary", "L2611220001")
    assert [hit.patient_id for hit in queries.find("l2611220001")] == [child.pk]
    assert newborn(mother) == child


def test_twins_are_told_apart() -> None:
    mother = a_patient(name="陈晓宁")
    first = newborn(mother, "a", birth_order="甲")
    with pytest.raises(Invalid) as refusal:
        newborn(mother, "b", birth_order="甲")
    second = newborn(mother, "c", birth_order="乙")

    assert set(refusal.value.errors) == {"birth_order"}
    assert (first.name, second.name) == ("陈晓宁之子甲", "陈晓宁之子乙")


def test_a_newborns_mother_is_known_and_the_birth_recent() -> None:
    mother = a_patient(name="陈晓宁")
    with pytest.raises(Invalid) as refusal:
        newborn(mother, birth_date=dt.date(2026, 9, 22), birth_order="戊", sex=Sex.UNKNOWN)
    assert set(refusal.value.errors) == {"sex", "birth_order", "birth_date"}
    with pytest.raises(Invalid):
        newborn(a_patient(name="王伟", sex=Sex.MALE))
    with pytest.raises(actions.GuardianNotKnown):
        newborn(unidentified(name="李四", sex=Sex.FEMALE))

    assert not Patient.objects.filter(kind=PatientKind.NEWBORN).exists()


def test_a_newborn_becomes_known_by_its_household_book() -> None:
    child = newborn(a_patient(name="陈晓宁"))
    number = a_resident_id(born=BORN, sex=Sex.MALE)

    changed = prove(child, "陈小满", number)

    child.refresh_from_db()
    assert changed == ["name", "nationality"]
    assert (child.name, child.pinyin) == ("陈小满", "chen xiao man")
    assert (child.kind, child.assurance) == (PatientKind.KNOWN, Assurance.DOCUMENT)
    assert queries.to_upgrade(at=AT) == []
    assert len(queries.find("L2611220001")) == 1


def test_an_unidentified_patient_has_a_guess_and_a_number() -> None:
    patient = unidentified()

    assert (patient.name, patient.assurance) == ("无名氏", Assurance.NONE)
    assert (patient.birth_date, patient.is_birth_date_estimated) == (dt.date(1986, 1, 1), True)
    assert unidentified() == patient
    with pytest.raises(Invalid) as refusal:
        unidentified(age=200, note="", name="?", key="other")
    assert set(refusal.value.errors) == {"age", "note", "name"}
    assert Patient.objects.count() == 1


def test_identifying_replaces_the_guesses() -> None:
    patient = unidentified(name="老王")
    number = a_resident_id(born=dt.date(1970, 5, 6), sex=Sex.MALE)

    prove(patient, "王建国", number)

    patient.refresh_from_db()
    assert (patient.name, patient.birth_date) == ("王建国", dt.date(1970, 5, 6))
    assert (patient.is_birth_date_estimated, patient.kind) == (False, PatientKind.KNOWN)


def test_somebody_known_after_all_is_reported_for_merging() -> None:
    number = a_resident_id(born=dt.date(1970, 5, 6), sex=Sex.MALE)
    known = a_patient(name="王建国", document_no=number)
    patient = unidentified()

    with pytest.raises(actions.DocumentOfAnother) as refusal:
        prove(patient, "王建国", number)
    assert refusal.value.details == {"patient_id": known.pk}
    for _ in range(2):
        link = actions.report_same(
            patient_id=patient.pk, other_id=known.pk, reason="家属辨认", by=CLERK, at=AT
        )
    with pytest.raises(Invalid):
        actions.report_same(patient_id=known.pk, other_id=known.pk, reason="x", by=CLERK, at=AT)

    assert list(PatientLink.objects.all()) == [link]
    patient.refresh_from_db()
    assert (patient.kind, patient.name) == (PatientKind.UNIDENTIFIED, "无名氏")


def test_the_upgrade_list_says_why_and_until_when() -> None:
    child, rescued = newborn(a_patient(name="陈晓宁")), unidentified()
    Patient.objects.filter(pk=a_patient(name="王伟").pk).update(assurance=Assurance.DECLARED)

    rows = queries.to_upgrade(at=AT + dt.timedelta(hours=73))

    assert [(row.patient.patient_id, row.is_overdue) for row in rows[:2]] == [
        (rescued.pk, True),
        (child.pk, False),
    ]
    assert rows[2].until is None
    assert rows[0].until == AT + dt.timedelta(hours=72)
    assert rows[1].until == clock.at_local(dt.date(2027, 1, 20))  # the 60th day is over
