"""What only shows across rows: references, duplicates, circles; then each sheet's own checks.

References hold a code or a unique name, of this workbook or of what is already saved; they are
replaced by codes here, so that actions only ever see codes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hospital.onboarding.kinds import narrow
from hospital.onboarding.tables import Book, Column, Problem, Row, Sheet


class _Unclear(Exception):
    """A reference that fits nothing, or more than one; the message is for people."""


@dataclass
class _Known:
    """What references to one sheet may hold: codes, names, and words of rows that are unreadable.

    The workbook's names win over saved ones. A row with an unreadable code or name is a problem
    already; whoever refers to it is not told again.
    """

    codes: set[str] = field(default_factory=set)
    codes_by_name: dict[str, set[str]] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)

    def add(self, code: str, name: str) -> None:
        self.codes.add(code)
        self.codes_by_name.setdefault(narrow(name), set()).add(code)


def check(book: Book, *, sheets: Sequence[Sheet]) -> list[Problem]:
    """Everything wrong across the rows; resolves references in place."""
    problems: list[Problem] = []
    known = {sheet.title: _known(book, sheet) for sheet in sheets}
    for sheet in sheets:
        rows = book.of(sheet.title)
        problems += _resolve(rows, sheet, known)
        problems += _duplicates(rows, sheet)
        problems += _same_but_for_case(rows, sheet)
        if sheet.parent:
            problems += _circles(rows, sheet)
    for sheet in sheets:
        for rule in sheet.checks:
            problems += rule(book)
    return problems


def _known(book: Book, sheet: Sheet) -> _Known:
    known, key = _Known(), sheet.key[0]
    here = {row.values[key] for row in book.of(sheet.title) if row.has(key)}
    for code, name in sheet.names().items():
        if code not in here:
            known.add(code, name)
    for row in book.of(sheet.title):
        if row.has(key):
            known.add(row.values[key], row.values.get(sheet.name_field) or "")
        if key not in row.values or sheet.name_field not in row.values:
            known.doubtful |= {narrow(row.cells.get(name)) for name in (key, sheet.name_field)}
    return known


def _resolve(rows: Iterable[Row], sheet: Sheet, known: Mapping[str, _Known]) -> Iterable[Problem]:
    columns = [column for column in sheet.columns if column.refers_to]
    for row in rows:
        for column in columns:
            if not row.has(column.field):
                continue
            try:
                codes = _codes(row.values[column.field], column, known[column.refers_to])
            except _Unclear as unclear:
                codes = None
                yield row.problem(column.field, str(unclear))
            row.values[column.field] = codes


def _codes(value: object, column: Column, known: _Known) -> str | list[str] | None:
    """The code or codes meant; None when a row is meant that could not be read."""
    if not isinstance(value, list):
        return _code(str(value), column, known)
    codes = [_code(part, column, known) for part in value]
    if len(set(codes)) < len(codes) and None not in codes:
        raise _Unclear("有重复的内容")
    return None if None in codes else [code for code in codes if code]


def _code(text: str, column: Column, known: _Known) -> str | None:
    text = narrow(text)
    if text in known.codes:
        return text
    codes = sorted(known.codes_by_name.get(text, ()))
    if len(codes) == 1:
        return codes[0]
    if text in known.doubtful:
        return None
    if codes:
        raise _Unclear(f"“{column.refers_to}”表中有多个“{text}”，请改填编码：{'、'.join(codes)}")
    raise _Unclear(f"“{column.refers_to}”表中没有“{text}”")


def _duplicates(rows: Sequence[Row], sheet: Sheet) -> Iterable[Problem]:
    """Two rows with the same key, also when only upper and lower case differ."""

    def key(row: Row) -> tuple[str, ...]:
        return tuple(str(row.values.get(name) or "").casefold() for name in sheet.key)

    keyed = [row for row in rows if all(name in row.values for name in sheet.key)]
    counts = Counter(key(row) for row in keyed)
    first: dict[tuple[str, ...], int] = {}
    for row in keyed:
        if counts[key(row)] > 1 and any(key(row)):
            start = first.setdefault(key(row), row.number)
            if start != row.number:
                yield row.problem(sheet.key[0], f"与第 {start} 行重复")


def _same_but_for_case(rows: Iterable[Row], sheet: Sheet) -> Iterable[Problem]:
    """A code saved in other letters: it would be a second row that people take for the first."""
    if len(sheet.key) > 1:
        return  # what names such a row are references, which are codes as they are saved
    saved = sheet.names()
    spelt = {code.casefold(): code for code in saved}
    for row in rows:
        code = row.values.get(sheet.key[0])
        if not code or code in saved:
            continue
        if known := spelt.get(code.casefold()):
            yield row.problem(sheet.key[0], f"已经有“{known}”（{saved[known]}），只是大小写不同")


def _circles(rows: Iterable[Row], sheet: Sheet) -> Iterable[Problem]:
    """Rows whose way up the tree comes back to themselves."""
    above = dict(sheet.parents())
    key = sheet.key[0]
    for row in rows:
        if row.has(key):
            above[row.values[key]] = row.values.get(sheet.parent) or ""
    for row in rows:
        if row.has(key) and _returns(row.values[key], above):
            yield row.problem(sheet.parent, "上下级绕成了圈")


def _returns(code: str, above: Mapping[str, str]) -> bool:
    step, seen = above.get(code, ""), set[str]()
    while step and step not in seen:
        if step == code:
            return True
        seen.add(step)
        step = above.get(step, "")
    return False


def top_down(rows: Sequence[Row], sheet: Sheet) -> list[Row]:
    """The rows of a tree, those above before those below; other rows stay in their order."""
    if not sheet.parent:
        return list(rows)
    by_code = {row.values[sheet.key[0]]: row for row in rows}

    def depth(row: Row) -> int:
        steps = 0
        while (code := row.values.get(sheet.parent)) in by_code and steps <= len(by_code):
            row, steps = by_code[code], steps + 1
        return steps

    return sorted(rows, key=depth)
