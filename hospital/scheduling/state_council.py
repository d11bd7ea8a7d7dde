"""The State Council's arrangement of a year's holidays, as the package chinesecalendar knows it.

It says which days are free and which are worked, but not whose weekday a worked one follows: the
free working days of the same holiday are given to it in order. The office may change that.
"""

import datetime as dt
from typing import Final

from chinese_calendar import constants

from hospital.scheduling.holidays import SpecialDay
from hospital.scheduling.states import DayKind

_NAMES: Final = {
    constants.Holiday.new_years_day.value: "元旦",
    constants.Holiday.spring_festival.value: "春节",
    constants.Holiday.tomb_sweeping_day.value: "清明节",
    constants.Holiday.labour_day.value: "劳动节",
    constants.Holiday.dragon_boat_festival.value: "端午节",
    constants.Holiday.national_day.value: "国庆节",
    constants.Holiday.mid_autumn_festival.value: "中秋节",
}


def years() -> tuple[int, ...]:
    """The years it knows, in order."""
    return tuple(sorted({day.year for day in constants.holidays}))


def arrangement(year: int) -> dict[dt.date, SpecialDay]:
    """Every special day of a year; empty for a year not yet announced."""
    free = {day: name for day, name in constants.holidays.items() if day.year == year}
    worked = {day: name for day, name in constants.workdays.items() if day.year == year}
    swapped: dict[str, list[dt.date]] = {}
    for day in sorted(constants.in_lieu_days):
        if day.year == year:
            swapped.setdefault(constants.in_lieu_days[day], []).append(day)
    found = {day: SpecialDay(DayKind.HOLIDAY, _name(name)) for day, name in free.items()}
    for day, name in sorted(worked.items()):
        instead = swapped.get(name) or []
        follows = instead.pop(0).isoweekday() if instead else None
        found[day] = SpecialDay(DayKind.WORKDAY, f"{_name(name)}调休", follows)
    return dict(sorted(found.items()))


def _name(word: str) -> str:
    return _NAMES.get(word, "节假日")
