"""N02 before a hold ends; N04 before a visit, the evening before and within the hour; N39."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hospital.kernel.actors import SYSTEM, Actor
from hospital.messaging.models import Message
from hospital.registration import actions
from hospital.registration.actions import reminding
from hospital.registration.models import Appointment, ReleaseWatch
from hospital.registration.states import PaidWhen
from hospital.scheduling import actions as scheduling
from hospital.scheduling.states import Channel, Pool
from hospital.testing.bookings import a_booking, a_paid_booking, pay
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.schedules import (
    NOW,
    TOMORROW,
    a_released_schedule,
    an_unreleased_schedule,
    band_of,
    moment,
)

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 23)
EVENING = moment(TODAY, 18)
SEVEN = moment(TOMORROW, 7)


def remind(at: dt.datetime) -> int:
    return actions.remind_of_visits(by=SYSTEM, at=at)


def reminders(booking: Appointment) -> list[str]:
    rows = Message.objects.filter(kind="N04", subject_id=booking.pk).order_by("pk")
    return [row.event_key.rpartition(":")[2] for row in rows]


def test_n02_a_crowd_is_reminded_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a rush thousands of holds end in one minute; who pays then waits for few of them."""
    monkeypatch.setattr(reminding, "_AT_ONCE", 2)
    schedule = a_released_schedule(capacity=8, band_minutes=240)
    held = [a_booking(schedule=schedule) for _ in range(5)]
    at = held[0].hold_until

    with CaptureQueriesContext(connection) as statements:
        assert actions.remind_unpaid(by=SYSTEM, at=at - dt.timedelta(minutes=5)) == 5
    portions = [row["sql"] for row in statements if "LIMIT 2 FOR NO KEY UPDATE" in row["sql"]]
    assert len(portions) == 4
    told = Message.objects.filter(kind="N02").order_by("subject_id")
    assert [message.subject_id for message in told] == [booking.pk for booking in held]


def test_n04_is_sent_at_six_the_evening_before_and_an_hour_before_the_band() -> None:
    booking = a_paid_booking()
    assert remind(EVENING - dt.timedelta(minutes=1)) == 0
    assert remind(EVENING) == 1
    assert remind(EVENING + dt.timedelta(minutes=1)) == 0
    assert remind(SEVEN - dt.timedelta(minutes=1)) == 0
    assert remind(SEVEN) == 1
    assert remind(SEVEN + dt.timedelta(minutes=1)) == 0

    assert reminders(booking) == ["eve", "hour"]
    fields = Message.objects.filter(kind="N04")[0].fields
    assert fields["time"] == "11月24日 周二 08:00-09:00"
    assert fields["bring"] == "身份证件、医保卡、病历资料"


def test_n04_says_so_while_the_number_has_to_be_paid_and_collected_first() -> None:
    """M1.13: who does not come for it by the band's start loses it."""
    patient = a_patient(a_wechat_user())
    schedule = a_released_schedule(shares={Pool.RESERVED: 4})
    booking = actions.book(
        patient_id=patient.pk,
        schedule_id=schedule.pk,
        band_id=None,
        channel=Channel.PHONE,
        paid_when=PaidWhen.ARRIVAL,
        key="k",
        by=Actor("staff", 1),
        at=NOW,
    )
    assert remind(EVENING) == 1
    pay(booking.bill, at=SEVEN)
    assert remind(SEVEN) == 1

    told = [row.fields["bring"] for row in Message.objects.filter(kind="N04").order_by("pk")]
    assert told == ["证件；时段开始前到窗口付款取号", "身份证件、医保卡、病历资料"]


def test_n04_is_made_up_for_when_the_worker_stood_still() -> None:
    booking = a_paid_booking()
    assert remind(moment(TODAY, 21, 30)) == 1
    assert remind(moment(TOMORROW, 7, 50)) == 1
    assert reminders(booking) == ["eve", "hour"]


def test_n04_is_not_for_what_is_cancelled_unpaid_or_booked_too_late_to_need_it() -> None:
    schedule = a_released_schedule()
    cancelled = a_paid_booking(schedule=schedule)
    assert cancelled.wechat_user is not None
    by = Actor("patient", cancelled.wechat_user.pk)
    actions.cancel(number=cancelled.number, by=by, at=NOW)
    unpaid = a_booking(schedule=schedule)
    late = a_paid_booking(schedule=schedule, at=EVENING + dt.timedelta(minutes=1))

    assert remind(EVENING + dt.timedelta(minutes=2)) == 0
    assert remind(SEVEN) == 1

    assert [reminders(one) for one in (cancelled, unpaid, late)] == [[], [], ["hour"]]


def test_n04_is_not_for_somebody_who_booked_within_the_hour() -> None:
    booking = a_paid_booking(at=moment(TOMORROW, 7, 10))
    assert remind(moment(TOMORROW, 7, 11)) == 0
    assert reminders(booking) == []


def test_n04_goes_by_the_band_not_by_the_session() -> None:
    schedule = a_released_schedule()
    last = a_paid_booking(schedule=schedule, band=band_of(schedule, 3))
    assert remind(moment(TOMORROW, 9, 59)) == 0
    assert remind(moment(TOMORROW, 10)) == 1
    assert reminders(last) == ["hour"]


def test_n39_is_told_five_minutes_before_the_release_and_once() -> None:
    schedule, user = an_unreleased_schedule(), a_wechat_user()
    for _ in range(2):
        actions.watch_release(wechat_user_id=user.pk, schedule_id=schedule.pk, at=NOW)
    near = schedule.release_at - dt.timedelta(minutes=5)

    assert actions.tell_watchers(by=SYSTEM, at=near - dt.timedelta(minutes=1)) == 0
    assert actions.tell_watchers(by=SYSTEM, at=near) == 1
    assert actions.tell_watchers(by=SYSTEM, at=near + dt.timedelta(minutes=1)) == 0

    message = Message.objects.get(kind="N39")
    assert message.wechat_user_id == user.pk
    assert message.fields["release"] == "11月24日 07:00"
    assert message.path == f"/m/sessions/{schedule.pk}/times/"


def test_n39_is_for_nobody_who_took_it_back_or_whose_session_is_called_off() -> None:
    schedule, user = an_unreleased_schedule(), a_wechat_user()
    actions.watch_release(wechat_user_id=user.pk, schedule_id=schedule.pk, at=NOW)
    actions.unwatch_release(wechat_user_id=user.pk, schedule_id=schedule.pk)
    assert not ReleaseWatch.objects.exists()
    actions.watch_release(wechat_user_id=user.pk, schedule_id=schedule.pk, at=NOW)
    scheduling.suspend_schedule(schedule_id=schedule.pk, reason="病假", by=SYSTEM, at=NOW)

    near = schedule.release_at - dt.timedelta(minutes=2)
    assert actions.tell_watchers(by=SYSTEM, at=near) == 0


def test_what_is_out_already_is_not_watched() -> None:
    schedule, user = a_released_schedule(), a_wechat_user()
    with pytest.raises(actions.NothingToWatch):
        actions.watch_release(wechat_user_id=user.pk, schedule_id=schedule.pk, at=NOW)
    assert not ReleaseWatch.objects.exists()
