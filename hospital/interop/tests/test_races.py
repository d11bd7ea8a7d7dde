"""Partners and WeChat at once on a real server: one number has one owner, a quota holds."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from hospital.interop import actions as interop
from hospital.interop.actions import Visitor, Wanted
from hospital.interop.models import Partner, PartnerBooking
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Refusal
from hospital.kernel.states import history
from hospital.patients.actions import Facts
from hospital.patients.models import Patient
from hospital.patients.states import DocumentKind
from hospital.registration import actions as registration
from hospital.registration.models import Appointment
from hospital.scheduling.models import Slot
from hospital.scheduling.states import SlotStatus
from hospital.testing.partners import a_partner, a_token, free_slots
from hospital.testing.people import a_patient, a_resident_id, a_wechat_user
from hospital.testing.schedules import NOW, a_released_schedule, band_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


@pytest.fixture(autouse=True)
def _no_jobs_left() -> Iterator[None]:
    """The job table is not Django's to empty after a test."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")


def at_once(tasks: list[Callable[[], object]]) -> Counter[str]:
    """What tasks that start together came to: "ok", or a refusal's code."""
    gate = threading.Barrier(len(tasks))
    outcomes: list[str] = []

    def run(task: Callable[[], object]) -> None:
        gate.wait()
        try:
            task()
            outcomes.append("ok")
        except Refusal as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[task]) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == len(tasks), "something else than a refusal was raised"
    return Counter(outcomes)


def visitor_of(partner: Partner) -> Visitor:
    return interop.visitor_of(token=a_token(partner), at=NOW)


def somebody(slot_id: int) -> Wanted:
    facts = Facts("顾小满", DocumentKind.RESIDENT_ID, a_resident_id(), "13900139000")
    return Wanted(slot_id, facts)


def booking(visitor: Visitor, wanted: Wanted, *, key: str) -> Callable[[], object]:
    return lambda: interop.book(visitor=visitor, wanted=wanted, key=key, digest=str(wanted), at=NOW)


def test_the_last_number_goes_to_a_platform_or_to_wechat_never_to_both() -> None:
    session = a_released_schedule(capacity=1, band_minutes=240)
    (slot,) = free_slots(session)
    partners = [visitor_of(a_partner()) for _ in range(3)]
    tasks = [
        booking(visitor, somebody(slot), key=f"key-{place}-0000")
        for place, visitor in enumerate(partners)
    ]
    for place in range(3):
        user = a_wechat_user()
        patient = a_patient(user)
        tasks.append(
            lambda user=user, patient=patient, place=place: registration.book(  # type: ignore[misc]
                patient_id=patient.pk,
                schedule_id=session.pk,
                band_id=band_of(session).pk,
                wechat_user_id=user.pk,
                key=f"phone-{place}",
                by=Actor("patient", user.pk),
                at=NOW,
            )
        )

    outcomes = at_once(tasks)

    assert outcomes == {"ok": 1, "SLOT_TAKEN": 5}
    assert Appointment.objects.count() == 1
    assert Slot.objects.get(pk=slot).status in (SlotStatus.BOOKED, SlotStatus.HELD)
    booked = PartnerBooking.objects.count()
    assert Patient.objects.filter(name="顾小满").count() == booked <= 1


def test_the_last_of_a_quota_is_given_once() -> None:
    slots = free_slots(a_released_schedule())
    visitor = visitor_of(a_partner(daily_quota=1))
    tasks = [booking(visitor, somebody(slot), key=f"key-{slot:08d}") for slot in slots[:4]]

    assert at_once(tasks) == {"ok": 1, "PARTNER_QUOTA_DAY": 3}
    assert Appointment.objects.count() == PartnerBooking.objects.count() == 1


def test_a_question_asked_twice_at_once_is_answered_once() -> None:
    slot = free_slots(a_released_schedule())[0]
    visitor, wanted = visitor_of(a_partner()), somebody(slot)

    assert at_once([booking(visitor, wanted, key="same-key") for _ in range(4)]) == {"ok": 4}
    assert Appointment.objects.count() == Patient.objects.count() == 1


def test_a_booking_cancelled_twice_at_once_is_cancelled_once() -> None:
    slot = free_slots(a_released_schedule())[0]
    visitor = visitor_of(a_partner())
    booking(visitor, somebody(slot), key="key-00000001")()
    made = Appointment.objects.get()

    def cancel() -> object:
        return interop.cancel(visitor=visitor, number=made.number, reason="", at=NOW)

    assert at_once([cancel] * 4) == {"ok": 4}
    assert [one.to_status for one in history(made)].count("cancelled") == 1
