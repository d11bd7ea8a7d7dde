"""The day of the visit: checked in, seen, stayed away, left unseen, corrected (SM3, M1.10)."""

import datetime as dt

import pytest
import time_machine

from hospital.billing import queries as bills
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.kernel.models import AuditEntry
from hospital.messaging.models import Message
from hospital.patients.models import Patient
from hospital.registration import actions
from hospital.registration.actions import CannotBegin, CannotCheckIn, NothingToCorrect
from hospital.registration.models import Appointment
from hospital.registration.states import PaidWhen
from hospital.registration.tests.refusals import rows
from hospital.scheduling import actions as scheduling
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.states import Channel, Pool, SessionPeriod
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.jobs import run_jobs
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, moment

pytestmark = pytest.mark.django_db
NURSE = Actor("staff", 5)
MORNING = moment(TOMORROW, 7, 40)
#: The session is 08:00-12:00; half an hour later nobody comes any more.
OVER = moment(TOMORROW, 12, 30)
MIDNIGHT = moment(TOMORROW + dt.timedelta(days=1), 0)


def now(row: Appointment) -> Appointment:
    return Appointment.objects.select_related("slot", "schedule", "bill").get(pk=row.pk)


def refused(act: object, refusal: type[Refusal], row: Appointment) -> None:
    assert callable(act)
    before, was = rows(), now(row).status
    with pytest.raises(refusal):
        act()
    assert (rows(), now(row).status) == (before, was)


def checked_in(row: Appointment) -> Appointment:
    return actions.check_in(number=row.number, by=NURSE, at=MORNING)


def end(*, at: dt.datetime) -> list[int]:
    """The sweep, as the jobs do it."""
    due = actions.visits_to_end(at=at)
    return [pk for pk in due if actions.end_visit(appointment_id=pk, by=SYSTEM, at=at)]


def close_ended(*, at: dt.datetime) -> list[int]:
    """The sessions' clock, as the jobs have it."""
    scheduling.start_sessions(by=SYSTEM, at=at)
    return actions.close_ended(by=SYSTEM, at=at)


def test_sm1_a_session_stays_open_past_its_end_while_somebody_waits_and_noshows_come_in_time() -> (
    None
):
    schedule = a_released_schedule()
    seen, missed = (a_paid_booking(schedule=schedule) for _ in range(2))
    empty = a_released_schedule()
    checked_in(seen)

    assert close_ended(at=schedule.ends_at - dt.timedelta(seconds=1)) == []
    assert close_ended(at=schedule.ends_at) == [empty.pk]
    assert close_ended(at=OVER) == []
    assert end(at=OVER) == [missed.pk]
    assert (now(missed).status, now(seen).status) == ("noshow", "checked_in")
    assert now(seen).schedule.status == "in_session"

    actions.start_visit(number=seen.number, by=NURSE, at=OVER)
    assert close_ended(at=OVER) == [schedule.pk]
    assert close_ended(at=OVER) == []
    assert (now(seen).status, now(seen).schedule.status) == ("fulfilled", "closed")


def test_sm1_a_session_is_closed_on_purpose_after_its_end_and_who_waits_is_left_unseen() -> None:
    schedule = a_released_schedule()
    rows = [checked_in(a_paid_booking(schedule=schedule)) for _ in range(2)]

    def close(*, reason: str = "设备故障", at: dt.datetime = OVER) -> int:
        return actions.close_session(schedule_id=schedule.pk, reason=reason, by=NURSE, at=at)

    refused(lambda: close(reason=" "), Invalid, rows[0])
    refused(lambda: close(at=moment(TOMORROW, 11)), scheduling.CannotClose, rows[0])
    with time_machine.travel(OVER, tick=False):
        assert close() == 2
        refused(close, scheduling.CannotClose, rows[0])
        run_jobs(only="registration.jobs.end_visit")

    assert {now(row).status for row in rows} == {"left_unseen"}
    assert now(rows[0]).schedule.status == "closed"
    (entry,) = AuditEntry.objects.filter(act="registration.close_session")
    assert (entry.reason, entry.after) == ("设备故障", {"left_unseen": 2})


def test_sm3_checking_in_begins_the_session_once() -> None:
    schedule = a_released_schedule()
    one, two = a_paid_booking(schedule=schedule), a_paid_booking(schedule=schedule)

    first = checked_in(one)
    again = actions.check_in(number=one.number, by=NURSE, at=moment(TOMORROW, 8))
    checked_in(two)

    assert (first.status, first.checked_in_at, again.checked_in_at) == (
        "checked_in",
        MORNING,
        MORNING,
    )
    assert now(two).schedule.status == "in_session"


def test_sm3_only_who_is_booked_paid_and_here_on_the_day_checks_in() -> None:
    booked, unpaid = a_paid_booking(), a_booking()
    by_phone = actions.book(
        patient_id=a_patient(a_wechat_user()).pk,
        schedule_id=a_released_schedule(shares={Pool.RESERVED: 16}).pk,
        band_id=None,
        channel=Channel.PHONE,
        paid_when=PaidWhen.ARRIVAL,
        key="phone",
        by=NURSE,
        at=NOW,
    )

    refused(lambda: actions.check_in(number=booked.number, by=NURSE, at=NOW), CannotCheckIn, booked)
    refused(lambda: checked_in(unpaid), CannotCheckIn, unpaid)
    refused(lambda: checked_in(by_phone), CannotCheckIn, by_phone)
    refused(
        lambda: actions.check_in(number=booked.number, by=NURSE, at=moment(TOMORROW, 12)),
        CannotCheckIn,
        booked,
    )
    with pytest.raises(NotFound):
        actions.check_in(number="20261124000000", by=NURSE, at=MORNING)


def test_sm3_a_check_in_is_undone_with_a_reason_before_the_visit_begins() -> None:
    row = checked_in(a_paid_booking())

    refused(
        lambda: actions.undo_check_in(number=row.number, reason=" ", by=NURSE, at=MORNING),
        Invalid,
        row,
    )
    undone = actions.undo_check_in(number=row.number, reason="签错人", by=NURSE, at=MORNING)
    assert (undone.status, undone.checked_in_at) == ("booked", None)
    refused(
        lambda: actions.undo_check_in(number=row.number, reason="再来", by=NURSE, at=MORNING),
        CannotCheckIn,
        row,
    )


def test_sm2_the_visit_uses_the_number_up_once() -> None:
    row = checked_in(a_paid_booking())

    for _ in range(2):
        actions.start_visit(number=row.number, by=NURSE, at=moment(TOMORROW, 8, 5))

    seen = now(row)
    assert (seen.status, seen.slot.status) == ("fulfilled", "consumed")
    refused(
        lambda: actions.undo_check_in(number=row.number, reason="x", by=NURSE, at=MORNING),
        CannotCheckIn,
        row,
    )


def test_sm3_whom_the_doctor_sees_without_a_check_in_has_come() -> None:
    row, unpaid = a_paid_booking(), a_booking()

    actions.start_visit(number=row.number, by=NURSE, at=moment(TOMORROW, 8, 5))

    assert (now(row).status, now(row).checked_in_at) == ("fulfilled", moment(TOMORROW, 8, 5))
    refused(
        lambda: actions.start_visit(number=unpaid.number, by=NURSE, at=MORNING),
        CannotBegin,
        unpaid,
    )


def test_m1_10_n13_who_has_not_come_half_an_hour_after_the_session_has_stayed_away() -> None:
    missed, waiting, unpaid = a_paid_booking(), checked_in(a_paid_booking()), a_booking()

    assert end(at=OVER - dt.timedelta(seconds=1)) == []
    assert end(at=OVER) == [missed.pk]
    assert end(at=OVER) == []

    row = now(missed)
    assert (row.status, row.slot.status) == ("noshow", "forfeited")
    assert bills.refund_due_fen(bill_id=row.bill_id) == 0
    assert (now(waiting).status, now(unpaid).status) == ("checked_in", "pending")
    (message,) = Message.objects.filter(kind="N13")
    assert message.fields == {
        "patient": "陈*宁",
        "department": row.department_name,
        "date": "11月24日 周二",
        "count": "1 次",
        "consequence": "满3次暂停线上预约90天",
    }
    assert message.path == f"/m/appointments/{row.number}/"


def test_sm3_who_came_and_was_never_seen_has_not_stayed_away_and_gets_the_money_back() -> None:
    row = checked_in(a_paid_booking())

    assert close_ended(at=MIDNIGHT - dt.timedelta(minutes=2)) == []
    assert end(at=MIDNIGHT - dt.timedelta(minutes=2)) == []
    assert close_ended(at=MIDNIGHT - dt.timedelta(minutes=1)) == [row.schedule_id]
    assert end(at=MIDNIGHT) == [row.pk]
    assert now(row).status == "left_unseen"
    assert not Message.objects.filter(kind="N13").exists()
    refused(
        lambda: actions.refund_unseen(number=row.number, reason="", by=NURSE, at=MIDNIGHT),
        Invalid,
        row,
    )
    actions.refund_unseen(number=row.number, reason="医生提前离开", by=NURSE, at=MIDNIGHT)

    back = now(row)
    assert (back.status, back.cancel_reason, back.slot.status) == (
        "cancelled",
        "staff",
        "reclaim_wait",
    )
    assert bills.refund_due_fen(bill_id=row.bill_id) == 2500
    assert AuditEntry.objects.get(act="registration.refund_unseen").reason == "医生提前离开"
    refused(
        lambda: actions.refund_unseen(number=row.number, reason="x", by=NURSE, at=MIDNIGHT),
        NothingToCorrect,
        row,
    )


def test_sm3_the_sweep_runs_as_jobs_and_leaves_stopped_sessions_alone() -> None:
    missed, stopped = a_paid_booking(), a_paid_booking()
    Schedule.objects.filter(pk=stopped.schedule_id).update(
        status="suspended", suspend_reason="设备故障"
    )

    with time_machine.travel(OVER, tick=False):
        from hospital.registration import jobs

        jobs.end_visits()
        jobs.end_visits()
        assert run_jobs(only="registration.jobs.end_visit") == []

    assert (now(missed).status, now(stopped).status) == ("noshow", "booked")
    assert Message.objects.filter(kind="N13").count() == 1


def missed_on(patient: Patient, day: dt.date) -> Appointment:
    at = moment(day, 7)
    row = a_paid_booking(patient=patient, schedule=a_released_schedule(day=day, at=at), at=at)
    assert end(at=moment(day, 13)) == [row.pk]
    return row


def test_sm3_a_noshow_that_was_none_stands_again_or_is_cancelled_and_refunded() -> None:
    there, ill = a_paid_booking(), a_paid_booking()
    assert sorted(end(at=OVER)) == sorted([there.pk, ill.pk])

    def correct(row: Appointment, *, was_there: bool, reason: str = "漏签到") -> Appointment:
        return actions.correct_noshow(
            number=row.number, was_there=was_there, reason=reason, by=NURSE, at=OVER
        )

    refused(lambda: correct(there, was_there=True, reason=""), Invalid, there)
    correct(there, was_there=True)
    correct(ill, was_there=False)

    assert (now(there).status, now(there).slot.status) == ("booked", "forfeited")
    assert (now(ill).status, now(ill).cancel_reason, now(ill).is_late_cancel) == (
        "cancelled",
        "staff",
        False,
    )
    assert bills.refund_due_fen(bill_id=there.bill_id) == 0
    assert bills.refund_due_fen(bill_id=ill.bill_id) == 2500
    assert AuditEntry.objects.filter(act="registration.correct_noshow").count() == 2
    assert end(at=OVER) == []
    refused(lambda: correct(ill, was_there=True), NothingToCorrect, ill)
    actions.start_visit(number=there.number, by=NURSE, at=OVER)
    assert (now(there).status, now(there).slot.status) == ("fulfilled", "forfeited")


@pytest.mark.parametrize("arrives", [False, True])
def test_sm3_a_corrected_noshow_may_still_be_given_back_by_the_desk(*, arrives: bool) -> None:
    row = a_paid_booking()
    assert end(at=OVER) == [row.pk]
    actions.correct_noshow(number=row.number, was_there=True, reason="漏签", by=NURSE, at=OVER)

    if arrives:  # the patient's own wish to go: another day instead, at the same fee
        later = a_released_schedule(department=row.department, day=TOMORROW + dt.timedelta(days=2))
        new = actions.exchange(
            number=row.number, schedule_id=later.pk, band_id=None, key="x", by=NURSE, at=OVER
        )
        assert (new.status, now(row).successor_id) == ("booked", new.pk)
    else:
        actions.cancel(number=row.number, reason="没看上", by=NURSE, at=OVER)
        assert bills.refund_due_fen(bill_id=row.bill_id) == 2500

    assert (now(row).status, now(row).slot.status) == ("cancelled", "forfeited")


def test_sm3_who_came_at_the_end_of_a_night_may_still_wait_in_the_morning() -> None:
    night = a_released_schedule(
        session_period=SessionPeriod.NIGHT,
        starts=dt.time(20),
        ends=dt.time(8),
        capacity=4,
        band_minutes=240,
    )
    row = a_paid_booking(schedule=night)
    ends_at = moment(TOMORROW + dt.timedelta(days=1), 8)
    actions.check_in(number=row.number, by=NURSE, at=ends_at - dt.timedelta(minutes=5))

    assert close_ended(at=ends_at + dt.timedelta(hours=1)) == []
    assert end(at=ends_at + dt.timedelta(hours=1)) == []
    actions.start_visit(number=row.number, by=NURSE, at=ends_at + dt.timedelta(hours=1))
    assert now(row).status == "fulfilled"


def test_sm1_a_visit_that_begins_before_the_session_begins_the_session() -> None:
    row = a_paid_booking()

    actions.start_visit(number=row.number, by=NURSE, at=MORNING)

    assert now(row).schedule.status == "in_session"


def test_sm2_a_number_is_never_used_up_and_forfeited_both() -> None:
    row = a_paid_booking()
    actions.start_visit(number=row.number, by=NURSE, at=MORNING)

    assert end(at=OVER) == []
    assert Slot.objects.get(pk=row.slot_id).status == "consumed"
