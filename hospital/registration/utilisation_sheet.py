"""The utilisation of numbers as a workbook or as CSV: one row a department, day and channel, with
the numbers of department and day beside the first of them. No personal data.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping
from typing import Final

from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from hospital.registration.utilisation import LEADS, Bookings, Utilisation
from hospital.scheduling.states import Channel

Value = str | int | dt.date
_COLUMNS: Final = (
    *("科室", "就诊日", "出诊", "停诊", "号源", "已放", "待支付", "已约", "停号", "加号"),
    *(
        "渠道",
        "预约",
        "退号",
        "当日退号",
        "医院取消",
        "爽约",
        "已到",
        "加号预约",
        "超时未付",
        "提前天数合计",
    ),
    *(label for label, _, _ in LEADS),
)
_NUMBERS: Final = 8
_FONT: Final = "Microsoft YaHei"


def workbook(found: Utilisation, departments: Mapping[int, str]) -> bytes:
    """As XLSX; names stay text, nothing of them is read as a formula."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "号源使用情况"
    sheet.append(list(_COLUMNS))
    for number, cell in enumerate(sheet[1], start=1):
        cell.font = Font(name=_FONT, bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="00703A")
        sheet.column_dimensions[get_column_letter(number)].width = 24 if number == 1 else 12
    for number, row in enumerate(_rows(found, departments), start=2):
        sheet.append(row)
        sheet.cell(number, 1).data_type = "s"
    sheet.freeze_panes = "C2"
    sheet.auto_filter.ref = sheet.dimensions
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def comma_separated(found: Utilisation, departments: Mapping[int, str]) -> bytes:
    """As CSV with the mark that makes Excel read UTF-8; a name that looks like a formula gets an
    apostrophe before it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for name, *rest in _rows(found, departments):
        writer.writerow([f"'{name}" if str(name).startswith(("=", "+", "-", "@")) else name, *rest])
    return text.getvalue().encode("utf-8-sig")


def _rows(found: Utilisation, departments: Mapping[int, str]) -> Iterator[list[Value]]:
    booked: dict[tuple[int, dt.date], list[tuple[str, Bookings]]] = {}
    for row in found.bookings:
        label = str(Channel(row.channel).label)
        booked.setdefault((row.department_id, row.day), []).append((label, row.count))
    for numbers in found.numbers:
        count = numbers.count
        head: list[Value] = [departments.get(numbers.department_id, "已停用的科室"), numbers.day]
        own: list[Value] = [count.sessions, count.suspended, count.numbers, count.released]
        own += [count.held, count.sold, count.blocked, count.added]
        for channel, bookings in booked.get((numbers.department_id, numbers.day), [("", None)]):
            yield [*head, *own, channel, *_of_bookings(bookings or Bookings())]
            own = [""] * _NUMBERS


def _of_bookings(count: Bookings) -> list[Value]:
    found: list[Value] = [count.booked, count.cancelled, count.late, count.by_hospital]
    found += [count.no_show, count.came, count.add_on, count.unpaid, count.lead_days]
    return [*found, *count.leads]
