"""The phone's pages of waiting: 候补 and 放号提醒, over HTTP."""

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from hospital.identity.models import WeChatUser
from hospital.kernel.actors import SYSTEM
from hospital.patients.models import Patient
from hospital.registration import actions
from hospital.registration.models import ReleaseWatch, WaitlistEntry
from hospital.testing.bookings import a_paid_booking
from hospital.testing.people import a_patient, a_wechat_user, patient_client
from hospital.testing.schedules import NOW, a_released_schedule, an_unreleased_schedule, band_of
from hospital.testing.waiting import a_full_schedule, a_waiting

pytestmark = pytest.mark.django_db
LATER = NOW + dt.timedelta(minutes=20)


@pytest.fixture(autouse=True)
def _monday() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def user() -> WeChatUser:
    return a_wechat_user()


@pytest.fixture
def patient(user: WeChatUser) -> Patient:
    return a_patient(user, name="陈晓宁")


@pytest.fixture
def client(user: WeChatUser) -> Client:
    return patient_client(user)


def page(client: Client, name: str, *ids: object, data: dict[str, str] | None = None) -> str:
    answer = client.get(reverse(name, args=ids), data)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_full_session_leads_into_the_line_and_the_line_shows_the_place(
    client: Client, patient: Patient
) -> None:
    schedule, _ = a_full_schedule(paid=1)
    a_waiting(schedule)
    department = schedule.department.code
    sessions = page(client, "scheduling-sessions", department, data={"day": "2026-11-24"})
    assert reverse("scheduling-bands", args=[schedule.pk]) in sessions
    times = page(client, "scheduling-bands", schedule.pk)
    wait = reverse("registration-wait", args=[schedule.pk])
    assert f'href="{wait}"' in times
    asked = page(client, "registration-wait", schedule.pk)
    assert "陈晓宁" in asked
    assert "11月23日 23:00" in asked

    for _ in range(2):
        joined = client.post(wait, {"patient": patient.outpatient_no})
        assert (joined.status_code, joined["Location"]) == (302, "/m/waitlist/")

    assert WaitlistEntry.objects.filter(patient=patient).count() == 1
    places = page(client, "registration-waitlist")
    assert "前面还有" in places
    assert "已加入候补" in places
    assert "我的候补" in page(client, "registration-appointments")


def test_an_offer_stands_on_the_page_and_leads_to_its_payment(
    client: Client, user: WeChatUser, patient: Patient
) -> None:
    schedule, (booking,) = a_full_schedule(paid=0, unpaid=1)
    entry = a_waiting(schedule, user=user, patient=patient)
    with time_machine.travel(LATER, tick=False):
        actions.release_unpaid(appointment_id=booking.pk, by=SYSTEM, at=LATER)
        assert actions.serve_waitlists(by=SYSTEM, at=LATER) == 1
        entry.refresh_from_db()
        assert entry.appointment is not None
        places = page(client, "registration-waitlist")
        assert reverse("registration-appointment", args=[entry.appointment.number]) in places
        left = client.post(reverse("registration-waitlist-leave", args=[entry.pk]))
        assert left.status_code == 409
        assert "已经为您留了号" in left.content.decode()
        client.post(reverse("registration-cancel", args=[entry.appointment.number]))
        assert "已退出" in page(client, "registration-waitlist")


def test_m1_08_a_right_to_the_first_offer_leads_to_its_department(
    client: Client, user: WeChatUser, patient: Patient
) -> None:
    lost = a_paid_booking(user=user, patient=patient)
    actions.owe_first_offer(appointment=lost, by=SYSTEM, at=NOW)

    shown = page(client, "registration-waitlist")

    assert "优先候补权" in shown
    assert f'href="/m/departments/{lost.department.code}/"' in shown


def test_leaving_the_line(client: Client, user: WeChatUser, patient: Patient) -> None:
    entry = a_waiting(a_full_schedule()[0], user=user, patient=patient)
    leave = reverse("registration-waitlist-leave", args=[entry.pk])
    assert client.get(leave).status_code == 405

    assert client.post(leave).status_code == 302
    assert client.post(leave).status_code == 409

    entry.refresh_from_db()
    assert entry.status == "left"
    assert "没有候补" not in page(client, "registration-waitlist")


def test_nobody_sees_or_leaves_a_strangers_place(patient: Patient) -> None:
    schedule, _ = a_full_schedule()
    entry = a_waiting(schedule)
    stranger = patient_client(a_wechat_user())

    assert stranger.post(reverse("registration-waitlist-leave", args=[entry.pk])).status_code == 404
    assert "没有候补" in page(stranger, "registration-waitlist")
    wait = reverse("registration-wait", args=[schedule.pk])
    assert stranger.post(wait, {"patient": entry.patient.outpatient_no}).status_code == 404
    assert stranger.post(wait, {"patient": "' OR 1=1"}).status_code == 404

    entry.refresh_from_db()
    assert (entry.status, WaitlistEntry.objects.count()) == ("waiting", 1)


def test_a_session_with_numbers_is_booked_not_waited_for(client: Client, patient: Patient) -> None:
    schedule = a_released_schedule()
    wait = reverse("registration-wait", args=[schedule.pk])

    answer = client.post(wait, {"patient": patient.outpatient_no})

    assert answer.status_code == 409
    assert "现在就有号" in answer.content.decode()
    assert not WaitlistEntry.objects.exists()


def test_m1_02_a_taken_band_offers_the_nearest_free_ones_with_nothing_lost(
    client: Client, user: WeChatUser, patient: Patient
) -> None:
    """The same doctor first, then the department; the second patient stays chosen."""
    a_patient(user, name="陈小妹")
    wanted = a_released_schedule(capacity=1, band_minutes=240)
    colleague = a_released_schedule(department=wanted.department, capacity=2, band_minutes=240)
    thursday = a_released_schedule(
        department=wanted.department,
        practitioner=wanted.practitioner,
        day=dt.date(2026, 11, 26),
        capacity=2,
        band_minutes=240,
    )
    a_paid_booking(schedule=wanted)
    book = reverse("registration-confirm", args=[wanted.pk, band_of(wanted).pk])

    taken = client.post(book, {"patient": patient.outpatient_no, "key": "k1"})

    html = taken.content.decode()
    assert taken.status_code == 409
    urls = [
        reverse("registration-confirm", args=[one.pk, band_of(one).pk])
        for one in (thursday, colleague)
    ]
    places = [html.index(f"{url}?patient={patient.outpatient_no}") for url in urls]
    assert places == sorted(places)
    wait = reverse("registration-wait", args=[wanted.pk])
    assert f"{wait}?patient={patient.outpatient_no}" in html
    assert "陈晓宁" in client.get(urls[0], {"patient": patient.outpatient_no}).content.decode()


def test_watching_a_release_and_taking_it_back(client: Client, user: WeChatUser) -> None:
    schedule = an_unreleased_schedule()
    watch = reverse("registration-watch", args=[schedule.department.code])
    assert watch in page(client, "scheduling-sessions", schedule.department.code)
    assert "11月24日 07:00 放号" in page(client, "registration-watch", schedule.department.code)

    for _ in range(2):
        assert client.post(watch, {"schedule": str(schedule.pk)}).status_code == 302
    assert ReleaseWatch.objects.filter(wechat_user=user, schedule=schedule).count() == 1
    assert "取消提醒" in client.get(watch).content.decode()

    assert client.post(watch, {"schedule": str(schedule.pk), "stop": "1"}).status_code == 302
    assert not ReleaseWatch.objects.exists()
    for wrong in ("", "0", "x", "9" * 30, str(schedule.pk + 1000)):
        assert client.post(watch, {"schedule": wrong}).status_code == 404
    released = a_released_schedule(department=schedule.department)
    assert client.post(watch, {"schedule": str(released.pk)}).status_code == 409
    assert not ReleaseWatch.objects.exists()


def test_the_list_costs_the_same_for_one_place_and_for_three(
    client: Client, user: WeChatUser, patient: Patient
) -> None:
    counts = []
    for _ in range(3):
        a_waiting(a_full_schedule()[0], user=user, patient=patient)
        with CaptureQueriesContext(connection) as asked:
            page(client, "registration-waitlist")
        counts.append(len(asked))
    assert len(set(counts)) == 1
