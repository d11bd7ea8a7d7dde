"""A small hospital as a workbook on disk, and a way to spoil single cells of it."""

import datetime as dt
import functools
import io
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from hospital.catalogue.states import FeeCategory, ServiceKind
from hospital.identity.states import Role
from hospital.kernel.actors import SYSTEM
from hospital.onboarding.actions import import_base
from hospital.onboarding.parsing import EXPLANATION
from hospital.onboarding.saving import Outcome
from hospital.onboarding.sheets import SHEETS
from hospital.onboarding.writing import write_workbook
from hospital.organisation.states import LocationKind, Sex, Title

AT = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)
SINCE = dt.date(2026, 1, 1)


def _doctor(code: str, name: str, title: Title, *departments: str) -> dict[str, object]:
    return {
        "code": code,
        "name": name,
        "sex": Sex.FEMALE,
        "title": title,
        "departments": list(departments),
        "specialty": "胃痛",
        "licence_end_date": dt.date(2031, 12, 31),
    }


def _session(code: str, weekday: int, doctor: str, room: str) -> dict[str, object]:
    return {
        "code": code,
        "department": "脾胃病科",
        "practitioner": doctor,
        "service_type": "专家门诊",
        "room": room,
        "weekday": weekday,
        "session_period": "am",
        "starts": dt.time(8),
        "ends": dt.time(12),
        "capacity": 24,
        "band_minutes": 30,
        "valid_from": SINCE,
    }


SMALL: Mapping[str, list[Mapping[str, object]]] = {
    "院区": [{"code": "BB", "name": "院本部", "telephone": "0750-0000000"}],
    "科室": [
        {"code": "NK", "name": "内科", "is_bookable": False},
        {
            "code": "PWB",
            "name": "脾胃病科",
            "parent": "内科",
            "min_age_months": 168,
            "floor": "2楼",
        },
        {"code": "FK", "name": "妇科", "sex_limit": "female", "hint": "痛经", "min_age_days": 29},
    ],
    "诊室": [
        {"code": "M2", "name": "2楼", "kind": LocationKind.FLOOR, "campus": "BB"},
        {"code": "M201", "name": "201诊室", "campus": "BB", "parent": "2楼"},
        {"code": "M202", "name": "202诊室", "campus": "BB", "parent": "M2", "department": "妇科"},
    ],
    "医生": [
        _doctor("0101", "曾知行", Title.CHIEF, "脾胃病科"),
        _doctor("0102", "沈若溪", Title.ATTENDING, "PWB", "妇科"),
    ],
    "收费项目": [
        {
            "code": "ZC1",
            "name": "主任医师诊察费",
            "category": FeeCategory.CONSULTATION,
            "unit": "次",
            "price_fen": 3000,
            "valid_from": SINCE,
        },
        {
            "code": "ZC2",
            "name": "普通诊察费",
            "category": FeeCategory.CONSULTATION,
            "unit": "次",
            "price_fen": 1050,
            "valid_from": SINCE,
        },
    ],
    "号别": [{"code": "ZJ", "name": "专家门诊", "kind": ServiceKind.EXPERT}],
    "挂号费": [
        {
            "service_type": "专家门诊",
            "title": Title.CHIEF,
            "price_items": ["主任医师诊察费", "ZC2"],
            "valid_from": SINCE,
        },
        {"service_type": "ZJ", "price_items": ["普通诊察费"], "valid_from": SINCE},
    ],
    "登录账号": [
        {
            "username": "guahao",
            "display_name": "林小满",
            "roles": [Role.REGISTRATION_CLERK, Role.CASHIER],
            "initial_password": "first-password-1",
        },
        {
            "username": "doctor",
            "display_name": "曾知行",
            "roles": [Role.DOCTOR],
            "practitioner": "曾知行",
            "department": "脾胃病科",
            "initial_password": "first-password-2",
        },
    ],
    "排班模板": [
        _session("PWB-1", 1, "曾知行", "201诊室"),
        _session("PWB-2", 2, "0102", "M202"),
    ],
}


@functools.cache
def _small_workbook() -> bytes:
    """The small hospital's workbook, without the looks that take time to read and write."""
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.xlsx"
        write_workbook(path, rows=SMALL)
        workbook = load_workbook(path)
    workbook.remove(workbook[EXPLANATION])
    for page in workbook.worksheets:
        page.data_validations.dataValidation = []
        for cell in page[1]:
            cell.comment = None
    workbook.save(packed)
    return packed.getvalue()


class Desk:
    """Somebody at the hospital with the workbook open; importing saves it first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: Workbook | None = None
        path.write_bytes(_small_workbook())

    @property
    def workbook(self) -> Workbook:
        """The workbook to edit."""
        if self._open is None:
            self._open = load_workbook(self.path)
        return self._open

    def put(self, sheet: str, cell: str, value: object) -> None:
        """Type something into a cell."""
        self.page(sheet)[cell].value = value

    def page(self, sheet: str) -> Worksheet:
        """A sheet to edit."""
        page = self.workbook[sheet]
        assert isinstance(page, Worksheet)
        return page

    def column(self, sheet: str, heading: str) -> str:
        """The letter under which a heading stands in a fresh workbook."""
        columns = next(known.columns for known in SHEETS if known.title == sheet)
        headings = [column.heading for column in columns]
        return get_column_letter(headings.index(heading) + 1)

    def fill(self, sheet: str, heading: str, row: int, value: object) -> None:
        """Type something under a heading."""
        self.put(sheet, f"{self.column(sheet, heading)}{row}", value)

    def save(self) -> Path:
        """Save what was edited; where the file is."""
        if self._open is not None:
            self._open.save(self.path)
        return self.path

    def import_it(self, *, at: dt.datetime = AT, dry_run: bool = False) -> Outcome:
        return import_base(path=self.save(), by=SYSTEM, at=at, dry_run=dry_run)

    def problems(self) -> list[tuple[str, int | None, str, str]]:
        """What an import complains of, without the values."""
        return [
            (problem.sheet, problem.row, problem.column, problem.reason)
            for problem in self.import_it().problems
        ]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "hospital.xlsx")
