"""Until when a 续诊号 may be booked (M1.14). Pure but for the office's calendar, handed in."""

import datetime as dt
from collections.abc import Callable
from typing import Final

from hospital.catalogue.states import ServiceKind

#: Only in these clinics may the results be read at another visit without a fee.
KINDS: Final = (ServiceKind.GENERAL, ServiceKind.SPECIALTY)
_ONE_DAY: Final = dt.timedelta(days=1)
#: No calendar bridges longer than this; only protects against one that is all holidays.
_BRIDGED_AT_MOST: Final = 30


def latest_day(first: dt.date, *, days: int, is_holiday: Callable[[dt.date], bool]) -> dt.date:
    """The last of so many calendar days, the day of the first visit being one of them; public
    holidays after it are not counted, weekends are."""
    day, left, bridged = first, days - 1, 0
    while left > 0:
        day += _ONE_DAY
        if is_holiday(day) and bridged < _BRIDGED_AT_MOST:
            bridged += 1
        else:
            left -= 1
    return day
