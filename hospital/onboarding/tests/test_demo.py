"""The demo hospital: as large as promised, imported without a problem, built from its tables."""

import zipfile
from pathlib import Path

import pytest

from demo.build import build
from hospital.identity.states import Role
from hospital.kernel.actors import SYSTEM
from hospital.kernel.clock import hospital_day
from hospital.onboarding import checking, parsing, reading
from hospital.onboarding.actions import import_base
from hospital.onboarding.sheets import SHEETS
from hospital.onboarding.tables import Book
from hospital.onboarding.tests.conftest import AT
from hospital.organisation import queries as organisation

WORKBOOK = Path(__file__).parents[3] / "demo" / "hospital.xlsx"


@pytest.fixture(scope="module")
def book() -> Book:
    book, problems = parsing.parse(reading.read(WORKBOOK), sheets=SHEETS, today=hospital_day(AT))
    assert problems == []
    return book


def test_the_committed_workbook_is_built_from_the_tables(tmp_path: Path) -> None:
    """Compared part by part: another zlib may pack the same parts into other bytes."""
    build(tmp_path / "hospital.xlsx")

    def parts(path: Path) -> dict[str, bytes]:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    assert parts(tmp_path / "hospital.xlsx") == parts(WORKBOOK), "run demo/build.py"


def test_it_is_as_large_as_promised(book: Book) -> None:
    departments = book.of("科室")
    clinical = [
        row for row in departments if row.values["is_bookable"] or row.values["walk_in_only"]
    ]
    rooms = [row for row in book.of("诊室") if row.values["kind"] == "room"]

    assert len(clinical) == 25
    assert len({row.values["parent"] for row in clinical}) == 6
    assert len(book.of("医生")) == 90
    assert len(rooms) == 60
    assert len({row.values["floor"] for row in rooms}) == 6
    assert len(book.of("收费项目")) >= 60


def test_everybody_is_introduced_once(book: Book) -> None:
    people = book.of("医生")

    assert all(len(row.values["introduction"]) >= 20 for row in people)
    for field in ("name", "specialty", "introduction"):
        assert len({row.values[field] for row in people}) == 90


@pytest.mark.django_db
def test_the_week_is_full(book: Book) -> None:
    assert checking.check(book, sheets=SHEETS) == []
    templates = book.of("排班模板")

    assert {row.values["weekday"] for row in templates} == set(range(1, 8))
    assert {row.values["session_period"] for row in templates} == {"am", "noon", "pm", "evening"}
    bookable = {row.values["code"] for row in book.of("科室") if row.values["is_bookable"]}
    assert {row.values["department"] for row in templates} == bookable


def test_there_is_a_log_in_for_every_role(book: Book) -> None:

    held = {role for row in book.of("登录账号") for role in row.values["roles"]}

    assert held == set(Role)


@pytest.mark.django_db
@pytest.mark.slow
@pytest.mark.thorough
def test_it_arrives_and_arrives_again_without_change() -> None:
    first = import_base(path=WORKBOOK, by=SYSTEM, at=AT)
    again = import_base(path=WORKBOOK, by=SYSTEM, at=AT)

    assert first.problems == []
    assert again.problems == []
    assert again.changes == []
    rows = organisation.bookable_departments()
    assert len(rows) == 25
    assert [row.name for row in rows if row.walk_in_only] == ["急诊科"]
    assert [row.name for row in organisation.search_departments("zjtn")] == ["针灸推拿科"]
