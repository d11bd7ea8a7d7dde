"""What the forms of calendar, leave and proposals say, as values. Sentences are for their pages."""

import datetime as dt
from collections.abc import Mapping
from typing import Final

from hospital.kernel.clock import at_local
from hospital.kernel.errors import Invalid
from hospital.scheduling.holidays import SpecialDay
from hospital.scheduling.states import DayKind
from hospital.ui.typed import typed, typed_id

Data = Mapping[str, str]

_ONE_DAY: Final = dt.timedelta(days=1)
#: A leave begins with a part of a day and ends with one: value → label, first and last hour.
PARTS: Final = {
    "am": ("上午", dt.time(0, 0), dt.time(12, 0)),
    "pm": ("下午", dt.time(12, 0), dt.time(18, 0)),
    "evening": ("晚上", dt.time(18, 0), dt.time(0, 0)),
}
USUAL: Final = "usual"
#: The years a form may name.
YEARS: Final = range(2020, 2100)


def day_of(data: Data, name: str) -> dt.date | None:
    """A day of a date field; None for whatever is none, or lies in no year anybody plans for."""
    text = typed(data, name, most=10)
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in YEARS else None


def special_day(data: Data) -> SpecialDay | None:
    """How a day is to be, None for as usual. Raises Invalid for a kind nobody knows."""
    kind = typed(data, "kind", most=8)
    if kind == USUAL:
        return None
    if kind not in DayKind.values:
        raise Invalid({"kind": ["请选择放假、上班或平日。"]})
    follows = typed_id(data.get("follows", "")) if kind == DayKind.WORKDAY else None
    return SpecialDay(DayKind(kind), typed(data, "name", most=41), follows)


def stretch(data: Data) -> tuple[dt.datetime, dt.datetime]:
    """From and until when a leave is, as moments. Raises Invalid for what is missing."""
    first, latest = day_of(data, "from"), day_of(data, "to")
    wrong: dict[str, list[str]] = {}
    if first is None:
        wrong["starts"] = ["请选择开始日期。"]
    if latest is None:
        wrong["ends"] = ["请选择结束日期。"]
    begins, ends = PARTS.get(data.get("from_part", "am")), PARTS.get(data.get("to_part", ""))
    if begins is None or ends is None:
        wrong["ends"] = ["请选择上午、下午或晚上。"]
    if first is None or latest is None or begins is None or ends is None:
        raise Invalid(wrong)
    until = ends[2]
    last_day = latest + _ONE_DAY if until == dt.time(0, 0) else latest
    return at_local(first, begins[1]), at_local(last_day, until)
