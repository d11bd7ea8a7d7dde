"""How a story may end: what must have become of order, payment, refund, bill, booking, messages.

Pure data, so that the page of docs/generated is written from the very rows the tests compare.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FEE_FEN: Final = 2500
STRANGE_FEN: Final = 2500


@dataclass(frozen=True)
class End:
    """Statuses, empty where there is no such thing. `kept_fen` is in our ledger and at WeChat;
    `due_fen` of it is owed back, `suspense_fen` belongs to nothing we know; `cases` are the kinds
    of open cases that say so to a person."""

    says: str
    order: str
    payment: str
    bill: str
    booking: str
    told: tuple[str, ...]
    refund: str = ""
    kept_fen: int = 0
    due_fen: int = 0
    suspense_fen: int = 0
    cases: tuple[str, ...] = ()


ENDS: Final = {
    "booked": End(
        says="paid once, booked once, told once",
        order="SUCCESS",
        payment="succeeded",
        bill="settled",
        booking="booked",
        told=("N01",),
        kept_fen=FEE_FEN,
    ),
    "given up": End(
        says="the patient did not want it any more: the order is dead at WeChat, the number free",
        order="CLOSED",
        payment="closed",
        bill="cancelled",
        booking="cancelled",
        told=(),
    ),
    "never placed": End(
        says="nothing was charged, nothing stands at WeChat; the number is free again",
        order="",
        payment="closed",
        bill="expired",
        booking="cancelled",
        told=("N02", "N03"),
    ),
    "taken back": End(
        says="the charged code was reversed in time, nothing is kept; the number is free again",
        order="REVOKED",
        payment="closed",
        bill="expired",
        booking="cancelled",
        told=("N02", "N03"),
    ),
    "declined": End(
        says="a definite no at the till, nothing was charged; the number is free again",
        order="PAYERROR",
        payment="closed",
        bill="expired",
        booking="cancelled",
        told=("N02", "N03"),
    ),
    "refunded": End(
        says="the money is back, once, and was told",
        order="REFUND",
        payment="fully_refunded",
        refund="succeeded",
        bill="refunded",
        booking="cancelled",
        told=("N01", "N05", "N26"),
    ),
    "refund abnormal": End(
        says="the payer's card is gone: finance transfers the money by hand",
        order="REFUND",
        payment="succeeded",
        refund="abnormal",
        bill="settled",
        booking="cancelled",
        told=("N01", "N05", "N26"),
        kept_fen=FEE_FEN,
        due_fen=FEE_FEN,
        cases=("refund_abnormal",),
    ),
    "refund closed": End(
        says="WeChat gave the refund up: finance sends it again under a new number",
        order="REFUND",
        payment="succeeded",
        refund="closed",
        bill="settled",
        booking="cancelled",
        told=("N01", "N05", "N26"),
        kept_fen=FEE_FEN,
        due_fen=FEE_FEN,
        cases=("refund_closed",),
    ),
    "booked, a stranger's money held": End(
        says="the patient is booked; money of an order we never made waits for two persons",
        order="SUCCESS",
        payment="succeeded",
        bill="settled",
        booking="booked",
        told=("N01",),
        kept_fen=FEE_FEN + STRANGE_FEN,
        suspense_fen=STRANGE_FEN,
        cases=("unknown_order",),
    ),
    "booked, a case is open": End(
        says="the patient is booked; the notice told of an order that is nowhere",
        order="SUCCESS",
        payment="succeeded",
        bill="settled",
        booking="booked",
        told=("N01",),
        kept_fen=FEE_FEN,
        cases=("unknown_order",),
    ),
    "booked, in the inbox": End(
        says="booked; the phone stays silent, the inbox has the message and the reason",
        order="SUCCESS",
        payment="succeeded",
        bill="settled",
        booking="booked",
        told=(),
        kept_fen=FEE_FEN,
    ),
}
