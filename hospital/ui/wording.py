"""How days, moments, amounts and ages read in Chinese on every page, receipt and message.

Pure functions; moments are shown on the hospital's wall clock. `today` is passed in so that
rules and tests need no clock; the template filters fill it from the kernel.
"""

from __future__ import annotations

import calendar
import datetime as dt

from hospital.kernel import clock
from hospital.kernel.money import format_yuan

WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
PERIODS = {"am": "上午", "noon": "中午", "pm": "下午", "evening": "夜间"}
SEXES = {"male": "男", "female": "女", "unknown": "未说明"}
_NEAR_DAYS = {0: "今天", 1: "明天", 2: "后天"}


def yuan_text(fen: int) -> str:
    """Return an amount in fen as ¥1,234.00; a negative one as −¥25.00 (true minus sign)."""
    sign = "−" if fen < 0 else ""
    return f"{sign}¥{format_yuan(abs(fen))}"


def yuan_short(fen: int) -> str:
    """Return an amount in fen without decimals when it is whole yuan: ¥50, ¥12.50."""
    return yuan_text(fen).removesuffix(".00")


def clock_text(at: dt.datetime | dt.time) -> str:
    """Return the hospital wall-clock time of a moment, or a plain time, as 14:05."""
    time = clock.local(at).time() if isinstance(at, dt.datetime) else at
    return f"{time:%H:%M}"


def to_day(at: dt.date) -> dt.date:
    """Return the hospital day of a moment; a day stays itself."""
    return clock.hospital_day(at) if isinstance(at, dt.datetime) else at


def day_text(day: dt.date) -> str:
    """Return a day (or a moment's hospital day) as 11月23日."""
    local = to_day(day)
    return f"{local.month}月{local.day}日"


def full_day_text(day: dt.date) -> str:
    """Return a day as 2026年11月23日."""
    return f"{to_day(day).year}年{day_text(day)}"


def moment_text(at: dt.datetime) -> str:
    """Return a moment as 11月23日 14:05."""
    return f"{day_text(at)} {clock_text(at)}"


def stamp_text(at: dt.datetime) -> str:
    """Return a moment to the second as 2026-11-23 14:05:09, for tables of what happened."""
    return f"{clock.local(at):%Y-%m-%d %H:%M:%S}"


def weekday_text(day: dt.date) -> str:
    """Return the day of the week as 周一."""
    return WEEKDAYS[to_day(day).weekday()]


def near_day_text(day: dt.date, *, today: dt.date) -> str:
    """Return 今天, 明天 or 后天 where it fits, else the day of the week."""
    local = to_day(day)
    return _NEAR_DAYS.get((local - today).days, WEEKDAYS[local.weekday()])


def age_text(birth_date: dt.date, *, on: dt.date) -> str:
    """Return an age as medicine writes it (M3.13).

    Under 28 days: days. Under 1 year: months and days. Under 6 years: years and months. Else years.
    A birth date after `on` gives 未出生.
    """
    if birth_date > on:
        return "未出生"
    days = (on - birth_date).days
    months = _whole_months(birth_date, on)
    if days < 28:
        return f"{days}天"
    if months < 12:
        rest = (on - _add_months(birth_date, months)).days
        head = f"{months}个月" if months else ""
        return f"{head}{rest}天" if rest else head
    years, rest = divmod(months, 12)
    return f"{years}岁{rest}个月" if years < 6 and rest else f"{years}岁"


def _whole_months(earlier: dt.date, later: dt.date) -> int:
    """Somebody born on 29 February ages on 1 March, as the rules about ages have it."""
    months = (later.year - earlier.year) * 12 + later.month - earlier.month
    return months - 1 if later.day < earlier.day else months


def _add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day of a later month, or that month's last day when it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(day.day, last))
