"""M15.3: a leave shows what it touches, and is approved with a decision for every session."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from hospital.identity.models import StaffAccount
from hospital.identity.states import Role
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid, NotAllowed, Stale
from hospital.kernel.models import AuditEntry
from hospital.messaging.models import Message
from hospital.organisation.models import Practitioner
from hospital.scheduling import actions, queries
from hospital.scheduling.actions import (
    Answer,
    LeaveOverlaps,
    LeaveUndecided,
    OfficeHeadNeeded,
    OwnLeave,
)
from hospital.scheduling.models import Leave, LeaveDecision, Schedule
from hospital.scheduling.states import LeaveAnswer, LeaveStatus, ScheduleStatus, SessionPeriod
from hospital.testing.organisation import a_department, a_practitioner
from hospital.testing.people import a_staff, staff_client
from hospital.testing.schedules import (
    NOW,
    TOMORROW,
    a_released_schedule,
    a_template,
    band_of,
    moment,
)

pytestmark = pytest.mark.django_db
OFFICE = Actor("staff", 999_999)
THURSDAY = TOMORROW + dt.timedelta(days=2)
STOP = Answer(LeaveAnswer.STOP)


def ask(
    doctor: Practitioner,
    *,
    day: dt.date = THURSDAY,
    days: int = 1,
    reason: str = "trip",
    note: str = "",
    by: Actor = OFFICE,
) -> Leave:
    return actions.ask_leave(
        practitioner_id=doctor.pk,
        starts_at=moment(day, 0),
        ends_at=moment(day + dt.timedelta(days=days), 0),
        reason=reason,
        note=note,
        by=by,
        at=NOW,
    )


def approve(
    leave: Leave, answers: dict[int, Answer], *, is_head: bool = False, by: Actor = OFFICE
) -> Leave:
    return actions.approve_leave(leave_id=leave.pk, answers=answers, is_head=is_head, by=by, at=NOW)


def two_sessions(day: dt.date = THURSDAY) -> tuple[Practitioner, Schedule, Schedule]:
    department = a_department()
    doctor = a_practitioner(department)
    morning = a_released_schedule(day=day, department=department, practitioner=doctor)
    afternoon = a_released_schedule(
        day=day,
        department=department,
        practitioner=doctor,
        session_period=SessionPeriod.PM,
        starts=dt.time(14, 0),
        ends=dt.time(17, 0),
        band_minutes=60,
    )
    return doctor, morning, afternoon


def hold(schedule: Schedule, count: int) -> None:
    for _ in range(count):
        slot = actions.hold_slot(
            schedule_id=schedule.pk,
            band_id=band_of(schedule).pk,
            until=NOW + dt.timedelta(minutes=15),
            by=SYSTEM,
            at=NOW,
        )
        actions.book_slot(slot_id=slot.pk, by=SYSTEM, at=NOW)


def test_m15_03_a_leave_shows_sessions_and_bookings_and_changes_none() -> None:
    doctor, morning, afternoon = two_sessions()
    hold(morning, 3)

    leave = ask(doctor)

    row = queries.leave_row(leave_id=leave.pk, at=NOW)
    assert [one.schedule_id for one in row.sessions] == [morning.pk, afternoon.pk]
    assert [one.booked for one in row.sessions] == [3, 0]
    assert row.touched == 3
    assert row.is_late is False
    morning.refresh_from_db()
    assert morning.status == ScheduleStatus.RELEASED


def test_m15_03_approving_demands_a_decision_for_every_session() -> None:
    doctor, morning, afternoon = two_sessions()
    leave = ask(doctor)

    with pytest.raises(LeaveUndecided):
        approve(leave, {morning.pk: STOP})

    morning.refresh_from_db()
    leave.refresh_from_db()
    assert (morning.status, leave.status) == (ScheduleStatus.RELEASED, LeaveStatus.ASKED)
    assert LeaveDecision.objects.count() == 0

    approve(leave, {morning.pk: STOP, afternoon.pk: STOP})

    leave.refresh_from_db()
    morning.refresh_from_db()
    assert leave.status == LeaveStatus.APPROVED
    assert (morning.status, morning.suspend_reason) == (ScheduleStatus.SUSPENDED, "医生出差")
    row = queries.leave_row(leave_id=leave.pk, at=NOW)
    assert [one.decided for one in row.sessions] == ["停诊", "停诊"]
    with pytest.raises(Stale):
        approve(leave, {})


def test_m15_03_a_colleague_takes_a_session_over() -> None:
    doctor, morning, afternoon = two_sessions()
    colleague = a_practitioner(morning.department, name="代诊医生")
    leave = ask(doctor)
    free = queries.substitutes(schedule_ids=[morning.pk])[morning.pk]
    assert [person.id for person in free] == [colleague.pk]

    instead = Answer(LeaveAnswer.SUBSTITUTE, colleague.pk)
    approve(leave, {morning.pk: instead, afternoon.pk: STOP})

    morning.refresh_from_db()
    assert (morning.status, morning.practitioner_id) == (ScheduleStatus.RELEASED, colleague.pk)
    row = queries.leave_row(leave_id=leave.pk, at=NOW)
    assert [one.decided for one in row.sessions] == ["替诊：代诊医生", "停诊"]


def test_m15_03_a_session_gone_meanwhile_must_be_looked_at_again() -> None:
    doctor, morning, afternoon = two_sessions()
    leave = ask(doctor)
    actions.suspend_schedule(schedule_id=afternoon.pk, reason="设备故障", by=OFFICE, at=NOW)

    with pytest.raises(Stale):
        approve(leave, {morning.pk: STOP, afternoon.pk: STOP})

    morning.refresh_from_db()
    assert morning.status == ScheduleStatus.RELEASED


def test_m15_03_less_than_a_day_before_needs_the_head_of_the_office() -> None:
    doctor, morning, afternoon = two_sessions(TOMORROW)
    leave = ask(doctor, day=TOMORROW)
    answers = {morning.pk: STOP, afternoon.pk: STOP}
    assert queries.leave_row(leave_id=leave.pk, at=NOW).is_late is True

    with pytest.raises(OfficeHeadNeeded):
        approve(leave, answers)

    leave.refresh_from_db()
    morning.refresh_from_db()
    assert (leave.status, morning.status) == (LeaveStatus.ASKED, ScheduleStatus.RELEASED)
    approve(leave, answers, is_head=True)
    morning.refresh_from_db()
    assert morning.status == ScheduleStatus.SUSPENDED


def test_m15_03_nobody_decides_the_own_leave_and_the_doctor_is_told() -> None:
    doctor, morning, afternoon = two_sessions()
    account = a_staff(Role.DOCTOR, Role.OUTPATIENT_OFFICE, practitioner=doctor)
    leave = ask(doctor)
    answers = {morning.pk: STOP, afternoon.pk: STOP}

    with pytest.raises(OwnLeave):
        approve(leave, answers, by=Actor("staff", account.pk))
    assert Message.objects.count() == 0
    approve(leave, answers)

    message = Message.objects.get(kind="S01")
    assert (message.staff_id, message.fields["result"]) == (account.pk, "已批准")


def test_m15_03_two_leaves_do_not_overlap() -> None:
    doctor = a_practitioner(a_department())
    ask(doctor, days=2)

    with pytest.raises(LeaveOverlaps):
        ask(doctor, day=THURSDAY + dt.timedelta(days=1))
    assert Leave.objects.count() == 1
    ask(doctor, day=THURSDAY + dt.timedelta(days=2))
    with pytest.raises(DatabaseError), transaction.atomic():
        Leave.objects.update(ends_at=moment(THURSDAY + dt.timedelta(days=9), 0))


@pytest.mark.parametrize(
    ("days", "reason", "note", "field"),
    [
        (0, "trip", "", "ends"),
        (400, "trip", "", "ends"),
        (1, "mood", "", "reason"),
        (1, "other", "", "note"),
        (1, "trip", "长" * 201, "note"),
    ],
)
def test_m15_03_a_leave_that_makes_no_sense_is_refused(
    days: int, reason: str, note: str, field: str
) -> None:
    doctor = a_practitioner(a_department())

    with pytest.raises(Invalid) as refused:
        ask(doctor, days=days, reason=reason, note=note)

    assert list(refused.value.errors) == [field]
    assert Leave.objects.count() == 0


def test_m15_03_refused_with_a_reason_withdrawn_by_the_doctor_ended_by_the_office() -> None:
    doctor, morning, _ = two_sessions()
    refused, withdrawn = ask(doctor), ask(doctor, day=THURSDAY + dt.timedelta(days=7))
    with pytest.raises(Invalid):
        actions.refuse_leave(leave_id=refused.pk, note="", by=OFFICE, at=NOW)

    actions.refuse_leave(leave_id=refused.pk, note="当天已约满", by=OFFICE, at=NOW)
    actions.withdraw_leave(
        leave_id=withdrawn.pk, note="", may_end_approved=False, by=OFFICE, at=NOW
    )
    approved = ask(doctor, day=THURSDAY + dt.timedelta(days=14))
    approve(approved, {})
    with pytest.raises(NotAllowed):
        actions.withdraw_leave(
            leave_id=approved.pk, note="", may_end_approved=False, by=OFFICE, at=NOW
        )
    actions.withdraw_leave(
        leave_id=approved.pk, note="会议取消", may_end_approved=True, by=OFFICE, at=NOW
    )

    assert [row.status for row in Leave.objects.order_by("pk")] == [
        LeaveStatus.REFUSED,
        LeaveStatus.WITHDRAWN,
        LeaveStatus.WITHDRAWN,
    ]
    morning.refresh_from_db()
    assert morning.status == ScheduleStatus.RELEASED
    acts = AuditEntry.objects.filter(act__contains="_leave").order_by("pk")
    assert [entry.act.removeprefix("scheduling.") for entry in acts] == [
        "ask_leave",
        "ask_leave",
        "refuse_leave",
        "withdraw_leave",
        "ask_leave",
        "approve_leave",
        "withdraw_leave",
    ]


def test_m15_03_no_session_is_made_while_its_doctor_is_on_leave() -> None:
    template = a_template(weekday=4)
    assert template.practitioner is not None
    leave = ask(template.practitioner)
    approve(leave, {})

    actions.generate_schedules(through=THURSDAY + dt.timedelta(days=7), by=SYSTEM, at=NOW)

    days = Schedule.objects.filter(template=template).values_list("visit_date", flat=True)
    assert list(days) == [THURSDAY + dt.timedelta(days=7)]


def staff(*roles: Role, doctor: Practitioner | None = None) -> StaffAccount:
    return a_staff(*roles, practitioner=doctor)


def test_m15_03_pages_ask_decide_and_stay_within_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hospital.kernel.clock.now", lambda: NOW)
    doctor, morning, afternoon = two_sessions()
    stranger = a_practitioner(a_department(), name="别科医生")
    own = staff_client(account=staff(Role.DOCTOR, doctor=doctor))
    other = staff_client(account=staff(Role.DOCTOR, doctor=stranger))
    office = staff_client(Role.OUTPATIENT_OFFICE)
    form = {
        "practitioner": str(doctor.pk),
        "from": THURSDAY.isoformat(),
        "from_part": "am",
        "to": THURSDAY.isoformat(),
        "to_part": "pm",
        "reason": "meeting",
    }
    assert other.post(reverse("scheduling-leave-new"), form).status_code == 404
    for day in ("9999-12-31", "2026-11-01", ""):
        wrong = own.post(reverse("scheduling-leave-new"), form | {"to": day})
        assert (wrong.status_code, Leave.objects.count()) == (422, 0)
    assert "请选择结束日期" in wrong.content.decode()

    answer = own.post(reverse("scheduling-leave-new"), form)

    leave = Leave.objects.get()
    address = reverse("scheduling-leave", args=[leave.pk])
    assert answer.headers["Location"] == address
    assert (leave.starts_at, leave.ends_at) == (moment(THURSDAY, 0), moment(THURSDAY, 18))
    assert own.get(address).status_code == 200
    assert other.get(address).status_code == 404
    assert other.post(reverse("scheduling-leave-withdraw", args=[leave.pk])).status_code == 404
    assert own.post(reverse("scheduling-leave-approve", args=[leave.pk])).status_code == 403
    assert "审批" in office.get(reverse("scheduling-leaves")).content.decode()
    half = office.post(
        reverse("scheduling-leave-approve", args=[leave.pk]), {f"answer-{morning.pk}": "stop"}
    )
    assert (half.status_code, "LEAVE_UNDECIDED") == (422, LeaveUndecided.code)
    both = {f"answer-{one.pk}": "stop" for one in (morning, afternoon)}
    done = office.post(reverse("scheduling-leave-approve", args=[leave.pk]), both)
    assert done.status_code == 302
    leave.refresh_from_db()
    assert leave.status == LeaveStatus.APPROVED


def test_m15_03_two_windows_decide_a_leave_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hospital.kernel.clock.now", lambda: NOW)
    doctor, morning, afternoon = two_sessions()
    leave = ask(doctor)
    office = staff_client(Role.OUTPATIENT_OFFICE)
    stop = {f"answer-{one.pk}": "stop" for one in (morning, afternoon)}

    office.post(reverse("scheduling-leave-approve", args=[leave.pk]), stop)
    again = office.post(reverse("scheduling-leave-approve", args=[leave.pk]), stop)
    late = office.post(reverse("scheduling-leave-refuse", args=[leave.pk]), {"note": "不行"})

    assert (again.status_code, late.status_code) == (422, 422)
    assert "已经处理过了" in again.content.decode()
    leave.refresh_from_db()
    assert (leave.status, leave.decisions.count()) == (LeaveStatus.APPROVED, 2)
    assert AuditEntry.objects.filter(act="scheduling.approve_leave").count() == 1


def test_m15_03_a_doctor_asks_to_stop_one_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hospital.kernel.clock.now", lambda: NOW)
    doctor, morning, _ = two_sessions()
    own = staff_client(account=staff(Role.DOCTOR, doctor=doctor))
    address = f"{reverse('scheduling-leave-new')}?session={morning.pk}"
    assert "申请停诊一次出诊" in own.get(address).content.decode()

    own.post(reverse("scheduling-leave-new"), {"session": str(morning.pk), "reason": "surgery"})

    leave = Leave.objects.get()
    assert (leave.starts_at, leave.ends_at) == (morning.starts_at, morning.ends_at)
    other = staff_client(account=staff(Role.DOCTOR, doctor=a_practitioner(a_department())))
    assert other.get(address).status_code == 404


def test_m15_03_who_could_hold_two_sessions_is_asked_once_not_twice(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    _, morning, afternoon = two_sessions()
    free = a_practitioner(morning.department, name="黄芪")
    busy = a_practitioner(morning.department, name="当归")
    a_released_schedule(day=THURSDAY, department=morning.department, practitioner=busy)

    with django_assert_num_queries(4):
        found = queries.substitutes(schedule_ids=[morning.pk, afternoon.pk])

    assert [person.id for person in found[morning.pk]] == [free.pk]
    assert {person.id for person in found[afternoon.pk]} == {free.pk, busy.pk}


def test_m15_03_who_may_not_approve_at_short_notice_is_given_no_choices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hospital.kernel.clock.now", lambda: NOW)
    doctor, morning, _ = two_sessions(TOMORROW)
    leave = ask(doctor, day=TOMORROW)
    url = reverse("scheduling-leave", args=[leave.pk])

    office, head = (
        staff_client(role).get(url).content.decode()
        for role in (Role.OUTPATIENT_OFFICE, Role.MEDICAL_AFFAIRS)
    )

    choice = f"answer-{morning.pk}"
    assert (choice in office, choice in head) == (False, True)
