"""Rosters on a real server: two people at once, and publishing against a patient's claim.

Each thread has its own connection and commits for good, so these tests clean up behind them.
"""

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.clock import at_local
from hospital.kernel.errors import Refusal
from hospital.scheduling import actions
from hospital.scheduling.actions import publishing, rosters
from hospital.scheduling.holidays import SpecialDay
from hospital.scheduling.models import RosterEntry, Schedule, Slot
from hospital.scheduling.states import DayKind, LeaveStatus, ScheduleStatus, SlotStatus
from hospital.scheduling.tests.roster_world import MONDAY, TUESDAY, a_clinic
from hospital.testing.organisation import a_department, a_practitioner
from hospital.testing.schedules import NOW, a_released_schedule, a_template

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]
RELEASE = at_local(TUESDAY - dt.timedelta(days=7), dt.time(7))


def at_once(*tasks: Callable[[], object]) -> list[str]:
    """Run the tasks in threads that start together; what each came to: "ok", or a refusal's code.

    Anything but a refusal (a deadlock, a broken constraint) fails the test.
    """
    gate = threading.Barrier(len(tasks))
    outcomes = [""] * len(tasks)
    problems: list[BaseException] = []

    def run(place: int, task: Callable[[], object]) -> None:
        try:
            gate.wait()
            task()
            outcomes[place] = "ok"
        except Refusal as refusal:
            outcomes[place] = refusal.code
        except BaseException as problem:  # noqa: BLE001 - told to the test below
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    return outcomes


def test_m15_01_of_two_people_at_once_one_is_told() -> None:
    clinic = a_clinic()
    version = clinic.version

    def put(by: Actor, practitioner_id: int, room_id: int) -> Callable[[], object]:
        wanted = clinic.wanted(practitioner_id=practitioner_id, room_id=room_id)
        return lambda: rosters.put_entry(
            roster_id=clinic.roster.pk, version=version, wanted=wanted, by=by, at=NOW
        )

    outcomes = at_once(
        put(clinic.head, clinic.chief.pk, clinic.room.pk),
        put(clinic.office, clinic.other.pk, clinic.spare.pk),
    )

    assert sorted(outcomes) == ["STALE", "ok"]
    assert len(clinic.standing()) == 1


def test_m15_02_two_departments_at_once_do_not_share_a_doctors_hour() -> None:
    here, there = a_department(), a_department(name="骨伤科")
    both = a_practitioner(here, there, name="两科大夫")
    clinics = [a_clinic(department=here), a_clinic(department=there)]

    outcomes = at_once(
        *(lambda clinic=clinic: clinic.put(practitioner_id=both.pk) for clinic in clinics)
    )

    assert sorted(outcomes) == ["ROSTER_CONFLICT", "ok"]
    assert sum(len(clinic.standing()) for clinic in clinics) == 1


def test_sm1_a_claim_at_the_release_and_a_publishing_that_calls_off_never_both_win() -> None:
    clinic = a_clinic()
    entry = clinic.put()
    publishing.publish_roster(
        roster_id=clinic.roster.pk, version=clinic.version, by=clinic.office, at=NOW
    )
    publishing.revise_roster(
        roster_id=clinic.roster.pk, version=clinic.version, by=clinic.head, at=NOW
    )
    rosters.remove_entries(
        roster_id=clinic.roster.pk,
        version=clinic.version,
        entry_ids=[entry.pk],
        by=clinic.head,
        at=NOW,
    )
    version, schedule = clinic.version, Schedule.objects.get()

    def claim() -> object:
        actions.release_due(by=SYSTEM, at=RELEASE, schedule_id=schedule.pk)
        until = RELEASE + dt.timedelta(minutes=15)
        return actions.hold_slot(schedule_id=schedule.pk, until=until, by=SYSTEM, at=RELEASE)

    claimed, published = at_once(
        claim,
        lambda: publishing.publish_roster(
            roster_id=clinic.roster.pk, version=version, by=clinic.office, at=RELEASE
        ),
    )

    schedule.refresh_from_db()
    held = Slot.objects.filter(schedule=schedule, status=SlotStatus.HELD).count()
    assert (claimed, published, schedule.status, held) in {
        ("ok", "SESSION_STANDS", ScheduleStatus.RELEASED, 1),
        ("SLOT_TAKEN", "ok", ScheduleStatus.CANCELLED, 0),
    }


def meanwhile(first: Callable[[], object], second: Callable[[], object]) -> str:
    """Begin the second while the first has done its work and not committed; what it came to."""
    outcomes: list[str] = []
    with transaction.atomic():
        first()
        waiting = threading.Thread(target=lambda: outcomes.extend(at_once(second)))
        waiting.start()
        waiting.join(0.4)
        assert outcomes == [], "it did not wait"
    waiting.join()
    return outcomes[0]


def test_m15_02_a_leave_approved_while_a_roster_is_published_sees_what_it_made() -> None:
    clinic = a_clinic()
    clinic.put()
    leave = actions.ask_leave(
        practitioner_id=clinic.chief.pk,
        starts_at=at_local(TUESDAY),
        ends_at=at_local(TUESDAY + dt.timedelta(days=1)),
        reason="trip",
        note="",
        by=clinic.head,
        at=NOW,
    )
    version = clinic.version

    outcome = meanwhile(
        lambda: publishing.publish_roster(
            roster_id=clinic.roster.pk, version=version, by=clinic.office, at=NOW
        ),
        lambda: actions.approve_leave(
            leave_id=leave.pk, answers={}, is_head=False, by=clinic.office, at=NOW
        ),
    )

    leave.refresh_from_db()
    assert (outcome, leave.status) == ("LEAVE_UNDECIDED", LeaveStatus.ASKED)


def test_m15_04_a_holiday_entered_while_a_week_is_opened_leaves_it_its_sessions() -> None:
    template = a_template(weekday=2)
    actions.generate_schedules(through=TUESDAY, by=SYSTEM, at=NOW)
    holiday = SpecialDay(DayKind.HOLIDAY, "院庆")

    outcome = meanwhile(
        lambda: rosters.open_week(
            department_id=template.department_id, monday=MONDAY, by=SYSTEM, at=NOW
        ),
        lambda: actions.set_day(day=TUESDAY, special=holiday, by=SYSTEM, at=NOW),
    )

    entry = RosterEntry.objects.select_related("schedule").get()
    assert entry.schedule is not None
    assert (outcome, entry.schedule.status) == ("ok", ScheduleStatus.PUBLISHED)


def test_m15_02_nobody_stands_in_who_is_given_leave_in_the_same_moment() -> None:
    session = a_released_schedule(day=TUESDAY)
    other = a_practitioner(session.department, name="代诊医生")
    leave = actions.ask_leave(
        practitioner_id=other.pk,
        starts_at=at_local(TUESDAY),
        ends_at=at_local(TUESDAY + dt.timedelta(days=1)),
        reason="trip",
        note="",
        by=SYSTEM,
        at=NOW,
    )

    outcome = meanwhile(
        lambda: actions.approve_leave(
            leave_id=leave.pk, answers={}, is_head=False, by=SYSTEM, at=NOW
        ),
        lambda: actions.substitute(
            schedule_id=session.pk, practitioner_id=other.pk, reason="会议", by=SYSTEM, at=NOW
        ),
    )

    session.refresh_from_db()
    assert outcome == "CANNOT_SUBSTITUTE"
    assert session.practitioner_id != other.pk
