"""The clockwork: each sweep does what is due at the clock's moment and nothing when repeated."""

import datetime as dt

import pytest
import time_machine

from hospital.kernel.actors import SYSTEM
from hospital.kernel.jobs import NamedJob
from hospital.scheduling import actions, jobs
from hospital.scheduling.models import Schedule, Slot
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, a_template, moment

pytestmark = pytest.mark.django_db


def run_twice(job: NamedJob, at: dt.datetime) -> None:
    with time_machine.travel(at, tick=False):
        job()
        job()


def statuses() -> list[str]:
    return list(Slot.objects.order_by("pk").values_list("status", flat=True))


def test_m15_01_every_night_the_sessions_of_the_fourteenth_day_are_made() -> None:
    a_template(weekday=1)

    run_twice(jobs.generate_schedules, NOW)
    assert Schedule.objects.latest("visit_date").visit_date == dt.date(2026, 12, 7)
    run_twice(jobs.generate_schedules, NOW + dt.timedelta(days=7))
    assert Schedule.objects.latest("visit_date").visit_date == dt.date(2026, 12, 14)


def test_m1_01_numbers_are_released_in_time() -> None:
    schedule = a_released_schedule(day=dt.date(2026, 12, 1), capacity=2)

    run_twice(jobs.release_schedules, schedule.release_at - dt.timedelta(seconds=1))
    assert statuses() == ["planned", "planned"]
    run_twice(jobs.release_schedules, schedule.release_at)
    assert statuses() == ["free", "free"]


def test_numbers_come_back_and_expire_and_sessions_run_by_the_clock() -> None:
    schedule = a_released_schedule(capacity=2, band_minutes=240)
    slot = actions.hold_slot(schedule_id=schedule.pk, until=NOW, by=SYSTEM, at=NOW)
    actions.book_slot(slot_id=slot.pk, by=SYSTEM, at=NOW)
    actions.free_slot(slot_id=slot.pk, wait=True, by=SYSTEM, at=NOW)
    assert statuses() == ["reclaim_wait", "free"]

    run_twice(jobs.reclaim_slots, NOW + dt.timedelta(minutes=30))
    assert statuses() == ["free", "free"]
    run_twice(jobs.start_sessions, moment(TOMORROW, 8))
    assert Schedule.objects.get().status == "in_session"
    run_twice(jobs.expire_slots, moment(TOMORROW, 12))
    assert statuses() == ["expired", "expired"]
