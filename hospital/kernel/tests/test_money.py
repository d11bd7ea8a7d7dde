"""Fen and yuan: nothing is lost, nothing is guessed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital.kernel import money


@pytest.mark.parametrize(
    ("text", "fen"),
    [("12", 1200), ("0.5", 50), ("¥1,234.50", 123450), ("3.05元", 305), (" -2.10 ", -210)],
)
def test_yuan_as_people_type_it(text: str, fen: int) -> None:
    assert money.parse_yuan(text) == fen


@pytest.mark.parametrize("text", ["", "abc", "1.234", "1,23.00", "1e3", "¥", "12.", "½"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        money.parse_yuan(text)


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_format_and_parse_are_each_others_inverse(fen: int) -> None:
    assert money.parse_yuan(money.format_yuan(fen)) == fen


@pytest.mark.parametrize(
    ("text", "places", "units"),
    [
        ("0.00", 2, 0),
        ("12.30", 2, 1230),
        ("-0.50", 2, -50),
        ("-0.00600", 5, -600),
        ("0.00600", 5, 600),
        ("45.0", 0, 45),
        ("45.0", 2, 4500),
        ("7", 2, 700),
        ("1.23000", 2, 123),
    ],
)
def test_numbers_a_program_wrote(text: str, places: int, units: int) -> None:
    assert money.parse_plain(text, places=places) == units


@pytest.mark.parametrize(
    "text",
    ["", "-", ".5", "1.", "1.234", "1,234.00", "1e2", "+1", " 1", "１.00", "1.00\n", "9" * 16],
)
def test_other_numbers_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"plain number|parts of a unit"):
        money.parse_plain(text)


@given(st.integers(min_value=-(10**12), max_value=10**12), st.integers(min_value=0, max_value=4))
def test_plain_numbers_are_exact(fen: int, zeros: int) -> None:
    text = money.format_yuan(fen).replace(",", "")
    assert money.parse_plain(text + "0" * zeros) == fen
    assert money.parse_plain(text, places=5) == fen * 1000
    assert Decimal(text) * 100 == fen


@given(
    st.integers(min_value=-(10**9), max_value=10**9),
    st.lists(st.integers(min_value=0, max_value=10**6), min_size=1).filter(any),
)
def test_split_never_loses_a_fen(total_fen: int, weights: list[int]) -> None:
    shares = money.split(total_fen, weights)
    assert sum(shares) == total_fen
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share * sum(weights) - total_fen * weight) < sum(weights)


def test_split_without_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="weights"):
        money.split(100, [0, 0])
