"""Quiet hours: what can wait waits until the morning, and nothing is dropped."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from hospital.identity.models import WeChatUser
from hospital.kernel import clock, settings_rows
from hospital.kernel.actors import SYSTEM
from hospital.messaging import actions, quiet, thresholds
from hospital.messaging.models import Message
from hospital.messaging.states import Switch
from hospital.messaging.tests.world import a_message
from hospital.testing.jobs import run_jobs
from hospital.testing.people import a_patient, a_wechat_user

DAY = dt.date(2026, 11, 23)
NIGHT = clock.at_local(DAY, dt.time(23, 30))
MORNING = clock.at_local(DAY + dt.timedelta(days=1), dt.time(7, 0))
times = st.times().map(lambda time: time.replace(second=0, microsecond=0))


def wait(hour: int, minute: int, start: str = "22:00", end: str = "07:00") -> dt.datetime | None:
    at = clock.at_local(DAY, dt.time(hour, minute))
    hours = dt.time.fromisoformat(start), dt.time.fromisoformat(end)
    period = quiet.period_around(at, start=hours[0], end=hours[1])
    return period.end if period else None


def test_hours_over_midnight() -> None:
    this_morning = clock.at_local(DAY, dt.time(7, 0))
    assert wait(21, 59) is None
    assert wait(22, 0) == MORNING
    assert wait(0, 0) == this_morning
    assert wait(6, 59) == this_morning
    assert wait(7, 0) is None
    assert wait(13, 0, "12:30", "14:00") == clock.at_local(DAY, dt.time(14, 0))
    assert wait(12, 0, "12:00", "12:00") is None, "the same twice: no quiet hours"


@given(st.integers(0, 366 * 24 * 60), times, times)
def test_the_wait_ends_outside_at_the_next_end(minutes: int, start: dt.time, end: dt.time) -> None:
    at = NIGHT + dt.timedelta(minutes=minutes)

    period = quiet.period_around(at, start=start, end=end)

    if period is None:
        return
    assert period.end is not None
    assert period.contains(at)
    assert period.end - at <= dt.timedelta(days=1)
    assert clock.local(period.start).time() == start
    assert clock.local(period.end).time() == end
    assert quiet.period_around(period.end, start=start, end=end) is None


def held(message: Message) -> bool:
    """Whether it waits for the morning."""
    return (message.status, message.not_before) == ("preparation", MORNING)


@pytest.mark.django_db
def test_at_night_it_waits_and_goes_out_in_the_morning() -> None:
    message = a_message("N26", a_wechat_user(), at=NIGHT)

    assert held(message)
    with time_machine.travel(MORNING - dt.timedelta(seconds=1), tick=False):
        assert run_jobs() == []
    message.refresh_from_db()
    assert message.attempts == 0
    with time_machine.travel(MORNING, tick=False):
        assert run_jobs() == []
    message.refresh_from_db()
    assert (message.status, message.attempts) == ("fallback", 1), "tried; nothing is connected here"


@pytest.mark.django_db
def test_urgent_news_and_answers_do_not_wait() -> None:
    user, other = a_wechat_user(), a_wechat_user()

    assert not held(a_message("N06", user, patient=a_patient(user, at=NIGHT), at=NIGHT))
    assert held(a_message("N26", user, at=NIGHT)), "somebody else's news woke nobody"
    assert not held(a_message("N05", user, at=NIGHT, answers=user.pk))
    soon = NIGHT + dt.timedelta(minutes=29)
    assert not held(a_message("N26", user, at=soon)), "the refund of what was just cancelled"
    assert held(a_message("N26", other, at=soon))
    late = NIGHT + dt.timedelta(minutes=60)
    assert held(a_message("N26", user, at=late))


@pytest.mark.django_db
def test_in_the_evening_before_nobody_was_kept_awake() -> None:
    user = a_wechat_user()
    start = clock.at_local(DAY, dt.time(22, 0))
    a_message("N05", user, at=start - dt.timedelta(minutes=5))

    assert held(a_message("N26", user, at=start + dt.timedelta(minutes=5)))


@pytest.mark.django_db
def test_who_wants_messages_at_any_time_gets_them() -> None:
    user = a_wechat_user()
    turn(user, Switch.ANYTIME, is_on=True)
    assert not held(a_message("N26", user, at=NIGHT))
    turn(user, Switch.ANYTIME, is_on=False)
    assert held(a_message("N26", user, at=NIGHT + dt.timedelta(hours=1)))


@pytest.mark.django_db
def test_the_hospital_sets_the_hours() -> None:
    user = a_wechat_user()
    for setting in (thresholds.QUIET_FROM, thresholds.QUIET_UNTIL):
        settings_rows.set_value(
            setting=setting, value="00:00", by=SYSTEM, at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
        )
    try:
        assert not held(a_message("N26", user, at=NIGHT))
    finally:
        settings_rows.forget()


def turn(user: WeChatUser, switch: Switch, *, is_on: bool) -> None:
    actions.turn_switches(wechat_user_id=user.pk, wishes={switch: is_on}, by=SYSTEM, at=NIGHT)
