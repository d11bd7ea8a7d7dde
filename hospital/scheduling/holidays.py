"""What kind of day a day is, and whether a weekly session is held on it (M15.4). Pure."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from hospital.scheduling.states import DayKind

_SATURDAY = 6


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A public holiday or an exchanged working day; `follows` as on the CalendarDay."""

    kind: DayKind
    name: str
    follows: int | None = None


Calendar = Mapping[dt.date, SpecialDay]


def is_holiday(day: dt.date, special: SpecialDay | None) -> bool:
    """Whether a day is one of a public holiday; weekends inside the holiday are."""
    return special is not None and special.kind == DayKind.HOLIDAY


def is_rest_day(day: dt.date, special: SpecialDay | None) -> bool:
    """Whether nobody need work: a holiday, or a weekend that is not exchanged (调休)."""
    if special is None:
        return day.isoweekday() >= _SATURDAY
    return special.kind == DayKind.HOLIDAY


def weekday_of(day: dt.date, special: SpecialDay | None) -> int:
    """Whose weekday's clinics a day holds."""
    if special is not None and special.follows is not None:
        return special.follows
    return day.isoweekday()


def runs(*, weekday: int, on_holidays: bool, day: dt.date, special: SpecialDay | None) -> bool:
    """M15.4: whether a weekly session is held on a day: on its weekday, also on a working day
    that follows it, and on a public holiday only where the session is marked so."""
    if is_holiday(day, special) and not on_holidays:
        return False
    return weekday_of(day, special) == weekday
