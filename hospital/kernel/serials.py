"""Number series: gap-free ones for money and paper, non-guessable ones for addresses (X16)."""

import hmac
import secrets
import string
from typing import Final

from django.conf import settings
from django.db import connection

_ALPHABET: Final = string.digits + string.ascii_letters
_HALF: Final = 10_000
_SHUFFLED: Final = _HALF * _HALF
_TURNS: Final = 4
_NEXT = """
    INSERT INTO kernel_serialcounter (series, latest) VALUES (%s, 1)
    ON CONFLICT (series) DO UPDATE SET latest = kernel_serialcounter.latest + 1
    RETURNING latest
"""
_NEXT_MANY = """
    INSERT INTO kernel_serialcounter (series, latest) VALUES (%s, %s)
    ON CONFLICT (series) DO UPDATE SET latest = kernel_serialcounter.latest + %s
    RETURNING latest
"""


def gap_free(*, series: str) -> int:
    """The next number of a series, from 1. Call it last in a transaction: it locks the series
    until commit, and a rollback gives the number back."""
    assert connection.in_atomic_block, "a gap-free number outside a transaction leaves gaps"
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [series])
        return int(cursor.fetchone()[0])


def gap_free_many(*, series: str, count: int) -> range:
    """The next `count` numbers of a series at once, for bulk work; otherwise like `gap_free`."""
    assert connection.in_atomic_block, "a gap-free number outside a transaction leaves gaps"
    assert count > 0, "no numbers are no range"
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_MANY, [series, count, count])
        latest = int(cursor.fetchone()[0])
    return range(latest - count + 1, latest + 1)


def opaque(*, length: int = 22) -> str:
    """A text nobody guesses, [0-9A-Za-z]; the default has 130 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def scattered(serial: int) -> str:
    """Eight digits for a running number: unique like it, but its neighbours look unrelated.

    A keyed shuffle (Feistel) of 0-99999999, for numbers people read, type and scan. It hides how
    many there are; whoever must not see a thing is still stopped by the query (X16).
    """
    left, right = divmod(serial % _SHUFFLED, _HALF)
    for turn in range(_TURNS):
        mixed = hmac.digest(_key(), f"{turn}:{right}".encode(), "sha256")
        left, right = right, (left + int.from_bytes(mixed[:8], "big")) % _HALF
    return f"{left * _HALF + right:08d}"


def _key() -> bytes:
    return f"scattered\0{settings.BLIND_INDEX_KEY}".encode()


def check_digit(digits: str) -> str:
    """The Luhn digit that catches any single wrong digit and most swaps."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)
