"""Who is bound to me, who decides about it, and changing the phone (M11, E14)."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.test import Client
from pytest_django.fixtures import Settings

from hospital.identity.models import WeChatUser
from hospital.kernel import clock
from hospital.kernel.models import AuditEntry
from hospital.messaging.models import Message
from hospital.patients.models import Patient, PatientBinding, PhoneCode
from hospital.patients.states import CodePurpose, Relationship
from hospital.testing.jobs import run_jobs
from hospital.testing.people import a_code, a_patient, a_resident_id, a_wechat_user, patient_client

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _sms_go_out(settings: Settings) -> None:
    settings.SMS_URL = "https://sms.example/"


def shared(relationship: Relationship = Relationship.SPOUSE) -> tuple[Patient, WeChatUser, Client]:
    """A patient bound by itself and by another user; that user and the patient's own browser."""
    own, other, number = a_wechat_user(), a_wechat_user(), a_resident_id()
    patient = a_patient(own, document_no=number, name="陈晓宁")
    a_patient(other, name="王大力")
    a_patient(other, document_no=number, name="陈晓宁", relationship=relationship)
    assert run_jobs(only="messaging.jobs.tell_binding") == []
    return patient, other, patient_client(own)


def binding_of(user: WeChatUser, patient: Patient) -> PatientBinding:
    return PatientBinding.objects.get(wechat_user=user, patient=patient)


def told(user: WeChatUser) -> list[tuple[str, str]]:
    rows = Message.objects.filter(wechat_user=user, kind="N35").order_by("pk")
    return [(row.fields["patient"], row.fields["what"]) for row in rows]


def test_everybody_bound_hears_of_a_new_binding() -> None:
    patient, other, _ = shared()
    own = patient.bindings.get(relationship=Relationship.SELF).wechat_user

    assert told(own) == [("陈*宁", "新微信用户已绑定")]
    assert told(other) == [("陈*宁", "新微信用户已绑定")]
    link = Message.objects.filter(wechat_user=own, kind="N35").get().path
    assert link == f"/m/patients/{patient.outpatient_no}/bound/"


def test_the_patient_sees_who_is_bound_and_ends_it() -> None:
    patient, other, client = shared()
    binding = binding_of(other, patient)
    address = f"/m/patients/{patient.outpatient_no}/bound/"

    page = client.get(address).content.decode()
    answer = client.post(f"{address}{binding.pk}/end/")

    assert "配偶" in page
    assert other.openid not in page
    assert (answer.status_code, answer["Location"]) == (302, address)
    binding.refresh_from_db()
    assert binding.ended_at is not None
    assert AuditEntry.objects.get(act="patients.end_other").person_id == patient.pk
    assert patient_client(other).get(address).status_code == 404
    assert run_jobs(only="messaging.jobs.tell_binding") == []
    assert told(other)[-1] == ("陈*宁", "您的微信绑定已解除")


def test_who_is_only_bound_sees_the_own_consent_and_ends_nobody() -> None:
    patient, other, _ = shared()
    own = patient.bindings.get(relationship=Relationship.SELF)
    client = patient_client(other)
    address = f"/m/patients/{patient.outpatient_no}/bound/"

    page = client.get(address).content.decode()

    assert "查看我同意的内容" in page
    assert "还有谁绑定了" not in page
    assert "更换手机号" not in page
    assert client.post(f"{address}{own.pk}/end/").status_code == 404
    assert client.get(f"/m/patients/{patient.outpatient_no}/phone/").status_code == 404
    own.refresh_from_db()
    assert own.ended_at is None


def test_a_strangers_binding_cannot_be_ended_by_its_number() -> None:
    patient, _, client = shared()
    stranger = a_patient(name="王某某")
    binding = stranger.bindings.get()
    own = patient.bindings.get(relationship=Relationship.SELF)

    for number, binding_id in (
        (patient.outpatient_no, binding.pk),
        (stranger.outpatient_no, binding.pk),
        (patient.outpatient_no, own.pk),
    ):
        answer = client.post(f"/m/patients/{number}/bound/{binding_id}/end/")
        assert answer.status_code == 404
        assert "王某某" not in answer.content.decode()
    assert not PatientBinding.objects.exclude(ended_at=None).exists()


def test_a_guardian_decides_until_the_fourteenth_birthday() -> None:
    today = clock.today()
    born = dt.date(today.year - 14, today.month, today.day) + dt.timedelta(days=1)
    number = a_resident_id(born=born)
    mother, father = a_wechat_user(), a_wechat_user()
    child = a_patient(mother, name="陈小满", document_no=number, born=born)
    a_patient(father, name="陈小满", document_no=number, born=born)
    binding = binding_of(father, child)
    address = f"/m/patients/{child.outpatient_no}/bound/"
    client = patient_client(mother)

    assert "还有谁绑定了" in client.get(address).content.decode()
    with time_machine.travel(clock.now() + dt.timedelta(days=1), tick=False):
        assert "还有谁绑定了" not in client.get(address).content.decode()
        assert client.post(f"{address}{binding.pk}/end/").status_code == 404
    binding.refresh_from_db()
    assert binding.ended_at is None
    assert client.post(f"{address}{binding.pk}/end/").status_code == 302


def test_a_phone_changes_with_both_codes_and_all_hear_of_it() -> None:
    patient, other, client = shared()
    own = patient.bindings.get(relationship=Relationship.SELF).wechat_user
    address = f"/m/patients/{patient.outpatient_no}/phone/"

    asked = client.post(address, {"phone": "13900139000"})
    new, old = a_code(own, CodePurpose.NEW_PHONE), a_code(own, CodePurpose.OLD_PHONE)
    form = {"phone": "13900139000", "new_code": new}
    refused = client.post(address, {**form, "old_code": f"{(int(old) + 1) % 10**6:06d}"})
    patient.refresh_from_db()
    assert patient.phone == "13800138000"
    answer = client.post(address, {**form, "old_code": old})

    assert asked.status_code == 200
    assert new not in asked.content.decode()
    phones = {row.phone for row in PhoneCode.objects.all()}
    assert phones == {"13800138000", "13900139000"}
    assert (refused.status_code, "原手机号收到的验证码不正确" in refused.content.decode()) == (
        409,
        True,
    )
    assert answer.status_code == 302
    patient.refresh_from_db()
    assert patient.phone == "13900139000"
    assert run_jobs(only="messaging.jobs.tell_phone") == []
    assert told(own)[-1] == told(other)[-1] == ("陈*宁", "就诊人手机号已更换")


def test_a_second_tap_for_the_codes_leaves_a_place_to_type_them() -> None:
    patient, _, client = shared()
    address = f"/m/patients/{patient.outpatient_no}/phone/"
    client.post(address, {"phone": "13900139000"})

    again = client.post(address, {"phone": "13900139000"})

    page = again.content.decode()
    assert (again.status_code, "验证码刚刚发出" in page) == (409, True)
    assert page.count('autocomplete="one-time-code"') == 2
    assert PhoneCode.objects.count() == 2


def test_without_an_sms_platform_the_phone_changes_at_the_window(settings: Settings) -> None:
    patient, _, client = shared()
    address = f"/m/patients/{patient.outpatient_no}/phone/"
    settings.SMS_URL = ""
    without = client.get(address).content.decode()
    settings.SMS_URL = "https://sms.example/"
    with_it = client.get(address).content.decode()

    said = "手机上收不到验证码"
    assert "请携带证件到挂号窗口更换。" in without
    assert (said in without, "<form" in without) == (True, False)
    assert (said in with_it, "<form" in with_it) == (False, True)


@pytest.mark.parametrize(
    ("phone", "status", "said"),
    [("123", 422, "手机号应为 11 位数字"), ("13800138000", 409, "就是现在登记的手机号")],
)
def test_a_wrong_new_phone_sends_nothing(phone: str, status: int, said: str) -> None:
    patient, _, client = shared()

    answer = client.post(f"/m/patients/{patient.outpatient_no}/phone/", {"phone": phone})

    assert (answer.status_code, said in answer.content.decode()) == (status, True)
    assert not PhoneCode.objects.exists()
