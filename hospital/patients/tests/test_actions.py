"""Adding, choosing and removing patients: every yes, and every no with nothing left behind."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools

import pytest
from django.db import connection

from hospital.identity.models import WeChatUser
from hospital.kernel import serials
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.kernel.models import AuditEntry
from hospital.kernel.request_keys import KeyReused
from hospital.kernel.settings_rows import set_value
from hospital.patients import actions, queries
from hospital.patients.models import Patient, PatientBinding, PatientIdentifier
from hospital.patients.states import Assurance, DocumentKind, Relationship, Sex
from hospital.testing.people import a_code, a_patient, a_resident_id, a_wechat_user

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
CHILD_BORN = dt.date(2020, 1, 5)


def add(user: WeChatUser, **changes: object) -> Patient:
    arguments: dict[str, object] = {
        "wechat_user_id": user.pk,
        "name": "陈晓宁",
        "document_kind": DocumentKind.RESIDENT_ID,
        "document_no": "11010519491231002X",
        "phone": "13800138000",
        "relationship": Relationship.SELF,
        "key": "k1",
        "by": Actor("patient", user.pk),
        "at": AT,
    }
    told = {**arguments, **changes}
    if "code" not in told:
        asked = {name: value for name, value in told.items() if name != "key"}
        with contextlib.suppress(actions.CodeTooSoon):
            actions.ask_code(**asked)  # type: ignore[arg-type]
        told["code"] = a_code(user)
    return actions.add_patient(**told)  # type: ignore[arg-type]


def test_it_makes_a_patient_from_a_resident_id() -> None:
    user = a_wechat_user()

    patient = add(user, name=" 陈晓宁 ", phone="+86 138-0013-8000")

    assert (patient.name, patient.sex) == ("陈晓宁", Sex.FEMALE)
    assert patient.birth_date == dt.date(1949, 12, 31)
    assert (patient.pinyin, patient.initials) == ("chen xiao ning", "cxn")
    assert patient.assurance == Assurance.DOCUMENT
    assert len(patient.outpatient_no) == 10
    assert queries.is_outpatient_no(patient.outpatient_no)
    binding = PatientBinding.objects.get(wechat_user=user)
    assert (binding.patient, binding.is_default) == (patient, True)
    assert (binding.consent_version, binding.consented_at) == ("2026-01", AT)
    assert AuditEntry.objects.get(act="patients.add_patient").after["patient_id"] == patient.pk


def test_number_and_phone_are_sealed_in_the_database() -> None:
    patient = add(a_wechat_user())

    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM patients_patient")
        (phone,) = cursor.fetchone()
        cursor.execute("SELECT value, value_index FROM patients_patientidentifier")
        value, index = cursor.fetchone()
    assert "13800138000" not in phone
    assert "11010519491231002X" not in value + index
    assert Patient.objects.get(pk=patient.pk).phone == "13800138000"
    assert PatientIdentifier.objects.get().value == "11010519491231002X"


def test_other_documents_need_sex_and_birth_date_from_the_person() -> None:
    user = a_wechat_user()

    with pytest.raises(Invalid) as refusal:
        add(user, document_kind=DocumentKind.PASSPORT, document_no="E12345678")

    assert set(refusal.value.errors) == {"sex", "birth_date"}
    patient = add(
        user,
        document_kind=DocumentKind.PASSPORT,
        document_no="E12345678",
        sex=Sex.MALE,
        birth_date=dt.date(1990, 5, 4),
    )
    assert (patient.sex, patient.birth_date) == (Sex.MALE, dt.date(1990, 5, 4))


def test_a_resident_id_outranks_what_was_typed() -> None:
    patient = add(a_wechat_user(), sex=Sex.MALE, birth_date=dt.date(2000, 1, 1))

    assert (patient.sex, patient.birth_date) == (Sex.FEMALE, dt.date(1949, 12, 31))


def test_all_wrong_fields_are_named_at_once_and_nothing_is_written() -> None:
    with pytest.raises(Invalid) as refusal:
        add(a_wechat_user(), name="", phone="123", document_no="110105194912310021")

    assert set(refusal.value.errors) == {"name", "phone", "document_no"}
    assert not Patient.objects.exists()


def test_the_same_document_and_name_is_the_same_patient() -> None:
    known = add(a_wechat_user())

    again = add(a_wechat_user(), relationship=Relationship.PARENT)

    assert again == known
    assert Patient.objects.count() == 1
    assert PatientBinding.objects.count() == 2


def test_an_old_number_finds_the_patient_of_the_new_one() -> None:
    known = add(a_wechat_user(), document_no="11010519491231002X")

    again = add(a_wechat_user(), document_no="110105491231002", relationship=Relationship.PARENT)

    assert again == known


def test_another_name_on_the_same_document_goes_to_the_desk() -> None:
    add(a_wechat_user())
    stranger = a_wechat_user()

    with pytest.raises(actions.NameMismatch, match="挂号窗口"):
        add(stranger, name="陈晓明")

    assert not PatientBinding.objects.filter(wechat_user=stranger).exists()
    assert AuditEntry.objects.filter(act=queries.MISMATCH, subject_id=stranger.pk).count() == 1


def test_another_phone_than_on_file_goes_to_the_desk() -> None:
    add(a_wechat_user())
    stranger = a_wechat_user()

    with pytest.raises(actions.PhoneMismatch):
        add(stranger, phone="13900139000")

    assert not PatientBinding.objects.filter(wechat_user=stranger).exists()


def test_guessing_stops_after_five_mismatches_a_day() -> None:
    add(a_wechat_user())
    stranger = a_wechat_user()
    for number in range(5):
        with pytest.raises(actions.PhoneMismatch):
            add(stranger, phone=f"1390013900{number}", key=f"guess{number}")

    with pytest.raises(actions.TooManyMismatches):
        add(stranger, key="the right one")

    assert add(stranger, key="tomorrow", at=AT + dt.timedelta(days=1, seconds=1)).pk


def test_at_most_five_patients_a_user() -> None:
    user = a_wechat_user()
    for _ in range(5):
        a_patient(user, at=AT)

    with pytest.raises(actions.TooManyPatients, match="最多添加 5 位"):
        add(user, relationship=Relationship.PARENT)

    set_value(setting=actions.PATIENTS_PER_USER, value=6, by=SYSTEM, at=AT)
    set_value(setting=actions.ADDITIONS_PER_MONTH, value=9, by=SYSTEM, at=AT)
    assert add(user, relationship=Relationship.PARENT).pk


def test_at_most_three_users_a_patient() -> None:
    for _ in range(3):
        add(a_wechat_user())

    with pytest.raises(actions.TooManyUsers, match="3 个微信用户"):
        add(a_wechat_user())


def test_nobody_is_added_twice_to_one_list() -> None:
    user = a_wechat_user()
    add(user)

    with pytest.raises(actions.AlreadyBound):
        add(user, key="k2", relationship=Relationship.PARENT)


def test_only_one_patient_is_the_user_herself() -> None:
    user = a_wechat_user()
    add(user)

    with pytest.raises(Invalid) as refusal:
        add(user, key="k2", document_no=a_resident_id())

    assert set(refusal.value.errors) == {"relationship"}


def test_a_double_tap_adds_once_and_answers_the_same() -> None:
    user = a_wechat_user()

    patient = add(user)

    assert add(user, code=a_code(user)) == patient
    assert PatientBinding.objects.count() == 1
    with pytest.raises(KeyReused):
        add(user, phone="13900139000", by=SYSTEM, code="")


def test_a_child_needs_a_guardian_who_agrees_and_is_known() -> None:
    user = a_wechat_user()
    child = {"name": "陈小满", "document_no": a_resident_id(born=CHILD_BORN), "key": "child"}

    with pytest.raises(Invalid) as refusal:
        add(user, **child, relationship=Relationship.SELF)
    assert set(refusal.value.errors) == {"relationship"}
    with pytest.raises(Invalid) as refusal:
        add(user, **child, relationship=Relationship.SON)
    assert set(refusal.value.errors) == {"is_guardian"}
    with pytest.raises(actions.GuardianFirst):
        add(user, **child, relationship=Relationship.SON, is_guardian=True)

    add(user)
    patient = add(user, **child, relationship=Relationship.SON, is_guardian=True)
    binding = PatientBinding.objects.get(patient=patient)
    assert binding.consent_version == "2026-01-guardian"


def test_a_fourteenth_birthday_ends_the_guardian_rule() -> None:
    born = dt.date(2012, 11, 22)

    assert add(a_wechat_user(), document_no=a_resident_id(born=born)).pk


def test_outpatient_numbers_catch_a_wrong_digit() -> None:
    number = add(a_wechat_user()).outpatient_no

    assert serials.check_digit(number[:-1]) == number[-1]
    wrong = str((int(number[4]) + 1) % 10)
    assert not queries.is_outpatient_no(number[:4] + wrong + number[5:])


def test_outpatient_numbers_of_neighbours_are_no_neighbours() -> None:
    numbers = [int(a_patient(at=AT).outpatient_no[:-1]) for _ in range(5)]

    apart = [abs(one - other) for one, other in itertools.pairwise(numbers)]
    assert min(apart) > len(numbers)
    assert len(set(numbers)) == len(numbers)
    assert {str(number)[0] for number in numbers} == {"2"}


def test_the_default_can_be_switched_and_only_to_an_own_patient() -> None:
    user = a_wechat_user()
    first, second = a_patient(user, at=AT), a_patient(user, name="陈大安", at=AT)
    stranger = a_patient(at=AT)
    actor = Actor("patient", user.pk)

    actions.set_default(wechat_user_id=user.pk, number=second.outpatient_no, by=actor, at=AT)

    assert queries.default_patient_for(wechat_user_id=user.pk) == second
    with pytest.raises(NotFound):
        actions.set_default(wechat_user_id=user.pk, number=stranger.outpatient_no, by=actor, at=AT)
    assert PatientBinding.objects.filter(wechat_user=user, is_default=True).count() == 1
    assert first != second


def test_removing_ends_the_binding_and_passes_the_default_on() -> None:
    user = a_wechat_user()
    first, second = a_patient(user, at=AT), a_patient(user, name="陈大安", at=AT)
    actor = Actor("patient", user.pk)

    actions.remove_binding(wechat_user_id=user.pk, number=first.outpatient_no, by=actor, at=AT)

    assert [row.patient for row in queries.patients_for(wechat_user_id=user.pk)] == [second]
    assert queries.default_patient_for(wechat_user_id=user.pk) == second
    assert PatientBinding.objects.get(patient=first).ended_at == AT
    with pytest.raises(NotFound):
        actions.remove_binding(wechat_user_id=user.pk, number=first.outpatient_no, by=actor, at=AT)


def test_removing_again_and_again_is_stopped() -> None:
    user = a_wechat_user()
    actor = Actor("patient", user.pk)
    patients = [a_patient(user, at=AT) for _ in range(4)]
    for patient in patients[:3]:
        actions.remove_binding(
            wechat_user_id=user.pk, number=patient.outpatient_no, by=actor, at=AT
        )

    with pytest.raises(actions.TooManyRemovals):
        actions.remove_binding(
            wechat_user_id=user.pk, number=patients[3].outpatient_no, by=actor, at=AT
        )


def test_the_days_over_which_removals_count_are_the_hospitals() -> None:
    user = a_wechat_user()
    actor = Actor("patient", user.pk)
    numbers = [a_patient(user, at=AT).outpatient_no for _ in range(5)]
    set_value(setting=actions.BINDING_DAYS, value=7, by=SYSTEM, at=AT - dt.timedelta(days=9))
    week = AT + dt.timedelta(days=7)

    for number in numbers[:3]:
        actions.remove_binding(wechat_user_id=user.pk, number=number, by=actor, at=AT)
    with pytest.raises(actions.TooManyRemovals, match="近 7 天内"):
        actions.remove_binding(
            wechat_user_id=user.pk, number=numbers[3], by=actor, at=week - dt.timedelta(seconds=1)
        )
    assert len(queries.patients_for(wechat_user_id=user.pk)) == 2
    actions.remove_binding(wechat_user_id=user.pk, number=numbers[3], by=actor, at=week)
    assert len(queries.patients_for(wechat_user_id=user.pk)) == 1


def test_what_others_ended_does_not_count_as_removing() -> None:
    user = a_wechat_user()
    actor = Actor("patient", user.pk)
    patients = [a_patient(user, at=AT) for _ in range(4)]
    for binding in PatientBinding.objects.filter(patient__in=patients[:3]):
        actions.force_unbind(binding_id=binding.pk, reason="本人申请", by=SYSTEM, at=AT)

    actions.remove_binding(
        wechat_user_id=user.pk, number=patients[3].outpatient_no, by=actor, at=AT
    )

    assert queries.patients_for(wechat_user_id=user.pk) == []


def test_a_reveal_is_audited_with_its_purpose() -> None:
    patient = a_patient(at=AT, phone="13800138000", document_no="11010519491231002X")
    clerk = Actor("staff", 7)

    with pytest.raises(Invalid):
        actions.reveal(patient_id=patient.pk, what="phone", by=clerk, at=AT, reason=" ")
    assert not AuditEntry.objects.filter(act="patients.reveal").exists()

    shown = actions.reveal(
        patient_id=patient.pk, what="documents", by=clerk, at=AT, reason="核对证件"
    )
    assert shown == ["11010519491231002X"]
    entry = AuditEntry.objects.get(act="patients.reveal")
    assert (entry.by, entry.reason, entry.after) == ("staff:7", "核对证件", {"what": "documents"})


def test_refusals_speak_chinese_sentences() -> None:
    for refusal in (actions.NameMismatch(), actions.AlreadyBound(), actions.GuardianFirst()):
        assert isinstance(refusal, Refusal)
        assert refusal.message.endswith("。")
