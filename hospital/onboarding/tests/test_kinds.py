"""Kinds of cells: every way people and spreadsheets write a value, and what is refused."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital.onboarding.kinds import (
    Age,
    Cell,
    Choice,
    Clock,
    Code,
    Day,
    Floor,
    Integer,
    Kind,
    Line,
    Several,
    Text,
    Unreadable,
    YesNo,
    Yuan,
    clean,
)
from hospital.onboarding.sheets.scheduling import WEEKDAY
from hospital.organisation.states import Title

TITLE = Choice.of(Title, aliases={"住院医师": Title.RESIDENT})
DAY = dt.date(2026, 1, 5)


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        (Text(), "  针灸科\u3000", "针灸科"),
        (Text(), 101.0, "101"),
        (Text(), "一\n二", "一\n二"),
        (Line(), "一\n 二_x000D_\n三", "一 二 三"),
        (Code(), "Ａ－１", "A-1"),
        (Code(), 101, "101"),
        (Code(), 101.0, "101"),
        (Code(), "0101", "0101"),
        (Code(lower=True), "GuaHao", "guahao"),
        (Integer(), "１２", 12),
        (Integer(), 12.0, 12),
        (Yuan(), 25, 2500),
        (Yuan(), 25.5, 2550),
        (Yuan(), 0.1 + 0.2, 30),
        (Yuan(), "¥1,234.50元", 123450),
        (Yuan(), "０", 0),
        (Day(), dt.datetime(2026, 1, 5), DAY),  # noqa: DTZ001
        (Day(), DAY, DAY),
        (Day(), "2026-1-5", DAY),
        (Day(), "2026/01/05", DAY),
        (Day(), "2026.1.5", DAY),
        (Day(), "2026年1月5日", DAY),
        (Day(), "20260105", DAY),
        (Day(), 20260105, DAY),
        (Day(), 46027, DAY),
        (Clock(), dt.time(8, 30), dt.time(8, 30)),
        (Clock(), dt.datetime(1899, 12, 30, 8, 30), dt.time(8, 30)),  # noqa: DTZ001
        (Clock(), dt.timedelta(hours=8, minutes=30), dt.time(8, 30)),
        (Clock(), 8.5 / 24, dt.time(8, 30)),
        (Clock(), "8:30", dt.time(8, 30)),
        (Clock(), "０８：３０：００", dt.time(8, 30)),
        (Clock(), "8点", dt.time(8)),
        (Clock(), "8点半", dt.time(8, 30)),
        (Clock(), "8点05分", dt.time(8, 5)),
        (YesNo(), "是", True),
        (YesNo(), True, True),
        (YesNo(), 0, False),
        (YesNo(), "Ｎ", False),
        (TITLE, "主任医师", Title.CHIEF),
        (TITLE, "chief", Title.CHIEF),
        (TITLE, "住院医师", Title.RESIDENT),
        (WEEKDAY, "周日", 7),
        (WEEKDAY, "星期一", 1),
        (WEEKDAY, 3, 3),
        (WEEKDAY, 3.0, 3),
        (Several.of(TITLE), "主任医师，医师;", [Title.CHIEF, Title.RESIDENT]),
        (Several.of(Code()), "A、B\nC", ["A", "B", "C"]),
        (Several.of(Code()), 101, ["101"]),
        (Age(), "14岁", 168),
        (Age(), 14, 168),
        (Age(), "6个月", 6),
        (Age(), "0", 0),
        (Floor(), 3, "3楼"),
        (Floor(), "3F", "3楼"),
        (Floor(), "３层", "3楼"),
        (Floor(), "B1", "负1楼"),
        (Floor(), "-1", "负1楼"),
        (Floor(), -1.0, "负1楼"),
    ],
)
def test_read(kind: Kind, cell: Cell, value: object) -> None:
    assert kind.parse(cell) == value


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        (Text(longest=3), "四个字长"),
        (Text(), DAY),
        (Line(), dt.time(8)),
        (Code(), ""),
        (Code(), "科室"),
        (Code(), "-A"),
        (Code(longest=3), "ABCD"),
        (Code(), dt.datetime(2026, 3, 1)),  # noqa: DTZ001
        (Integer(), "1.5"),
        (Integer(), 1.5),
        (Integer(), True),
        (Integer(most=5), 6),
        (Integer(), "9" * 400),
        (Yuan(), "1.005"),
        (Yuan(), 1.005),
        (Yuan(), -1),
        (Yuan(), True),
        (Yuan(), 1e12),
        (Yuan(), float("nan")),
        (Yuan(), float("inf")),
        (Day(), dt.datetime(2026, 1, 5, 8)),  # noqa: DTZ001
        (Day(), "2026-02-30"),
        (Day(), "2026-1"),
        (Day(), "202615"),
        (Day(), "46027"),
        (Day(), 1.5),
        (Day(), "1066-10-14"),
        (Day(), True),
        (Clock(), "8.30"),
        (Clock(), "24:00"),
        (Clock(), "8:60"),
        (Clock(), 1.5),
        (Clock(), 8),
        (Clock(), float("nan")),
        (Clock(), -0.5),
        (Clock(), dt.time(8, 0, 30)),
        (Clock(), dt.datetime(2026, 1, 5, 8)),  # noqa: DTZ001
        (YesNo(), "可能"),
        (YesNo(), 2),
        (TITLE, "教授"),
        (TITLE, 1),
        (Several.of(Code()), "A、A"),
        (Several.of(Code()), "、"),
        (Several.of(Code()), DAY),
        (Age(), "14"[:0]),
        (Age(), "28天"),
        (Age(), 151),
        (Age(), True),
        (Floor(), "0"),
        (Floor(), "顶楼"),
        (Floor(), True),
    ],
)
def test_refuse(kind: Kind, cell: Cell) -> None:
    with pytest.raises(Unreadable):
        kind.parse(cell)


KINDS: list[Kind] = [
    Text(),
    Line(),
    Code(),
    Integer(),
    Yuan(),
    Day(),
    Clock(),
    YesNo(),
    TITLE,
    WEEKDAY,
    Several.of(TITLE),
    Several.of(Code()),
    Age(),
    Floor(),
]
CELLS = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.text("0123456789:-/.年月日点岁楼、, ", max_size=12),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.datetimes(),
    st.dates(),
    st.times(),
    st.timedeltas(),
)


@given(kind=st.sampled_from(KINDS), cell=CELLS)
def test_any_cell_is_read_or_refused_and_reads_back(kind: Kind, cell: Cell) -> None:
    """What a workbook written from a value holds is read as that value again."""
    try:
        value = kind.parse(cell)
    except Unreadable:
        return
    if clean(kind.show(value)):
        assert kind.parse(kind.show(value)) == value


@given(st.integers(0, 10_000_000_00))
def test_any_amount_survives_the_workbook(fen: int) -> None:
    assert Yuan().parse(Yuan().show(fen)) == fen


@given(st.times())
def test_any_minute_survives_as_a_fraction_of_a_day(time: dt.time) -> None:
    minute = time.replace(second=0, microsecond=0)
    assert (
        Clock().parse((minute.hour * 60 + minute.minute) / 1440.0) == minute or minute == dt.time()
    )
