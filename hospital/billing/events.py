"""News of billing: ids and amounts in fen only."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BillSettled:
    """A bill is paid for, or cost nothing: what it asked money for may go ahead."""

    bill_id: int


@dataclass(frozen=True)
class BillReopened:
    """A payment came to nothing: the bill may be paid again, or given up."""

    bill_id: int


@dataclass(frozen=True)
class BillUnwanted:
    """What a bill is for was called off while somebody pays it: that payment should end."""

    bill_id: int


@dataclass(frozen=True)
class ChargesReversed:
    """Money is due back to whoever paid this bill."""

    bill_id: int
    amount_fen: int
