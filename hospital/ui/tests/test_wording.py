"""Days, moments, amounts and ages as people read them."""

import datetime as dt

import pytest

from hospital.ui import wording

TODAY = dt.date(2026, 11, 23)


@pytest.mark.parametrize(
    ("fen", "long", "short"),
    [
        (2500, "¥25.00", "¥25"),
        (123456, "¥1,234.56", "¥1,234.56"),
        (0, "¥0.00", "¥0"),
        (-2550, "−¥25.50", "−¥25.50"),
    ],
)
def test_amounts(fen: int, long: str, short: str) -> None:
    assert wording.yuan_text(fen) == long
    assert wording.yuan_short(fen) == short


def test_moments_are_shown_on_the_hospitals_clock() -> None:
    late = dt.datetime(2026, 11, 22, 16, 5, 9, tzinfo=dt.UTC)
    assert wording.clock_text(late) == "00:05"
    assert wording.day_text(late) == "11月23日"
    assert wording.full_day_text(late) == "2026年11月23日"
    assert wording.moment_text(late) == "11月23日 00:05"
    assert wording.stamp_text(late) == "2026-11-23 00:05:09"
    assert wording.weekday_text(late) == "周一"
    assert wording.clock_text(dt.time(8, 30)) == "08:30"


@pytest.mark.parametrize(
    ("days", "shown"),
    [(0, "今天"), (1, "明天"), (2, "后天"), (3, "周四"), (-1, "周日"), (7, "周一")],
)
def test_near_days_have_names(days: int, shown: str) -> None:
    assert wording.near_day_text(TODAY + dt.timedelta(days=days), today=TODAY) == shown


@pytest.mark.parametrize(
    ("born", "shown"),
    [
        (dt.date(2026, 11, 23), "0天"),
        (dt.date(2026, 10, 27), "27天"),
        (dt.date(2026, 10, 26), "28天"),
        (dt.date(2026, 10, 23), "1个月"),
        (dt.date(2026, 6, 11), "5个月12天"),
        (dt.date(2025, 11, 24), "11个月30天"),
        (dt.date(2025, 11, 23), "1岁"),
        (dt.date(2023, 9, 1), "3岁2个月"),
        (dt.date(2020, 11, 23), "6岁"),
        (dt.date(2020, 11, 24), "5岁11个月"),
        (dt.date(1968, 11, 24), "57岁"),
        (dt.date(2026, 11, 24), "未出生"),
    ],
)
def test_ages_follow_m3_13(born: dt.date, shown: str) -> None:
    assert wording.age_text(born, on=TODAY) == shown


def test_birthdays_at_the_end_of_a_month() -> None:
    born = dt.date(2024, 2, 29)
    assert wording.age_text(born, on=dt.date(2025, 2, 28)) == "11个月30天"
    assert wording.age_text(born, on=dt.date(2025, 3, 1)) == "1岁"
    assert wording.age_text(born, on=dt.date(2038, 2, 28)) == "13岁"
    assert wording.age_text(born, on=dt.date(2038, 3, 1)) == "14岁"
    assert wording.age_text(dt.date(2026, 1, 31), on=dt.date(2026, 2, 28)) == "28天"
    assert wording.age_text(dt.date(2026, 1, 31), on=dt.date(2026, 3, 1)) == "1个月1天"
