"""Makes demo/hospital.xlsx out of the tables in demo/tables: `python demo/build.py`.

The tables have the workbook's own headings; only the weekly pattern is kept as people draw it,
one line a doctor with a cell a weekday, and is spread into one template a session here. The
same tables always give the same bytes.
"""

import csv
import datetime as dt
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent

if TYPE_CHECKING:
    from hospital.onboarding.tables import Sheet

TABLES: Final = {
    "院区": "campuses.csv",
    "科室": "departments.csv",
    "诊室": "rooms.csv",
    "医生": "practitioners.csv",
    "收费项目": "prices.csv",
    "号别": "service_types.csv",
    "挂号费": "fees.csv",
    "登录账号": "staff.csv",
}
SINCE: Final = dt.date(2025, 1, 1)
WEEKDAYS: Final = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


@dataclass(frozen=True)
class Session:
    """One letter of the roster: which part of the day it is and how it appears in codes."""

    period: str
    mark: str
    starts: dt.time
    ends: dt.time


SESSIONS: Final = {
    "上": Session("am", "A", dt.time(8), dt.time(12)),
    "午": Session("noon", "N", dt.time(12), dt.time(14)),
    "下": Session("pm", "P", dt.time(14, 30), dt.time(17, 30)),
    "夜": Session("evening", "E", dt.time(18), dt.time(20)),
}
# Numbers an hour: a famous doctor takes his time.
AN_HOUR: Final = {
    "普通门诊": 10,
    "专科门诊": 8,
    "专家门诊": 6,
    "名医门诊": 4,
    "特需门诊": 2,
    "夜间门诊": 6,
    "便民门诊": 8,
}
BAND_MINUTES: Final = {"特需门诊": 60}


def main(target: Path) -> None:
    """Write the workbook to `target`."""
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.config.settings")
    import django

    django.setup()
    build(target)


def build(target: Path) -> None:
    """Write the workbook; Django is set up already."""
    from hospital.onboarding.sheets import SHEETS
    from hospital.onboarding.writing import write_workbook

    by_title = {sheet.title: sheet for sheet in SHEETS}
    rows: dict[str, list[Mapping[str, object]]] = {
        title: [_typed(by_title[title], line) for line in _lines(file)]
        for title, file in TABLES.items()
    }
    rows["排班模板"] = list(_templates())
    write_workbook(target, rows=rows)


def _lines(file: str) -> list[dict[str, str]]:
    with (HERE / "tables" / file).open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def _typed(sheet: "Sheet", line: Mapping[str, str]) -> dict[str, object]:
    """A line of a table with the workbook's fields and kinds."""
    columns = {column.heading: column for column in sheet.columns}
    filled = ((columns[heading], cell) for heading, cell in line.items() if cell)
    return {column.field: column.kind.parse(cell) for column, cell in filled}


def _templates() -> Iterator[dict[str, object]]:
    """One template a session: the roster's cells with rooms, times and numbers."""
    department_codes = {line["科室名称"]: line["科室编码"] for line in _lines("departments.csv")}
    type_codes = {line["号别名称"]: line["号别编码"] for line in _lines("service_types.csv")}
    doctor_codes = {line["姓名"]: line["工号"] for line in _lines("practitioners.csv")}
    rooms = _Rooms(_lines("rooms.csv"))
    for line in _lines("roster.csv"):
        department, doctor, usual = line["科室"], line["医生"], line["号别"]
        for weekday, letter in _cells(line):
            session = SESSIONS[letter]
            kind = "夜间门诊" if letter == "夜" else usual
            who = doctor_codes[doctor] if doctor else type_codes[kind]
            hours = (session.ends.hour - session.starts.hour) + (
                session.ends.minute - session.starts.minute
            ) / 60
            yield {
                "code": f"{department_codes[department]}-{who}-{weekday}{session.mark}",
                "department": department,
                "practitioner": doctor,
                "service_type": kind,
                "room": rooms.take(department, doctor, weekday, letter),
                "weekday": weekday,
                "session_period": session.period,
                "starts": session.starts,
                "ends": session.ends,
                "capacity": int(AN_HOUR[kind] * hours),
                "band_minutes": BAND_MINUTES.get(kind, 30),
                "valid_from": SINCE,
                "is_active": True,
            }


def _cells(line: Mapping[str, str]) -> Iterable[tuple[int, str]]:
    return ((day, letter) for day, name in enumerate(WEEKDAYS, 1) for letter in line[name])


class _Rooms:
    """Gives every session a free room of its department, its doctor's usual one if possible."""

    def __init__(self, lines: Iterable[Mapping[str, str]]) -> None:
        self._rooms: dict[str, list[str]] = {}
        for line in lines:
            if line["类型"] == "诊室":
                self._rooms.setdefault(line["所属科室"], []).append(line["名称"])
        self._taken: set[tuple[str, int, str]] = set()
        self._usual: dict[tuple[str, str], str] = {}

    def take(self, department: str, doctor: str, weekday: int, letter: str) -> str:
        rooms = self._rooms[department]
        home = self._usual.setdefault(
            (department, doctor), rooms[len(self._doctors(department)) % len(rooms)]
        )
        for room in (home, *rooms):
            if (room, weekday, letter) not in self._taken:
                self._taken.add((room, weekday, letter))
                return room
        raise ValueError(f"{department} has no free room on {WEEKDAYS[weekday - 1]}{letter}")

    def _doctors(self, department: str) -> list[str]:
        return [doctor for where, doctor in self._usual if where == department]


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "hospital.xlsx")
