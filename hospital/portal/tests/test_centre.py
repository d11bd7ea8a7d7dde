"""The personal centre: records, privacy, copies of one's data, and large type."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile

import pytest
import time_machine
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from hospital.identity import actions as identity
from hospital.identity.models import WeChatUser
from hospital.identity.states import Role
from hospital.kernel import clock, whereabouts
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.models import AuditEntry
from hospital.patients import actions as patients
from hospital.patients.models import DataCopy, Patient
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.jobs import run_jobs
from hospital.testing.organisation import a_department
from hospital.testing.people import a_patient, a_staff, a_wechat_user, patient_client
from hospital.testing.schedules import NOW

pytestmark = pytest.mark.django_db
RECORDS = "/m/records/"


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    assert "no-store" in answer["Cache-Control"]
    return answer.content.decode()


@pytest.fixture
def user() -> WeChatUser:
    return a_wechat_user()


@pytest.fixture
def patient(user: WeChatUser) -> Patient:
    return a_patient(user, name="阿卜杜热合曼·买买提明", document_no="11010519491231002X")


@pytest.fixture
def client(user: WeChatUser) -> Client:
    return patient_client(user)


def test_records_are_one_list_narrowed_by_kind_patient_and_time(
    user: WeChatUser, patient: Patient
) -> None:
    booked = a_paid_booking(user=user, patient=patient)
    second = a_patient(user, name="陈大安")

    with time_machine.travel(NOW + dt.timedelta(minutes=1), tick=False):
        client = patient_client(user)
        everything = text(client, RECORDS)
        own = text(client, f"{RECORDS}?patient={second.outpatient_no}")

        assert "共 1 条" in everything
        assert f'href="/m/appointments/{booked.number}/"' in everything
        assert "阿卜杜热合曼·买买提明" in everything
        assert "没有符合条件的记录" in own
        assert "没有符合条件的记录" in text(client, f"{RECORDS}?kind=refund")
        assert "没有符合条件的记录" in text(client, f"{RECORDS}?kind=doctor")
    with time_machine.travel(NOW + dt.timedelta(days=100), tick=False):
        client = patient_client(user)
        assert "没有符合条件的记录" in text(client, f"{RECORDS}?kind=visit&span=90")
        assert "陈知行" in text(client, f"{RECORDS}?kind=doctor&span=365")
        assert "共 1 条" in text(client, f"{RECORDS}?kind=visit&span=nonsense")


def test_a_crowded_list_hides_no_record(
    client: Client, user: WeChatUser, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hospital.registration.queries._LISTED_AT_MOST", 1)
    monkeypatch.setattr("hospital.portal.views.records.SHOWN_AT_MOST", 1)
    second = a_patient(user, name="陈大安")
    first = a_paid_booking(user=user, patient=patient)
    a_paid_booking(user=user, patient=second)

    own = text(client, f"{RECORDS}?patient={patient.outpatient_no}&kind=visit")
    everything = text(client, f"{RECORDS}?kind=visit")

    assert "共 1 条" in own
    assert f'href="/m/appointments/{first.number}/"' in own
    assert "共 2 条，显示最近 1 条" in everything
    assert everything.count('href="/m/appointments/26') == 1


def test_records_show_nothing_of_strangers(client: Client, patient: Patient) -> None:
    stranger = a_paid_booking(patient=a_patient(name="王某某"))

    page = text(client, RECORDS)
    answer = client.get(f"{RECORDS}?patient={stranger.patient.outpatient_no}")

    assert answer.status_code == 404
    for shown in (page, answer.content.decode()):
        assert stranger.number not in shown
        assert "王某某" not in shown


def test_who_looked_is_told_by_role_and_department_not_by_name(
    client: Client, user: WeChatUser, patient: Patient
) -> None:
    clerk = a_staff(
        Role.REGISTRATION_CLERK, display_name="林若水", department=a_department(name="针灸科")
    )
    by = Actor("staff", clerk.pk)
    with whereabouts.bound(address="192.0.2.1"):
        whereabouts.take_roles([Role.REGISTRATION_CLERK])
        patients.reveal(
            patient_id=patient.pk, what="phone", by=by, at=clock.now(), reason="联系复诊"
        )

    page = text(client, f"/m/privacy/{patient.outpatient_no}/seen/")

    for words in ("挂号员 · 针灸科", "显示患者隐私信息", "联系复诊"):
        assert words in page
    assert "林若水" not in page
    assert clerk.username not in page


def test_a_copy_is_made_by_a_job_and_opened_by_who_asked(
    client: Client, user: WeChatUser, patient: Patient
) -> None:
    a_paid_booking(user=user, patient=patient)
    patients.issue_card(patient_id=patient.pk, number="00A1B2C3D4", by=SYSTEM, at=clock.now())
    card = patients.add_health_card(
        patient_id=patient.pk, number="A" * 64, by=SYSTEM, at=clock.now()
    )
    patients.void_identifier(
        identifier_id=card.pk, reason="扫错了别人的码", by=SYSTEM, at=clock.now()
    )
    address = f"/m/privacy/{patient.outpatient_no}/copies/"

    asked = [client.post(f"{address}ask/") for _ in range(2)]
    waiting = text(client, address)
    assert run_jobs(only="portal.jobs.make_copy") == []
    copy = DataCopy.objects.get()
    shown = text(client, f"/m/copies/{copy.token}/")
    file = client.get(f"/m/copies/{copy.token}/file/")

    assert [answer["Location"] for answer in asked] == [address, address]
    assert "正在生成" in waiting
    assert f"/m/copies/{copy.token}/" in text(client, address)
    for words in ("阿卜杜热合曼·买买提明", "11010519491231002X", "13800138000"):
        assert words in shown
    with zipfile.ZipFile(io.BytesIO(file.content)) as packed:
        told = json.loads(packed.read("data.json"))
        page = packed.read("index.html").decode()
    assert told["个人信息"][0]["手机号"] == "13800138000"
    assert told["证件与号码"] == [
        {"类型": "居民身份证", "号码": "11010519491231002X", "状态": "有效"}
    ]
    assert [row["卡号"] for row in told["就诊卡"]] == ["00A1B2C3D4"]
    assert [row["同意书版本"] for row in told["微信绑定与同意"]] == ["2026-01"]
    assert "A" * 64 not in page
    assert [row["内容"] for row in told["挂号"]] == ["针灸推拿科 陈知行"]
    assert told["谁看过档案"] == []
    assert "11010519491231002X" in page
    acts = AuditEntry.objects.filter(person_id=patient.pk, by=f"patient:{user.pk}")
    assert [row.act for row in acts.order_by("pk")] == [
        "patients.ask_copy",
        "patients.open_copy",
        "patients.open_copy",
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM patients_datacopy")
        kept = bytes(cursor.fetchone()[0])
    assert b"index.html" not in kept
    assert b"11010519491231002X" not in kept


def test_a_copys_link_is_the_askers_for_a_day(
    client: Client, user: WeChatUser, patient: Patient
) -> None:
    client.post(f"/m/privacy/{patient.outpatient_no}/copies/ask/")
    run_jobs(only="portal.jobs.make_copy")
    copy = DataCopy.objects.get()
    address = f"/m/copies/{copy.token}/"
    stranger = patient_client(a_wechat_user())

    for path in (address, f"{address}file/"):
        answer = stranger.get(path)
        assert answer.status_code == 404
        assert "11010519491231002X" not in answer.content.decode()
    with time_machine.travel(clock.now() + dt.timedelta(hours=24), tick=False):
        assert client.get(address).status_code == 404
        patients.forget(at=clock.now() + dt.timedelta(seconds=1))
    copy.refresh_from_db()
    assert bytes(copy.content or b"") == b""
    assert not AuditEntry.objects.filter(act="patients.open_copy").exists()


def test_a_copy_nobody_could_make_is_asked_for_anew(client: Client, patient: Patient) -> None:
    address = f"/m/privacy/{patient.outpatient_no}/copies/ask/"
    client.post(address)
    first = DataCopy.objects.get()

    patients.forget(at=clock.now() + dt.timedelta(hours=23))
    client.post(address)
    assert DataCopy.objects.get() == first
    patients.forget(at=clock.now() + dt.timedelta(hours=25))
    client.post(address)

    assert DataCopy.objects.get() != first


def test_a_copy_closes_on_the_fourteenth_birthday() -> None:
    user, born = a_wechat_user(), clock.today().replace(year=clock.today().year - 14)
    child = a_patient(user, name="陈小满", born=born + dt.timedelta(days=1))
    client = patient_client(user)
    client.post(f"/m/privacy/{child.outpatient_no}/copies/ask/")
    run_jobs(only="portal.jobs.make_copy")
    address = f"/m/copies/{DataCopy.objects.get().token}/"
    assert client.get(address).status_code == 200

    # The copy itself stays for twenty-four hours: midnight, whenever it comes, is within them.
    birthday = clock.at_local(clock.today() + dt.timedelta(days=1))
    with time_machine.travel(birthday - dt.timedelta(seconds=1), tick=False):
        assert patient_client(user).get(address).status_code == 200
    with time_machine.travel(birthday, tick=False):
        assert patient_client(user).get(address).status_code == 404


def test_an_unbound_user_opens_no_copy(client: Client, user: WeChatUser, patient: Patient) -> None:
    client.post(f"/m/privacy/{patient.outpatient_no}/copies/ask/")
    run_jobs(only="portal.jobs.make_copy")
    number = patient.outpatient_no
    patients.remove_binding(wechat_user_id=user.pk, number=number, by=SYSTEM, at=clock.now())

    assert client.get(f"/m/copies/{DataCopy.objects.get().token}/").status_code == 404


def test_relatives_and_strangers_get_neither_copy_nor_looks(patient: Patient) -> None:
    relative, stranger = a_wechat_user(), a_wechat_user()
    a_patient(relative)
    a_patient(relative, name=patient.name, document_no="11010519491231002X")

    for user in (relative, stranger):
        other = patient_client(user)
        for address in ("seen/", "copies/"):
            answer = other.get(f"/m/privacy/{patient.outpatient_no}/{address}")
            assert answer.status_code == 404
        answer = other.post(f"/m/privacy/{patient.outpatient_no}/copies/ask/")
        assert answer.status_code == 404
    assert not DataCopy.objects.exists()


def test_copies_are_limited(client: Client, patient: Patient) -> None:
    for _ in range(3):
        assert client.post(f"/m/privacy/{patient.outpatient_no}/copies/ask/").status_code == 302
        run_jobs(only="portal.jobs.make_copy")

    answer = client.post(f"/m/privacy/{patient.outpatient_no}/copies/ask/")

    assert (answer.status_code, "次数过多" in answer.content.decode()) == (409, True)
    assert DataCopy.objects.count() == 3


def test_privacy_says_what_is_kept_and_leads_to_each_consent(
    client: Client, patient: Patient
) -> None:
    page = text(client, "/m/privacy/")

    for words in ("我们保存什么，为什么", "15 年", "2026-01"):
        assert words in page
    free, bound = page.split("不能撤回的，为什么")
    for purpose in ("代为挂号和查看", "微信提醒", "手机号、住址"):
        assert purpose in free.split("可以撤回的同意")[1]
    for purpose in ("病历、处方、检查", "姓名和证件", "账单、支付、退款", "谁看过、谁改过"):
        assert purpose in bound
    assert 'href="/m/messages/settings/"' in free
    for address in ("seen/", "copies/"):
        assert f"/m/privacy/{patient.outpatient_no}/{address}" in page
    assert f"/m/patients/{patient.outpatient_no}/bound/" in page


def test_large_type_has_three_big_choices_and_the_telephone_everywhere(
    client: Client, user: WeChatUser, patient: Patient, settings: Settings
) -> None:
    settings.HOSPITAL_PHONE = "0750-8888888"
    a_booking(user=user, patient=patient)
    pages = ("/m/", RECORDS, "/m/privacy/", "/m/patients/", "/m/appointments/", "/m/messages/")
    usual = [client.get(page).content.decode() for page in pages]
    identity.set_display(wechat_user_id=user.pk, care_mode=True, by=Actor("patient", user.pk))

    large = [client.get(page).content.decode() for page in pages]
    more = client.get("/m/more/").content.decode()

    assert [page.count("x-choice-big") for page in (usual[0], large[0])] == [0, 3]
    assert all('href="tel:0750-8888888"' in page for page in large)
    assert not any("x-help" in page for page in usual)
    # By patient and by time also in large type (M11.4); by kind is one choice too many.
    assert ('name="span"' in large[1], 'name="kind"' in large[1]) == (True, False)
    for address in (RECORDS, "/m/privacy/", "/m/messages/", "/m/patients/"):
        assert large[0].count(f'href="{address}"') == (1 if address == "/m/patients/" else 0)
        assert f'href="{address}"' in more
