"""Sessions come from templates, are released by the clock, start, end, and can be suspended."""

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Model
from pytest_django import DjangoAssertNumQueries

from hospital.kernel import settings_rows
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid, NotFound
from hospital.kernel.states import history
from hospital.organisation import actions as organisation
from hospital.organisation.states import Sex, Title
from hospital.scheduling import actions, thresholds
from hospital.scheduling.actions import CannotSuspend
from hospital.scheduling.models import Schedule, ScheduleTemplate, Slot, TimeBand
from hospital.scheduling.queries.unmade import unmade
from hospital.scheduling.states import Pool, ScheduleStatus, SessionPeriod, SlotStatus
from hospital.testing.jobs import due_jobs
from hospital.testing.organisation import LONG_AGO, a_department, a_practitioner, a_room
from hospital.testing.schedules import (
    NOW,
    TOMORROW,
    a_released_schedule,
    a_template,
    an_unreleased_schedule,
    moment,
)

pytestmark = pytest.mark.django_db
OFFICE = Actor("staff", 7)


def generate(days: int = 14, *, at: dt.datetime = NOW) -> int:
    through = dt.date(2026, 11, 23) + dt.timedelta(days=days)
    return actions.generate_schedules(through=through, by=SYSTEM, at=at)


def statuses(schedule: Schedule) -> list[str]:
    return sorted(set(schedule.slots.values_list("status", flat=True)))


def test_m15_01_templates_become_sessions_fourteen_days_ahead() -> None:
    template = a_template(capacity=10, band_minutes=60)

    made = generate()

    schedules = list(Schedule.objects.order_by("visit_date"))
    assert made == len(schedules) == 2
    assert [schedule.visit_date for schedule in schedules] == [
        TOMORROW,
        TOMORROW + dt.timedelta(days=7),
    ]
    first = schedules[0]
    assert first.template == template
    assert (first.starts_at, first.ends_at) == (moment(TOMORROW, 8), moment(TOMORROW, 12))
    assert [band.capacity for band in first.bands.order_by("starts_at")] == [3, 3, 2, 2]
    assert list(first.slots.order_by("sequence_no").values_list("sequence_no", flat=True)) == [
        *range(1, 11)
    ]


def test_m15_01_generating_again_makes_nothing_twice() -> None:
    a_template()
    generate()
    before = Schedule.objects.count(), TimeBand.objects.count(), Slot.objects.count()

    assert generate() == 0

    assert (Schedule.objects.count(), TimeBand.objects.count(), Slot.objects.count()) == before


def test_m15_02_no_session_for_a_licence_ended_or_what_is_switched_off() -> None:
    department = a_department()
    ended = a_practitioner(department, licence_end_date=TOMORROW)
    a_template(department=department, practitioner=ended, code="LICENCE")
    gone = a_practitioner(department)
    a_template(department=department, practitioner=gone, code="GONE")
    organisation.save_practitioner(
        code=gone.code,
        name=gone.name,
        sex=Sex(gone.sex),
        title=Title(gone.title),
        departments=[department.code],
        licence_end_date=gone.licence_end_date,
        is_active=False,
        by=SYSTEM,
        at=NOW,
    )
    a_template(code="OFF", is_active=False)
    a_template(code="PAST", valid_to=TOMORROW)

    generate()

    made = Schedule.objects.values_list("template__code", "visit_date")
    assert list(made) == [("LICENCE", TOMORROW)]


def test_m15_02_templates_make_no_more_of_a_week_than_a_doctor_may_hold() -> None:
    set_cap(2)
    doctor = a_practitioner(a_department())
    for weekday, code in ((4, "THURSDAY"), (2, "TUESDAY"), (3, "WEDNESDAY")):
        a_template(practitioner=doctor, weekday=weekday, code=code, is_active=code != "WEDNESDAY")
    with pytest.raises(Invalid) as refused:
        a_template(practitioner=doctor, weekday=5, code="FRIDAY")
    assert set(refused.value.errors) == {"practitioner"}
    ScheduleTemplate.objects.update(is_active=True)  # as before there was a cap
    a_template(weekday=5, code="ANOTHER")

    for _ in range(2):  # the next night tries again, and makes no more
        generate(days=6)
        made = Schedule.objects.order_by("visit_date").values_list("template__code", flat=True)
        assert list(made) == ["TUESDAY", "WEDNESDAY", "ANOTHER"]


def test_m15_02_the_office_sees_what_could_not_be_made_and_why(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    set_cap(1)
    department = a_department(name="骨伤科")
    doctor = a_practitioner(department, name="易知秋")
    a_template(department=department, practitioner=doctor, weekday=2, code="TUESDAY")
    late = a_template(
        department=department, practitioner=doctor, weekday=4, code="THURSDAY", is_active=False
    )
    shared = a_template(weekday=3, code="FIRST")
    roomless = a_template(weekday=3, code="SECOND")
    alone = a_template(weekday=3, code="THIRD")
    generate(days=1)
    # As before there was a cap, and as an import would have it.
    ScheduleTemplate.objects.filter(pk=late.pk).update(is_active=True)
    ScheduleTemplate.objects.filter(pk=roomless.pk).update(room=shared.room)
    ScheduleTemplate.objects.filter(pk=alone.pk).update(practitioner=shared.practitioner)
    set_generated(6)

    (only,) = unmade(department_ids=None, at=NOW)
    assert only.reason == "医生这一周已有 1 次出诊，上限 1 次"  # the night comes for the others
    generate(days=6)

    with django_assert_num_queries(7):
        missing = unmade(department_ids=None, at=NOW)
    assert {(one.visit_date.day, one.period_label, one.reason) for one in missing} == {
        (25, "上午", "诊室这时已有别的出诊"),
        (25, "上午", "医生这时已有别的出诊"),
        (26, "上午", "医生这一周已有 1 次出诊，上限 1 次"),
    }
    with django_assert_num_queries(7):
        (own,) = unmade(department_ids=[department.pk], at=NOW)
    assert (own.department_name, own.doctor_name) == ("骨伤科", "易知秋")


def set_generated(days: int) -> None:
    settings_rows.set_value(setting=thresholds.GENERATE_DAYS, value=days, by=SYSTEM, at=LONG_AGO)


def set_cap(most: int) -> None:
    settings_rows.set_value(setting=thresholds.WEEK_CAP, value=most, by=SYSTEM, at=LONG_AGO)


def test_m15_02_a_doctor_or_room_taken_is_refused_when_saving() -> None:
    room, department = a_room(), a_department()
    doctor = a_practitioner(department)
    a_template(department=department, practitioner=doctor, room=room, code="FIRST")

    with pytest.raises(Invalid) as same_room:
        a_template(room=room, starts=dt.time(11, 30), ends=dt.time(13, 0))
    with pytest.raises(Invalid) as same_doctor:
        a_template(practitioner=doctor, starts=dt.time(7, 0), ends=dt.time(8, 1))
    a_template(practitioner=doctor, room=room, starts=dt.time(12, 0), ends=dt.time(13, 0))

    assert set(same_room.value.errors) == {"room"}
    assert set(same_doctor.value.errors) == {"practitioner"}
    assert ScheduleTemplate.objects.count() == 2


def test_m15_02_the_database_refuses_a_doctor_twice_at_a_time_too() -> None:
    schedule = a_released_schedule()
    other = a_template(weekday=5)

    with pytest.raises(IntegrityError), transaction.atomic():
        Schedule.objects.create(
            template=other,
            department=schedule.department,
            practitioner=schedule.practitioner,
            service_type=schedule.service_type,
            room=a_room(),
            visit_date=schedule.visit_date,
            session_period=SessionPeriod.NOON,
            starts_at=schedule.ends_at - dt.timedelta(minutes=1),
            ends_at=schedule.ends_at + dt.timedelta(hours=1),
            capacity=4,
            release_at=NOW,
            status=ScheduleStatus.PUBLISHED,
        )


def test_saving_a_template_again_changes_nothing_and_says_so() -> None:
    template = a_template()
    values = {
        "code": template.code,
        "department": template.department.code,
        "practitioner": template.practitioner.code if template.practitioner else None,
        "service_type": template.service_type.code,
        "room": template.room.code,
        "weekday": template.weekday,
        "session_period": template.session_period,
        "starts": template.starts,
        "ends": template.ends,
        "capacity": template.capacity,
        "band_minutes": template.band_minutes,
        "valid_from": template.valid_from,
        "by": SYSTEM,
        "at": NOW,
    }

    assert actions.save_template(**values) is False  # type: ignore[arg-type]
    assert actions.save_template(**{**values, "capacity": 20}) is True  # type: ignore[arg-type]


def test_a_switched_off_template_may_name_what_is_switched_off() -> None:
    template = a_template(department=a_department(is_active=False), is_active=False)
    assert not template.is_active

    with pytest.raises(Invalid):
        a_template(department=template.department)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"department": "NOPE"}, "department"),
        ({"practitioner": "NOPE"}, "practitioner"),
        ({"room": "NOPE"}, "room"),
        ({"service_type": "NOPE"}, "service_type"),
        ({"weekday": 8}, "weekday"),
        ({"session_period": "dawn"}, "session_period"),
        ({"ends": dt.time(8, 0)}, "ends"),
        ({"capacity": 0}, "capacity"),
        ({"band_minutes": 1}, "band_minutes"),
        ({"valid_to": dt.date(2019, 1, 1)}, "valid_to"),
    ],
)
def test_a_template_with_a_wrong_value_is_refused(wrong: dict[str, object], field: str) -> None:
    template = a_template()
    values = {
        "code": "NEW",
        "department": template.department.code,
        "practitioner": None,
        "service_type": template.service_type.code,
        "room": a_room().code,
        "weekday": 2,
        "session_period": "am",
        "starts": dt.time(8, 0),
        "ends": dt.time(12, 0),
        "capacity": 4,
        "band_minutes": 30,
        "valid_from": dt.date(2020, 1, 1),
        "by": SYSTEM,
        "at": NOW,
    }

    with pytest.raises(Invalid) as refused:
        actions.save_template(**{**values, **wrong})  # type: ignore[arg-type]

    assert set(refused.value.errors) == {field}
    assert not ScheduleTemplate.objects.filter(code="NEW").exists()


def test_m1_01_numbers_come_out_at_seven_seven_days_before() -> None:
    schedule = an_unreleased_schedule()
    release_at = moment(schedule.visit_date - dt.timedelta(days=7), 7)
    assert schedule.release_at == release_at
    assert (schedule.status, statuses(schedule)) == ("published", ["planned"])

    assert actions.release_due(by=SYSTEM, at=release_at - dt.timedelta(microseconds=1)) == []
    assert actions.release_due(by=SYSTEM, at=release_at) == [schedule.pk]
    assert actions.release_due(by=SYSTEM, at=release_at) == []

    schedule.refresh_from_db()
    assert (schedule.status, statuses(schedule)) == ("released", ["free"])
    assert [(row.from_status, row.to_status) for row in history(schedule)] == [
        ("published", "released")
    ]


def test_m1_01_horizon_and_release_time_are_configuration() -> None:
    settings_rows.set_value(setting=thresholds.HORIZON_DAYS, value=3, by=SYSTEM, at=LONG_AGO)
    settings_rows.set_value(setting=thresholds.RELEASE_TIME, value="06:30", by=SYSTEM, at=LONG_AGO)
    a_template(weekday=7)
    generate()

    schedule = Schedule.objects.earliest("visit_date")

    assert schedule.release_at == moment(schedule.visit_date - dt.timedelta(days=3), 6, 30)


def test_sm1_a_session_starts_by_the_clock_and_is_closed_once_when_it_is_over() -> None:
    schedule = a_released_schedule()

    actions.start_sessions(by=SYSTEM, at=schedule.starts_at - dt.timedelta(seconds=1))
    assert Schedule.objects.get().status == ScheduleStatus.RELEASED
    actions.start_sessions(by=SYSTEM, at=schedule.starts_at)
    assert Schedule.objects.get().status == ScheduleStatus.IN_SESSION
    with pytest.raises(actions.CannotClose):
        actions.close_session(
            schedule_id=schedule.pk,
            reason="走了",
            by=SYSTEM,
            at=schedule.ends_at - dt.timedelta(seconds=1),
        )
    assert actions.lock_ended(at=schedule.ends_at - dt.timedelta(seconds=1)) == {}
    assert actions.lock_ended(at=schedule.ends_at) == {schedule.pk: schedule.ends_at}
    for closed in ([schedule.pk], []):
        assert (
            actions.close_sessions(schedule_ids=[schedule.pk], by=SYSTEM, at=schedule.ends_at)
            == closed
        )
    assert Schedule.objects.get().status == ScheduleStatus.CLOSED

    assert [row.to_status for row in history(schedule)] == ["released", "in_session", "closed"]


def test_sm1_a_session_of_today_that_is_over_is_not_made() -> None:
    a_template(weekday=1, starts=dt.time(8, 0), ends=dt.time(10, 0))
    a_template(weekday=1, starts=dt.time(8, 0), ends=dt.time(10, 1))

    generate(days=0)

    assert Schedule.objects.count() == 1


def test_m1_08_suspending_blocks_every_free_number_and_tells_the_news() -> None:
    schedule = a_released_schedule(capacity=4)
    held = actions.hold_slot(
        schedule_id=schedule.pk, until=NOW + dt.timedelta(minutes=15), by=SYSTEM, at=NOW
    )

    actions.suspend_schedule(schedule_id=schedule.pk, reason="病假", by=OFFICE, at=NOW)

    schedule.refresh_from_db()
    assert (schedule.status, schedule.suspend_reason) == ("suspended", "病假")
    assert list(schedule.slots.order_by("sequence_no").values_list("status", flat=True)) == [
        "held",
        "blocked",
        "blocked",
        "blocked",
    ]
    assert "registration.jobs.cancel_suspended" in due_jobs()
    assert history(schedule)[-1].reason == "病假"
    actions.book_slot(slot_id=held.pk, by=SYSTEM, at=NOW)
    actions.free_slot(slot_id=held.pk, wait=True, by=SYSTEM, at=NOW)
    actions.reclaim_due(by=SYSTEM, at=NOW + dt.timedelta(minutes=31))
    assert statuses(schedule) == ["blocked"]


def test_m1_08_a_suspended_or_unknown_session_cannot_be_suspended() -> None:
    schedule = a_released_schedule()
    actions.suspend_schedule(schedule_id=schedule.pk, reason="会议", by=OFFICE, at=NOW)
    before = len(history(schedule))

    with pytest.raises(CannotSuspend):
        actions.suspend_schedule(schedule_id=schedule.pk, reason="会议", by=OFFICE, at=NOW)
    with pytest.raises(NotFound):
        actions.suspend_schedule(schedule_id=0, reason="会议", by=OFFICE, at=NOW)

    assert len(history(schedule)) == before


def refused(sql: str, row: Model) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.format(row.pk))


def test_the_database_refuses_what_no_action_does() -> None:
    schedule = a_released_schedule(capacity=4)
    slot = schedule.slots.get(sequence_no=1)
    band = schedule.bands.earliest("starts_at")

    refused("UPDATE scheduling_schedule SET status = 'published' WHERE id = {}", schedule)
    refused("UPDATE scheduling_schedule SET capacity = 3 WHERE id = {}", schedule)
    refused("UPDATE scheduling_schedule SET visit_date = visit_date + 1 WHERE id = {}", schedule)
    refused("UPDATE scheduling_timeband SET capacity = 99 WHERE id = {}", band)
    refused("UPDATE scheduling_timeband SET capacity = 0 WHERE id = {}", band)
    refused("UPDATE scheduling_slot SET pool = 'mine' WHERE id = {}", slot)
    refused("UPDATE scheduling_slot SET withheld = 'office' WHERE id = {}", slot)
    refused("UPDATE scheduling_slot SET is_add_on = true WHERE id = {}", slot)
    refused("UPDATE scheduling_slot SET status = 'booked' WHERE id = {}", slot)
    refused("UPDATE scheduling_slot SET status = 'held' WHERE id = {}", slot)
    refused("UPDATE scheduling_slot SET sequence_no = 9 WHERE id = {}", slot)
    refused("DELETE FROM scheduling_slot WHERE id = {}", slot)


def test_sm2_a_number_beyond_the_capacity_cannot_exist() -> None:
    schedule = a_released_schedule(capacity=4)
    band = schedule.bands.earliest("starts_at")

    for number in (1, 2, 5):
        with pytest.raises(DatabaseError), transaction.atomic():
            Slot.objects.create(
                schedule=schedule,
                band=band,
                sequence_no=number,
                pool=Pool.PUBLIC,
                status=SlotStatus.FREE,
            )
    with pytest.raises(DatabaseError), transaction.atomic():
        TimeBand.objects.create(
            schedule=schedule,
            first_sequence_no=4,
            capacity=2,
            starts_at=schedule.ends_at,
            ends_at=schedule.ends_at + dt.timedelta(hours=1),
        )

    assert schedule.slots.count() == 4
