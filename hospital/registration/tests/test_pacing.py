"""M1.15: who books very fast solves a picture or waits; who goes on is stopped for a while."""

import datetime as dt
import io
import itertools
import re
from collections.abc import Iterator

import pytest
import time_machine
from django.db import ProgrammingError, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from PIL import Image

from hospital.identity.models import WeChatUser
from hospital.kernel import settings_rows
from hospital.kernel.actors import SYSTEM
from hospital.patients.models import Patient
from hospital.registration import pacing, puzzle, thresholds
from hospital.registration.models import Appointment
from hospital.scheduling.models import Schedule
from hospital.testing.bookings import a_paid_booking
from hospital.testing.people import a_patient, a_wechat_user, patient_client
from hospital.testing.schedules import NOW, a_released_schedule, band_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def hands() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as hands:
        yield hands


@pytest.fixture
def user() -> WeChatUser:
    return a_wechat_user()


@pytest.fixture
def patient(user: WeChatUser) -> Patient:
    return a_patient(user)


@pytest.fixture
def full() -> Schedule:
    schedule = a_released_schedule(capacity=1, band_minutes=240)
    a_paid_booking(schedule=schedule)
    return schedule


def tries(client: Client, schedule: Schedule, patient: Patient, **more: str) -> HttpResponse:
    url = reverse("registration-confirm", args=[schedule.pk, band_of(schedule).pk])
    body = {"patient": patient.outpatient_no, "key": "k", **more}
    answer = client.post(url, body)
    assert isinstance(answer, HttpResponse)
    return answer


def token_in(answer: HttpResponse) -> str:
    found = re.search(r'name="puzzle"\s+value="([^"]+)"', answer.content.decode())
    assert found is not None
    return found[1]


def place_of(token: str, user: WeChatUser) -> int:
    found = puzzle.puzzle_of(token, user_id=user.pk, at=NOW)
    assert found is not None
    return found.place


def fast(client: Client, schedule: Schedule, patient: Patient, *, count: int = 5) -> None:
    for _ in range(count):
        assert tries(client, schedule, patient).status_code == 409


def test_m1_15_the_sixth_attempt_in_a_minute_asks_for_a_picture_and_loses_nothing(
    user: WeChatUser, patient: Patient, full: Schedule
) -> None:
    client, free = patient_client(user), a_released_schedule()
    fast(client, full, patient)

    asked = tries(client, free, patient)

    html = asked.content.decode()
    assert asked.status_code == 429
    assert not Appointment.objects.filter(patient=patient).exists()
    assert f'name="patient" value="{patient.outpatient_no}"' in html
    assert 'name="key" value="k"' in html
    token = token_in(asked)
    solved = tries(client, free, patient, puzzle=token, place=str(place_of(token, user)))
    assert solved.status_code == 302
    assert Appointment.objects.filter(patient=patient).count() == 1


def test_m1_15_a_wrong_answer_a_used_one_and_somebody_elses_are_none(
    user: WeChatUser, patient: Patient, full: Schedule
) -> None:
    client, free = patient_client(user), a_released_schedule()
    fast(client, full, patient)
    token = token_in(tries(client, free, patient))
    right = place_of(token, user)
    wrong = str((right + 50) % 100)
    others = puzzle.new_token(user_id=user.pk + 1, at=NOW)
    old = puzzle.new_token(user_id=user.pk, at=NOW - dt.timedelta(minutes=6))

    for used, place in ((token, wrong), (token, str(right)), (others, "50"), (old, "50")):
        assert tries(client, free, patient, puzzle=used, place=place).status_code == 429
    for place in ("", "x", "-1", "9" * 40):
        assert tries(client, free, patient, puzzle="made:up", place=place).status_code == 429

    assert not Appointment.objects.filter(patient=patient).exists()


def test_m1_15_whoever_cannot_see_waits_instead(
    user: WeChatUser, patient: Patient, full: Schedule, hands: time_machine.Traveller
) -> None:
    client, free = patient_client(user), a_released_schedule()
    fast(client, full, patient)
    token = token_in(tries(client, free, patient))
    hands.shift(19)
    early = tries(client, free, patient, puzzle=token, waited="1")
    assert (early.status_code, token_in(early)) == (429, token)
    assert "还差 1 秒" in early.content.decode()

    hands.shift(1)
    assert tries(client, free, patient, puzzle=token, waited="1").status_code == 302


def test_m1_15_slow_people_are_never_asked(
    user: WeChatUser, patient: Patient, full: Schedule, hands: time_machine.Traveller
) -> None:
    client = patient_client(user)
    for _ in range(12):
        assert tries(client, full, patient).status_code == 409
        hands.shift(15)


def test_m1_15_a_user_and_an_address_have_their_limits(
    user: WeChatUser, patient: Patient, full: Schedule
) -> None:
    for setting, value in ((thresholds.ATTEMPTS_USER, 6), (thresholds.ATTEMPTS_ADDRESS, 20)):
        settings_rows.set_value(setting=setting, value=value, by=SYSTEM, at=NOW)
    client = patient_client(user)
    fast(client, full, patient)
    assert tries(client, full, patient).status_code == 429
    stopped = tries(client, full, patient)
    assert (stopped.status_code, "太频繁" in stopped.content.decode()) == (409, True)

    strangers = itertools.count(user.pk + 1)
    for stranger in itertools.islice(strangers, 20):
        assert not pacing.note_attempt(user_id=stranger, address="203.0.113.9", at=NOW)
    with pytest.raises(pacing.TooFast):
        pacing.note_attempt(user_id=next(strangers), address="203.0.113.9", at=NOW)
    assert not pacing.note_attempt(user_id=next(strangers), address="203.0.113.10", at=NOW)
    later = NOW + dt.timedelta(minutes=1)
    assert not pacing.note_attempt(user_id=next(strangers), address="203.0.113.9", at=later)


def test_m1_15_the_patient_of_a_booking_can_never_be_changed(user: WeChatUser) -> None:
    booking, other = a_paid_booking(), a_patient(user)

    with pytest.raises(ProgrammingError, match="Cannot update rows"), transaction.atomic():
        Appointment.objects.filter(pk=booking.pk).update(patient_id=other.pk)

    booking.refresh_from_db()
    assert booking.patient_id != other.pk


def test_the_picture_is_its_users_alone(user: WeChatUser) -> None:
    token = puzzle.new_token(user_id=user.pk, at=NOW)
    url = reverse("registration-puzzle", args=[token])

    mine = patient_client(user).get(url)
    assert patient_client(a_wechat_user()).get(url).status_code == 404
    assert mine["Content-Type"] == "image/png"
    with Image.open(io.BytesIO(mine.content)) as image:
        assert image.size == (640, 200)
    assert mine.content == patient_client(user).get(url).content
