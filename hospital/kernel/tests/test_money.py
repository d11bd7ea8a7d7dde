"""Fen and yuan: nothing is lost, nothing is guessed."""

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
