"""The table a demo prints when it is ready: addresses, and one log-in per role."""

import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from openpyxl import load_workbook

from tools.demo_place import Place

LOG_INS = "登录账号"
USERNAME, ROLES, PASSWORD = "登录名", "角色", "初始密码"

Row = tuple[str, ...]


def text(place: Place, workbook: Path) -> str:
    """Addresses and log-ins in one frame."""
    addresses = [
        ("患者手机 patient phone", f"{place.sandbox_url}/"),
        ("工作台 staff desk", f"{place.url}/staff/"),
        ("健康检查 health", f"{place.url}/readyz"),
        ("动态口令 codes", "管理员登录第二步，演示时就写在登录页上"),
    ]
    accounts = log_ins(workbook)
    widest = max((len(name) for _, name, _ in accounts), default=0)
    people = [
        (f"{role} log-in", f"{name:<{widest}}  {password}") for role, name, password in accounts
    ]
    return frame([addresses, people])


def log_ins(workbook: Path) -> list[Row]:
    """(role, user name, first password) of the first account of each role in the workbook."""
    first: dict[str, Row] = {}
    for cells in _rows_below_heading(workbook):
        for role in cells[ROLES].split("、"):
            if role.strip() and role.strip() not in first:
                first[role.strip()] = (role.strip(), cells[USERNAME], cells[PASSWORD])
    return list(first.values())


def frame(groups: Sequence[Sequence[tuple[str, str]]]) -> str:
    """Two columns in a frame, a line between groups; Chinese counts two places a character."""
    rows = [row for group in groups for row in group]
    left = max(_width(name) for name, _ in rows)
    right = max(_width(value) for _, value in rows)
    lines = [
        "\n".join(f"│ {_pad(name, left)}  {_pad(value, right)} │" for name, value in group)
        for group in groups
        if group
    ]
    rule = "─" * (left + right + 4)
    return f"┌{rule}┐\n" + f"\n├{rule}┤\n".join(lines) + f"\n└{rule}┘"


def _rows_below_heading(workbook: Path) -> Iterator[dict[str, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = load_workbook(workbook, read_only=True, data_only=True)
    try:
        rows = book[LOG_INS].iter_rows(values_only=True)
        headings = next(line for line in map(_words, rows) if USERNAME in line)
        for cells in map(_words, rows):
            if cells[headings.index(USERNAME)]:
                yield dict(zip(headings, cells, strict=True))
    finally:
        book.close()


def _words(cells: Iterable[object]) -> list[str]:
    return ["" if cell is None else str(cell).strip(" *") for cell in cells]


def _width(words: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in words)


def _pad(words: str, width: int) -> str:
    return words + " " * (width - _width(words))
