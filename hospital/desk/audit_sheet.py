"""The audit trail as a workbook: every row numbered, every page marked with who took it out."""

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from hospital.desk.audit_words import Line
from hospital.kernel import clock

_COLUMNS: Final = (
    ("编号", 10),
    ("时间", 20),
    ("人员", 14),
    ("岗位", 20),
    ("操作", 22),
    ("患者", 12),
    ("门诊号", 13),
    ("对象", 20),
    ("结果", 9),
    ("变更", 50),
    ("事由", 30),
    ("网络地址", 16),
    ("设备", 20),
)
_FONT: Final = "Microsoft YaHei"
_MARK: Final = Font(name=_FONT, size=10, bold=True, color="B42318")
_HEADING: Final = Font(name=_FONT, size=10, bold=True, color="FFFFFF")
_HEADING_FILL: Final = PatternFill("solid", fgColor="00703A")
_BODY: Final = Font(name=_FONT, size=10)
_LONGEST_CELL: Final = 32_000


@dataclass(frozen=True)
class Mark:
    """Who takes the rows out, when and for what: stands on every page of the workbook."""

    hospital: str
    person: str
    at: dt.datetime
    reason: str

    def __str__(self) -> str:
        stamp = f"{clock.local(self.at):%Y-%m-%d %H:%M}"
        parts = (
            f"{self.hospital} 审计记录",
            f"导出人：{self.person}",
            stamp,
            f"用途：{self.reason}",
            "内部资料，不得外传",
        )
        return "　".join(parts)


def workbook(lines: Sequence[Line], mark: Mark) -> bytes:
    """The rows as XLSX. Whatever was typed stays text: nothing of it is read as a formula."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "审计记录"
    _write_mark(sheet, mark)
    for number, (title, width) in enumerate(_COLUMNS, start=1):
        cell = _put(sheet, 2, number, title)
        cell.font, cell.fill = _HEADING, _HEADING_FILL
        sheet.column_dimensions[get_column_letter(number)].width = width
    for row, line in enumerate(lines, start=3):
        for number, value in enumerate(_values(line), start=1):
            cell = _put(sheet, row, number, value)
            cell.font = _BODY
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A3"
    book.properties.creator = mark.person
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def _write_mark(sheet: Worksheet, mark: Mark) -> None:
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(_COLUMNS))
    _put(sheet, 1, 1, str(mark)).font = _MARK
    sheet.print_title_rows = "1:2"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    # "&" begins a code in headers and footers.
    for part, text in (
        (sheet.oddHeader, str(mark).replace("&", "＆")[:200]),
        (sheet.oddFooter, "&P / &N"),
    ):
        assert part is not None
        part.center.text = text


def _put(sheet: Worksheet, row: int, column: int, value: str | int) -> Cell:
    cell = sheet.cell(row=row, column=column)
    assert isinstance(cell, Cell)
    if isinstance(value, str):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)[:_LONGEST_CELL]
        cell.data_type = "s"
    else:
        cell.value = value
    return cell


def _values(line: Line) -> Sequence[str | int]:
    return (
        line.id,
        f"{clock.local(line.at):%Y-%m-%d %H:%M:%S}",
        line.who,
        line.roles,
        line.act,
        line.person.masked_name if line.person else "",
        line.person.outpatient_no if line.person else "",
        line.subject,
        line.result,
        line.summary,
        line.reason,
        line.address,
        line.device,
    )
