"""The only reader of the system clock. Moments are UTC, days are the hospital's (Asia/Shanghai).

The business day runs 00:00:00-23:59:59 hospital time (domain decision 11), the same cut as
WeChat's bills. Rules take their moment as `at=`; only edges (views, jobs, commands) call now().
"""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

HOSPITAL_ZONE = ZoneInfo("Asia/Shanghai")


def now() -> dt.datetime:
    """This moment, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def today() -> dt.date:
    """The hospital's day at this moment."""
    return hospital_day(now())


def local(at: dt.datetime) -> dt.datetime:
    """The same moment on the hospital's wall clock."""
    return at.astimezone(HOSPITAL_ZONE)


def hospital_day(at: dt.datetime) -> dt.date:
    """The business day a moment belongs to."""
    return local(at).date()


def at_local(day: dt.date, time: dt.time = dt.time.min) -> dt.datetime:
    """A hospital wall-clock day and time as a moment in UTC."""
    return dt.datetime.combine(day, time, tzinfo=HOSPITAL_ZONE).astimezone(dt.UTC)


@dataclass(frozen=True)
class Period:
    """A half-open stretch of moments: start included, end excluded; no end means for ever."""

    start: dt.datetime
    end: dt.datetime | None = None

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise ValueError("a period ends before it starts")

    def contains(self, at: dt.datetime) -> bool:
        return self.start <= at and (self.end is None or at < self.end)

    def overlaps(self, other: "Period") -> bool:
        return (self.end is None or other.start < self.end) and (
            other.end is None or self.start < other.end
        )


def day_period(day: dt.date) -> Period:
    """The whole of one business day."""
    return Period(at_local(day), at_local(day + dt.timedelta(days=1)))
