"""The durable chain: book, then the timer or the money, the reaction, the message."""

import datetime as dt

import pytest
import time_machine

from hospital.billing import actions as billing
from hospital.kernel.actors import SYSTEM
from hospital.messaging.models import Message
from hospital.registration import jobs
from hospital.registration.models import Appointment
from hospital.scheduling import actions as scheduling
from hospital.testing.bookings import a_booking, a_paid_booking, pay
from hospital.testing.jobs import due_jobs, run_jobs
from hospital.testing.schedules import NOW, a_released_schedule

pytestmark = pytest.mark.django_db
OURS = "registration."
HOLD_END = NOW + dt.timedelta(minutes=15)


def statuses() -> list[str]:
    return list(Appointment.objects.order_by("pk").values_list("status", flat=True))


def kinds() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("kind", flat=True))


def test_money_books_through_the_reaction_and_the_timer_finds_nothing_to_do() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        booked = a_booking()
        pay(booked.bill)
        assert run_jobs(only=OURS) == []
        assert statuses() == ["booked"]

        clock.move_to(HOLD_END)
        assert run_jobs(only=OURS) == []
        jobs.confirm_paid_appointment(bill_id=booked.bill_id)

    assert statuses() == ["booked"]
    assert kinds() == ["N01"]


def test_n02_n03_the_timer_gives_an_unpaid_hold_back_after_a_reminder() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        a_booking()
        jobs.remind_unpaid()
        assert kinds() == []
        clock.move_to(HOLD_END - dt.timedelta(minutes=5))
        jobs.remind_unpaid()
        jobs.remind_unpaid()
        assert run_jobs(only=OURS) == []
        assert statuses() == ["pending"]

        clock.move_to(HOLD_END)
        assert run_jobs(only=OURS) == []

    assert statuses() == ["cancelled"]
    assert kinds() == ["N02", "N03"]
    assert [name for name in due_jobs() if name.startswith(OURS)] == []


def test_a_payment_that_came_to_nothing_lets_the_hold_end() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        booked = a_booking()
        billing.start_paying(bill_id=booked.bill_id, by=SYSTEM, at=NOW)
        clock.move_to(HOLD_END)
        assert run_jobs(only=OURS) == []
        assert statuses() == ["pending"]

        billing.stop_paying(bill_id=booked.bill_id, by=SYSTEM, at=HOLD_END)
        assert run_jobs(only=OURS) == []

    assert statuses() == ["cancelled"]


def test_m1_08_a_suspension_undoes_its_bookings_by_itself() -> None:
    with time_machine.travel(NOW, tick=False):
        schedule = a_released_schedule(capacity=8)
        for make in (a_paid_booking, a_booking):
            make(schedule=schedule)
        scheduling.suspend_schedule(schedule_id=schedule.pk, reason="病假", by=SYSTEM, at=NOW)

        assert run_jobs(only=OURS) == []

    assert statuses() == ["cancelled", "cancelled"]
    assert set(schedule.slots.values_list("status", flat=True)) <= {
        "blocked",
        "reclaim_wait",
        "free",
    }
