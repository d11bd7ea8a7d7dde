"""The utilisation of numbers as a workbook or as CSV: one row a department, day and channel, with
the numbers of department and day beside the first of them. What is kept for no channel alone has a
row of its own. No personal data.
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

from hospital.registration.utilisation import (
    LEADS,
    POOL_OF,
    SHARED_POOLS,
    Bookings,
    Kept,
    Utilisation,
)
from hospital.scheduling.states import Channel, Pool

Value = str | int | dt.date
_Place = tuple[int, dt.date]
_COLUMNS: Final = (
    *("科室", "就诊日", "出诊", "停诊", "号源", "已放", "待支付", "已约", "停号", "加号"),
    *(
        "渠道",
        "渠道号源",
        "渠道已放",
        "渠道停号",
        "渠道约出",
        "渠道并入公共",
        "渠道约出率%",
        "预约",
        "待支付预约",
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
_KEPT: Final = 6
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
    booked: dict[_Place, dict[Channel, Bookings]] = {}
    kept: dict[_Place, dict[Pool, Kept]] = {}
    for row in found.bookings:
        booked.setdefault((row.department_id, row.day), {})[row.channel] = row.count
    for line in found.kept:
        kept.setdefault((line.department_id, line.day), {})[line.pool] = line.count
    for numbers in found.numbers:
        count, place = numbers.count, (numbers.department_id, numbers.day)
        head: list[Value] = [departments.get(numbers.department_id, "已停用的科室"), numbers.day]
        own: list[Value] = [count.sessions, count.suspended, count.numbers, count.released]
        own += [count.held, count.sold, count.blocked, count.added]
        lines = list(_lines(booked.get(place, {}), kept.get(place, {})))
        for label, theirs, bookings in lines or [("", None, None)]:
            yield [*head, *own, label, *_of_kept(theirs), *_of_bookings(bookings or Bookings())]
            own = [""] * _NUMBERS


def _lines(
    booked: Mapping[Channel, Bookings], kept: Mapping[Pool, Kept]
) -> Iterator[tuple[str, Kept | None, Bookings | None]]:
    """The channels that had numbers or bookings, then the pools that belong to none alone."""
    for channel in Channel:
        theirs = kept.get(POOL_OF[channel]) if channel in POOL_OF else None
        if theirs or channel in booked:
            yield str(channel.label), theirs, booked.get(channel)
    for pool in SHARED_POOLS:
        if pool in kept:
            yield str(pool.label), kept[pool], None


def _of_kept(count: Kept | None) -> list[Value]:
    if count is None:
        return [""] * _KEPT
    fill = "" if count.fill is None else count.fill
    return [count.numbers, count.released, count.blocked, count.taken, count.merged, fill]


def _of_bookings(count: Bookings) -> list[Value]:
    found: list[Value] = [count.booked, count.held, count.cancelled, count.late, count.by_hospital]
    found += [count.no_show, count.came, count.add_on, count.unpaid, count.lead_days]
    return [*found, *count.leads]
