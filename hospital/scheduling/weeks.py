"""The days and weeks of a roster: weeks begin on Monday (M15.1). Pure."""

import datetime as dt
from typing import Final

DAYS: Final = 7


def monday_of(day: dt.date) -> dt.date:
    """The Monday of a day's week."""
    return day - dt.timedelta(days=day.weekday())


def days_through(first: dt.date, latest: dt.date) -> list[dt.date]:
    """Every day from one to another, both included."""
    return [first + dt.timedelta(days=offset) for offset in range((latest - first).days + 1)]


def week_days(monday: dt.date) -> list[dt.date]:
    """The seven days from a Monday on."""
    return days_through(monday, monday + dt.timedelta(days=DAYS - 1))
