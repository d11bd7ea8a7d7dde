"""Which payers get a bill's money back, and how much: pure arithmetic in fen (M9.3)."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """So much of one payment."""

    payment_id: int
    amount_fen: int


def newest_first(wanted_fen: int, left: Sequence[Part]) -> tuple[list[Part], int]:
    """Take the wanted sum from what is left of each payment, given newest first.

    Returns the parts, none of them nought, and what no payment is left for.
    """
    parts: list[Part] = []
    for source in left:
        amount_fen = min(wanted_fen, source.amount_fen)
        if amount_fen > 0:
            parts.append(Part(source.payment_id, amount_fen))
            wanted_fen -= amount_fen
    return parts, max(wanted_fen, 0)
