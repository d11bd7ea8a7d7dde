"""What the command line shows: aligned tables (Chinese counts double), changes, a progress bar."""

import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TextIO

from hospital.onboarding.saving import Change, Outcome
from hospital.onboarding.tables import Problem

_NAMED_AT_MOST = 12
_BAR = 24


def problem_lines(problems: Sequence[Problem]) -> Iterator[str]:
    """Every problem, one line each."""
    heading = ("工作表", "行", "列", "值", "原因")
    body = [
        (
            problem.sheet or "（整个文件）",
            str(problem.row or ""),
            problem.column,
            problem.value,
            problem.reason,
        )
        for problem in problems
    ]
    yield from table([heading, *body])


def change_lines(changes: Iterable[Change]) -> Iterator[str]:
    """What is new, by name, and what changed, field by field."""
    for sheet, group in groupby(changes, key=lambda change: change.sheet):
        listed = list(group)
        new = [change for change in listed if change.created]
        if new:
            names = "、".join(change.label for change in new[:_NAMED_AT_MOST])
            more = f" 等 {len(new)} 行" if len(new) > _NAMED_AT_MOST else ""
            yield f"新增 {sheet}：{names}{more}"
        for change in listed:
            if not change.created:
                fields = "；".join(
                    f"{field.heading} {field.before or '（空）'} → {field.after or '（空）'}"
                    for field in change.fields
                )
                yield f"修改 {sheet} 第 {change.row} 行 {change.label}：{fields}"


def tally_lines(outcome: Outcome) -> Iterator[str]:
    """The summary at the end."""
    heading = ("工作表", "行数", "新增", "修改", "无变化")
    rows = [
        (tally.sheet, str(tally.rows), str(tally.created), str(tally.changed), str(tally.unchanged))
        for tally in outcome.tallies
    ]
    yield from table([heading, *rows])


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as columns of text; the first row is underlined."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for place, row in enumerate(rows):
        cells = (cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
        if place == 0:
            yield "  ".join("-" * wide for wide in widths)


def width(text: str) -> int:
    """How many columns a text takes on a terminal."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


class ProgressBar:
    """A bar on a terminal; silent when the output goes elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown_at = -1.0
        self._is_terminal = stream.isatty()

    def __call__(self, done: int, total: int, title: str) -> None:
        now = time.monotonic()
        if not self._is_terminal or (now - self._shown_at < 0.1 and done < total):
            return
        self._shown_at = now
        full = _BAR * done // total
        bar = "█" * full + "░" * (_BAR - full)
        self._stream.write(f"\r\x1b[K{bar} {100 * done // total:3d}%  {title}  {done}/{total}")
        self._stream.flush()

    def close(self) -> None:
        """Remove the bar, so that the report starts on a clean line."""
        if self._is_terminal and self._shown_at >= 0:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
