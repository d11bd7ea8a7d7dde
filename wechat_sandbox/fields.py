"""What a v3 request body may hold: shapes that check a JSON document and name what is wrong.

WeChat refuses unknown keys, wrong types and characters outside three-byte UTF-8 with 400
PARAM_ERROR; `check` raises that as `Wrong`, with the JSON pointer of the field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

UNKNOWN_KEY = 270924358
PARAMETER = 268435458


class Wrong(Exception):
    """A field that breaks its shape; `reason` is the number in the Request-ID."""

    def __init__(self, field: str, value: Any, issue: str, reason: int = PARAMETER) -> None:
        super().__init__(f"{field}: {issue}")
        self.field = field
        self.value = value
        self.issue = issue
        self.reason = reason


@dataclass(frozen=True)
class Text:
    """A string of `least` to `most` characters, optionally of one pattern."""

    most: int
    least: int = 1
    pattern: str = ""
    required: bool = False

    def check(self, value: Any, field: str) -> None:
        """Raises Wrong."""
        if not isinstance(value, str):
            raise Wrong(field, value, "字段类型应为字符串")
        if not self.least <= len(value) <= self.most:
            raise Wrong(field, value, f"字符串长度应在{self.least}到{self.most}之间")
        if any(ord(character) > 0xFFFF for character in value):
            raise Wrong(field, value, "包含不支持的字符，仅支持1至3字节的UTF-8字符")
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise Wrong(field, value, "字符串格式不符合规则")


@dataclass(frozen=True)
class Whole:
    """An integer of at least `least`; 1.0, "1" and true are not integers."""

    least: int = 1
    required: bool = False

    def check(self, value: Any, field: str) -> None:
        """Raises Wrong."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong(field, value, "字段类型应为整数")
        if value < self.least:
            raise Wrong(field, value, f"数值应不小于{self.least}")


@dataclass(frozen=True)
class Flag:
    """true or false."""

    required: bool = False

    def check(self, value: Any, field: str) -> None:
        """Raises Wrong."""
        if not isinstance(value, bool):
            raise Wrong(field, value, "字段类型应为布尔值")


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]
    required: bool = False

    def check(self, value: Any, field: str) -> None:
        """Raises Wrong."""
        if value not in self.words:
            raise Wrong(field, value, f"取值应为{'、'.join(self.words)}之一")


@dataclass(frozen=True)
class Thing:
    """An object with exactly these keys allowed."""

    keys: dict[str, Shape]
    required: bool = False

    def check(self, value: Any, field: str) -> None:
        """Raises Wrong."""
        if not isinstance(value, dict):
            raise Wrong(field, value, "字段类型应为对象")
        for name, shape in self.keys.items():
            if name in value:
                shape.check(value[name], f"{field}/{name}")
            elif shape.required:
                raise Wrong(f"{field}/{name}", "", "必填性规则校验失败，此字段为必填项")
        for name in value:
            if name not in self.keys:
                raise Wrong(f"{field}/{name}", value[name], "存在未定义的字段", UNKNOWN_KEY)


@dataclass(frozen=True)
class Series:
    """A list of one shape."""

    of: Shape
    most: int = 6000
    required: bool = False

    def check(self, value: Any, field: str) -> None:
        """Raises Wrong."""
        if not isinstance(value, list) or len(value) > self.most:
            raise Wrong(field, value, f"字段类型应为数组，且不超过{self.most}项")
        for place, item in enumerate(value):
            self.of.check(item, f"{field}/{place}")


Shape = Text | Whole | Flag | Choice | Thing | Series
