"""What forms carry is what people typed, or an id, or nothing."""

import pytest

from hospital.ui.typed import typed, typed_id


def test_blanks_around_and_nul_are_left_out_and_what_is_too_long_is_cut() -> None:
    data = {"name": "  何\x00婉 青 ", "note": "x" * 50}

    assert typed(data, "name", most=40) == "何婉 青"
    assert typed(data, "note", most=10) == "x" * 10
    assert typed(data, "nothing", most=10) == ""


@pytest.mark.parametrize(("text", "expected"), [("7", 7), ("0", 0), ("9" * 18, 10**18 - 1)])
def test_an_id_is_read(text: str, expected: int) -> None:
    assert typed_id(text) == expected


@pytest.mark.parametrize(
    "text", ["", "-1", "1.0", " 7", "７", "²", "x", "\x00", "9" * 19, "9" * 5000]
)
def test_what_is_no_id_is_none(text: str) -> None:
    assert typed_id(text) is None
