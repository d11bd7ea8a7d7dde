"""Several hands at one moment: a machine's reader twice, one number's notes at two windows."""

from __future__ import annotations

import pytest

from hospital.identity import actions as identity
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Refusal
from hospital.payments import gateway
from hospital.payments.models import CashEntry
from hospital.payments.tests.test_notices import at_once
from hospital.registration import actions as registration
from hospital.registration import queries as bookings
from hospital.registration.states import AppointmentStatus
from hospital.scheduling.states import Channel, Pool
from hospital.testing.bookings import a_booking
from hospital.testing.people import a_patient
from hospital.testing.schedules import a_released_schedule
from hospital.window import actions
from hospital.window.models import KioskVisit, SlipPrint

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_cards_at_one_machine_are_one_visit_after_the_other() -> None:
    """A reader that sends twice, or two cards in one moment: nobody's page breaks."""
    device, _ = identity.add_device(name="1号机", place="1楼", by=SYSTEM, at=clock.now())
    numbers = [a_patient().outpatient_no for _ in range(2)]

    def stand(number: str) -> str:
        by, at = Actor("device", device.pk), clock.now()
        return actions.begin_visit(text=number, device_id=device.pk, by=by, at=at).token

    tokens = at_once(*[lambda number=number: stand(number) for number in numbers * 2])
    assert len(set(tokens)) == 4
    assert KioskVisit.objects.filter(ended_at__isnull=True).count() == 1


def test_m1_06_leaving_and_paying_at_once_never_both_frees_and_keeps() -> None:
    """M1.6: a number left at the machine while a window takes its notes is paid and stands, or is
    free and nothing was taken."""
    device, _ = identity.add_device(name="1号机", place="1楼", by=SYSTEM, at=clock.now())
    machine, at = Actor("device", device.pk), clock.now()
    schedule = a_released_schedule(shares={Pool.KIOSK: 16}, at=at)
    for turn in range(2):
        held = registration.book(
            patient_id=a_patient().pk,
            schedule_id=schedule.pk,
            band_id=None,
            channel=Channel.KIOSK,
            key=f"b{turn}",
            by=machine,
            at=at,
        )
        row = bookings.appointment(number=held.number, at=at)

        def pay(row: bookings.AppointmentRow = row) -> bool:
            by, at = Actor("staff", 1), clock.now()
            try:
                gateway.take_cash(
                    bill_id=row.bill_id,
                    shown_fen=2500,
                    tendered_fen=2500,
                    key=row.number,
                    by=by,
                    at=at,
                )
                actions.hand_over(number=row.number, by=by, at=at)
            except Refusal:
                return False
            return True

        def leave(row: bookings.AppointmentRow = row) -> bool:
            return actions.give_up(row=row, by=machine, at=clock.now())

        is_paid, is_free = at_once(pay, leave)
        assert is_paid != is_free
        held.refresh_from_db()
        stands = AppointmentStatus.BOOKED if is_paid else AppointmentStatus.CANCELLED
        assert held.status == stands
        assert CashEntry.objects.filter(bill_id=row.bill_id).exists() == is_paid


def test_h3_03_two_windows_take_notes_and_print_once() -> None:
    """H3.3: whoever was second is told, and the slip is counted once."""
    row = a_booking(at=clock.now())

    def pay(place: int) -> str:
        by, at = Actor("staff", place), clock.now()
        try:
            gateway.take_cash(
                bill_id=row.bill_id, shown_fen=2500, tendered_fen=5000, key="k", by=by, at=at
            )
            actions.hand_over(number=row.number, by=by, at=at)
            actions.print_slip(number=row.number, key=f"s{place}", by=by, at=at)
        except Refusal as refusal:
            return refusal.code
        return "done"

    answers = at_once(*[lambda place=place: pay(place) for place in range(1, 5)])
    assert answers.count("done") == 1
    assert (CashEntry.objects.count(), SlipPrint.objects.count()) == (1, 1)
