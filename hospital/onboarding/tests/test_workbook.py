"""The workbook as written: headings, help, drop-down lists, and that it can be read back."""

import datetime as dt
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from hospital.onboarding import queries, reading
from hospital.onboarding.kinds import (
    Age,
    Choice,
    Clock,
    Code,
    Day,
    Floor,
    Integer,
    Kind,
    Reading,
    Several,
    Text,
    YesNo,
    Yuan,
    clean,
)
from hospital.onboarding.parsing import parse
from hospital.onboarding.sheets import SHEETS
from hospital.onboarding.sheets.organisation import CAMPUSES
from hospital.onboarding.tables import Column, Sheet
from hospital.onboarding.tests.conftest import AT, SMALL, Desk
from hospital.onboarding.writing import write_workbook

TODAY: Final = dt.date(2026, 11, 23)
#: What spreadsheets take for something else than words.
SPITEFUL: Final = (
    '=cmd|" /C calc"!A0',
    "=1+1",
    "+86 750",
    "-3楼",
    "@SUM(A1)",
    "#N/A",
    "#REF!",
    "TRUE",
    "1E5",
    "0101",
    "2026-01-05",
    "'引号",
    "_x0041_",
    "𠮷田&<b>",
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("workbook") / "empty.xlsx"
    write_workbook(path)
    return path


def page_of(path: Path, title: str) -> Worksheet:
    page = load_workbook(path)[title]
    assert isinstance(page, Worksheet)
    return page


def test_sheets_in_order_with_explanations_first(empty: Path) -> None:
    titles = [sheet.title for sheet in SHEETS]

    assert load_workbook(empty).sheetnames == ["说明", *titles, "字典"]


def test_headings_have_help_and_stay_in_sight(empty: Path) -> None:
    for sheet in SHEETS:
        page = page_of(empty, sheet.title)
        assert str(page.freeze_panes).endswith("2")
        for place, column in enumerate(sheet.columns, start=1):
            cell = page.cell(1, place)
            assert cell.value == column.heading + ("*" if column.required else "")
            assert cell.comment is not None
            assert column.kind.hint in cell.comment.text


def test_every_column_is_explained(empty: Path) -> None:
    page = page_of(empty, "说明")
    explained = {str(row[1].value) for row in page.iter_rows()}

    assert {column.heading for sheet in SHEETS for column in sheet.columns} <= explained


def test_choices_and_references_have_drop_down_lists(empty: Path) -> None:
    dictionary = page_of(empty, "字典")
    lists = {
        tuple(str(cell.value) for cell in column[1:] if cell.value)
        for column in dictionary.iter_cols()
    }
    for sheet in SHEETS:
        page = page_of(empty, sheet.title)
        wanted = [column for column in sheet.columns if column.kind.choices or column.refers_to]
        rules = page.data_validations.dataValidation
        assert len(rules) == len(wanted)
        for column, rule in zip(wanted, rules, strict=True):
            if column.kind.choices:
                assert column.kind.choices in lists
                assert "字典" in str(rule.formula1)
            else:
                assert column.refers_to in str(rule.formula1)


def test_examples_are_readable_and_skipped(empty: Path) -> None:
    """Each example is a value its own column takes, so nobody is misled."""
    for raw, sheet in zip(reading.read(empty)[1:-1], SHEETS, strict=True):
        example = raw.rows[1].cells
        assert str(example[0]).startswith("示例-")
        for column in sheet.columns:
            if column.example:
                column.kind.parse(column.example)


@pytest.mark.django_db
def test_an_empty_workbook_holds_no_data(empty: Path, desk: Desk) -> None:
    desk.path.write_bytes(empty.read_bytes())

    assert desk.problems() == [("", None, "", "工作簿里没有任何数据")]


@pytest.mark.django_db
def test_examples_beside_data_are_skipped(desk: Desk) -> None:
    desk.put("院区", "A3", "示例-BB")

    assert desk.import_it(dry_run=True).problems == []


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one.xlsx", tmp_path / "other.xlsx"
    write_workbook(one, rows=SMALL)
    write_workbook(other, rows=SMALL)

    assert one.read_bytes() == other.read_bytes()


def test_a_field_nobody_knows_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        write_workbook(tmp_path / "x.xlsx", rows={"院区": [{"kode": "BB"}]})


@pytest.mark.django_db
def test_codes_with_leading_zeros_stay_text(tmp_path: Path, desk: Desk) -> None:
    write_workbook(desk.path, rows=SMALL)

    assert desk.import_it(at=AT, dry_run=True).problems == []
    sheet = next(raw for raw in reading.read(desk.path) if raw.title == "医生")
    assert [clean(str(row.cells[0])) for row in sheet.rows[1:]] == ["0101", "0102"]


def _typed(column: Column) -> st.SearchStrategy[object]:
    """Values a column may hold once they are saved."""
    kind = column.kind
    if column.refers_to:
        codes = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}", fullmatch=True)
        return codes if not isinstance(kind, Several) else st.lists(codes, min_size=1, unique=True)
    known: tuple[tuple[type[Kind], st.SearchStrategy[object]], ...] = (
        (Code, st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}", fullmatch=True)),
        (YesNo, st.booleans()),
        (Choice, st.sampled_from([*getattr(kind, "words", {}).values()] or [""])),
        (Yuan, st.integers(0, 10_000_000_00)),
        (Integer, st.integers(getattr(kind, "least", 0), getattr(kind, "most", 0))),
        (Day, st.dates(dt.date(1990, 1, 1), dt.date(2199, 12, 31))),
        (Clock, st.builds(dt.time, st.integers(0, 23), st.integers(0, 59))),
        (Age, st.integers(0, 999) | st.integers(0, 150).map(lambda years: years * 12)),
        (Floor, st.builds("{}{}楼".format, st.sampled_from(["", "负"]), st.integers(1, 99))),
        (Reading, st.from_regex(r"[a-z]{1,6}( [a-z]{1,6}){0,3}", fullmatch=True)),
        (Text, (st.sampled_from(SPITEFUL) | st.text(max_size=40)).map(kind.parse)),
    )
    return next(values for of, values in known if isinstance(kind, of))


@pytest.mark.parametrize("sheet", queries.PAGES, ids=lambda sheet: sheet.slug)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_was_saved_goes_out_and_comes_in_unchanged(
    sheet: Sheet, tmp_path: Path, data: st.DataObject
) -> None:
    values = {column.field: data.draw(_typed(column), column.field) for column in sheet.columns}
    for column in sheet.columns:
        assume(values[column.field] not in ("", []) or not column.required)
    path = tmp_path / "out.xlsx"

    write_workbook(path, rows={sheet.title: [values]}, sheets=[sheet])
    book, problems = parse(reading.read(path), sheets=[sheet], today=TODAY, only={sheet.title})

    assert problems == []
    (row,) = book.of(sheet.title)
    nothing = ("", None)
    assert {name: value for name, value in row.values.items() if value not in nothing} == {
        name: value for name, value in values.items() if value not in nothing
    }


def test_words_that_look_like_a_formula_leave_as_words(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    spiteful = [{"code": f"X{at}", "name": name} for at, name in enumerate(SPITEFUL)]

    write_workbook(path, rows={"院区": spiteful}, sheets=[CAMPUSES])

    cells = [row[1] for row in load_workbook(path)["院区"].iter_rows(min_row=2)]
    assert [(cell.value, cell.data_type) for cell in cells] == [(name, "s") for name in SPITEFUL]
