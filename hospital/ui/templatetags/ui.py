"""`{% load ui %}`: how values read on a page, and the components that need logic.

Filters turn fen, moments, days and names into the words of `wording` and `masks`. Block tags
(`card`, `sheet`, `bottom_bar` …) wrap markup in a component's frame; the tags live in
`hospital.ui.components` and are registered here so that pages load one library.
"""

from __future__ import annotations

import datetime as dt

from django import template

from hospital.kernel import clock as kernel_clock
from hospital.ui import components, masks, wording

register = template.Library()
components.register_all(register)

register.filter("mask_name", masks.mask_name)
register.filter("mask_id", masks.mask_id)
register.filter("mask_phone", masks.mask_phone)


@register.filter
def yuan(fen: int | None) -> str:
    """Fen as ¥1,234.00; nothing for no amount."""
    return "" if fen is None else wording.yuan_text(fen)


@register.filter
def yuan_short(fen: int | None) -> str:
    """Fen as ¥50 when whole, else ¥12.50."""
    return "" if fen is None else wording.yuan_short(fen)


@register.filter
def clock(at: dt.datetime | dt.time | None) -> str:
    """A moment or time as 14:05 on the hospital's wall clock."""
    return "" if at is None else wording.clock_text(at)


@register.filter
def clock_to(start: dt.datetime | dt.time, end: dt.datetime | dt.time) -> str:
    """A stretch of the day as 15:00–15:20."""
    return f"{wording.clock_text(start)}–{wording.clock_text(end)}"


@register.filter
def day(at: dt.date | None) -> str:
    """A day or moment as 11月23日."""
    return "" if at is None else wording.day_text(at)


@register.filter
def day_short(at: dt.date) -> str:
    """A day or moment as 11/23, for date strips."""
    local = wording.to_day(at)
    return f"{local.month}/{local.day}"


@register.filter
def full_day(at: dt.date | None) -> str:
    """A day or moment as 2026年11月23日."""
    return "" if at is None else wording.full_day_text(at)


@register.filter
def moment(at: dt.datetime | None) -> str:
    """A moment as 11月23日 14:05."""
    return "" if at is None else wording.moment_text(at)


@register.filter
def stamp(at: dt.datetime | None) -> str:
    """A moment to the second as 2026-11-23 14:05:09."""
    return "" if at is None else wording.stamp_text(at)


@register.filter
def weekday(at: dt.date) -> str:
    """A day as 今天, 明天, 后天, else 周三."""
    return wording.near_day_text(at, today=kernel_clock.today())


@register.filter
def weekday_name(at: dt.date) -> str:
    """A day as 周三, whatever today is."""
    return wording.weekday_text(at)


@register.filter
def period(code: str) -> str:
    """A session period code (am, noon, pm, evening) as 上午, 中午, 下午, 夜间."""
    return wording.PERIODS.get(code, code)


@register.filter
def sex(code: str) -> str:
    """A sex code (male, female, unknown) as 男, 女, 未说明."""
    return wording.SEXES.get(code, code)


@register.filter
def age(birth_date: dt.date | None, on: dt.date | None = None) -> str:
    """An age by M3.13, today or on a day (`birth_date|age:visit_date`)."""
    if birth_date is None:
        return ""
    return wording.age_text(birth_date, on=on or kernel_clock.today())


@register.filter
def initial(name: str) -> str:
    """The character an avatar shows: the surname's first, or a foreign first letter."""
    return name.strip()[:1].upper()
