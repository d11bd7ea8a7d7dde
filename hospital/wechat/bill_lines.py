"""The shape of WeChat's bill files: header, rows, header of the totals, totals.

Every value starts with a back-tick and nothing is quoted, so a comma in a product's name is told
from one between values only by the back-tick behind it. One line is in memory at a time, and no
line may be long.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import BinaryIO

MOST_LINE_BYTES = 16 * 1024
MARK = "`"
BETWEEN = ",`"
_BRACKETS = re.compile(r"\(.*?\)")


class BillBroken(Exception):
    """Not a bill, or one that does not add up. Its text is a slug and a line, never content."""

    def __init__(self, reason: str, *, line: int) -> None:
        super().__init__(f"{reason} in line {line}")
        self.reason = reason
        self.line = line


class BillLines:
    """The parts of one file, to be asked for in the order they stand in it. All raise BillBroken.

    `number` is the line read last, for telling where something is wrong.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._after_rows = ""
        self.number = 0

    def header(self) -> list[str]:
        return _names(self._next().lstrip("\ufeff"))

    def rows(self, *, columns: int) -> Iterator[list[str]]:
        """The values of each row, until the header of the totals."""
        while (line := self._next()).startswith(MARK):
            values = line[1:].split(BETWEEN)
            if len(values) != columns:
                raise self.broken("other_number_of_values")
            yield values
        self._after_rows = line

    def totals(self) -> dict[str, str]:
        """The totals by their names, after all rows; nothing but empty lines may follow."""
        names = _names(self._after_rows)
        values = self._next().removeprefix(MARK).split(BETWEEN)
        if len(values) != len(names):
            raise self.broken("other_number_of_values")
        while line := self._read():
            if line.strip():
                raise self.broken("more_after_totals")
        return dict(zip(names, values, strict=True))

    def broken(self, reason: str) -> BillBroken:
        return BillBroken(reason, line=self.number)

    def _next(self) -> str:
        line = self._read()
        if not line.strip():
            raise self.broken("ends_early")
        return line.rstrip("\r\n")

    def _read(self) -> str:
        raw = self._stream.readline(MOST_LINE_BYTES + 1)
        self.number += bool(raw)
        if len(raw) > MOST_LINE_BYTES:
            raise self.broken("long_line")
        if b"\x00" in raw:
            raise self.broken("not_text")
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise self.broken("not_text") from error


def _names(line: str) -> list[str]:
    """Column names without what differs between files: back-ticks, and a unit in brackets of
    either width."""
    return [
        _BRACKETS.sub("", unicodedata.normalize("NFKC", name)).replace(MARK, "").strip()
        for name in line.split(",")
    ]
