"""THE table: fault × operation → end. One row is one test and one line of docs/generated/faults.md.

Pure data; `operations` knows how each operation is reached, `ends` what an end is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Operation:
    """What is under way when a fault strikes; `match` finds its calls or notices at the stand-in,
    `end` is where it leads when all goes well in the end."""

    says: str
    match: str
    end: str


@dataclass(frozen=True)
class Row:
    """One case. `door` are our answers to the notices that come, in order, where they matter."""

    fault: str
    operation: str
    end: str
    options: dict[str, object] = field(default_factory=dict)
    door: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        value = self.options.get("value", "")
        return f"{self.fault}{f'={value}' if value else ''} at {self.operation}"


OPERATIONS: Final = {
    "prepay": Operation("placing the order", "transactions/jsapi", "booked"),
    "native": Operation("placing the order of a code on a screen", "transactions/native", "booked"),
    "query": Operation("asking how an order stands", "?mchid=", "booked"),
    "close": Operation("closing an order nobody wants any more", "/close?", "given up"),
    "refund": Operation("sending a refund", "domestic/refunds? ", "refunded"),
    "refund query": Operation("asking how a refund stands", "domestic/refunds/", "refunded"),
    "payment notice": Operation("WeChat tells that somebody paid", "TRANSACTION", "booked"),
    "refund notice": Operation("WeChat tells how a refund ended", "REFUND", "refunded"),
    "token": Operation("fetching the account's token", "stable_token", "booked"),
    "message": Operation("sending a message", "template/send", "booked"),
    "scan": Operation("charging a payment code", "/pay/micropay", "booked"),
    "scan query": Operation("asking how a charged code stands", "/pay/orderquery", "booked"),
    "reverse": Operation("taking a charged code back", "/secapi/pay/reverse", "taken back"),
}
PAY_CALLS: Final = ("prepay", "native", "query", "close", "refund", "refund query")
SCAN_CALLS: Final = ("scan", "scan query", "reverse")
ACCOUNT_CALLS: Final = ("token", "message")

# As often as our client tries by itself, so that the fault is felt.
_ANY: Final[dict[str, object]] = {"match": ""}
_TWICE: Final = {"times": 2}
_TRANSPORT: Final[dict[str, dict[str, object]]] = {
    "http_500": {"times": 2},
    "http_429": {"times": 2},
    "connection_reset": {"times": 2},
    "slow": {"times": 1, "seconds": 0.1},
    "timeout_after_success": {"times": 2, "seconds": 0.3},
}
# These leave nothing behind at WeChat; a code is charged once, so the cashier has to scan again.
_NOTHING_DONE: Final = ("http_500", "http_429", "http_502", "http_503")
_ANSWERS: Final = (
    "response_bad_signature",
    "response_stale",
    "response_unsigned",
)
# The same to us, so that a few operations tell enough.
_ODD_ANSWERS: Final = ("response_wrong_serial", "response_swapped_key", "response_changed_amount")
_COSTLY: Final = ("prepay", "query", "refund")


def _at(fault: str, operation: str, **options: object) -> Row:
    is_lost = operation == "scan" and fault in _NOTHING_DONE
    end = "never placed" if is_lost else OPERATIONS[operation].end
    return Row(fault, operation, end, options)


def _notices(fault: str, *door: int, **options: object) -> list[Row]:
    """The same fault for both kinds of notices."""
    return [
        Row(fault, operation, OPERATIONS[operation].end, options, door)
        for operation in ("payment notice", "refund notice")
    ]


ROWS: Final[tuple[Row, ...]] = (
    # the way there and back
    *(
        _at(fault, operation, **options)
        for operation in (*PAY_CALLS, *SCAN_CALLS, *ACCOUNT_CALLS)
        for fault, options in _TRANSPORT.items()
    ),
    # pages of HTML instead of an answer, and nobody at all: where they could cost money
    *(
        _at(fault, operation, times=2)
        for operation in ("prepay", "refund", "scan")
        for fault in ("http_502", "http_503")
    ),
    *(_at("connection_reset", operation, times=2, value="before") for operation in _COSTLY),
    # answers nobody may believe
    *(_at(fault, operation, **_TWICE) for operation in PAY_CALLS for fault in _ANSWERS),
    *(_at(fault, operation, **_TWICE) for operation in _COSTLY for fault in _ODD_ANSWERS),
    # notices
    *_notices("notify_lost"),
    *_notices("notify_delay", 204, seconds=240),
    *_notices("notify_dup", 204, 204, 204, times=3),
    *_notices("notify_concurrent", 204, 204, 204, times=3),
    *_notices("notify_bad_signature", 401, 204),
    *_notices("notify_bad_signtest", 401, 204),
    *_notices("notify_bad_stale", 401, 204),
    *_notices("notify_bad_serial", 401, 204),
    *_notices("notify_truncated", 500, 204),
    *_notices("notify_wrong_key", 500),
    *_notices("notify_wrong_amount", 204),
    *_notices("notify_other_merchant", 204),
    Row(
        "notify_unknown_order",
        "payment notice",
        "booked, a stranger's money held",
        door=(204, 204),
    ),
    Row(
        "notify_unknown_order",
        "payment notice",
        "booked, a case is open",
        {"value": "absent"},
        (204, 204),
    ),
    Row("refund_before_payment", "refund notice", "refunded", {"match": "TRANSACTION"}, (204, 204)),
    # refunds
    _at("refund_not_enough", "refund", times=2),
    _at("refund_not_found", "refund", times=2),
    Row("refund_abnormal", "refund notice", "refund abnormal", _ANY, (204,)),
    Row("refund_closed", "refund notice", "refund closed", _ANY, (204,)),
    Row("refund_abnormal", "refund query", "refund abnormal", _ANY),
    Row("refund_closed", "refund query", "refund closed", _ANY),
    _at("refund_stuck", "refund query", match=""),
    # payment codes
    _at("userpaying", "scan"),
    _at("userpaying_then_success", "scan"),
    Row("userpaying_late_success", "scan", "taken back"),
    Row("scan_code_expired", "scan", "never placed"),
    Row("scan_not_enough", "scan", "declined"),
    _at("scan_error_then_paid", "scan"),
    _at("reverse_again", "reverse", times=2),
    # the account
    _at("token_invalid", "message"),
    _at("token_invalid", "message", times=2),
    _at("token_expired", "message"),
    _at("token_early_expiry", "token"),
    _at("slow_token", "token", seconds=0.1),
    _at("busy", "message", times=2),
    _at("quota_45009", "message", times=2),
    Row("token_invalid_forever", "message", "booked, in the inbox"),
    Row("user_blocked", "message", "booked, in the inbox"),
    Row("not_following", "message", "booked, in the inbox"),
    Row("no_consent", "message", "booked, in the inbox"),
    Row("bad_field", "message", "booked, in the inbox"),
)
