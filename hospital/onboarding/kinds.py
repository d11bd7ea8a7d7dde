"""Kinds of cells: how a value people typed, or Excel guessed, becomes a typed one and back.

`parse` never guesses silently: what is not clearly of the kind raises Unreadable with a
sentence in Chinese. Excel turns "3-1" into a date and 007 into 7; kinds know that.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from django.db.models import TextChoices

from hospital.kernel import money

Cell = str | int | float | bool | dt.datetime | dt.date | dt.time | dt.timedelta | None

_INVISIBLE: Final = re.compile("[\u200b-\u200f\u2060\ufeff]|_x000D_")
_SEPARATORS: Final = re.compile("[、,，;；\n]+")
_EXCEL_DAY_ZERO: Final = dt.date(1899, 12, 30)
_TAKEN_FOR_A_DATE: Final = "被表格软件当成了日期或时间，请把单元格格式改为“文本”后重填"
_MINUTES_A_DAY: Final = 24 * 60


class Unreadable(ValueError):
    """The cell does not hold what its column needs; the message is for people."""


def clean(value: Cell) -> str:
    """A cell as text without blanks around it: 101.0 is "101", blanks of any width are none."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    kept = _INVISIBLE.sub("", str(value))
    printable = "".join(char for char in kept if char == "\n" or char.isprintable() or char == "　")
    return printable.strip()


def narrow(value: Cell) -> str:
    """Like `clean`, with full-width letters, digits and signs made half-width."""
    return unicodedata.normalize("NFKC", clean(value)).strip()


@dataclass(frozen=True)
class Kind:
    """A kind of cell: `hint` explains it to people, `choices` fill its drop-down list."""

    hint: str = "文字"
    number_format: str = "@"
    choices: tuple[str, ...] = ()

    def parse(self, value: Cell) -> object:
        """The typed value of a cell that is not blank. Raises Unreadable."""
        raise NotImplementedError

    def show(self, value: object) -> Cell:
        """The cell for a typed value, as the writer of a workbook needs it."""
        return str(value)

    def describe(self, plain: object) -> str:
        """A value out of the audit trail (plain JSON) in the words of the workbook."""
        return "" if plain is None else str(plain)


@dataclass(frozen=True)
class Text(Kind):
    """Free text up to a length."""

    longest: int = 60

    def parse(self, value: Cell) -> str:
        if isinstance(value, dt.datetime | dt.date | dt.time | dt.timedelta):
            raise Unreadable(_TAKEN_FOR_A_DATE)
        text = clean(value)
        if len(text) > self.longest:
            raise Unreadable(f"太长：最多 {self.longest} 个字，现有 {len(text)} 个字")
        return text


@dataclass(frozen=True)
class Line(Text):
    """Text on one line: breaks inside the cell become blanks."""

    def parse(self, value: Cell) -> str:
        return " ".join(super().parse(value).split())


@dataclass(frozen=True)
class Reading(Text):
    """How a name is read: syllables without tones, parted by blanks; ü is typed as v."""

    hint: str = "拼音，音节之间空一格"

    def parse(self, value: Cell) -> str:
        spelt = " ".join(narrow(super().parse(value)).casefold().replace("ü", "v").split())
        if not re.fullmatch(r"[a-z0-9]+( [a-z0-9]+)*", spelt):
            raise Unreadable("应填不带声调的拼音，音节之间空一格，如 chen zhi xing")
        return spelt


@dataclass(frozen=True)
class Code(Kind):
    """A stable code of letters, digits, dots, dashes and underscores."""

    hint: str = "编码：字母、数字、点和短横，填好后不要再改"
    longest: int = 20
    lower: bool = False

    def parse(self, value: Cell) -> str:
        if isinstance(value, dt.datetime | dt.date | dt.time | dt.timedelta):
            raise Unreadable(_TAKEN_FOR_A_DATE)
        code = narrow(value)
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", code):
            raise Unreadable("编码只能用字母、数字、点、短横和下划线，并以字母或数字开头")
        if len(code) > self.longest:
            raise Unreadable(f"编码太长：最多 {self.longest} 个字符")
        return code.lower() if self.lower else code


@dataclass(frozen=True)
class Secret(Kind):
    """Text that is never printed again; blanks inside count."""

    hint: str = "至少 10 个字符"

    def parse(self, value: Cell) -> str:
        return clean(value)


@dataclass(frozen=True)
class Integer(Kind):
    """A whole number in a range."""

    hint: str = "整数"
    number_format: str = "0"
    least: int = 0
    most: int = 100_000

    def parse(self, value: Cell) -> int:
        text = narrow(value)
        if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,12}", text):
            raise Unreadable("应填整数")
        number = int(text)
        if not self.least <= number <= self.most:
            raise Unreadable(f"应在 {self.least} 到 {self.most} 之间")
        return number

    def show(self, value: object) -> Cell:
        assert isinstance(value, int)
        return value


@dataclass(frozen=True)
class Yuan(Kind):
    """An amount in yuan, kept in fen."""

    hint: str = "金额（元），最多两位小数"
    number_format: str = "0.00"
    most_fen: int = 10_000_000_00

    def parse(self, value: Cell) -> int:
        try:
            fen = money.parse_yuan(_amount(value))
        except ValueError:
            raise Unreadable("应填金额（元），最多两位小数，如 25 或 25.50") from None
        if not 0 <= fen <= self.most_fen:
            raise Unreadable(f"金额应在 0 到 {money.format_yuan(self.most_fen)} 元之间")
        return fen

    def show(self, value: object) -> Cell:
        assert isinstance(value, int)
        return value / 100

    def describe(self, plain: object) -> str:
        return money.format_yuan(plain) if isinstance(plain, int) else ""


def _amount(value: Cell) -> str:
    if isinstance(value, float) and abs(round(value, 2) - value) < 1e-9:
        # A sum computed by the spreadsheet: 0.1 + 0.2 is 0.30000000000000004 there.
        return str(Decimal(str(round(value, 2))))
    return "" if isinstance(value, bool) else narrow(value)


@dataclass(frozen=True)
class Day(Kind):
    """A hospital day."""

    hint: str = "日期，如 2026-01-05"
    number_format: str = "yyyy-mm-dd"

    def parse(self, value: Cell) -> dt.date:
        day = _day(value)
        if day is None:
            raise Unreadable("应填日期，如 2026-01-05")
        if not 1990 <= day.year <= 2199:
            raise Unreadable("日期应在 1990 年到 2199 年之间")
        return day

    def show(self, value: object) -> Cell:
        assert isinstance(value, dt.date)
        return value


def _day(value: Cell) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date() if value.time() == dt.time.min else None
    if isinstance(value, dt.date):
        return value
    text = narrow(value)
    if re.fullmatch(r"\d{5}", text) and not isinstance(value, str):
        return _EXCEL_DAY_ZERO + dt.timedelta(days=int(text))
    match = re.fullmatch(r"(\d{4})([-/.年]?)(\d{1,2})([-/.月]?)(\d{1,2})日?", text)
    if match is None or (bool(match[2]) != bool(match[4])) or (not match[2] and len(text) != 8):
        return None
    try:
        return dt.date(int(match[1]), int(match[3]), int(match[5]))
    except ValueError:
        return None


@dataclass(frozen=True)
class Clock(Kind):
    """A time of day, to the minute."""

    hint: str = "时间，如 08:00"
    number_format: str = "hh:mm"

    def parse(self, value: Cell) -> dt.time:
        time = _time(value)
        if time is None:
            raise Unreadable("应填时间，如 08:00")
        return time

    def show(self, value: object) -> Cell:
        assert isinstance(value, dt.time)
        return value

    def describe(self, plain: object) -> str:
        return str(plain)[:5]


def _time(value: Cell) -> dt.time | None:
    if isinstance(value, dt.datetime):
        # Excel shows day zero as a bare time; any other day is a mistake.
        return _whole_minute(value.time()) if value.year < 1901 else None
    if isinstance(value, dt.time):
        return _whole_minute(value)
    minutes = _minutes(value)
    if minutes is None or not 0 <= minutes < _MINUTES_A_DAY:
        return None
    return dt.time(*divmod(minutes, 60))


def _minutes(value: Cell) -> int | None:
    """Minutes since midnight of a fraction of a day, a duration or text; None when unclear."""
    if isinstance(value, dt.timedelta):
        whole, rest = divmod(value, dt.timedelta(minutes=1))
        return None if rest else whole
    if isinstance(value, float) and 0 <= value < 1:
        minutes = round(value * _MINUTES_A_DAY)
        return minutes if abs(minutes - value * _MINUTES_A_DAY) < 1e-4 else None
    match = re.fullmatch(r"(\d{1,2})(?::(\d{2})(?::00)?|点(?:(\d{1,2})分?|(半))?)", narrow(value))
    if match is None:
        return None
    minute = 30 if match[4] else int(match[2] or match[3] or 0)
    return int(match[1]) * 60 + minute if minute < 60 else None


def _whole_minute(time: dt.time) -> dt.time | None:
    return time if time.second == time.microsecond == 0 else None


@dataclass(frozen=True)
class YesNo(Kind):
    """是 or 否, and the other ways people say it."""

    hint: str = "是或否"
    choices: tuple[str, ...] = ("是", "否")

    def parse(self, value: Cell) -> bool:
        word = narrow(value).casefold()
        if word in {"是", "y", "yes", "true", "1", "√", "对", "启用"}:
            return True
        if word in {"否", "n", "no", "false", "0", "×", "x", "停用"}:
            return False
        raise Unreadable("应填“是”或“否”")

    def show(self, value: object) -> Cell:
        return "是" if value else "否"

    def describe(self, plain: object) -> str:
        return "是" if plain else "否"


@dataclass(frozen=True)
class Choice(Kind):
    """One word of a fixed list, by its label, its code or an alias."""

    words: Mapping[str, object] = field(default_factory=dict)
    aliases: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(
        cls, enum: type[TextChoices], *, aliases: Mapping[str, object] | None = None
    ) -> "Choice":
        words: dict[str, object] = {member.label: member for member in enum}
        return cls(
            hint="从下拉列表中选择",
            choices=tuple(words),
            words=words,
            aliases={
                **{member.value: member for member in enum if member.value},
                **(aliases or {}),
            },
        )

    def parse(self, value: Cell) -> object:
        word = narrow(value)
        for known in (self.words, self.aliases):
            if word in known:
                return known[word]
        raise Unreadable(f"应为以下之一：{'、'.join(self.choices)}")

    def show(self, value: object) -> Cell:
        return next((word for word, meant in self.words.items() if meant == value), str(value))

    def describe(self, plain: object) -> str:
        # Log-in roles are audited as pairs of a role and the department it is narrowed to.
        word = plain[0] if isinstance(plain, list) else plain
        return "" if word is None else str(self.show(word))


@dataclass(frozen=True)
class Several(Kind):
    """Several values of one kind in one cell, parted by 、 or a comma."""

    one: Kind = field(default_factory=Text)

    @classmethod
    def of(cls, one: Kind) -> "Several":
        return cls(hint=f"{one.hint}；多个用“、”隔开", choices=one.choices, one=one)

    def parse(self, value: Cell) -> list[object]:
        if isinstance(value, dt.datetime | dt.date | dt.time | dt.timedelta):
            raise Unreadable(_TAKEN_FOR_A_DATE)
        found: list[object] = []
        for part in split_list(clean(value)):
            parsed = self.one.parse(part)
            if parsed in found:
                raise Unreadable(f"“{part}”重复")
            found.append(parsed)
        if not found:
            raise Unreadable("没有内容")
        return found

    def show(self, value: object) -> Cell:
        assert isinstance(value, list | tuple)
        return "、".join(str(self.one.show(part)) for part in value)

    def describe(self, plain: object) -> str:
        parts = plain if isinstance(plain, list) else []
        return "、".join(self.one.describe(part) for part in parts)


def split_list(value: object) -> list[str]:
    """The parts of a cell that holds several values."""
    return [part.strip() for part in _SEPARATORS.split(str(value)) if part.strip()]


@dataclass(frozen=True)
class Age(Kind):
    """An age in months: "14岁", "6个月"; a bare number means years."""

    hint: str = "年龄，如 14岁 或 6个月"

    def parse(self, value: Cell) -> int:
        match = re.fullmatch(r"(\d{1,3})\s*(岁|周岁|个月|月龄|月)?", narrow(value))
        if match is None or isinstance(value, bool):
            raise Unreadable("应填年龄，如 14岁 或 6个月；按天算的填“日龄”")
        months = int(match[1]) * (1 if match[2] in {"个月", "月龄", "月"} else 12)
        if months > 150 * 12:
            raise Unreadable("年龄不能超过 150 岁")
        return months

    def show(self, value: object) -> Cell:
        assert isinstance(value, int)
        return f"{value}个月" if value % 12 or not value else f"{value // 12}岁"

    def describe(self, plain: object) -> str:
        return "" if plain is None else str(self.show(plain))


@dataclass(frozen=True)
class Portrait(Kind):
    """A picture by the digest of its bytes; it is never typed, only told."""

    hint: str = "照片"

    def describe(self, plain: object) -> str:
        return f"照片 {str(plain)[:6]}" if plain else ""


@dataclass(frozen=True)
class Floor(Kind):
    """A floor as people say it: 3, 3F and 3层 are "3楼", B1 and -1 are "负1楼"."""

    hint: str = "楼层，如 3楼、负1楼"

    def parse(self, value: Cell) -> str:
        text = narrow(value)
        match = re.fullmatch(r"(?P<below>[Bb负-])?(?P<number>\d{1,2})\s*[Ff楼层]?", text)
        if isinstance(value, bool) or match is None or int(match["number"]) == 0:
            raise Unreadable("应填楼层，如 3楼、负1楼")
        return f"{'负' if match['below'] else ''}{int(match['number'])}楼"
