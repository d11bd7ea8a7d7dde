"""Who stayed away or gave numbers back on the day too often, how long, and no longer (M1.10)."""

import datetime as dt

import pytest
import time_machine

from hospital.kernel import settings_rows
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid, NotFound
from hospital.kernel.models import AuditEntry
from hospital.messaging.models import Message
from hospital.patients.models import Patient
from hospital.registration import actions, incidents, rules, thresholds
from hospital.registration.actions import RestrictionOver
from hospital.registration.incidents import Due, Limit
from hospital.registration.models import Appointment, BookingRestriction
from hospital.registration.tests.refusals import refused, someone
from hospital.scheduling.states import Channel, Pool
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.jobs import run_jobs
from hospital.testing.organisation import LONG_AGO
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, moment

pytestmark = pytest.mark.django_db
OFFICE = Actor("staff", 9)
DAYS = (dt.date(2026, 11, 2), dt.date(2026, 11, 10), dt.date(2026, 11, 20))
ENDS = moment(DAYS[-1], 12) + dt.timedelta(days=90)


def missed(patient: Patient, day: dt.date) -> Appointment:
    at = moment(day, 7)
    row = a_paid_booking(patient=patient, schedule=a_released_schedule(day=day, at=at), at=at)
    actions.end_visit(appointment_id=row.pk, by=SYSTEM, at=moment(day, 13))
    return row


def stayed_away_thrice() -> tuple[Patient, list[Appointment]]:
    _, patient = someone()
    return patient, [missed(patient, day) for day in DAYS]


def told() -> list[tuple[str, str]]:
    messages = Message.objects.filter(kind="N14").order_by("pk")
    return [(row.fields["what"], row.fields["reason"]) for row in messages]


def test_m1_10_n14_three_noshows_in_180_days_stop_advance_booking_online_for_90() -> None:
    patient, _ = stayed_away_thrice()
    user_id = patient.bindings.get().wechat_user_id
    user = patient.bindings.get().wechat_user

    (row,) = BookingRestriction.objects.all()
    assert (row.patient_id, row.cause, row.count) == (patient.pk, "noshow", 3)
    assert (row.starts_at, row.ends_at) == (moment(DAYS[-1], 12), ENDS)
    assert told() == [("暂停线上预约", "多次爽约（3次）")]
    message = Message.objects.get(kind="N14")
    assert (message.path, message.wechat_user_id) == (
        f"/m/standing/{patient.outpatient_no}/",
        user_id,
    )
    last = Message.objects.filter(kind="N13").latest("pk").fields
    assert (last["count"], last["consequence"]) == ("3 次", "暂停线上预约90天")
    schedule = a_released_schedule()
    refusal = refused(
        lambda: a_booking(user=user, patient=patient, schedule=schedule),
        rules.Restricted,
        "RESTRICTED",
    )
    assert refusal.details["until"] == ENDS
    assert refusal.message == (
        "该就诊人多次预约后没有来就诊，2月18日前线上只能挂当日号，也可到挂号窗口预约。"
    )


def test_m1_10_window_and_same_day_are_never_blocked() -> None:
    patient, _ = stayed_away_thrice()
    today = a_released_schedule(day=NOW.date(), starts=dt.time(14), ends=dt.time(17))
    ahead = a_released_schedule(shares={Pool.WINDOW: 16})

    assert a_booking(patient=patient, schedule=today).booking_kind == "same_day"
    Appointment.objects.filter(patient=patient, status="pending").update(hold_until=NOW)
    actions.release_unpaid(
        appointment_id=Appointment.objects.get(status="pending").pk, by=SYSTEM, at=NOW
    )
    booked = actions.book(
        patient_id=patient.pk,
        schedule_id=ahead.pk,
        band_id=None,
        channel=Channel.WINDOW,
        key="window",
        by=OFFICE,
        at=NOW,
    )
    assert booked.status == "pending"


def test_m1_10_when_the_time_is_over_booking_is_open_again_and_the_patient_hears() -> None:
    patient, _ = stayed_away_thrice()
    day = (ENDS + dt.timedelta(days=2)).date()
    schedule = a_released_schedule(day=day, at=ENDS)
    early = ENDS - dt.timedelta(seconds=1)

    with pytest.raises(rules.Restricted):
        a_booking(patient=patient, schedule=schedule, at=early)
    with time_machine.travel(ENDS, tick=False):
        assert run_jobs(only="registration.jobs.tell_restriction_over") == []

    assert a_booking(patient=patient, schedule=schedule, at=ENDS).status == "pending"
    assert told()[-1] == ("恢复线上预约", "暂停期满")


def test_m1_10_a_corrected_noshow_takes_its_restriction_with_it() -> None:
    patient, rows = stayed_away_thrice()

    actions.correct_noshow(
        number=rows[0].number, was_there=True, reason="漏签到", by=OFFICE, at=NOW
    )

    (row,) = BookingRestriction.objects.all()
    assert (row.lifted_at, row.lifted_by) == (NOW, str(OFFICE))
    assert told()[-1] == ("恢复线上预约", "次数更正后不再达到暂停标准")
    assert a_booking(patient=patient, schedule=a_released_schedule()).status == "pending"


def test_m1_10_counting_again_changes_nothing() -> None:
    patient, _ = stayed_away_thrice()
    before = list(BookingRestriction.objects.values()), Message.objects.count()

    actions.recount(patient_id=patient.pk, by=SYSTEM, at=NOW)

    assert (list(BookingRestriction.objects.values()), Message.objects.count()) == before


def test_m1_10_the_office_lifts_a_restriction_with_a_reason_and_it_stays_lifted() -> None:
    patient, _ = stayed_away_thrice()
    (row,) = BookingRestriction.objects.all()

    with pytest.raises(Invalid):
        actions.lift(restriction_id=row.pk, reason=" ", by=OFFICE, at=NOW)
    row.refresh_from_db()
    assert row.lifted_at is None
    actions.lift(restriction_id=row.pk, reason="住院期间的预约", by=OFFICE, at=NOW)
    actions.recount(patient_id=patient.pk, by=SYSTEM, at=NOW)

    (row,) = BookingRestriction.objects.all()
    assert (row.lifted_at, row.lift_reason) == (NOW, "住院期间的预约")
    assert AuditEntry.objects.get(act="registration.lift_restriction").reason == "住院期间的预约"
    assert a_booking(patient=patient, schedule=a_released_schedule()).status == "pending"
    with pytest.raises(RestrictionOver):
        actions.lift(restriction_id=row.pk, reason="再来", by=OFFICE, at=NOW)
    with pytest.raises(NotFound):
        actions.lift(restriction_id=row.pk + 1, reason="x", by=OFFICE, at=NOW)


def test_m1_10_a_late_cancellation_counts_itself_by_a_job() -> None:
    settings_rows.set_value(setting=thresholds.LATE_CANCELS, value=1, by=SYSTEM, at=LONG_AGO)
    user, patient = someone()
    today = a_released_schedule(day=NOW.date(), starts=dt.time(14), ends=dt.time(17))
    row = a_paid_booking(user=user, patient=patient, schedule=today)

    actions.cancel(number=row.number, by=Actor("patient", user.pk), at=NOW)
    with time_machine.travel(NOW, tick=False):
        assert run_jobs(only="registration.jobs.recount") == []

    (made,) = BookingRestriction.objects.all()
    assert (made.cause, made.count, made.starts_at) == ("late_cancel", 1, NOW)
    assert made.ends_at == NOW + dt.timedelta(days=30)
    assert told() == [("暂停线上预约", "多次当日退号（1次）")]


LIMIT = Limit(3, dt.timedelta(days=30), dt.timedelta(days=10))


@pytest.mark.parametrize(
    ("days", "due"),
    [
        ([], []),
        ([1, 2], []),
        ([1, 2, 3], [(3, 3)]),
        ([3, 1, 2, 2], [(2, 3), (3, 4)]),
        ([1, 16, 31], [(31, 3)]),
        ([1, 16, 32], []),
        ([1, 1, 1], [(1, 3)]),
    ],
)
def test_m1_10_the_one_too_many_begins_it(days: list[int], due: list[tuple[int, int]]) -> None:
    first = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    def day(number: int) -> dt.datetime:
        return first + dt.timedelta(days=number)

    found = incidents.due([day(number) for number in days], LIMIT)

    assert found == [Due(day(at), day(at) + LIMIT.lasting, count) for at, count in due]


def test_m1_10_nothing_is_kept_from_a_patient_of_another_name() -> None:
    stayed_away_thrice()
    _, other = someone()

    assert a_booking(patient=other, schedule=a_released_schedule(day=TOMORROW)).status == "pending"
