"""Letting go of a patient while somebody books for it, on a real server: one of the two waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import time_machine
from django.db import connection, transaction

from hospital.identity.models import WeChatUser
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Refusal
from hospital.patients import actions as patients
from hospital.patients.models import Patient, PatientBinding
from hospital.registration.models import Appointment
from hospital.scheduling.models import Schedule
from hospital.testing.bookings import a_booking
from hospital.testing.people import a_patient, a_wechat_user, patient_client
from hospital.testing.schedules import NOW, a_released_schedule

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
_WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
_SECONDS = 20


@pytest.fixture
def schedule() -> Iterator[Schedule]:
    with time_machine.travel(NOW, tick=False):
        yield a_released_schedule()
    with connection.cursor() as cursor:  # the job table is not Django's to empty after a test
        cursor.execute("DELETE FROM procrastinate_jobs")


def in_thread(call: Callable[[], str]) -> Future[str]:
    """The call in a thread of its own, begun and now waiting for a lock of this one."""

    def work() -> str:
        try:
            return call()
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()

    pool = ThreadPoolExecutor(1)
    future = pool.submit(work)
    pool.shutdown(wait=False)
    deadline = time.perf_counter() + _SECONDS
    with connection.cursor() as cursor:
        waiting = 0
        while not waiting and not future.done() and time.perf_counter() < deadline:
            # Within a transaction the server shows who waits as it first was.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(_WAITING)
            (waiting,) = cursor.fetchone()
    return future


def is_bound(user: WeChatUser, patient: Patient) -> bool:
    rows = PatientBinding.objects.filter(wechat_user=user, patient=patient)
    return rows.filter(ended_at__isnull=True).exists()


def test_a_booking_that_waits_for_the_unbinding_is_refused(schedule: Schedule) -> None:
    user = a_wechat_user()
    patient = a_patient(user)

    def book() -> str:
        return a_booking(user=user, patient=patient, schedule=schedule).number

    with transaction.atomic():
        patients.remove_binding(
            wechat_user_id=user.pk,
            number=patient.outpatient_no,
            by=Actor("patient", user.pk),
            at=NOW,
        )
        booking = in_thread(book)

    assert booking.result(_SECONDS) == "NOT_IDENTIFIED"
    assert not Appointment.objects.exists()
    assert not is_bound(user, patient)


def test_an_unbinding_that_waits_for_the_booking_is_refused(schedule: Schedule) -> None:
    user = a_wechat_user()
    patient = a_patient(user)
    client = patient_client(user)

    def unbind() -> str:
        answer = client.post(f"/m/people/{patient.outpatient_no}/unbind/")
        return f"{answer.status_code} {answer.content.decode().count(booked.number)}"

    with transaction.atomic():
        booked = a_booking(user=user, patient=patient, schedule=schedule)
        unbinding = in_thread(unbind)

    assert unbinding.result(_SECONDS) == "409 1"
    assert is_bound(user, patient)
