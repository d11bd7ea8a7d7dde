"""Counting in memory: within a time, per key, and never more keys than there is room for."""

import datetime as dt

from hospital.kernel.pace import Pace

AT = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def test_what_is_past_the_window_counts_no_more() -> None:
    pace = Pace()
    counts = [
        pace.count("a", within=MINUTE, at=AT + dt.timedelta(seconds=second))
        for second in (0, 10, 59, 60, 69, 200)
    ]
    assert counts == [1, 2, 3, 3, 4, 1]
    assert pace.count("b", within=MINUTE, at=AT) == 1


def test_the_longest_idle_key_goes_first() -> None:
    pace = Pace(most=2)
    for key in ("a", "b", "a", "c"):
        pace.count(key, within=MINUTE, at=AT)
    assert [pace.count(key, within=MINUTE, at=AT) for key in ("a", "b")] == [3, 1]
