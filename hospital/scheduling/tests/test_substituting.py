"""替诊 and 换班: who may hold a session instead, and who may not (M1.9, M15.2)."""

import datetime as dt

import pytest

from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound
from hospital.kernel.models import AuditEntry
from hospital.organisation.models import Practitioner
from hospital.organisation.states import Title
from hospital.scheduling import actions
from hospital.scheduling.actions import CannotSubstitute, CannotSwap
from hospital.scheduling.models import Schedule
from hospital.testing.jobs import due_jobs
from hospital.testing.organisation import a_department, a_practitioner, a_service_type
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, moment

pytestmark = pytest.mark.django_db
OFFICE = Actor("staff", 1)


def replace(schedule: Schedule, doctor: Practitioner, at: dt.datetime = NOW) -> Schedule:
    return actions.substitute(
        schedule_id=schedule.pk, practitioner_id=doctor.pk, reason="会议", by=OFFICE, at=at
    )


def refused(schedule: Schedule, doctor: Practitioner, at: dt.datetime = NOW) -> None:
    before = Schedule.objects.filter(pk=schedule.pk).values().get()
    with pytest.raises(CannotSubstitute):
        replace(schedule, doctor, at)
    assert Schedule.objects.filter(pk=schedule.pk).values().get() == before
    assert "registration.jobs.settle_substitution" not in due_jobs()


def test_m1_09_the_session_remembers_who_was_on_the_roster() -> None:
    schedule = a_released_schedule()
    planned = schedule.practitioner
    assert planned is not None
    first, second = (a_practitioner(schedule.department, name=name) for name in ("林若谷", "何远"))

    replace(schedule, first)
    row = replace(schedule, second)

    assert (row.practitioner_id, row.planned_practitioner_id) == (second.pk, planned.pk)
    row = replace(schedule, planned)
    assert (row.practitioner_id, row.planned_practitioner_id) == (planned.pk, None)
    entries = AuditEntry.objects.filter(act="scheduling.substitute", subject_id=schedule.pk)
    entry = entries.earliest("pk")
    assert entry.before == {"practitioner": planned.pk}
    assert entry.after == {"practitioner": first.pk}
    assert due_jobs().count("registration.jobs.settle_substitution") == 3


def test_m15_02_nobody_busy_away_unlicensed_or_of_another_department_is_put_there() -> None:
    schedule = a_released_schedule()
    busy = a_practitioner(schedule.department, name="何远")
    a_released_schedule(department=schedule.department, practitioner=busy, starts=dt.time(11, 30))
    over = a_practitioner(schedule.department, licence_end_date=TOMORROW - dt.timedelta(days=1))
    stranger = a_practitioner(a_department(name="骨伤科"))
    assert schedule.practitioner is not None

    for doctor in (busy, over, stranger, schedule.practitioner):
        refused(schedule, doctor)


def test_m1_09_a_session_over_called_off_or_unknown_gets_no_other_doctor() -> None:
    schedule = a_released_schedule()
    doctor = a_practitioner(schedule.department)
    refused(schedule, doctor, moment(TOMORROW, 12))
    actions.suspend_schedule(schedule_id=schedule.pk, reason="病假", by=OFFICE, at=NOW)
    refused(schedule, doctor)
    with pytest.raises(NotFound):
        actions.substitute(
            schedule_id=0, practitioner_id=doctor.pk, reason="会议", by=OFFICE, at=NOW
        )


def test_m1_09_a_title_nobody_priced_cannot_take_patients() -> None:
    service = a_service_type(fee_fen=None, fees=[(Title.CHIEF, 2500)])
    schedule = a_released_schedule(service_type=service)

    refused(schedule, a_practitioner(schedule.department, title=Title.RESIDENT))


def test_m15_two_sessions_at_the_same_time_swap_their_doctors_in_one_act() -> None:
    first = a_released_schedule()
    second = a_released_schedule(department=first.department)
    doctors = first.practitioner_id, second.practitioner_id

    actions.swap_practitioners(
        first_id=first.pk, second_id=second.pk, reason="换班", by=OFFICE, at=NOW
    )

    first.refresh_from_db()
    second.refresh_from_db()
    assert (second.practitioner_id, first.practitioner_id) == doctors
    assert (first.planned_practitioner_id, second.planned_practitioner_id) == doctors
    assert due_jobs().count("registration.jobs.settle_substitution") == 2


def test_m15_02_a_swap_that_puts_somebody_in_two_places_changes_nothing() -> None:
    first = a_released_schedule()
    second = a_released_schedule(department=first.department, starts=dt.time(14), ends=dt.time(17))
    assert second.practitioner is not None
    a_released_schedule(department=first.department, practitioner=second.practitioner)
    doctors = first.practitioner_id, second.practitioner_id

    with pytest.raises(CannotSwap, match="另有出诊"):
        actions.swap_practitioners(
            first_id=first.pk, second_id=second.pk, reason="换班", by=OFFICE, at=NOW
        )
    with pytest.raises(NotFound):
        actions.swap_practitioners(
            first_id=first.pk, second_id=first.pk, reason="换班", by=OFFICE, at=NOW
        )

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.practitioner_id, second.practitioner_id) == doctors
    assert "registration.jobs.settle_substitution" not in due_jobs()
