"""What only shows across rows: references, duplicates, circles; then each sheet's own checks.

References hold a code or a unique name, of this workbook or of what is already saved; they are
replaced by codes here, so that actions only ever see codes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from hospital.onboarding.kinds import narrow
from hospital.onboarding.tables import Book, Column, Problem, Row, Sheet


class _Unclear(Exception):
    """A reference that fits nothing, or more than one; the message is for people."""


def check(book: Book, *, sheets: Sequence[Sheet]) -> list[Problem]:
    """Everything wrong across the rows; resolves references in place."""
    problems: list[Problem] = []
    names = {sheet.title: _names(book, sheet) for sheet in sheets}
    for sheet in sheets:
        rows = book.of(sheet.title)
        problems += _resolve(rows, sheet, names)
        problems += _duplicates(rows, sheet)
        if sheet.parent:
            problems += _circles(rows, sheet)
    for sheet in sheets:
        for rule in sheet.checks:
            problems += rule(book)
    return problems


def _names(book: Book, sheet: Sheet) -> dict[str, str]:
    """Code → name of all rows that can be referred to; the workbook's names win."""
    names = dict(sheet.names())
    key = sheet.key[0]
    for row in book.of(sheet.title):
        if row.has(key):
            names[row.values[key]] = row.values.get(sheet.name_field) or ""
    return names


def _resolve(
    rows: Iterable[Row], sheet: Sheet, names: Mapping[str, Mapping[str, str]]
) -> Iterable[Problem]:
    columns = [column for column in sheet.columns if column.refers_to]
    codes_by_name = {column.refers_to: _invert(names[column.refers_to]) for column in columns}
    for row in rows:
        for column in columns:
            if not row.has(column.field):
                continue
            known, by_name = names[column.refers_to], codes_by_name[column.refers_to]
            try:
                row.values[column.field] = _codes(row.values[column.field], column, known, by_name)
            except _Unclear as unclear:
                row.values[column.field] = None
                yield row.problem(column.field, str(unclear))


def _invert(names: Mapping[str, str]) -> dict[str, list[str]]:
    codes: dict[str, list[str]] = {}
    for code, name in names.items():
        codes.setdefault(narrow(name), []).append(code)
    return codes


def _codes(
    value: object, column: Column, known: Mapping[str, str], by_name: Mapping[str, list[str]]
) -> str | list[str]:
    if not isinstance(value, list):
        return _code(str(value), column, known, by_name)
    codes = [_code(part, column, known, by_name) for part in value]
    if len(set(codes)) < len(codes):
        raise _Unclear("有重复的内容")
    return codes


def _code(
    text: str, column: Column, known: Mapping[str, str], by_name: Mapping[str, list[str]]
) -> str:
    text = narrow(text)
    if text in known:
        return text
    codes = by_name.get(text, [])
    if len(codes) == 1:
        return codes[0]
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
