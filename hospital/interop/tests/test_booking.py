"""Booking and cancelling over HTTP: what a partner's patient gets, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from hospital.interop.models import PartnerBooking
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus, PaidWhen
from hospital.scheduling.models import Slot
from hospital.scheduling.states import Channel, SlotStatus
from hospital.testing.partners import Program, a_partner, a_wish, free_slots
from hospital.testing.schedules import NOW, a_released_schedule

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def test_a_partner_finds_books_reads_and_cancels() -> None:
    session = a_released_schedule()
    program = Program(a_partner())
    shown = program.get("/Slot", {"schedule": f"Schedule/{session.pk}", "status": "free"}).body
    slot = shown["entry"][2]["resource"]

    answer = program.book(a_wish(int(slot["id"]), reference="order-1"))

    assert answer.status == 201, answer.body
    made = Appointment.objects.get()
    assert answer.headers["Location"] == f"http://testserver/fhir/R4/Appointment/{made.number}"
    assert (made.channel, made.paid_when, made.status) == (
        Channel.PARTNER,
        PaidWhen.ARRIVAL,
        AppointmentStatus.BOOKED,
    )
    assert (made.slot_id, made.source) == (int(slot["id"]), program.partner.code)
    assert PartnerBooking.objects.get().reference == "order-1"
    assert program.get(f"/Appointment/{made.number}").body == answer.body

    gone = program.cancel(made.number, cancelationReason={"text": "时间不合适"})

    assert (gone.status, gone.body["status"]) == (200, "cancelled")
    assert Slot.objects.get(pk=made.slot_id).status == SlotStatus.RECLAIM_WAIT
    assert free_slots(session)[0] != made.slot_id
