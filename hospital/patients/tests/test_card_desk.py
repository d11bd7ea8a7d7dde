"""The card desk through HTTP: what is found, made, refused and shown, for whom."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.urls import reverse

from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.models import AuditEntry
from hospital.patients import actions
from hospital.patients.models import (
    Guardian,
    IdentityVerification,
    Patient,
    PatientBinding,
    PatientCard,
    PatientIdentifier,
)
from hospital.patients.states import Assurance, CardStatus, PatientKind, Sex
from hospital.testing.people import ADULT_BORN, a_patient, a_resident_id, staff_client

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse

pytestmark = pytest.mark.django_db
DESK = "/staff/card-desk/"


@pytest.fixture
def clerk() -> Client:
    return staff_client(Role.REGISTRATION_CLERK)


def find(client: Client, text: str) -> _MonkeyPatchedWSGIResponse:
    return client.post(DESK, {"text": text})


def page(patient: Patient, *more: str) -> str:
    return "/".join([f"{DESK}{patient.outpatient_no}", *more, ""])


def fill(client: Client, **changes: str) -> _MonkeyPatchedWSGIResponse:
    typed = {
        "name": "陈晓宁",
        "document_kind": "resident_id",
        "document_no": a_resident_id(),
        "phone": "13800138000",
        "guardian_relation": "mother",
        "key": "k1",
    }
    return client.post(f"{DESK}new/", {**typed, **changes})


class TestFinding:
    def test_a_number_opens_the_record_and_a_name_lists(self, clerk: Client) -> None:
        patient = a_patient(name="欧阳上官婉儿")
        document = patient.identifiers.get().value

        for text in (document, patient.outpatient_no, patient.phone):
            answer = find(clerk, f" {text}\n")
            assert (answer.status_code, answer["Location"]) == (302, page(patient))
        listed = find(clerk, "oysg").content.decode()
        assert page(patient) in listed
        assert "欧****儿" in listed
        for secret in (patient.name, document, patient.phone):
            assert secret not in listed

    def test_nobody_there_opens_the_form_with_what_was_typed(self, clerk: Client) -> None:
        number = a_resident_id()

        for text, field in ((number, "document_no"), ("13900139000", "phone"), ("王伟", "name")):
            body = find(clerk, text).content.decode()
            assert "没有找到，可以直接建档。" in body
            assert f'name="{field}" value="{text}"' in " ".join(body.split())
        assert not Patient.objects.exists()

    def test_a_lost_card_opens_nothing(self, clerk: Client) -> None:
        patient = a_patient()
        clerk.post(page(patient, "card"), {"number": ""})
        card = PatientCard.objects.get()
        clerk.post(page(patient, "card", str(card.pk)), {"to": "lost", "reason": "丢失"})

        body = find(clerk, card.number).content.decode()

        assert "这张卡已挂失，不能使用。" in body

    def test_who_may_only_look_gets_no_form(self) -> None:
        cashier = staff_client(Role.CASHIER)

        body = find(cashier, "王伟").content.decode()

        assert "没有找到患者" in body
        assert cashier.post(f"{DESK}new/", {"name": "王伟"}).status_code == 403
        assert staff_client(Role.SYSTEM_ADMIN).get(DESK).status_code == 403


class TestReading:
    def card(self, number: str, name: str = "陈晓宁") -> str:
        return f"姓名：{name}\n性别：女\n民族：汉\n住址：鹤山市沙坪街道\n公民身份号码：{number}\n"

    def test_a_known_card_proves_and_opens(self, clerk: Client) -> None:
        patient = a_patient(name="陈晓宁")
        number = patient.identifiers.get().value

        answer = find(clerk, self.card(number))

        assert answer["Location"] == page(patient)
        patient.refresh_from_db()
        assert (patient.assurance, patient.address) == (Assurance.VERIFIED, "鹤山市沙坪街道")
        assert IdentityVerification.objects.get().method == "reader"

    def test_another_name_on_the_card_proves_nothing(self, clerk: Client) -> None:
        patient = a_patient(name="陈晓宁")

        body = find(clerk, self.card(patient.identifiers.get().value, "王小明")).content.decode()

        assert "需要核对" in body
        assert not IdentityVerification.objects.exists()

    def test_a_reading_counts_only_while_nobody_types_over_it(self, clerk: Client) -> None:
        number = a_resident_id()
        body = find(clerk, self.card(number)).content.decode()
        mark = body.split('name="reading" value="')[1].split('"')[0]

        fill(clerk, document_no=number, reading=mark, key="a")
        fill(clerk, name="王小明", document_no=a_resident_id(), reading=mark, phone="", key="b")

        made = Patient.objects.order_by("pk").values_list("assurance", flat=True)
        assert list(made) == [Assurance.VERIFIED, Assurance.DOCUMENT]


class TestMaking:
    def test_errors_stand_at_their_fields_and_nothing_is_lost(self, clerk: Client) -> None:
        answer = fill(clerk, phone="138", address="鹤山市沙坪街道人民路", document_no="123")

        body = answer.content.decode()
        assert answer.status_code == 422
        assert body.count('class="x-error" id=') == 2
        for kept in ("陈晓宁", "138", "鹤山市沙坪街道人民路"):
            assert f'value="{kept}"' in body
        assert not Patient.objects.exists()

    def test_look_alikes_are_asked_about_and_the_answer_acts(self, clerk: Client) -> None:
        known = a_patient(name="陈晓宁")
        passport = {
            "document_kind": "passport",
            "document_no": "E12345678",
            "sex": "female",
            "birth_date": known.birth_date.isoformat(),
        }
        asked = fill(clerk, **passport)
        body = asked.content.decode()
        assert asked.status_code == 409
        assert f"用这位（{known.outpatient_no}）" in body
        assert "姓名相同、出生日期相同、性别相同、手机号相同" in body

        unsaid = fill(clerk, **passport, decision="new", seen=str(known.pk))
        assert (unsaid.status_code, Patient.objects.count()) == (409, 1)
        assert "请写明原因。" in unsaid.content.decode()
        chosen = fill(clerk, **passport, decision=str(known.pk), seen=str(known.pk))

        assert chosen["Location"] == page(known)
        assert PatientIdentifier.objects.filter(patient=known).count() == 2

    def test_a_nurse_finds_but_does_not_upgrade(self) -> None:
        nurse = staff_client(Role.TRIAGE_NURSE)
        known = a_patient(name="陈晓宁")

        answer = fill(nurse, document_no=known.identifiers.get().value)

        assert answer["Location"] == page(known)
        assert not IdentityVerification.objects.exists()
        assert nurse.get(page(known, "prove")).status_code == 403
        passport = {"document_kind": "passport", "document_no": "E12345678", "sex": "female"}
        passport["birth_date"] = known.birth_date.isoformat()
        chosen = {"decision": str(known.pk), "seen": str(known.pk), "key": "k3"}
        assert f"用这位（{known.outpatient_no}）" not in fill(nurse, **passport).content.decode()
        assert fill(nurse, **passport, **chosen).status_code == 403
        assert known.identifiers.count() == 1
        assert fill(nurse, name="王伟", phone="", key="k2").status_code == 302

    def test_a_child_needs_its_guardian_at_the_field(self, clerk: Client) -> None:
        child = {
            "name": "陈小满",
            "document_kind": "household_book",
            "document_no": a_resident_id(born=dt.date(2020, 1, 5)),
            "phone": "",
        }
        mother = a_patient(name="陈大安")

        body = fill(clerk, **child).content.decode()
        assert "患者未满 14 周岁，请填写监护人" in body
        assert "没有找到这个号码的患者" in fill(clerk, **child, guardian_no="1").content.decode()
        fill(clerk, **child, guardian_no=mother.outpatient_no)

        assert Guardian.objects.get().guardian == mother

    def test_newborn_and_unidentified_get_temporary_numbers(self, clerk: Client) -> None:
        mother = a_patient(name="陈晓宁")
        today = dt.datetime.now(dt.UTC).date().isoformat()
        newborn = {
            "mother_no": mother.outpatient_no,
            "sex": "male",
            "birth_date": today,
            "key": "a",
        }
        stranger = {"sex": "unknown", "age": "40", "note": "120 送来", "key": "b"}

        assert clerk.post(f"{DESK}newborn/", {**newborn, "mother_no": "9"}).status_code == 422
        assert clerk.post(f"{DESK}newborn/", newborn).status_code == 302
        assert clerk.post(f"{DESK}unidentified/", {**stranger, "age": ""}).status_code == 422
        assert clerk.post(f"{DESK}unidentified/", stranger).status_code == 302

        kinds = Patient.objects.exclude(pk=mother.pk).order_by("pk").values_list("kind", flat=True)
        assert list(kinds) == [PatientKind.NEWBORN, PatientKind.UNIDENTIFIED]
        body = clerk.get(f"{DESK}upgrades/").content.decode()
        assert "陈***子" in body
        assert "72 小时内补实名" in body


class TestTheRecord:
    def test_it_is_masked_and_every_look_is_audited(self, clerk: Client) -> None:
        patient = a_patient(name="欧阳上官婉儿")

        body = clerk.get(page(patient)).content.decode()

        for secret in (patient.name, patient.identifiers.get().value, patient.phone):
            assert secret not in body
        entry = AuditEntry.objects.get(act="patients.view")
        assert (entry.person_id, entry.after) == (patient.pk, {"what": "患者档案"})

    def test_a_reveal_needs_a_purpose(self, clerk: Client) -> None:
        patient = a_patient()

        refused = clerk.post(page(patient, "reveal"), {"what": "phone", "reason": " "})
        assert (refused.status_code, patient.phone in refused.content.decode()) == (422, False)
        assert not AuditEntry.objects.filter(act="patients.reveal").exists()
        shown = clerk.post(page(patient, "reveal"), {"what": "phone", "reason": "联系患者"})

        assert patient.phone in shown.content.decode()
        assert AuditEntry.objects.get(act="patients.reveal").reason == "联系患者"

    def test_contact_data_change_with_a_reason_names_do_not(self, clerk: Client) -> None:
        patient = a_patient(name="陈晓宁")
        typed = {"phone": "13900139000", "address": "龙口镇", "ethnic_group": "01", "name": "x"}

        assert clerk.post(page(patient, "contact"), typed).status_code == 422
        clerk.post(page(patient, "contact"), {**typed, "reason": "换号"})

        patient.refresh_from_db()
        assert (patient.phone, patient.address, patient.name) == ("13900139000", "龙口镇", "陈晓宁")
        assert AuditEntry.objects.get(act="patients.correct").after == {
            "fields": ["address", "ethnic_group", "phone"]
        }

    def test_a_document_of_another_record_is_reported(self, clerk: Client) -> None:
        number = a_resident_id(sex=Sex.MALE)
        known = a_patient(name="王建国", document_no=number)
        came = {"sex": "male", "age": "40", "note": "120 于桃源路送来", "key": "k"}
        clerk.post(f"{DESK}unidentified/", came)
        stranger = Patient.objects.get(kind=PatientKind.UNIDENTIFIED)
        typed = {
            "name": "王建国",
            "document_kind": "resident_id",
            "document_no": number,
            "key": "k",
        }

        asked = clerk.post(page(stranger, "prove"), typed)
        assert asked.status_code == 409
        assert known.outpatient_no in asked.content.decode()
        for nobody in ("", "1\x00", "9999999999"):
            wrong = clerk.post(page(stranger, "same"), {"other": nobody, "reason": "家属辨认"})
            assert wrong.status_code == 404
        assert not stranger.links.exists()
        report = {"other": known.outpatient_no, "reason": "家属辨认"}
        clerk.post(page(stranger, "same"), report)

        assert stranger.links.get().other == known
        body = clerk.get(page(stranger)).content.decode()
        assert "等待合并" in body
        assert "送来的经过：120 于桃源路送来" in body

    def test_the_reader_fills_the_proof_too(self, clerk: Client) -> None:
        clerk.post(f"{DESK}unidentified/", {"sex": "male", "age": "40", "note": "x", "key": "k"})
        stranger = Patient.objects.get()
        number = a_resident_id(sex=Sex.MALE)
        body = clerk.post(
            page(stranger, "prove"), {"text": f"王建国|男|汉|{number}"}
        ).content.decode()
        mark = body.split('name="reading" value="')[1].split('"')[0]

        typed = {"name": "王建国", "document_kind": "resident_id", "document_no": number}
        clerk.post(page(stranger, "prove"), {**typed, "reading": mark, "key": "k"})

        stranger.refresh_from_db()
        assert (stranger.name, stranger.assurance) == ("王建国", Assurance.VERIFIED)

    def test_cards_live_on_the_page(self, clerk: Client) -> None:
        patient = a_patient()
        clerk.post(page(patient, "card"), {"number": ""})
        card = PatientCard.objects.get()
        address = page(patient, "card", str(card.pk))

        assert clerk.post(address, {"to": "lost"}).status_code == 422
        assert clerk.post(address, {"to": "wrong", "reason": "x"}).status_code == 422
        assert clerk.post(page(patient, "card"), {"number": ""}).status_code == 409
        clerk.post(address, {"to": "replaced", "reason": "损坏", "number": "00A1B2C3"})

        statuses = PatientCard.objects.order_by("pk").values_list("number", "status")
        assert list(statuses) == [
            (card.number, CardStatus.REPLACED),
            ("00A1B2C3", CardStatus.ACTIVE),
        ]

    def test_a_character_no_keyboard_has_is_left_out(self, clerk: Client) -> None:
        patient, other = a_patient(name="陈晓宁"), a_patient(name="王伟", born=dt.date(1990, 1, 1))
        binding = PatientBinding.objects.get(patient=patient)
        office = staff_client(Role.OUTPATIENT_OFFICE)

        found = find(clerk, f"\0{patient.outpatient_no}")
        reported = {"other": f"{other.outpatient_no}\0", "reason": "家属\0辨认"}
        clerk.post(page(patient, "same"), reported)
        office.post(page(patient, "unbind", str(binding.pk)), {"reason": "离\0婚"})

        assert found["Location"] == page(patient)
        assert patient.links.get().other == other
        binding.refresh_from_db()
        assert binding.ended_at is not None
        ended = AuditEntry.objects.get(act="patients.force_unbind")
        assert ended.reason == "离婚"

    def test_another_patients_rows_are_no_rows_of_this_page(self, clerk: Client) -> None:
        patient, other = a_patient(name="陈晓宁"), a_patient(name="王伟", born=dt.date(1990, 1, 1))
        card = actions.issue_card(patient_id=other.pk, number="", by=SYSTEM, at=clock.now())
        binding = PatientBinding.objects.get(patient=other)
        office = staff_client(Role.OUTPATIENT_OFFICE)
        reason = {"reason": "x", "to": "lost"}

        answers = [
            clerk.post(page(patient, "card", str(card.pk)), reason),
            clerk.post(page(patient, "void", str(other.identifiers.get().pk)), reason),
            office.post(page(patient, "unbind", str(binding.pk)), reason),
            clerk.get(f"{DESK}9999999999/"),
            clerk.get(f"{DESK}2000%000000/"),  # a character no database takes
        ]

        assert [answer.status_code for answer in answers] == [404] * 5
        card.refresh_from_db()
        binding.refresh_from_db()
        assert (card.status, binding.ended_at) == (CardStatus.ACTIVE, None)

    def test_only_the_office_ends_a_binding(self, clerk: Client) -> None:
        patient = a_patient()
        binding = PatientBinding.objects.get()
        address = page(patient, "unbind", str(binding.pk))

        assert clerk.post(address, {"reason": "x"}).status_code == 403
        office = staff_client(Role.OUTPATIENT_OFFICE)
        assert office.post(address, {"reason": ""}).status_code == 422
        binding.refresh_from_db()
        assert binding.ended_at is None
        office.post(address, {"reason": "手机丢失"})

        binding.refresh_from_db()
        assert binding.ended_at is not None

    def test_guardians_and_health_cards_are_added_there(self, clerk: Client) -> None:
        child = a_patient(name="陈小满", born=dt.date(2020, 1, 5))
        father = a_patient(name="陈大力", born=ADULT_BORN, sex=Sex.MALE)
        typed = {"guardian_no": father.outpatient_no, "relationship": "father"}

        clerk.post(page(child, "guardian"), typed)
        assert clerk.post(page(father, "guardian"), typed).status_code == 409
        clerk.post(page(child, "health-card"), {"number": "A" * 64})

        link = Guardian.objects.get(guardian=father)
        assert child.identifiers.filter(kind="health_card").count() == 1
        assert clerk.post(page(child, "guardian", str(link.pk), "end"), {}).status_code == 422
        clerk.post(page(child, "guardian", str(link.pk), "end"), {"reason": "判决"})
        link.refresh_from_db()
        assert link.ended_at is not None


def test_what_is_typed_never_stands_in_an_address(clerk: Client) -> None:
    patient = a_patient()

    body = clerk.get(DESK, {"text": patient.phone}).content.decode()

    assert (reverse("patients-desk"), patient.phone in body) == (DESK, False)
    assert 'method="post" action="/staff/card-desk/"' in " ".join(body.split())
