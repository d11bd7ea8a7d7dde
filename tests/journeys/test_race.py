"""The rush at seven (M1.5, M1.16, E1): a thousand people, forty numbers, one moment.

The real web process serves them, over HTTP, each in a session of their own; nobody gets an error,
and whoever was too late is shown where there still is a number, or waits in line for one.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import time_machine
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from hospital.billing.models import Bill
from hospital.identity.models import WeChatUser
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.rush_line import RUSH_PER_SECOND
from hospital.kernel.settings_rows import set_value
from hospital.messaging.models import Message
from hospital.patients import consent
from hospital.patients.actions.seeding import seed_patients
from hospital.patients.models import Patient, PatientBinding
from hospital.patients.states import REAL_NAME, Relationship
from hospital.registration import actions as registration
from hospital.registration import jobs
from hospital.registration.models import Appointment, WaitlistEntry
from hospital.registration.states import AppointmentStatus, WaitlistStatus
from hospital.scheduling.models import Slot, TimeBand
from hospital.scheduling.states import SlotStatus
from hospital.testing.bookings import pay
from hospital.testing.jobs import run_jobs
from hospital.testing.organisation import a_department
from hospital.testing.people import a_wechat_user, patient_client
from hospital.testing.sandbox import ROOT
from hospital.testing.schedules import a_released_schedule, band_of
from tests.journeys import database
from tests.journeys.crowd import Reply, Wish, all_at_once

pytestmark = [pytest.mark.race, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PEOPLE = 1000
WITHOUT_DOCUMENT = 10  # more than enough of the seeded may not book: one in two hundred
PLACES = 40
UNPAID = 10
IN_LINE = 6
TOKEN = "t" * 32  # the CSRF secret each of them would have got with the page
START_SECONDS = 60.0


@dataclass(frozen=True)
class Person:
    """Somebody logged in: Cookie header, openid, and the number of the patient to book for."""

    cookie: str
    openid: str
    patient_number: str


@dataclass
class Served:
    """The web process: where it listens and what it logged."""

    port: int
    log: Path

    def lines(self) -> list[dict[str, object]]:
        """Its log; every line must be JSON, so a bare traceback is noticed too."""
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]


@pytest.fixture
def band(transactional_db: None) -> TimeBand:
    """A session of one band with forty numbers, and one beside it that has room.

    Not tomorrow's: its waiting list is cleared at 23:00, and tests run at any hour.
    """
    # All are let in at once: what is looked at is who gets a number, not the line before it.
    set_value(setting=RUSH_PER_SECOND, value=PEOPLE, by=SYSTEM, at=clock.now())
    department = a_department()
    day = clock.today() + dt.timedelta(days=2)
    sessions = [
        a_released_schedule(
            department=department, day=day, capacity=PLACES, band_minutes=240, at=clock.now()
        )
        for _ in range(2)
    ]
    return band_of(sessions[0])


@pytest.fixture
def people(transactional_db: None) -> list[Person]:
    """A thousand people, each with a patient and a session. The patients are seeded and bound in
    one go: added one by one they would take longer than the rush."""
    now = clock.now()
    with transaction.atomic():
        for _ in seed_patients(count=PEOPLE + WITHOUT_DOCUMENT, seed=7, by=SYSTEM, at=now):
            pass
        patients = list(Patient.objects.filter(assurance__in=REAL_NAME).order_by("pk")[:PEOPLE])
        users = [a_wechat_user() for _ in patients]
        PatientBinding.objects.bulk_create(
            PatientBinding(
                wechat_user=user,
                patient=patient,
                relationship=Relationship.SELF,
                is_default=True,
                consent_version=consent.VERSION,
                consented_at=now,
            )
            for user, patient in zip(users, patients, strict=True)
        )
        return [_at_the_door(user, patient) for user, patient in zip(users, patients, strict=True)]


def _at_the_door(user: WeChatUser, patient: Patient) -> Person:
    key = patient_client(user).cookies[settings.PATIENT_COOKIE_NAME].value
    cookie = f"{settings.PATIENT_COOKIE_NAME}={key}; {settings.CSRF_COOKIE_NAME}={TOKEN}"
    return Person(cookie, user.openid, patient.outpatient_no)


@pytest.fixture
def served(transactional_db: None, tmp_path: Path) -> Iterator[Served]:
    """`./manage.py serve` on the tests' database, as in production: two workers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    log = tmp_path / "web.log"
    facts = {**os.environ, "DATABASE_URL": database.address(), "LOG_LEVEL": "INFO"}
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, env=facts, stdout=subprocess.DEVNULL, stderr=file
        )
        try:
            _wait_for(port, process)
            yield Served(port, log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def test_e1_a_thousand_people_for_forty_numbers(
    band: TimeBand, people: list[Person], served: Served
) -> None:
    deadlocks = database.deadlocks()

    replies = all_at_once(served.port, [_wish(person, band) for person in people])

    assert Counter(reply.status for reply in replies) == {302: PLACES, 409: PEOPLE - PLACES}
    lucky = [reply for reply in replies if reply.status == 302]
    assert len({reply.location for reply in lucky}) == PLACES
    assert all(reply.location.startswith("/m/pay/") for reply in lucky)
    for reply in replies:
        assert reply.status == 302 or _shows_alternatives(reply)
    _exactly_forty_holds(band)
    _log_is_clean(served, people)
    assert database.deadlocks() == deadlocks

    late = [person for person, reply in zip(people, replies, strict=True) if reply.status == 409]
    line = late[:IN_LINE]
    _wait_in_line(band, line, served)
    _thirty_pay_and_ten_come_back(band)
    _the_line_is_served_in_order(band, line)
    _the_rest_are_fought_over_again(band, late[IN_LINE:], served)


def _wish(person: Person, band: TimeBand) -> Wish:
    return Wish(
        path=reverse("registration-confirm", args=[band.schedule_id, band.pk]),
        cookie=person.cookie,
        form={
            "csrfmiddlewaretoken": TOKEN,
            "patient": person.patient_number,
            "key": f"race-{time.monotonic_ns()}",
        },
    )


def _wait_in_line(band: TimeBand, line: list[Person], served: Served) -> None:
    """One after the other, so that there is an order to be served in."""
    path = reverse("registration-wait", args=[band.schedule_id])
    for person in line:
        form = {"csrfmiddlewaretoken": TOKEN, "patient": person.patient_number}
        (reply,) = all_at_once(served.port, [Wish(path=path, cookie=person.cookie, form=form)])
        assert (reply.status, reply.location) == (302, reverse("registration-waitlist"))


def _shows_alternatives(reply: Reply) -> bool:
    return all(
        words in reply.body for words in ("这个时段刚刚约满", "相近的时段还有号", "/m/book/")
    )


def _exactly_forty_holds(band: TimeBand) -> None:
    slots = Slot.objects.filter(band=band)
    assert set(slots.values_list("status", flat=True)) == {SlotStatus.HELD}
    rows = Appointment.objects.filter(schedule_id=band.schedule_id)
    assert rows.count() == PLACES
    assert set(rows.values_list("status", flat=True)) == {AppointmentStatus.PENDING}
    assert len(set(rows.values_list("slot_id", flat=True))) == PLACES
    assert len(set(rows.values_list("patient_id", flat=True))) == PLACES
    numbers = sorted(int(number[1:]) for number in Bill.objects.values_list("number", flat=True))
    assert numbers == list(range(numbers[0], numbers[0] + PLACES)), "bill numbers have a gap"


def _log_is_clean(served: Served, people: list[Person]) -> None:
    """No error, no deadlock, nobody's openid or session, and a line for everybody."""
    lines = served.lines()
    assert [line for line in lines if line["level"] in {"ERROR", "CRITICAL"}] == []
    assert sum(line.get("view") == "registration-confirm" for line in lines) == PEOPLE
    text = served.log.read_text("utf-8")
    assert "deadlock" not in text
    assert not any(person.openid in text for person in people)
    assert not any(person.cookie.partition("=")[2][:32] in text for person in people)


def _thirty_pay_and_ten_come_back(band: TimeBand) -> None:
    """M1.6 for ten of them: when the quarter of an hour is over the worker gives them back."""
    at = clock.now()
    paid = list(Appointment.objects.select_related("bill").order_by("pk"))[UNPAID:]
    for appointment in paid:
        pay(appointment.bill, at=at)
        registration.confirm(bill_id=appointment.bill_id, by=SYSTEM, at=at)
    with time_machine.travel(at + dt.timedelta(minutes=16), tick=True):
        assert run_jobs(only="registration") == []
    statuses = Counter(Slot.objects.filter(band=band).values_list("status", flat=True))
    assert statuses == {SlotStatus.BOOKED: PLACES - UNPAID, SlotStatus.FREE: UNPAID}


def _the_line_is_served_in_order(band: TimeBand, line: list[Person]) -> None:
    """The ten that came back are for the six in line first, the lowest number for the first."""
    jobs.serve_waitlists()
    jobs.serve_waitlists()
    entries = WaitlistEntry.objects.select_related("patient", "appointment__slot").order_by("pk")
    assert [one.patient.outpatient_no for one in entries] == [one.patient_number for one in line]
    assert {one.status for one in entries} == {WaitlistStatus.OFFERED}
    numbers = [one.appointment.slot.sequence_no for one in entries if one.appointment]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == IN_LINE
    assert Message.objects.filter(kind="N08").count() == IN_LINE


def _the_rest_are_fought_over_again(band: TimeBand, late: list[Person], served: Served) -> None:
    """Nobody waits any more: fifty of those who came too late try once more for what is left."""
    left = UNPAID - IN_LINE
    again = all_at_once(served.port, [_wish(person, band) for person in late[:50]])
    assert Counter(reply.status for reply in again) == {302: left, 409: 50 - left}
    statuses = Counter(Slot.objects.filter(band=band).values_list("status", flat=True))
    assert statuses == {SlotStatus.BOOKED: PLACES - UNPAID, SlotStatus.HELD: UNPAID}


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "the web process did not start"
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).is_success:
                return
        time.sleep(0.1)
    raise AssertionError("the web process did not come up in time")
