"""The hospital's day starts at its own midnight; periods are half-open."""

import datetime as dt

import pytest

from hospital.kernel.clock import Period, at_local, day_period, hospital_day

NOON = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)


def test_the_business_day_is_shanghais() -> None:
    assert hospital_day(dt.datetime(2026, 11, 22, 15, 59, 59, tzinfo=dt.UTC)) == dt.date(
        2026, 11, 22
    )
    assert hospital_day(dt.datetime(2026, 11, 22, 16, 0, tzinfo=dt.UTC)) == dt.date(2026, 11, 23)
    assert at_local(dt.date(2026, 11, 23), dt.time(12)) == NOON


def test_periods_are_half_open() -> None:
    day = day_period(dt.date(2026, 11, 23))
    assert day.contains(day.start)
    assert day.end is not None
    assert not day.contains(day.end)
    assert not day.overlaps(day_period(dt.date(2026, 11, 24)))
    assert day.overlaps(Period(NOON))


def test_a_period_cannot_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="ends before"):
        Period(NOON, NOON - dt.timedelta(seconds=1))
