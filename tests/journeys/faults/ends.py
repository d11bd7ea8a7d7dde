"""How a story may end: what must have become of order, payment, refund, bill, booking, messages.

Pure data, so that the page of docs/generated is written from the very rows the tests compare.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

FEE_FEN: Final = 2500
STRANGE_FEN: Final = 2500


@dataclass(frozen=True)
class End:
    """Statuses, empty where there is no such thing. `kept_fen` is in our ledger and at WeChat;
    `due_fen` of it is owed back, `suspense_fen` belongs to nothing we know; `at_bank_fen` went to
    a bank card instead of the payer's purse; `cases` are the kinds
    of open cases that say so to a person.

    `told` are the kinds of messages on the phone, `sms` those sent as SMS, `inbox` those that no
    channel brought as far as we know, `calls` those somebody must telephone about, `delivered`
    those WeChat has reported as delivered. `heard` is what became of what people and WeChat said
    to the account, `said` what the account answered. `lines` are those of the trade statement.
    """

    says: str
    order: str = ""
    payment: str = ""
    bill: str = ""
    booking: str = ""
    told: tuple[str, ...] = ()
    refund: str = ""
    kept_fen: int = 0
    at_bank_fen: int = 0
    due_fen: int = 0
    suspense_fen: int = 0
    cases: tuple[str, ...] = ()
    sms: tuple[str, ...] = ()
    inbox: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    delivered: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    menu: str = ""
    logged_in: int = 0


_REFUNDED: Final = End(
    says="the money is back, once, and was told",
    order="REFUND",
    payment="fully_refunded",
    refund="succeeded",
    bill="refunded",
    booking="cancelled",
    told=("N01", "N05", "N26"),
)
_BOOKED: Final = End(
    says="paid once, booked once, told once",
    order="SUCCESS",
    payment="succeeded",
    bill="settled",
    booking="booked",
    told=("N01",),
    kept_fen=FEE_FEN,
)
_KEPT: Final = replace(
    _REFUNDED,
    says="both statements are kept, line by line as WeChat wrote them",
    statements=("fund fetched 4", "trade fetched 2"),
    lines=("payment 2500 SUCCESS", "refund 2500 SUCCESS"),
)
_ANSWERED: Final = End(
    says="what somebody wrote is kept once and answered once", heard=("answered",), said=("您好",)
)

ENDS: Final = {
    "booked": _BOOKED,
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
    "refunded": _REFUNDED,
    "refunded to a card": replace(
        _REFUNDED,
        says="the payer's card is gone; the bank card two persons named has the money, once",
        told=("N01", "N05", "N26", "N26"),
        at_bank_fen=FEE_FEN,
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
    "booked, in the inbox": replace(
        _BOOKED,
        says="booked; the phone stays silent, the inbox has the message and the reason",
        told=(),
        inbox=("N01",),
    ),
    "booked, told, in the inbox": replace(
        _BOOKED,
        says="booked and told; we cannot know that, so the message is in the inbox as well",
        inbox=("N01",),
    ),
    "booked, reported lost, in the inbox": replace(
        _BOOKED,
        says="booked; WeChat took the message and reported it lost: the inbox has it, and why",
        told=(),
        inbox=("N01",),
        heard=("handled",),
    ),
    "booked, delivery reported": replace(
        _BOOKED,
        says="paid, booked, told once; the message is noted as delivered",
        delivered=("N01",),
        heard=("handled",),
    ),
    "booked, the report meant nothing": replace(
        _BOOKED,
        says="paid, booked, told once; what nobody understands is kept and changes nothing",
        heard=("handled",),
    ),
    "suspended, told by SMS": replace(
        _REFUNDED,
        says="the session is off, the money back; who blocked the account got one SMS",
        told=("N01",),
        sms=("N06",),
        inbox=("N26",),
    ),
    "suspended, to be telephoned": replace(
        _REFUNDED,
        says="the session is off, the money back; nobody could be told, so somebody telephones",
        told=("N01",),
        inbox=("N26",),
        calls=("N06",),
    ),
    "answered": _ANSWERED,
    "answered, as far as we know not": replace(
        _ANSWERED,
        says="answered once; we cannot know that, and a second answer would be one too many",
        heard=("unanswered",),
    ),
    "not answered": replace(
        _ANSWERED,
        says="what somebody wrote is kept once; no answer reaches them, and it says why",
        heard=("unanswered",),
        said=(),
    ),
    "not understood": End(says="taken and noted in the log, nothing is kept, nobody is answered"),
    "published": End(says="WeChat shows the menu that was published", menu="published"),
    "logged in": End(
        says="a page says why in plain words and offers the way in again; that one works",
        logged_in=1,
    ),
    "statements kept": _KEPT,
    "statements late": replace(
        _KEPT,
        says="asked for until two o'clock, then a person hears of it",
        statements=("fund waiting 0", "trade waiting 0"),
        lines=(),
        cases=("statement_late", "statement_late"),
    ),
    "no trade, it says": replace(
        _KEPT,
        says="WeChat says that nobody paid: a statement of nothing, beside the fund's",
        statements=("fund fetched 4", "trade none 0"),
        lines=(),
    ),
    "a line is missing": replace(
        _KEPT,
        says="kept as WeChat wrote it, one line short",
        statements=("fund fetched 4", "trade fetched 1"),
        lines=_KEPT.lines[1:],
    ),
    "a stranger's line": replace(
        _KEPT,
        says="kept as WeChat wrote it, with a payment nobody knows",
        statements=("fund fetched 4", "trade fetched 3"),
        lines=(*_KEPT.lines, "payment 8800 SUCCESS"),
    ),
    "a line of another amount": replace(
        _KEPT,
        says="kept as WeChat wrote it, a yuan above what was paid",
        lines=("payment 2600 SUCCESS", _KEPT.lines[1]),
    ),
    "a line twice": replace(
        _KEPT,
        says="kept as WeChat wrote it, the same payment twice",
        statements=("fund fetched 4", "trade fetched 3"),
        lines=(_KEPT.lines[0], *_KEPT.lines),
    ),
    "a refund under way": replace(
        _KEPT,
        says="kept as WeChat wrote it, the refund not ended yet",
        lines=(_KEPT.lines[0], "refund 2500 PROCESSING"),
    ),
}
