"""Persons an outside platform brings: who fits is found, who is new is made, nothing is told."""

import datetime as dt

import pytest
from django.db import transaction

from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid
from hospital.kernel.models import AuditEntry
from hospital.patients import actions
from hospital.patients.actions import Facts
from hospital.patients.models import IdentityVerification, Patient, PatientIdentifier
from hospital.patients.states import Assurance, DocumentKind, Source, VerificationMethod
from hospital.patients.thresholds import PARTNER_MISMATCHES
from hospital.testing.people import a_patient, a_resident_id
from hospital.testing.schedules import NOW

PARTNER = Actor("partner", 7)
NAME, PHONE = "顾小满", "13900139000"


def told(document_no: str, name: str = NAME, phone: str = PHONE) -> Facts:
    return Facts(name, DocumentKind.RESIDENT_ID, document_no, phone)


def bring(facts: Facts, at: dt.datetime = NOW) -> actions.FoundPerson:
    with transaction.atomic():
        return actions.bring_person(facts=facts, by=PARTNER, at=at)


@pytest.mark.django_db
def test_m3_03_somebody_new_is_worth_a_document_typed_by_hand() -> None:
    number = a_resident_id()

    found = bring(told(number))

    patient = Patient.objects.get(pk=found.patient_id)
    assert (found.is_new, patient.name, patient.phone) == (True, NAME, PHONE)
    assert patient.assurance == Assurance.DOCUMENT
    assert patient.origins["name"]["source"] == Source.PARTNER
    proof = IdentityVerification.objects.get(patient=patient)
    assert (proof.method, proof.by) == (VerificationMethod.PARTNER, "partner:7")
    made = AuditEntry.objects.get(act="patients.create_patient", person_id=patient.pk)
    assert made.by == "partner:7"


@pytest.mark.django_db
def test_m3_06_the_same_document_name_and_phone_are_the_same_person() -> None:
    number = a_resident_id()
    known = a_patient(name=NAME, phone=PHONE, document_no=number)
    before = Patient.objects.values().get(pk=known.pk)

    found = bring(told(number, name=f" {NAME} ", phone="+86 139-0013-9000"))

    assert found == actions.FoundPerson(known.pk, is_new=False)
    assert Patient.objects.values().get(pk=known.pk) == before
    assert not IdentityVerification.objects.filter(patient=known).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "phone"), [("顾大满", PHONE), (NAME, "13900139001")])
def test_m3_12_what_does_not_fit_is_refused_in_one_sentence(name: str, phone: str) -> None:
    number = a_resident_id()
    a_patient(name=NAME, phone=PHONE, document_no=number)
    rows = Patient.objects.count(), PatientIdentifier.objects.count(), AuditEntry.objects.count()

    with pytest.raises(actions.IdentityNotConfirmed) as refused:
        bring(told(number, name=name, phone=phone))

    assert refused.value.message == actions.IdentityNotConfirmed.default_message
    assert refused.value.details == {}
    assert rows == (
        Patient.objects.count(),
        PatientIdentifier.objects.count(),
        AuditEntry.objects.count(),
    )


@pytest.mark.django_db
def test_m3_12_a_platform_that_tries_too_often_is_stopped_for_a_day() -> None:
    for _ in range(PARTNER_MISMATCHES.value()):
        actions.note_unconfirmed(by=PARTNER, at=NOW)
    facts = told(a_resident_id())

    with pytest.raises(actions.TooManyUnconfirmed):
        bring(facts)
    assert not Patient.objects.exists()

    assert bring(facts, at=NOW + dt.timedelta(days=1, seconds=1)).is_new


@pytest.mark.django_db
def test_m3_04_a_child_nobody_knows_needs_its_guardian_first() -> None:
    born = dt.date(2018, 5, 4)
    number = a_resident_id(born=born)

    with pytest.raises(actions.ChildNeedsGuardian):
        bring(told(number))
    assert not Patient.objects.exists()

    child = a_patient(name=NAME, phone=PHONE, born=born, document_no=number)
    assert bring(told(number)).patient_id == child.pk


@pytest.mark.django_db
def test_m3_02_every_wrong_field_is_named() -> None:
    with pytest.raises(Invalid) as refused:
        bring(told("440781198503120000", name="x", phone="12345"))
    assert set(refused.value.errors) == {"name", "phone", "document_no"}
    with pytest.raises(Invalid) as refused:
        bring(told(a_resident_id(), phone=" "))
    assert set(refused.value.errors) == {"phone"}
    assert not Patient.objects.exists()
