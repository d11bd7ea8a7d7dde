"""From cells to typed rows: finds sheets and columns by their Chinese headings, reads each cell.

Collects every problem instead of stopping at the first. Columns may stand in any order; a
heading nobody knows is a problem, because it is mostly a known one misspelt, unless it starts
with 备注, which the hospital may use for itself.
"""

import datetime as dt
import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence

from openpyxl.worksheet.cell_range import CellRange

from hospital.onboarding.kinds import Unreadable, clean, narrow
from hospital.onboarding.reading import Broken, Formula, RawCell, RawRow, RawSheet
from hospital.onboarding.tables import Book, Column, Problem, Row, Sheet

EXPLANATION, DICTIONARY = "说明", "字典"
REMARK = "备注"
EXAMPLE_MARK = "示例"


def parse(
    raw_sheets: Sequence[RawSheet],
    *,
    sheets: Sequence[Sheet],
    today: dt.date,
    only: Collection[str] | None = None,
) -> tuple[Book, list[Problem]]:
    """The readable rows of the workbook and everything wrong with single sheets and cells.

    With `only` several sheets, any of them may be there; with just one, that one must, and the
    rest is not looked at.
    """
    is_one = only is not None and len(only) == 1
    book, problems = Book(today), [] if is_one else list(_unknown_sheets(raw_sheets, sheets))
    for sheet in sheets:
        if only is not None and sheet.title not in only:
            problems += [] if is_one else _looked_after_elsewhere(raw_sheets, sheet)
            continue
        found = [raw for raw in raw_sheets if narrow(raw.title) == sheet.title]
        if len(found) == 1:
            rows, wrong = _parse_sheet(found[0], sheet)
            book.rows[sheet.title] = rows
            problems += wrong
        elif found:
            problems.append(_about(sheet.title, "有多张同名工作表，只能保留一张"))
        elif is_one or (sheet.required and only is None):
            problems.append(_about(sheet.title, "缺少这张工作表；没有内容时请保留只有标题行的空表"))
    if not problems and not any(book.rows.values()):
        problems.append(_about("", "工作簿里没有任何数据"))
    return book, problems


def _unknown_sheets(raw_sheets: Iterable[RawSheet], sheets: Sequence[Sheet]) -> Iterable[Problem]:
    titles = [sheet.title for sheet in sheets]
    for raw in raw_sheets:
        title = narrow(raw.title)
        if title in {*titles, EXPLANATION, DICTIONARY} or title.startswith(REMARK) or not raw.rows:
            continue
        which = "这张隐藏的工作表" if raw.hidden else "这张工作表"
        yield _about(
            raw.title, f"不认识{which}{_perhaps(title, titles)}；自用的表请以“备注”开头命名"
        )


def _looked_after_elsewhere(raw_sheets: Iterable[RawSheet], sheet: Sheet) -> Iterable[Problem]:
    for raw in raw_sheets:
        lines = [line for line in raw.rows[1:] if not _is_example(line)]
        if narrow(raw.title) == sheet.title and lines:
            yield Problem(sheet.title, lines[0].number, "", "", sheet.elsewhere)


def _parse_sheet(raw: RawSheet, sheet: Sheet) -> tuple[list[Row], list[Problem]]:
    if not raw.rows or raw.rows[0].number != 1:
        return [], [Problem(sheet.title, 1, "", "", "第一行应为标题行")]
    columns, problems = _match_columns(raw.rows[0], sheet)
    lines = [line for line in raw.rows[1:] if not _is_example(line)]
    problems += _merged(raw, sheet, columns, last=raw.rows[-1].number)
    rows = []
    for line in lines:
        row, wrong = _parse_row(line, sheet, columns)
        rows.append(row)
        problems += wrong
    return rows, problems


def _match_columns(heading: RawRow, sheet: Sheet) -> tuple[dict[int, Column], list[Problem]]:
    """Position → column, and the headings that are missing, unknown or there twice."""
    known = {column.heading: column for column in sheet.columns}
    columns: dict[int, Column] = {}
    problems: list[Problem] = []
    for position, cell in enumerate(heading.cells):
        name = _heading(cell)
        if not name or name.startswith(REMARK):
            continue
        if name not in known:
            free = [other for other in known if known[other] not in columns.values()]
            reason = f"不认识这一列{_perhaps(name, free)}；自用的列请以“备注”开头"
            problems.append(Problem(sheet.title, 1, name, "", reason))
        elif known[name] in columns.values():
            problems.append(Problem(sheet.title, 1, name, "", "这一列出现了两次"))
        else:
            columns[position] = known[name]
    problems += [
        Problem(sheet.title, 1, column.heading, "", "缺少这一列")
        for column in sheet.columns
        if column not in columns.values() and not column.may_lack
    ]
    return columns, problems


def _heading(cell: RawCell) -> str:
    if isinstance(cell, Formula | Broken):
        return cell.text
    return "".join(narrow(cell).split()).rstrip("*")


def _is_example(line: RawRow) -> bool:
    first = line.cells[0]
    return isinstance(first, str) and clean(first).startswith(EXAMPLE_MARK)


def _merged(
    raw: RawSheet, sheet: Sheet, columns: dict[int, Column], *, last: int
) -> Iterable[Problem]:
    for area in raw.merged:
        cells = CellRange(area)
        inside = [place for place in columns if cells.min_col <= place + 1 <= cells.max_col]
        if inside and cells.min_row <= last:
            reason = "有合并单元格，请取消合并后逐格填写"
            yield Problem(sheet.title, cells.min_row, columns[inside[0]].heading, area, reason)


def _parse_row(line: RawRow, sheet: Sheet, columns: dict[int, Column]) -> tuple[Row, list[Problem]]:
    cells = {
        column.field: line.cells[position] if position < len(line.cells) else None
        for position, column in columns.items()
    }
    return parse_cells(cells, sheet, number=line.number)


def parse_cells(
    cells: Mapping[str, RawCell], sheet: Sheet, *, number: int
) -> tuple[Row, list[Problem]]:
    """One row out of its cells by field; columns that are not among them stay without a value."""
    row = Row(sheet, number)
    problems: list[Problem] = []
    for column in sheet.columns:
        if column.field not in cells:
            continue
        cell = cells[column.field]
        row.cells[column.field] = cell.text if isinstance(cell, Formula | Broken) else cell
        try:
            row.values[column.field] = _parse_cell(cell, column)
        except Unreadable as unreadable:
            problems.append(row.problem(column.field, str(unreadable)))
    return row, problems


def _parse_cell(cell: RawCell, column: Column) -> object:
    if isinstance(cell, Formula):
        raise Unreadable("单元格是公式，请复制后用“选择性粘贴—数值”改为固定内容")
    if isinstance(cell, Broken):
        raise Unreadable("单元格显示错误值，请改正")
    if not clean(cell):
        if column.required:
            raise Unreadable("必填，不能为空")
        return column.default
    return column.kind.parse(cell)


def _perhaps(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"，是不是“{close[0]}”" if close else ""


def _about(title: str, reason: str) -> Problem:
    return Problem(title, None, "", "", reason)
