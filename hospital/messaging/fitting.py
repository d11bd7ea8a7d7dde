"""Cutting values to what WeChat's typed template keys accept, never inside a code (M8.2).

The type is the letters of the key: thing1, amount3, character_string4 (handbook/wechat.md 2.4).
Lengths count UTF-16 units as WeChat does, so a rare character counts twice and is never halved.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

ELLIPSIS: Final = "…"
NOTHING: Final = "—"
_SEE_DETAIL: Final = "见详情"
_ARROW: Final = "→"
#: A last word worth more than what stands before it: "302诊室", "针灸一诊室", "A0123".
_PLACE: Final = re.compile(r"[0-9]|[室号]$")
_KEY: Final = re.compile(r"([a-z_]+?)([0-9]+)")
_WEEKDAY: Final = re.compile(r"\s*[（(]?(?:周|星期)[一二三四五六日天][）)]?")
#: What must not be cut in the middle: numbers, times, amounts, ticket and room codes.
_CODE: Final = re.compile(r"[0-9A-Za-z¥￥.,:/*_~–−+-]+")
_AMOUNT: Final = re.compile(r"[¥￥]?[0-9]{1,10}(?:,[0-9]{3})*(?:\.[0-9]{1,2})?元?")
_TIME: Final = re.compile(
    r"(?:[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日 ?)?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?"
    r"|[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日"
)


class DoesNotFit(Exception):
    """The value can never stand in a key of this type: the template file is wrong."""


def type_of(key: str) -> str:
    """Return the type of a template key: "thing" of "thing1". Raises DoesNotFit."""
    match = _KEY.fullmatch(key)
    if match is None or match[1] not in TYPES:
        message = f"not a typed template key: {key!r}"
        raise DoesNotFit(message)
    return match[1]


def fit(value: str, *, key: str) -> str:
    """Return a value as the key accepts it. Raises DoesNotFit."""
    plain = " ".join(unicodedata.normalize("NFC", value).split())
    return TYPES[type_of(key)](plain or NOTHING)


def shorten(text: str, *, limit: int) -> str:
    """Return a text of at most `limit` units: without the weekday, else cut, "…" where it was cut.

    Who comes for whom ("甲→乙") keeps both names; a room or number that ends the text stays and
    the way there is cut. A number, time, amount or code at the cut is left out whole.
    """
    if units(text) <= limit:
        return text
    text = _WEEKDAY.sub(_gap, text)
    before, arrow, after = text.partition(_ARROW)
    if arrow and units(text) > limit:
        return _both(before, after, limit=limit)
    before, _, last = text.rpartition(" ")
    if before and units(text) > limit and _PLACE.search(last) and units(last) <= limit // 2:
        return f"{_cut(before, limit=limit - units(last) - 1)} {last}"
    return _cut(text, limit=limit)


def _both(before: str, after: str, *, limit: int) -> str:
    """Both sides of an arrow, each with half the room and what the other leaves of its half."""
    room = limit - units(_ARROW)
    before = _cut(before, limit=max(room // 2, room - units(after)))
    return f"{before}{_ARROW}{_cut(after, limit=room - units(before))}"


def _cut(text: str, *, limit: int) -> str:
    if units(text) <= limit:
        return text
    cut = len(text)
    while units(text[:cut]) > limit - 1:
        cut -= 1
    code = next((run for run in _CODE.finditer(text) if run.start() < cut < run.end()), None)
    kept = text[: code.start() if code else cut].rstrip(" ，、·：（")
    return kept + ELLIPSIS if kept else _SEE_DETAIL


def _gap(weekday: re.Match[str]) -> str:
    """What stays where a weekday stood: codes on both its sides must not become one."""
    text = weekday.string
    before, after = text[: weekday.start()][-1:], text[weekday.end() :][:1]
    return " " if _CODE.fullmatch(before) and _CODE.fullmatch(after) else ""


def units(text: str) -> int:
    """Return the length of a text in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def _text(limit: int) -> Callable[[str], str]:
    return lambda value: shorten(value, limit=limit)


def _ascii(value: str) -> str:
    """Return the visible ASCII of a value, at most 32 characters; a code is kept or left out."""
    plain = "".join(character for character in value if "!" <= character <= "~")
    if not plain or len(plain) > 32:
        message = "no visible ASCII of at most 32 characters"
        raise DoesNotFit(message)
    return plain


def _phrase(value: str) -> str:
    """Return the first five Chinese characters."""
    plain = "".join(re.findall(r"[㐀-鿿]", value))[:5]
    if not plain:
        message = "no Chinese characters"
        raise DoesNotFit(message)
    return plain


def _like(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            message = f"does not look like {pattern.pattern}"
            raise DoesNotFit(message)
        return value

    return check


TYPES: Final[dict[str, Callable[[str], str]]] = {
    "thing": _text(20),
    "const": _text(20),
    "name": _text(10),
    "character_string": _ascii,
    "number": _like(re.compile(r"[0-9]{1,32}(?:\.[0-9]+)?")),
    "letter": _like(re.compile(r"[A-Za-z]{1,32}")),
    "phone_number": _like(re.compile(r"[0-9+*-]{1,17}")),
    "symbol": _like(re.compile(r"[^\w\s]{1,5}")),
    "car_number": _like(re.compile(r"\w{1,8}")),
    "phrase": _phrase,
    "amount": _like(_AMOUNT),
    "time": _like(_TIME),
    "date": _like(_TIME),
}
#: The same limits in words, for the people who look at a preview.
LIMITS: Final = {
    "thing": "最多20字",
    "const": "最多20字",
    "name": "最多10字",
    "character_string": "最多32位字母数字",
    "number": "最多32位数字",
    "letter": "最多32个字母",
    "phone_number": "最多17位号码",
    "symbol": "最多5个符号",
    "car_number": "最多8位",
    "phrase": "最多5个汉字",
    "amount": "金额格式",
    "time": "时间格式",
    "date": "日期格式",
}
