"""The waiting list against everybody else at the same moment: a number in line is nobody else's."""

import datetime as dt
from collections import Counter
from collections.abc import Callable

import pytest

from hospital.identity.models import WeChatUser
from hospital.kernel.actors import SYSTEM, Actor
from hospital.patients.models import Patient
from hospital.registration import actions
from hospital.registration.models import Appointment, WaitlistEntry
from hospital.registration.tests.test_races import at_once, book, people
from hospital.scheduling.models import Schedule
from hospital.testing.waiting import a_full_schedule, a_waiting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]
LATE = dt.datetime(2026, 11, 23, 2, 15, 5, tzinfo=dt.UTC)


def joins(user: WeChatUser, patient: Patient, schedule: Schedule) -> Callable[[], object]:
    return lambda: actions.join_waitlist(
        wechat_user_id=user.pk,
        patient_id=patient.pk,
        schedule_id=schedule.pk,
        by=Actor("patient", user.pk),
        at=LATE,
    )


def serves() -> int:
    return actions.serve_waitlists(by=SYSTEM, at=LATE)


def test_sm3_whoever_waits_gets_the_number_though_ten_reach_for_it() -> None:
    schedule, (unpaid,) = a_full_schedule(paid=0, unpaid=1)
    entry = a_waiting(schedule)
    crowd = [book(*person, schedule, at=LATE) for person in people(10)]

    outcomes = at_once(
        lambda: actions.release_unpaid(appointment_id=unpaid.pk, by=SYSTEM, at=LATE),
        *(serves for _ in range(3)),
        *crowd,
    )

    assert Counter(outcomes) == {"ok": 4, "SLOT_TAKEN": 10}
    serves()
    entry.refresh_from_db()
    assert entry.status == "offered"
    standing = Appointment.objects.filter(schedule=schedule, status="pending")
    assert [row.patient_id for row in standing] == [entry.patient_id]


def test_sm3_nobody_is_left_in_line_beside_a_free_number() -> None:
    """Joining, giving back and ending the list at once: whatever comes first, the sweep after it
    serves whoever waits, and the numbers of an empty list are everybody's."""
    schedule, (unpaid,) = a_full_schedule(paid=0, unpaid=1)
    crowd = [joins(*person, schedule) for person in people(5)]

    outcomes = at_once(
        lambda: actions.release_unpaid(appointment_id=unpaid.pk, by=SYSTEM, at=LATE),
        *(serves for _ in range(2)),
        *crowd,
    )

    assert set(outcomes) <= {"ok", "STILL_FREE"}
    joined = WaitlistEntry.objects.count()
    serves()
    offered = WaitlistEntry.objects.filter(status="offered").count()
    schedule.refresh_from_db()
    assert offered == min(joined, 1)
    assert schedule.has_waiting == (joined > 1)
