"""Writing the workbook: empty with one example line a sheet, or filled with given rows.

Everything people see (headings, comments, drop-down lists, 说明, 字典) comes from the sheets'
tables. The bytes depend on the content alone, so a committed workbook only differs when it does.
"""

import datetime as dt
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from hospital.onboarding.kinds import Several
from hospital.onboarding.parsing import DICTIONARY, EXAMPLE_MARK, EXPLANATION
from hospital.onboarding.sheets import SHEETS
from hospital.onboarding.tables import Column, Sheet

SheetRows = Mapping[str, Sequence[Mapping[str, object]]]

_LAST_ROW: Final = 5000  # drop-down lists reach this far down
_EPOCH: Final = dt.datetime(2026, 1, 1)  # noqa: DTZ001  a workbook's properties have no zone
_ZIP_EPOCH: Final = (2026, 1, 1, 0, 0, 0)
_MODIFIED: Final = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")
_FONT: Final = "Microsoft YaHei"
_LINE: Final = Side(style="thin", color="D0D7D3")
_HEADING: Final = Font(name=_FONT, bold=True, color="FFFFFF", size=11)
_REQUIRED: Final = PatternFill("solid", fgColor="00703A")
_OPTIONAL: Final = PatternFill("solid", fgColor="6B8F7B")
_EXAMPLE: Final = Font(name=_FONT, italic=True, color="8A8A8A", size=10)
_EXAMPLE_FILL: Final = PatternFill("solid", fgColor="F3F6F4")
_BODY: Final = Font(name=_FONT, size=10)


def write_workbook(
    path: Path, *, rows: SheetRows | None = None, sheets: Sequence[Sheet] = SHEETS
) -> None:
    """Write `rows` (sheet title → rows of field → typed value), or examples when there are none."""
    workbook = Workbook()
    first = workbook.active
    assert isinstance(first, Worksheet)
    first.title = EXPLANATION
    lists = _choice_lists(sheets)
    for sheet in sheets:
        _write_sheet(workbook.create_sheet(sheet.title), sheet, rows, lists, sheets)
    _write_explanation(first, sheets)
    _write_dictionary(workbook.create_sheet(DICTIONARY), lists)
    workbook.properties.creator = "杏林"
    workbook.properties.created = _EPOCH
    packed = io.BytesIO()
    workbook.save(packed)
    path.write_bytes(_repack(packed.getvalue()))


def _repack(packed: bytes) -> bytes:
    """The same archive without the moment it was written."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(packed)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                moment = _EPOCH.isoformat().encode() + b"Z"
                content = _MODIFIED.sub(rb"\g<1>" + moment + rb"\g<2>", content)
            entry = zipfile.ZipInfo(name, _ZIP_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return out.getvalue()


def _choice_lists(sheets: Sequence[Sheet]) -> dict[tuple[str, ...], str]:
    """Every list of choices once, under the heading that uses it first."""
    lists: dict[tuple[str, ...], str] = {}
    for sheet in sheets:
        for column in sheet.columns:
            if column.kind.choices:
                lists.setdefault(column.kind.choices, f"{sheet.title}·{column.heading}")
    return lists


def _write_sheet(
    page: Worksheet,
    sheet: Sheet,
    rows: SheetRows | None,
    lists: dict[tuple[str, ...], str],
    sheets: Sequence[Sheet],
) -> None:
    for place, column in enumerate(sheet.columns, start=1):
        letter = get_column_letter(place)
        page.column_dimensions[letter].width = column.width
        page.column_dimensions[letter].number_format = column.kind.number_format
        _write_heading(page, place, column)
        _add_drop_down(page, letter, column, lists, sheets)
    if rows is None:
        _write_example(page, sheet)
    for number, values in enumerate((rows or {}).get(sheet.title, ()), start=2):
        _write_row(page, sheet, number, values)
    page.row_dimensions[1].height = 24
    page.freeze_panes = "B2" if len(sheet.columns) > 2 else "A2"
    page.sheet_properties.tabColor = "00703A"
    _fit_paper(page, repeat="1:1")


def _fit_paper(page: Worksheet, *, repeat: str = "") -> None:
    """Printed, a sheet is as wide as the paper and repeats its headings."""
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = page.PAPERSIZE_A4
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.page_setup.fitToHeight = 0
    page.print_title_rows = repeat or None


def _write_heading(page: Worksheet, place: int, column: Column) -> None:
    cell = page.cell(1, place, column.heading + ("*" if column.required else ""))
    cell.font = _HEADING
    cell.fill = _REQUIRED if column.required else _OPTIONAL
    cell.alignment = Alignment(horizontal="center", vertical="center")
    cell.border = Border(bottom=_LINE, right=_LINE)
    comment = Comment("\n".join(_explain(column)), "杏林")
    comment.width, comment.height = 260, 110
    cell.comment = comment


def _explain(column: Column) -> list[str]:
    lines = ["必填" if column.required else "可不填", column.kind.hint]
    if column.refers_to:
        lines.append(f"对应“{column.refers_to}”表")
    if column.note:
        lines.append(column.note)
    return lines


def _add_drop_down(
    page: Worksheet,
    letter: str,
    column: Column,
    lists: dict[tuple[str, ...], str],
    sheets: Sequence[Sheet],
) -> None:
    source = ""
    if column.kind.choices:
        place = get_column_letter(list(lists).index(column.kind.choices) + 1)
        source = f"'{DICTIONARY}'!${place}$2:${place}${len(column.kind.choices) + 1}"
    elif column.refers_to:
        source = _reference_list(column.refers_to, sheets)
    if not source:
        return
    rule = DataValidation(type="list", formula1=source, allow_blank=True)
    # A list cannot hold "A、B", and a code is as good as a name: warn nobody about those.
    rule.showErrorMessage = not column.refers_to and not isinstance(column.kind, Several)
    rule.errorTitle, rule.error = column.heading, "请从下拉列表中选择"
    rule.promptTitle, rule.prompt = column.heading[:32], "，".join(_explain(column))[:255]
    rule.showInputMessage = True
    rule.add(f"{letter}2:{letter}{_LAST_ROW}")
    page.add_data_validation(rule)


def _reference_list(title: str, sheets: Sequence[Sheet]) -> str:
    """The names of the other sheet, as far as it is filled in; "" when it is not written."""
    sheet = next((sheet for sheet in sheets if sheet.title == title), None)
    if sheet is None:
        return ""
    shown = sheet.name_field or sheet.key[0]
    place = next(at for at, column in enumerate(sheet.columns, 1) if column.field == shown)
    letter = get_column_letter(place)
    cells = f"'{title}'!${letter}$2:${letter}${_LAST_ROW}"
    return f"OFFSET('{title}'!${letter}$2,0,0,MAX(1,COUNTA({cells})),1)"


def _write_example(page: Worksheet, sheet: Sheet) -> None:
    for place, column in enumerate(sheet.columns, start=1):
        text = column.example
        if place == 1:
            text = f"{EXAMPLE_MARK}-{text}"
        cell = page.cell(2, place, text or None)
        cell.number_format = "@"
        cell.font, cell.fill = _EXAMPLE, _EXAMPLE_FILL


def _write_row(page: Worksheet, sheet: Sheet, number: int, values: Mapping[str, object]) -> None:
    unknown = values.keys() - {column.field for column in sheet.columns}
    if unknown:
        raise KeyError(f"{sheet.title}: no such fields {sorted(unknown)}")
    for place, column in enumerate(sheet.columns, start=1):
        value = values.get(column.field)
        if value is None or value == "" or value == []:
            continue
        cell = page.cell(number, place, column.kind.show(value))
        if isinstance(cell.value, str):
            # Words stay words: "=1+1" would be computed, or call programs, where it is opened.
            cell.data_type = "s"
        cell.number_format = column.kind.number_format
        cell.font = _BODY
        cell.alignment = Alignment(vertical="top", wrap_text=column.width >= 36)


_HOW_TO: Final = (
    "这份工作簿装下医院开业需要的全部基础数据：每张表一类，第一行是标题，从第二行开始填写。",
    "深绿色、带 * 的列必填；鼠标停在标题上可以看到说明；有下拉列表的格子请从列表中选择。",
    f"第一列以“{EXAMPLE_MARK}”开头的行是示例，导入时跳过，可以保留也可以删除。",
    "指向另一张表的格子可以填那一行的编码，也可以填名称；名称有重复时只能填编码。",
    "编码一经使用不要再改：改了编码就是另一个科室、另一位医生。改名称没有关系。",
    "不再使用的行请把“启用”改为“否”，不要删除：删掉的行导入时不会变动，历史也需要它。",
    "列的顺序可以调整，但不要改标题、不要合并单元格、不要用公式。自用的列或表以“备注”开头即可。",
    "导入前可先试运行：./manage.py import_base 文件.xlsx --dry-run，列出全部问题和将要发生的变化。",
    "正式导入：./manage.py import_base 文件.xlsx。要么全部成功，要么什么都不变；重复导入没有变化。",
    "以后修改数据也用同一份工作簿：改好再导入，系统只更新改动的地方，并保留修改前后的记录。",
)


def _write_explanation(page: Worksheet, sheets: Sequence[Sheet]) -> None:
    page.column_dimensions["A"].width = 12
    page.column_dimensions["B"].width = 18
    page.column_dimensions["C"].width = 8
    page.column_dimensions["D"].width = 40
    page.column_dimensions["E"].width = 60
    title = page.cell(1, 1, "医院基础数据工作簿")
    title.font = Font(name=_FONT, bold=True, size=16, color="00703A")
    for number, sentence in enumerate(_HOW_TO, start=1):
        page.cell(number + 1, 1, f"{number}. {sentence}").font = _BODY
    row = len(_HOW_TO) + 3
    for place, heading in enumerate(("工作表", "列", "必填", "怎么填", "说明"), start=1):
        cell = page.cell(row, place, heading)
        cell.font, cell.fill = _HEADING, _REQUIRED
    for sheet in sheets:
        row += 1
        page.cell(row, 1, sheet.title).font = Font(name=_FONT, bold=True, size=11)
        page.cell(row, 2, sheet.note).font = Font(name=_FONT, bold=True, size=10)
        for column in sheet.columns:
            row += 1
            _, hint, *notes = _explain(column)
            cells = ("", column.heading, "是" if column.required else "", hint, "；".join(notes))
            for place, text in enumerate(cells, start=1):
                cell = page.cell(row, place, text or None)
                cell.font, cell.border = _BODY, Border(bottom=_LINE)
                cell.alignment = Alignment(vertical="top", wrap_text=place == 5)
    page.sheet_view.showGridLines = False
    _fit_paper(page)


def _write_dictionary(page: Worksheet, lists: dict[tuple[str, ...], str]) -> None:
    for place, (choices, heading) in enumerate(lists.items(), start=1):
        page.column_dimensions[get_column_letter(place)].width = 18
        cell = page.cell(1, place, heading)
        cell.font, cell.fill = _HEADING, _OPTIONAL
        for number, word in enumerate(choices, start=2):
            page.cell(number, place, word).font = _BODY
    page.freeze_panes = "A2"
