"""Bar codes: checked against a decoder written from the other side of the table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital.ui import codes


def read_back(text: str) -> str:
    """Decode the drawn bars the way a scanner does: widths to values, values to text."""
    modules = ""
    position = codes.QUIET_MODULES
    for start, width in codes.bars(text):
        modules += "0" * (start - position) + "1" * width
        position = start + width
    patterns = {_modules(value): value for value in range(codes.STOP + 1)}
    values = [patterns[modules[index : index + 11]] for index in range(0, len(modules) - 13, 11)]
    assert modules[-13:] == _modules(codes.STOP)
    *payload, check = values
    assert sum(max(index, 1) * value for index, value in enumerate(payload)) % 103 == check
    return _text(payload)


def _modules(value: int) -> str:
    widths = codes.widths(value)
    return "".join(("1" if index % 2 == 0 else "0") * width for index, width in enumerate(widths))


def _text(values: list[int]) -> str:
    in_digits = values[0] == codes.START_C
    found = ""
    for value in values[1:]:
        if value == (codes.TO_B if in_digits else codes.TO_C):
            in_digits = not in_digits
        else:
            found += f"{value:02d}" if in_digits else chr(value + 32)
    return found


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40))
def test_what_is_drawn_reads_back(text: str) -> None:
    assert read_back(text) == text


def test_digits_take_half_the_room() -> None:
    assert len(codes.symbol_values("261123000123")) == len(codes.symbol_values("ABCDEF"))


def test_a_known_symbol() -> None:
    # Start B, P, J, J, 1, 2, 3, C: the checksum of this much-printed example is 55.
    assert codes.symbol_values("PJJ123C") == [104, 48, 42, 42, 17, 18, 19, 35, 55, 106]


@pytest.mark.parametrize("text", ["", "张", "a\n"])
def test_what_code_128_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        codes.symbol_values(text)


def test_pictures_carry_their_text() -> None:
    assert "<figcaption>2611 2300 0123</figcaption>" in codes.barcode_svg("261123000123")
    drawn = codes.qr_svg("https://example.org/m/", label="就诊<码>")
    assert 'aria-label="就诊&lt;码&gt;"' in drawn
