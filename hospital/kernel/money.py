"""Money is an int of fen. These functions are the only place where yuan text meets fen.

No floats: yuan text is read as Decimal and must fit whole fen.
"""

import re
from collections.abc import Sequence
from decimal import Decimal

_MOST_DIGITS = 15
_PLAIN = re.compile(r"(-?[0-9]{1,15})(?:\.([0-9]{1,15}))?")
_YUAN = re.compile(r"^[¥￥]?\s*(-?)\s*(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,2}))?\s*元?$")


def parse_yuan(text: str) -> int:
    """Yuan as people type it ("12", "¥1,234.50", "3.5元") in fen.

    Raises ValueError when the text is no amount or has parts of a fen.
    """
    match = _YUAN.match(text.strip())
    if match is None:
        raise ValueError(f"not an amount in yuan: {text!r}")
    sign, whole, part = match.groups()
    fen = int(Decimal(whole.replace(",", "")) * 100) + int((part or "0").ljust(2, "0"))
    return -fen if sign else fen


def parse_plain(text: str, *, places: int = 2) -> int:
    """A number a program wrote ("12.30", "-0.5", "45.0") in whole units of 10^-places: yuan to fen
    with the usual two.

    Raises ValueError when it is written otherwise or has parts of a unit.
    """
    whole, _, part = text.partition(".")
    digits = whole + part
    is_usual = 0 < len(whole) <= _MOST_DIGITS and 0 < len(part) <= places
    if is_usual and digits.isdecimal() and digits.isascii():
        # The usual shape without the general one's cost: bills have millions of these.
        return int(whole + part.ljust(places, "0"))
    match = _PLAIN.fullmatch(text)
    if match is None:
        raise ValueError("not a plain number")
    whole, part = match.groups(default="")
    if part[places:].strip("0"):
        raise ValueError("has parts of a unit")
    return int(whole + part[:places].ljust(places, "0"))


def format_yuan(fen: int) -> str:
    """Fen as yuan with two decimals and thousands separators: 123450 is "1,234.50"."""
    sign = "-" if fen < 0 else ""
    whole, part = divmod(abs(fen), 100)
    return f"{sign}{whole:,}.{part:02d}"


def split(total_fen: int, weights: Sequence[int]) -> list[int]:
    """Share `total_fen` out by weights without losing a fen (largest remainders first).

    Raises ValueError for a negative weight or when all weights are zero.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("weights must be non-negative and not all zero")
    sign = -1 if total_fen < 0 else 1
    magnitude = abs(total_fen)
    shares = [magnitude * weight // whole for weight in weights]
    remainders = [magnitude * weight % whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-remainders[index], index))
    for index in by_remainder[: magnitude - sum(shares)]:
        shares[index] += 1
    return [sign * share for share in shares]
