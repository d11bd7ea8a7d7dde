"""What is typed straight into a cell of the grid: "专家 201 30", "zj 0830-1130", "45". Pure.

Each word says what it is by its shape: hours by their dash, a room by its name, a service by its
name, code or initials; a number that is no room is how many may come.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from hospital.kernel import pinyin

_HOURS: Final = re.compile(r"(\d{1,2}):?(\d{2})[-–~至](\d{1,2}):?(\d{2})")
_GAPS: Final = re.compile(r"[\s,，;；、]+")
_LAST_HOUR: Final = 23
_LAST_MINUTE: Final = 59


@dataclass(frozen=True, slots=True)
class Option:
    """A service or a room one may name: by its code, its name, the initials of its name."""

    id: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Typed:
    """What was understood; None is not said. `unknown` are the words nobody understands."""

    service_id: int | None = None
    room_id: int | None = None
    capacity: int | None = None
    hours: tuple[dt.time, dt.time] | None = None
    unknown: tuple[str, ...] = ()


def understand(text: str, *, services: Mapping[int, Option], rooms: Mapping[int, Option]) -> Typed:
    """Take typed words apart. The first word that fits a kind is that kind."""
    said = Typed()
    for word in _GAPS.split(text.strip()):
        if word:
            said = _take(word, said, services, rooms)
    return said


def _take(
    word: str, said: Typed, services: Mapping[int, Option], rooms: Mapping[int, Option]
) -> Typed:
    if (hours := _hours(word)) is not None:
        return replace(said, hours=hours)
    if said.room_id is None and (room := _find(word, rooms)) is not None:
        return replace(said, room_id=room)
    if said.service_id is None and (service := _find(word, services)) is not None:
        return replace(said, service_id=service)
    number = word.removeprefix("限")
    if said.capacity is None and re.fullmatch(r"[0-9]{1,3}", number):
        return replace(said, capacity=int(number))
    return replace(said, unknown=(*said.unknown, word))


def _hours(word: str) -> tuple[dt.time, dt.time] | None:
    found = _HOURS.fullmatch(word)
    if found is None:
        return None
    hour, minute, last_hour, last_minute = (int(one) for one in found.groups())
    if max(hour, last_hour) > _LAST_HOUR or max(minute, last_minute) > _LAST_MINUTE:
        return None
    return dt.time(hour, minute), dt.time(last_hour, last_minute)


def _find(word: str, options: Mapping[int, Option]) -> int | None:
    """The option of this code or name, else the first whose name begins with the word, has it in
    it, or has these initials. Digits are a room's only when they are all its digits."""
    ways = (_is_named, _begins, _contains, _has_number, _has_initials)
    for fits in ways:
        for option in options.values():
            if fits(option, word):
                return option.id
    return None


def _is_named(option: Option, word: str) -> bool:
    return word.casefold() in {option.code.casefold(), option.name.casefold()}


def _begins(option: Option, word: str) -> bool:
    return option.name.startswith(word) and not word.isdigit()


def _contains(option: Option, word: str) -> bool:
    return word in option.name and not word.isdigit()


def _has_number(option: Option, word: str) -> bool:
    return word.isdigit() and "".join(re.findall(r"\d+", option.name)) == word


def _has_initials(option: Option, word: str) -> bool:
    letters = word.isascii() and word.isalpha()
    return letters and pinyin.initials(option.name).startswith(word.casefold())
