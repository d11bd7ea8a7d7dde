"""Sharing a visit by a secret link: what it shows, to whom, and for how long."""

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from hospital.kernel.actors import Actor
from hospital.registration import actions
from hospital.registration.models import Appointment
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.people import a_patient, a_wechat_user, patient_client
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, band_of

pytestmark = pytest.mark.django_db
AFTER = NOW + dt.timedelta(days=2, hours=2)


@pytest.fixture(autouse=True)
def _monday() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def booking() -> Appointment:
    user = a_wechat_user()
    return a_paid_booking(user=user, patient=a_patient(user, name="欧阳晓宁"))


def shares(booking: Appointment, **data: str) -> str:
    assert booking.wechat_user is not None
    client = patient_client(booking.wechat_user)
    answer = client.post(reverse("registration-share", args=[booking.number]), data)
    assert answer.status_code == 302
    return str(answer["Location"])


def test_a_link_shows_when_and_where_and_nothing_else(booking: Appointment) -> None:
    link = shares(booking)
    assert shares(booking) == link

    answer = Client().get(link)

    html = answer.content.decode()
    assert answer.status_code == 200
    for shown in ("11月24日", "08:00", booking.department.name, "欧"):
        assert shown in html
    for kept in ("欧阳晓宁", booking.number, booking.bill.token, booking.patient.outpatient_no):
        assert kept not in html
    assert answer["Cache-Control"] == "no-store, private"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"


def test_the_calendar_file_is_taken_in_by_any_phone(booking: Appointment) -> None:
    answer = Client().get(f"{shares(booking)}visit.ics")

    file = answer.content.decode()
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert "DTSTART:20261124T000000Z\r\nDTEND:20261124T010000Z\r\n" in file
    assert "欧阳晓宁" not in file.replace("\r\n ", "")
    assert booking.number not in file.replace("\r\n ", "")


def test_a_link_taken_back_a_guess_and_an_old_visit_look_the_same(booking: Appointment) -> None:
    link = shares(booking)
    with time_machine.travel(AFTER, tick=False):
        late = Client().get(link)
    shares(booking, stop="1")
    taken_back, guess = Client().get(link), Client().get("/m/shared/" + "a" * 22 + "/")
    empty = Client().get("/m/shared/-/")

    assert [one.status_code for one in (late, taken_back, guess, empty)] == [404] * 4
    booking.refresh_from_db()
    assert booking.share_token == ""
    assert shares(booking) != link


def test_a_cancelled_visit_says_so_and_its_calendar_too(booking: Appointment) -> None:
    link = shares(booking)
    assert booking.wechat_user is not None
    by = Actor("patient", booking.wechat_user.pk)
    actions.cancel(number=booking.number, by=by, at=NOW)

    assert "这次预约已取消" in Client().get(link).content.decode()
    assert b"STATUS:CANCELLED" in Client().get(f"{link}visit.ics").content


def test_after_an_exchange_the_same_link_leads_to_the_new_visit(booking: Appointment) -> None:
    link = shares(booking)
    uid = [line for line in Client().get(f"{link}visit.ics").content.split() if b"UID" in line]
    later = a_released_schedule(department=booking.department, day=TOMORROW + dt.timedelta(days=1))
    assert booking.wechat_user is not None
    new = actions.exchange(
        number=booking.number,
        schedule_id=later.pk,
        band_id=band_of(later).pk,
        key="x",
        by=Actor("patient", booking.wechat_user.pk),
        at=NOW,
    )

    html = Client().get(link).content.decode()
    assert ("11月25日" in html, "不用再来" in html) == (True, False)
    file = Client().get(f"{link}visit.ics").content
    assert b"STATUS:CONFIRMED" in file
    assert [line for line in file.split() if b"UID" in line] == uid
    shares(new, stop="1")
    assert Client().get(link).status_code == 404


def test_sharing_a_visit_given_up_can_still_be_ended(booking: Appointment) -> None:
    link = shares(booking)
    assert booking.wechat_user is not None
    by = Actor("patient", booking.wechat_user.pk)
    actions.cancel(number=booking.number, by=by, at=NOW)
    page = patient_client(booking.wechat_user).get(
        reverse("registration-appointment", args=[booking.number])
    )

    assert "停止分享" in page.content.decode()
    assert "查看分享页" not in page.content.decode()
    shares(booking, stop="1")
    assert Client().get(link).status_code == 404


def test_only_the_family_shares_and_only_what_stands(booking: Appointment) -> None:
    url = reverse("registration-share", args=[booking.number])
    assert patient_client(a_wechat_user()).post(url).status_code == 404
    unpaid = a_booking()
    assert unpaid.wechat_user is not None
    owner = patient_client(unpaid.wechat_user)
    assert owner.post(reverse("registration-share", args=[unpaid.number])).status_code == 409
    assert owner.get(url).status_code == 405

    assert not Appointment.objects.exclude(share_token="").exists()


def test_the_page_of_the_booking_offers_sharing_and_its_end(booking: Appointment) -> None:
    assert booking.wechat_user is not None
    client = patient_client(booking.wechat_user)
    page = reverse("registration-appointment", args=[booking.number])
    assert "停止分享" not in client.get(page).content.decode()
    shares(booking)
    assert "停止分享" in client.get(page).content.decode()
