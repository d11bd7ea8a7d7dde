"""Opening the file somebody hands in, whatever it is, and reading its cells.

Knows the ways such files go wrong: not a workbook, password, old format, truncated, formulas,
merged cells, error values, sizes written wrongly by other programs. Reads streaming, so a price
list of many thousand lines needs little memory.
"""

import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.reader.workbook import WorkbookParser
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from hospital.onboarding.kinds import Cell, clean

MOST_BYTES: Final = 30_000_000
MOST_UNPACKED_BYTES: Final = 200_000_000
MOST_ROWS: Final = 100_000
_PIECE: Final = 1_000_000
_LONGEST_TAG: Final = 1000
_OLD_OR_ENCRYPTED: Final = b"\xd0\xcf\x11\xe0"
_MERGED: Final = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z0-9:]+)"')
# What a damaged file makes the reader raise; found by damaging files at random (tests).
_DAMAGE: Final = (
    zipfile.BadZipFile,
    InvalidFileException,
    ParseError,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
    AssertionError,
)


class NotAWorkbook(Exception):
    """The file cannot be read at all; the message is for people."""


@dataclass(frozen=True)
class Formula:
    """A cell that computes; its value is nobody's word yet."""

    text: str


@dataclass(frozen=True)
class Broken:
    """A cell in which the spreadsheet shows an error such as #N/A."""

    text: str


RawCell = Cell | Formula | Broken


@dataclass(frozen=True)
class RawRow:
    """One line with something in it; `number` counts from 1 as the spreadsheet does."""

    number: int
    cells: tuple[RawCell, ...]


@dataclass
class RawSheet:
    """A sheet as found: its lines that are not blank, and the ranges of merged cells."""

    title: str
    rows: list[RawRow] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    hidden: bool = False


def read(path: Path) -> list[RawSheet]:
    """All sheets of a workbook. Raises NotAWorkbook."""
    _check_file(path)
    try:
        with warnings.catch_warnings():
            # Missing styles and unknown extensions are no reason to refuse somebody's data.
            warnings.simplefilter("ignore")
            _check_unpacked_size(path)
            merged = _merged_ranges(path)
            return _read_sheets(path, merged)
    except _DAMAGE as damage:
        raise NotAWorkbook(
            "文件已损坏，无法读取。请用表格软件重新另存为 .xlsx 后再试。"
        ) from damage


def _check_file(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(8)
        size = path.stat().st_size
    except FileNotFoundError:
        raise NotAWorkbook(f"找不到文件：{path}") from None
    except OSError as error:
        raise NotAWorkbook(f"无法打开文件：{path}（{error.strerror}）") from None
    if not start:
        raise NotAWorkbook("文件是空的。")
    if start.startswith(_OLD_OR_ENCRYPTED):
        raise NotAWorkbook("文件加了密码，或是旧的 .xls 格式。请去掉密码并另存为 .xlsx。")
    if not start.startswith(b"PK"):
        raise NotAWorkbook("这不是 .xlsx 工作簿。请用表格软件另存为 .xlsx。")
    if size > MOST_BYTES:
        raise NotAWorkbook(f"文件太大：超过 {MOST_BYTES // 1_000_000} MB。")


def _check_unpacked_size(path: Path) -> None:
    """A few kilobytes can unpack to gigabytes; look before unpacking."""
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > MOST_UNPACKED_BYTES:
        raise NotAWorkbook("文件解压后过大，请删除多余的空行、图片和工作表后再试。")


def _merged_ranges(path: Path) -> dict[str, list[str]]:
    """Sheet title → merged ranges; the streaming reader does not tell them."""
    with zipfile.ZipFile(path) as archive:
        parser = WorkbookParser(archive, "xl/workbook.xml", keep_links=False)
        parser.parse()
        return {
            sheet.name: [found.decode() for found in _merged_in(archive, part.target)]
            for sheet, part in parser.find_sheets()
            if part.target in archive.NameToInfo
        }


def _merged_in(archive: zipfile.ZipFile, name: str) -> list[bytes]:
    """Merged ranges of one sheet, read piece by piece: unpacked it may be hundreds of megabytes."""
    found: list[bytes] = []
    rest = b""
    with archive.open(name) as file:
        while piece := file.read(_PIECE):
            text = rest + piece
            end = text.rfind(b">") + 1
            found += _MERGED.findall(text, 0, end)
            rest = text[max(end, len(text) - _LONGEST_TAG) :]
    return found


def _read_sheets(path: Path, merged: dict[str, list[str]]) -> list[RawSheet]:
    workbook = load_workbook(path, read_only=True, data_only=False)
    try:
        return [
            RawSheet(
                title=clean(sheet.title),
                rows=list(_rows(sheet)),
                merged=merged.get(sheet.title, []),
                hidden=sheet.sheet_state != "visible",
            )
            for sheet in cast(list[ReadOnlyWorksheet], workbook.worksheets)
        ]
    finally:
        workbook.close()


def _rows(sheet: ReadOnlyWorksheet) -> Iterator[RawRow]:
    # Other programs note a wrong size in the sheet, which would hide lines.
    sheet.reset_dimensions()
    kept = 0
    lines = cast(Iterable[Sequence[ReadOnlyCell]], sheet.rows)
    for number, line in enumerate(lines, start=1):
        cells = [_cell(cell.value, getattr(cell, "data_type", "n")) for cell in line]
        while cells and _is_blank(cells[-1]):
            cells.pop()
        if not cells:
            continue
        kept += 1
        if kept > MOST_ROWS:
            raise NotAWorkbook(f"工作表“{sheet.title}”超过 {MOST_ROWS} 行，请分批导入。")
        yield RawRow(number, tuple(cells))


def _cell(value: object, data_type: str) -> RawCell:
    if data_type == "f":
        return Formula(str(value))
    if data_type == "e":
        return Broken(str(value))
    return cast(Cell, value)


def _is_blank(cell: RawCell) -> bool:
    return not isinstance(cell, Formula | Broken) and not clean(cell)
