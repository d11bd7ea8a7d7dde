"""Weeks of a roster: they begin on Monday (M15.1). Pure."""

import datetime as dt
from typing import Final

DAYS: Final = 7


def monday_of(day: dt.date) -> dt.date:
    """The Monday of a day's week."""
    return day - dt.timedelta(days=day.weekday())


def week_days(monday: dt.date) -> list[dt.date]:
    """The seven days from a Monday on."""
    return [monday + dt.timedelta(days=offset) for offset in range(DAYS)]
