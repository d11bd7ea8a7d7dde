"""Find or create at the desk: the number first, look-alikes judged, every no leaves nothing."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.db import connection

from hospital.kernel import settings_rows
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.kernel.models import AuditEntry
from hospital.patients import actions, queries, thresholds
from hospital.patients.actions import Custody, Facts, FoundPerson, Judgement, checking
from hospital.patients.models import (
    Guardian,
    IdentityVerification,
    NewPersonDecision,
    Patient,
    PatientIdentifier,
)
from hospital.patients.states import (
    Assurance,
    DocumentKind,
    GuardianRelation,
    IdentifierStatus,
    Sex,
    VerificationMethod,
)
from hospital.patients.thresholds import REVIEW_SCORE
from hospital.testing.people import a_patient, a_resident_id

AT = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
CLERK = Actor("staff", 7)
NUMBER = "11010519491231002X"
_calls = itertools.count()


def facts(**changes: object) -> Facts:
    told: dict[str, object] = {
        "name": "陈晓宁",
        "document_kind": DocumentKind.RESIDENT_ID,
        "document_no": NUMBER,
        "phone": "13800138000",
    }
    return Facts(**{**told, **changes})  # type: ignore[arg-type]


def find(told: Facts | None = None, **changes: object) -> FoundPerson:
    arguments: dict[str, object] = {
        "facts": told or facts(),
        "method": VerificationMethod.HAND,
        "key": f"k{next(_calls)}",
        "by": CLERK,
        "at": AT,
    }
    return actions.find_or_create(**{**arguments, **changes})  # type: ignore[arg-type]


@pytest.mark.django_db
class TestTheNumberDecides:
    def test_nobody_with_it_is_somebody_new(self) -> None:
        found = find(facts(ethnic_group="05", address="鹤山市沙坪街道"))

        patient = Patient.objects.get(pk=found.patient_id)
        assert (found.is_new, patient.assurance) == (True, Assurance.DOCUMENT)
        assert (patient.ethnic_group, patient.nationality) == ("05", "CHN")
        proof = IdentityVerification.objects.get()
        assert (proof.patient, proof.method, proof.by) == (patient, "hand", "staff:7")
        assert patient.origins["name"] == {
            "source": "desk",
            "assurance": "document",
            "at": AT.isoformat(),
        }
        assert patient.origins["phone"]["assurance"] == "declared"
        entry = AuditEntry.objects.get(act="patients.create_patient")
        assert (entry.person_id, entry.after["method"]) == (patient.pk, "hand")
        assert NUMBER not in str(entry.after)

    def test_a_reader_proves_more_and_its_values_stay(self) -> None:
        first = find()
        second = find(
            facts(name="陈晓寧", address="证上的住址", phone=""),
            method=VerificationMethod.READER,
            judgement=Judgement(use_id=first.patient_id, reason="繁体"),
        )
        third = find(
            facts(address="手写的住址"), judgement=Judgement(first.patient_id, "证上是简体")
        )

        patient = Patient.objects.get()
        assert (second.is_new, second.changed) == (False, ("address", "name"))
        assert (patient.assurance, patient.name) == (Assurance.VERIFIED, "陈晓寧")
        assert (patient.address, patient.phone) == ("证上的住址", "13800138000")
        assert third.changed == ()

    def test_the_old_number_of_fifteen_digits_is_the_same(self) -> None:
        first = find()

        assert find(facts(document_no="110105491231002")).patient_id == first.patient_id
        assert PatientIdentifier.objects.count() == 1

    def test_another_name_needs_a_look_and_a_reason(self) -> None:
        first = find()
        for judgement in (None, Judgement(use_id=first.patient_id)):
            with pytest.raises(actions.NameOnFileDiffers) as refusal:
                find(facts(name="王小明"), judgement=judgement)
            assert refusal.value.details == {"patient_id": first.patient_id}
        assert Patient.objects.get().name == "陈晓宁"
        assert IdentityVerification.objects.count() == 1

    def test_the_same_key_gives_the_same_answer(self) -> None:
        first = find(key="same")

        assert find(key="same") == FoundPerson(first.patient_id, is_new=True)
        assert IdentityVerification.objects.count() == 1

    def test_wrong_fields_are_named_at_once(self) -> None:
        with pytest.raises(Invalid) as refusal:
            find(facts(name="", phone="1", document_no="1", ethnic_group="99", address="长" * 101))

        assert set(refusal.value.errors) == {
            "name", "phone", "document_no", "ethnic_group", "address",
        }  # fmt: skip
        assert not Patient.objects.exists()


@pytest.mark.django_db
class TestLookAlikes:
    def alike(self) -> tuple[Patient, Facts]:
        known = a_patient(name="陈晓宁")
        return known, facts(document_kind=DocumentKind.PASSPORT, document_no="E12345678",
                            sex=Sex.FEMALE, birth_date=known.birth_date)  # fmt: skip

    def test_they_are_shown_and_nothing_is_made(self) -> None:
        known, told = self.alike()

        with pytest.raises(actions.ProbablyKnown) as refusal:
            find(told)

        (one,) = refusal.value.candidates
        assert (one.patient, one.likeness.score, one.likeness.vetoes) == (known, 4 + 4 + 1 + 3, ())
        assert refusal.value.details == {"candidates": [known.pk]}
        assert Patient.objects.count() == 1

    @pytest.mark.parametrize("name", ["庄" * 40, "\ufb03" * 40])
    def test_the_longest_name_is_kept_and_known_again(self, name: str) -> None:
        known = find(facts(name=name))

        again = facts(
            name=name,
            document_kind=DocumentKind.PASSPORT,
            document_no="E12345678",
            sex=Sex.FEMALE,
            birth_date=Patient.objects.get().birth_date,
        )
        with pytest.raises(actions.ProbablyKnown) as refusal:
            find(again)

        assert Patient.objects.get().name == name
        assert [one.patient.pk for one in refusal.value.candidates] == [known.patient_id]

    def test_a_weight_the_hospital_set_counts_from_its_moment_on(self) -> None:
        """A shared family phone is no sign of one person here, from next week on."""
        known, told = self.alike()
        week = dt.timedelta(days=7)
        for setting, value in ((thresholds._WEIGHTS["same_phone"], 0), (REVIEW_SCORE, 10)):
            settings_rows.set_value(
                setting=setting, value=value, valid_from=AT + week, by=CLERK, at=AT
            )
        with time_machine.travel(AT, tick=False), pytest.raises(actions.ProbablyKnown) as refusal:
            find(told)
        assert refusal.value.candidates[0].likeness.score == 12
        with time_machine.travel(AT + week, tick=False):
            settings_rows.forget()
            person = checking.check_facts(told, at=AT + week)
            assert queries.compare_with(person=person, patient=known).likeness.score == 9
            assert find(told, at=AT + week).is_new

    def test_the_chosen_one_gets_the_document(self) -> None:
        known, told = self.alike()

        found = find(told, judgement=Judgement(use_id=known.pk))

        assert found == FoundPerson(known.pk, is_new=False, changed=())
        kinds = [row.kind for row in queries.live_identifiers(known)]
        assert kinds == [DocumentKind.RESIDENT_ID, DocumentKind.PASSPORT]

    def test_somebody_new_needs_a_reason_that_is_kept(self) -> None:
        known, told = self.alike()
        with pytest.raises(actions.ProbablyKnown):
            find(told, judgement=Judgement(seen={known.pk}))

        found = find(told, judgement=Judgement(reason="双胞胎", seen={known.pk}))

        assert found.is_new
        decision = NewPersonDecision.objects.get()
        assert (decision.patient_id, decision.reason) == (found.patient_id, "双胞胎")
        assert decision.candidates == [{"patient_id": known.pk, "score": 12, "vetoes": []}]
        assert AuditEntry.objects.get(act="patients.create_patient").reason == "双胞胎"

    def test_somebody_who_appeared_since_is_shown_first(self) -> None:
        known, told = self.alike()
        a_patient(name="陈晓宁", phone="13900139000")

        with pytest.raises(actions.ProbablyKnown) as refusal:
            find(told, judgement=Judgement(reason="双胞胎", seen={known.pk}))

        assert len(refusal.value.candidates) == 2

    def test_a_stranger_cannot_be_chosen(self) -> None:
        _, told = self.alike()
        stranger = a_patient(name="王伟", born=dt.date(1950, 1, 1))

        with pytest.raises(NotFound):
            find(told, judgement=Judgement(use_id=stranger.pk))

        assert PatientIdentifier.objects.count() == 2

    def test_another_valid_resident_id_is_never_added(self) -> None:
        known = a_patient(name="陈晓宁")

        with pytest.raises(actions.OtherResidentId):
            find(facts(document_no=a_resident_id()), judgement=Judgement(use_id=known.pk))

        assert PatientIdentifier.objects.count() == 1

    def test_swapped_neighbours_in_a_passport_are_found(self) -> None:
        first = find(facts(document_kind=DocumentKind.PASSPORT, document_no="E12345678",
                           sex=Sex.FEMALE, birth_date=dt.date(1985, 3, 12)))  # fmt: skip
        with pytest.raises(actions.ProbablyKnown) as refusal:
            find(facts(document_kind=DocumentKind.PASSPORT, document_no="E12354678", phone="",
                       sex=Sex.FEMALE, birth_date=dt.date(1985, 12, 3)))  # fmt: skip

        assert [one.patient.pk for one in refusal.value.candidates] == [first.patient_id]
        assert refusal.value.candidates[0].likeness.score == 4 + 4 + 1 + 1


@pytest.mark.django_db
class TestChildren:
    BORN = dt.date(2020, 1, 5)

    def child(self, **changes: object) -> Facts:
        kind = DocumentKind.HOUSEHOLD_BOOK
        return facts(name="陈小满", document_kind=kind, document_no=a_resident_id(born=self.BORN),
                     phone="", **changes)  # fmt: skip

    def test_a_guardian_comes_first(self) -> None:
        with pytest.raises(Invalid) as refusal:
            find(self.child())

        assert set(refusal.value.errors) == {"guardian_no"}
        assert not Patient.objects.exists()

    def test_a_child_is_linked_to_its_guardian(self) -> None:
        mother = a_patient(name="陈大安")

        found = find(self.child(), custody=Custody(mother.pk, GuardianRelation.MOTHER))

        link = Guardian.objects.get()
        assert (link.child_id, link.guardian, link.verified_at) == (found.patient_id, mother, AT)

    def test_a_guardian_who_is_no_adult_is_refused_and_nothing_made(self) -> None:
        young = a_patient(name="陈大安", born=dt.date(2010, 1, 1))

        with pytest.raises(actions.GuardianNotKnown):
            find(self.child(), custody=Custody(young.pk, GuardianRelation.SIBLING))

        assert Patient.objects.count() == 1

    def test_the_fourteenth_birthday_ends_it_that_day(self) -> None:
        mother = a_patient(name="陈大安")
        found = find(self.child(), custody=Custody(mother.pk, GuardianRelation.MOTHER))
        child = Patient.objects.get(pk=found.patient_id)

        assert len(queries.guardians_of(patient=child, on=dt.date(2034, 1, 4))) == 1
        assert queries.guardians_of(patient=child, on=dt.date(2034, 1, 5)) == []
        assert len(queries.wards_of(patient=mother, on=dt.date(2034, 1, 4))) == 1
        assert queries.wards_of(patient=mother, on=dt.date(2034, 1, 5)) == []


@pytest.mark.django_db
def test_a_new_passport_takes_the_place_of_the_old_one() -> None:
    known = a_patient(name="陈晓宁")
    for number in ("E12345678", "EA7654321"):
        actions.prove_identity(
            patient_id=known.pk,
            facts=facts(document_kind=DocumentKind.PASSPORT, document_no=number,
                        sex=Sex.FEMALE, birth_date=known.birth_date),
            method=VerificationMethod.HAND, by=CLERK, at=AT,
        )  # fmt: skip

    rows = PatientIdentifier.objects.filter(kind=DocumentKind.PASSPORT).order_by("pk")
    assert [row.status for row in rows] == [IdentifierStatus.REPLACED, IdentifierStatus.ACTIVE]
    assert queries.document_owner(kind=DocumentKind.PASSPORT, number="E12345678") == known


@pytest.mark.django_db
def test_a_number_filed_by_mistake_is_free_again() -> None:
    wrong, right = a_patient(name="陈晓宁"), a_patient(name="王伟", born=dt.date(1990, 1, 1))
    told = facts(document_kind=DocumentKind.PASSPORT, document_no="E12345678",
                 sex=Sex.FEMALE, birth_date=dt.date(1985, 3, 12))  # fmt: skip
    how = {"method": VerificationMethod.HAND, "by": CLERK, "at": AT}
    actions.prove_identity(patient_id=wrong.pk, facts=told, **how)  # type: ignore[arg-type]
    mine = facts(name="王伟", document_kind=DocumentKind.PASSPORT, document_no="E12345678",
                 sex=Sex.FEMALE, birth_date=dt.date(1990, 1, 1))  # fmt: skip
    with pytest.raises(actions.DocumentOfAnother) as refusal:
        actions.prove_identity(patient_id=right.pk, facts=mine, **how)  # type: ignore[arg-type]
    assert refusal.value.details == {"patient_id": wrong.pk}

    passport = PatientIdentifier.objects.get(kind=DocumentKind.PASSPORT)
    actions.void_identifier(identifier_id=passport.pk, reason="录错人", by=CLERK, at=AT)
    actions.prove_identity(patient_id=right.pk, facts=mine, **how)  # type: ignore[arg-type]

    assert queries.document_owner(kind=DocumentKind.PASSPORT, number="E12345678") == right
    only = PatientIdentifier.objects.get(patient=wrong, kind=DocumentKind.RESIDENT_ID)
    with pytest.raises(Invalid):
        actions.void_identifier(identifier_id=only.pk, reason="录错人", by=CLERK, at=AT)
    only.refresh_from_db()
    assert only.status == IdentifierStatus.ACTIVE


def at_once(call: Callable[[int], str], times: int) -> list[str]:
    def one(number: int) -> str:
        try:
            return call(number)
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return sorted(pool.map(one, range(times)))


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
class TestTwoDesks:
    def test_one_document_at_once_is_one_patient(self) -> None:
        answers = at_once(lambda n: "new" if find(key=f"desk{n}").is_new else "found", 6)

        assert answers == ["found"] * 5 + ["new"]
        assert Patient.objects.count() == 1
        assert IdentityVerification.objects.count() == 6

    def test_one_person_with_two_documents_at_once_is_asked_about(self) -> None:
        born = {"sex": Sex.FEMALE, "birth_date": dt.date(1985, 3, 12)}

        def call(number: int) -> str:
            told = facts(
                document_kind=DocumentKind.PASSPORT, document_no=f"E{number}234567{number}", **born
            )
            return "new" if find(told, key=f"desk{number}").is_new else "found"

        assert at_once(call, 4) == ["PROBABLY_KNOWN"] * 3 + ["new"]
        assert Patient.objects.count() == 1
