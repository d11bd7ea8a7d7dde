"""Quiet hours: when nobody is to be woken by a message that can wait. Pure arithmetic.

The hours are hospital wall-clock times and may run over midnight (22:00-07:00); when both are the
same there are none.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from hospital.kernel import clock
from hospital.kernel.clock import Period

_DAY: Final = dt.timedelta(days=1)


def period_around(at: dt.datetime, *, start: dt.time, end: dt.time) -> Period | None:
    """Return the quiet hours a moment lies in (UTC); None when it lies in none."""
    local = clock.local(at)
    time, day = local.time(), local.date()
    if start <= end:
        first, last = day, day
    elif time >= start:
        first, last = day, day + _DAY
    else:
        first, last = day - _DAY, day
    period = Period(clock.at_local(first, start), clock.at_local(last, end))
    return period if period.contains(at) else None
