"""Home and the unbinding of a patient: works, refused, wrong method, stranger, not logged in."""

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hospital.identity.models import WeChatUser
from hospital.kernel import settings_rows
from hospital.kernel.actors import SYSTEM
from hospital.messaging.models import Message
from hospital.patients import queries
from hospital.patients.models import Patient, PatientBinding
from hospital.registration import actions, thresholds
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.people import a_patient, a_resident_id, a_wechat_user, patient_client
from hospital.testing.schedules import NOW, a_released_schedule, moment

pytestmark = pytest.mark.django_db
HOME = "/m/"
TODAY = dt.date(2026, 11, 23)


@pytest.fixture(autouse=True)
def _monday_at_ten() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def user() -> WeChatUser:
    return a_wechat_user()


@pytest.fixture
def client(user: WeChatUser) -> Client:
    return patient_client(user)


def text(answer: object) -> str:
    assert isinstance(answer, HttpResponse)
    return answer.content.decode()


def page(client: Client, address: str = HOME) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return text(answer)


def unbind_of(patient: Patient) -> str:
    return f"/m/people/{patient.outpatient_no}/unbind/"


def is_bound(user: WeChatUser, patient: Patient) -> bool:
    return any(row.patient == patient for row in queries.patients_for(wechat_user_id=user.pk))


def test_home_leads_everywhere_and_first_to_adding_a_patient(client: Client) -> None:
    shown = page(client)

    for words in ("请先添加就诊人", "近期没有预约", "去预约挂号", "切换长辈版（大字）"):
        assert words in shown
    for address in (
        "/m/departments/",
        "/m/appointments/",
        "/m/patients/",
        "/m/patients/add/",
        "/m/messages/",
    ):
        assert f'href="{address}"' in shown
    assert "待支付" not in shown


def test_home_shows_the_patient_what_is_next_and_unread_messages(
    client: Client, user: WeChatUser
) -> None:
    patient = a_patient(user)
    booked = a_paid_booking(user=user, patient=patient)

    shown = page(client)

    assert patient.outpatient_no in shown
    assert f'href="/m/appointments/{booked.number}/"' in shown
    assert "11月24日 08:00 针灸推拿科" in shown
    assert "近期没有预约" not in shown
    assert Message.objects.filter(wechat_user=user, read_at=None).count() == 1
    assert '<span class="x-count">1</span>' in shown


def test_home_leads_to_paying_while_a_booking_waits(client: Client, user: WeChatUser) -> None:
    patient = a_patient(user)
    pending = a_booking(user=user, patient=patient)

    shown = page(client)
    actions.release_unpaid(appointment_id=pending.pk, by=SYSTEM, at=NOW + dt.timedelta(minutes=15))

    assert "有一个预约待支付" in shown
    assert f'href="/m/pay/{pending.bill.token}/"' in shown
    assert "去支付 ¥25.00" in shown
    assert "待支付" not in page(client)


def test_home_asks_nobody_to_pay_what_another_booked(client: Client, user: WeChatUser) -> None:
    document, booker = a_resident_id(), a_wechat_user()
    patient = a_patient(booker, document_no=document)
    a_patient(user, document_no=document)
    pending = a_booking(user=booker, patient=patient)

    shown = page(client)

    assert pending.bill.token not in shown
    assert pending.number in shown


def test_home_shows_nothing_of_others(client: Client) -> None:
    stranger = a_paid_booking(patient=a_patient(name="王某某"))

    shown = page(client)

    assert "王某某" not in shown
    assert stranger.number not in shown


def test_home_forgets_what_is_over(client: Client, user: WeChatUser) -> None:
    booked = a_paid_booking(user=user, patient=a_patient(user))
    with time_machine.travel(moment(booked.visit_date, 12), tick=False):
        assert booked.number not in page(client)


def test_home_costs_the_same_with_three_and_with_thirty(
    client: Client, user: WeChatUser, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings_rows.set_value(setting=thresholds.LIMIT_MONTH, value=100, by=SYSTEM, at=NOW)
    people = [a_patient(user) for _ in range(5)]

    def fill(ahead: int, patients: list[Patient]) -> None:
        schedule = a_released_schedule(day=TODAY + dt.timedelta(days=ahead), capacity=20)
        for patient in patients:
            a_paid_booking(user=user, patient=patient, schedule=schedule)

    fill(1, people[:3])
    page(client)
    # session, user, appointments, their money, the default patient, unread messages
    with django_assert_num_queries(6):
        page(client)
    fill(1, people[3:])
    for ahead in range(2, 7):
        fill(ahead, people)
    with django_assert_num_queries(6):
        assert page(client).count('href="/m/appointments/26') == 3


def test_a_patient_without_visits_to_come_is_unbound(client: Client, user: WeChatUser) -> None:
    patient = a_patient(user)

    asked = page(client, unbind_of(patient))
    answer = client.post(unbind_of(patient))

    assert "陈晓宁" in asked
    assert "确定解除" in asked
    assert (answer.status_code, answer["Location"]) == (302, "/m/patients/")
    assert not is_bound(user, patient)
    assert Patient.objects.filter(pk=patient.pk).exists()
    assert "已解除绑定。" in page(client, "/m/patients/")
    assert client.post(unbind_of(patient)).status_code == 404


def test_m11_02_a_visit_to_come_keeps_the_binding(client: Client, user: WeChatUser) -> None:
    patient, other = a_patient(user), a_patient(user, name="陈大安")
    booked = a_paid_booking(user=user, patient=patient)

    asked, answer = client.get(unbind_of(patient)), client.post(unbind_of(patient))

    assert (asked.status_code, answer.status_code) == (200, 409)
    for shown in (text(asked), text(answer)):
        assert "现在不能解除绑定" in shown
        assert f'href="/m/appointments/{booked.number}/"' in shown
        assert "确定解除" not in shown
    assert is_bound(user, patient)
    assert client.post(unbind_of(other)).status_code == 302
    assert not is_bound(user, other)


def test_m11_02_what_another_booked_keeps_nobody(client: Client, user: WeChatUser) -> None:
    number, other = a_resident_id(), a_wechat_user()
    a_patient(user, name="陈大安")
    patient = a_patient(user, document_no=number)
    a_patient(other, document_no=number)
    a_paid_booking(user=other, patient=patient)

    assert client.post(unbind_of(patient)).status_code == 302
    assert not is_bound(user, patient)
    assert is_bound(other, patient)


def test_somebody_elses_patient_is_not_found(client: Client) -> None:
    owner = a_wechat_user()
    patient = a_patient(owner, name="王某某")
    before = PatientBinding.objects.filter(ended_at=None).count()

    for answer in (client.get(unbind_of(patient)), client.post(unbind_of(patient))):
        assert answer.status_code == 404
        assert "王某某" not in text(answer)
    assert PatientBinding.objects.filter(ended_at=None).count() == before


def test_wrong_methods_are_refused(client: Client, user: WeChatUser) -> None:
    patient = a_patient(user)

    assert client.post(HOME).status_code == 405
    assert client.put(unbind_of(patient)).status_code == 405
    assert client.delete(unbind_of(patient)).status_code == 405
    assert is_bound(user, patient)


def test_without_a_log_in_everything_leads_to_wechat(user: WeChatUser) -> None:
    patient = a_patient(user)
    nobody = Client()

    for answer in (
        nobody.get(HOME),
        nobody.get(unbind_of(patient)),
        nobody.post(unbind_of(patient)),
    ):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/m/login/")
    assert is_bound(user, patient)


def test_unbinding_needs_the_csrf_token(client: Client, user: WeChatUser) -> None:
    patient = a_patient(user)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies

    assert strict.post(unbind_of(patient)).status_code == 403
    assert is_bound(user, patient)
