"""The user's own patients: list, add, default. Works, wrong method, stranger, not logged in."""

from __future__ import annotations

import datetime as dt
import logging

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from hospital.identity.models import WeChatUser
from hospital.kernel import clock
from hospital.patients import actions, queries
from hospital.patients.models import Patient, PatientBinding, PhoneCode
from hospital.patients.states import DocumentKind, Relationship
from hospital.testing.people import a_patient, a_resident_id, a_wechat_user, patient_client

pytestmark = pytest.mark.django_db
LIST, ADD, TOLD = "/m/patients/", "/m/patients/add/", "/m/patients/add/told/"
SOMEBODY = {
    "name": "陈晓宁",
    "document_kind": "resident_id",
    "document_no": "11010519491231002X",
    "phone": "13800138000",
    "relationship": "self",
    "has_consent": "on",
    "key": "k1",
}


@pytest.fixture(autouse=True)
def _sms_go_out(settings: Settings) -> None:
    settings.SMS_URL = "https://sms.example/"


def post(client: Client, address: str = ADD, **changes: str) -> HttpResponse:
    """Send the form; where a code goes out for it, once more with the code."""
    told = {**SOMEBODY, **changes}
    answer = client.post(address, told)
    if address == ADD and answer.status_code == 200 and "code" not in told:
        answer = client.post(address, {**told, "code": PhoneCode.objects.latest("pk").code})
    assert isinstance(answer, HttpResponse)
    return answer


def text(answer: HttpResponse) -> str:
    return answer.content.decode()


def patients_of(user: WeChatUser) -> list[Patient]:
    return [row.patient for row in queries.patients_for(wechat_user_id=user.pk)]


def test_the_list_is_masked_and_shows_who_is_the_default() -> None:
    user = a_wechat_user()
    a_patient(user, name="陈晓宁", document_no="11010519491231002X", phone="13800138000")
    second = a_patient(user, name="陈大安")

    answer = patient_client(user).get(LIST)

    page = answer.content.decode()
    assert "陈晓宁" in page
    assert "138****8000" in page
    assert "110***********002X" in page
    assert "13800138000" not in page
    assert "11010519491231002X" not in page
    assert page.count("设为默认") == 1
    assert f"/m/patients/{second.outpatient_no}/default/" in page
    assert "no-store" in answer["Cache-Control"]


def test_who_is_not_real_name_is_told_where_to_go() -> None:
    user = a_wechat_user()
    patient = a_patient(user)
    client = patient_client(user)
    assert "还没有登记有效证件" not in client.get(LIST).content.decode()
    Patient.objects.filter(pk=patient.pk).update(assurance="declared")

    page = client.get(LIST).content.decode()

    assert "还没有登记有效证件，实名后才能挂号。请携带证件到挂号窗口补登。" in page


def test_an_empty_list_offers_to_add() -> None:
    page = patient_client(a_wechat_user()).get(LIST).content.decode()

    assert "还没有就诊人" in page
    assert ADD in page


def test_a_full_list_offers_no_more() -> None:
    user = a_wechat_user()
    for _ in range(5):
        a_patient(user)

    page = patient_client(user).get(LIST).content.decode()

    assert "已达 5 位上限" in page
    assert f'href="{ADD}"' not in page


def test_a_list_costs_the_same_at_one_and_at_five(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    user = a_wechat_user()
    client = patient_client(user)
    a_patient(user)
    client.get(LIST)  # fills the cache of settings
    # session, user, bindings with patients, documents
    with django_assert_num_queries(4):
        client.get(LIST)
    for _ in range(4):
        a_patient(user)
    with django_assert_num_queries(4):
        client.get(LIST)


def test_it_adds_a_patient_and_goes_back_to_where_it_was_needed() -> None:
    user = a_wechat_user()
    client = patient_client(user)
    shown = client.get(ADD, {"next": "/m/book/3/"}).content.decode()
    assert 'value="/m/book/3/"' in shown

    answer = post(client, next="/m/book/3/")

    assert (answer.status_code, answer["Location"]) == (302, "/m/book/3/")
    (patient,) = patients_of(user)
    assert patient.name == "陈晓宁"


@pytest.mark.parametrize("next_path", ["", "https://evil.example/", "//evil.example", "/staff/"])
def test_it_goes_back_to_own_pages_only(next_path: str) -> None:
    answer = post(patient_client(a_wechat_user()), next=next_path)

    assert answer["Location"] in {LIST, "/m/"}


def test_a_half_filled_form_survives_with_its_errors_at_the_fields() -> None:
    user = a_wechat_user()

    answer = post(
        patient_client(user),
        name="陈晓宁",
        document_no="110105194912310021",
        phone="123",
        has_consent="",
    )

    page = text(answer)
    assert answer.status_code == 422
    for kept in ("陈晓宁", "110105194912310021", 'value="123"', 'value="k1"'):
        assert kept in page
    for sentence in ("校验位不符", "手机号应为 11 位数字", "请阅读并同意个人信息处理说明。"):
        assert sentence in page
    assert 'aria-invalid="true"' in page
    assert not Patient.objects.exists()


def test_another_document_asks_for_sex_and_birth_date() -> None:
    user = a_wechat_user()
    client = patient_client(user)

    answer = post(client, document_kind="passport", document_no="E12345678")

    assert answer.status_code == 422
    assert "请选择性别。" in text(answer)
    assert "请选择出生日期。" in text(answer)
    answer = post(
        client,
        document_kind="passport",
        document_no="E12345678",
        sex="male",
        birth_date="1990-05-04",
    )
    assert answer.status_code == 302
    assert patients_of(user)[0].birth_date == dt.date(1990, 5, 4)


@pytest.mark.parametrize(
    ("typed", "shown", "hidden"),
    [
        ({}, ["女，1949年12月31日出生"], ["出生日期", "监护人"]),
        ({"document_no": "110105194912310021"}, ["校验位不符"], ["出生日期"]),
        ({"document_no": ""}, [], ["出生日期", "x-error"]),
        ({"document_kind": "passport", "document_no": ""}, ["出生日期", "性别"], ["x-error"]),
        ({"document_kind": "passport", "birth_date": "2020-02-02"}, ["监护人"], []),
        ({"document_kind": "nonsense"}, ["女，1949年12月31日出生"], []),
        ({"document_kind": "foreigner_card", "document_no": "USA310089112412"}, ["性别"], []),
    ],
)
def test_the_form_tells_what_the_document_tells(
    typed: dict[str, str], shown: list[str], hidden: list[str]
) -> None:
    answer = post(patient_client(a_wechat_user()), TOLD, **typed)

    page = text(answer)
    assert answer.status_code == 200
    assert "<html" not in page
    for words in shown:
        assert words in page
    for words in hidden:
        assert words not in page
    assert not Patient.objects.exists()


def test_a_childs_number_brings_the_guardians_notice() -> None:
    user = a_wechat_user()
    client = patient_client(user)
    child = a_resident_id(born=clock.today() - dt.timedelta(days=5 * 365))

    assert "监护人" in text(post(client, TOLD, document_no=child))
    refused = post(client, document_no=child, relationship="son")
    assert refused.status_code == 422
    assert "需要监护人同意" in text(refused)
    refused = post(client, document_no=child, relationship="son", is_guardian="on")
    assert refused.status_code == 409
    assert "请先把您本人添加为就诊人" in text(refused)
    assert not Patient.objects.exists()

    a_patient(user, name="陈大安")
    added = post(client, document_no=child, relationship="son", is_guardian="on")
    assert added.status_code == 302
    assert PatientBinding.objects.filter(consent_version="2026-01-guardian").count() == 1


def test_a_known_document_with_another_name_points_to_the_desk() -> None:
    post(patient_client(a_wechat_user()))
    stranger = a_wechat_user()

    answer = post(patient_client(stranger), name="陈晓明")

    assert answer.status_code == 409
    assert "挂号窗口" in text(answer)
    assert 'value="陈晓明"' in text(answer)
    assert patients_of(stranger) == []


def test_a_double_tap_adds_once() -> None:
    user = a_wechat_user()
    client = patient_client(user)

    first = post(client)
    answers = [first, post(client, code=PhoneCode.objects.get().code)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert len(patients_of(user)) == 1


def test_the_code_goes_to_the_phone_and_the_form_waits_for_it() -> None:
    user = a_wechat_user()
    client = patient_client(user)

    asked = client.post(ADD, SOMEBODY)

    page = asked.content.decode()
    assert asked.status_code == 200
    assert "验证码已发到 138****8000" in page
    assert 'autocomplete="one-time-code"' in page
    code = PhoneCode.objects.get()
    assert code.code not in page
    assert (code.wechat_user, code.phone) == (user, "13800138000")
    assert patients_of(user) == []
    wrong = post(client, code=f"{(int(code.code) + 1) % 10**6:06d}")
    assert (wrong.status_code, "验证码不正确" in text(wrong)) == (409, True)
    soon = post(client, code="", step="code")
    assert (soon.status_code, "刚刚发出" in text(soon)) == (409, True)
    assert patients_of(user) == []
    assert post(client, code=code.code).status_code == 302
    assert [patient.name for patient in patients_of(user)] == ["陈晓宁"]


def test_a_second_tap_for_the_code_leaves_a_place_to_type_it() -> None:
    user = a_wechat_user()
    client = patient_client(user)
    client.post(ADD, SOMEBODY)

    again = client.post(ADD, SOMEBODY)

    page = again.content.decode()
    assert (again.status_code, "验证码刚刚发出" in page) == (409, True)
    assert 'autocomplete="one-time-code"' in page
    code = PhoneCode.objects.get()
    assert post(client, code=code.code).status_code == 302
    assert [patient.name for patient in patients_of(user)] == ["陈晓宁"]


def test_without_an_sms_platform_the_page_says_so_and_where_to_go(settings: Settings) -> None:
    client = patient_client(a_wechat_user())
    settings.SMS_URL = ""
    without = client.get(ADD).content.decode()
    settings.SMS_URL = "https://sms.example/"
    with_it = client.get(ADD).content.decode()

    said = "请携带证件到挂号窗口建档、挂号"
    assert "收不到验证码" in without
    assert (said in without, "<form" in without) == (True, False)
    assert (said in with_it, "<form" in with_it) == (False, True)


def test_self_is_offered_once() -> None:
    user = a_wechat_user()
    client = patient_client(user)
    assert 'value="self"' in client.get(ADD).content.decode()
    a_patient(user)

    assert 'value="self"' not in client.get(ADD).content.decode()
    assert post(client, key="k2", document_no=a_resident_id()).status_code == 422


@pytest.mark.parametrize("kind", DocumentKind.values)
def test_every_kind_of_document_can_be_chosen(kind: str) -> None:
    page = patient_client(a_wechat_user()).get(ADD).content.decode()

    assert f'value="{kind}"' in page


def test_the_default_can_be_switched() -> None:
    user = a_wechat_user()
    a_patient(user)
    second = a_patient(user, name="陈大安")

    answer = patient_client(user).post(f"/m/patients/{second.outpatient_no}/default/")

    assert (answer.status_code, answer["Location"]) == (302, LIST)
    assert queries.default_patient_for(wechat_user_id=user.pk) == second


def test_a_patient_of_somebody_else_is_not_found() -> None:
    patient = a_patient()
    stranger = a_wechat_user()
    client = patient_client(stranger)

    answer = client.post(f"/m/patients/{patient.outpatient_no}/default/")

    assert answer.status_code == 404
    assert patient.name not in answer.content.decode()
    assert patient.name not in client.get(LIST).content.decode()


def test_without_a_log_in_everything_leads_to_wechat(client: Client) -> None:
    for address in (LIST, ADD):
        assert client.get(address)["Location"].startswith("/m/login/")
    for address in (ADD, TOLD, "/m/patients/1/default/"):
        assert client.post(address)["Location"].startswith("/m/login/")
    assert not Patient.objects.exists()


def test_wrong_methods_are_refused() -> None:
    client = patient_client(a_wechat_user())

    assert client.post(LIST).status_code == 405
    assert client.put(ADD).status_code == 405
    assert client.get(TOLD).status_code == 405
    assert client.get("/m/patients/1/default/").status_code == 405


def test_adding_needs_the_csrf_token() -> None:
    user = a_wechat_user()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = patient_client(user).cookies

    assert post(strict).status_code == 403
    assert patients_of(user) == []


def test_the_log_holds_no_personal_data(caplog: pytest.LogCaptureFixture) -> None:
    user = a_wechat_user()
    client = patient_client(user)
    with caplog.at_level(logging.DEBUG):
        post(client, TOLD)
        post(client, phone="123")
        post(client)
        post(client, key="k2", relationship=Relationship.PARENT)
        client.get(LIST)
        with pytest.raises(actions.AlreadyBound):
            a_patient(user, document_no="11010519491231002X")

    records = [record for record in caplog.records if record.name != "django.db.backends"]
    lines = "\n".join(str(vars(record)) for record in records)
    for secret in ("陈晓宁", "11010519491231002X", "13800138000", user.openid):
        assert secret not in lines
