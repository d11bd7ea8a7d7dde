"""THE table: fault × operation → end. One row is one test and one line of docs/generated/faults.md.

Pure data; `operations` knows what each operation meets, `ends` what an end is. A row is written
down where a fault leads elsewhere than its operation does, or has to be tuned; all others follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.journeys.faults.operations import IMPOSSIBLE, OPERATIONS
from wechat_sandbox.fault_kinds import KINDS


@dataclass(frozen=True)
class Row:
    """One case. `door` are our answers to the notices that come, in order, where they matter;
    `page` is what a person reads meanwhile, `why` what we note about a message that no channel
    brought."""

    fault: str
    operation: str
    end: str
    options: Mapping[str, object] = field(default_factory=dict)
    door: tuple[int, ...] = ()
    page: str = ""
    why: str = ""

    @property
    def name(self) -> str:
        value = self.options.get("value", "")
        return f"{self.fault}{f'={value}' if value else ''} at {self.operation}"

    @property
    def is_like_another(self) -> bool:
        """Whether our client cannot tell it from a fault that is tried at the same operation; such
        rows are tried by `make test` where they could cost money, elsewhere with FAULTS=all."""
        return self.fault in ALIKE and self.operation not in COSTLY


#: To our client the same as, or less than …
ALIKE: Final = {
    "http_502": "http_500",
    "http_503": "http_500",
    "slow": "timeout_after_success",
    "response_stale": "response_bad_signature",
    "response_unsigned": "response_bad_signature",
    "response_wrong_serial": "response_bad_signature",
    "response_swapped_key": "response_bad_signature",
    "response_changed_amount": "response_bad_signature",
}
COSTLY: Final = ("prepay", "query", "refund", "scan", "codepay")

#: Money is asked for or sent back here: every fault is tried, whatever it leads to.
ASKING: Final = ("prepay", "refund", "scan")

_ANY: Final[dict[str, object]] = {"match": ""}
#: How often, how long: our client tries signed calls twice by itself, and is to feel it.
HOW: Final[dict[str, dict[str, object]]] = {
    "http_500": {"times": 2},
    "http_429": {"times": 2},
    "http_502": {"times": 2},
    "http_503": {"times": 2},
    "connection_reset": {"times": 2},
    "slow": {"times": 1, "seconds": 0.1},
    "timeout_after_success": {"times": 2, "seconds": 0.3},
    "response_bad_signature": {"times": 2},
    "response_stale": {"times": 2},
    "response_unsigned": {"times": 2},
    "response_wrong_serial": {"times": 2},
    "response_swapped_key": {"times": 2},
    "response_changed_amount": {"times": 2},
    "notify_delay": {"seconds": 240},
    "notify_dup": {"times": 3},
    "notify_concurrent": {"times": 3},
    "refund_not_enough": {"times": 2},
    "refund_not_found": {"times": 2},
    "refund_abnormal": _ANY,
    "refund_closed": _ANY,
    "refund_stuck": _ANY,
    "bill_bad_hash": {"times": 2},
    "bill_token_expired": {"times": 2},
    "bill_bad_gzip": {"times": 2},
    "reverse_again": {"times": 2},
    "slow_token": {"seconds": 0.1},
    "busy": {"times": 2},
    "quota_45009": {"times": 2},
    "errcode": {"times": 2, "value": "45011"},
    "callback_dup": {"times": 3},
}
#: What our door answers WeChat, again and again until it is content.
DOORS: Final[dict[str, tuple[int, ...]]] = {
    "notify_delay": (204,),
    "notify_dup": (204, 204, 204),
    "notify_concurrent": (204, 204, 204),
    "notify_bad_signature": (401, 204),
    "notify_bad_signtest": (401, 204),
    "notify_bad_stale": (401, 204),
    "notify_bad_serial": (401, 204),
    "notify_truncated": (500, 204),
    "notify_wrong_key": (500,),
    "notify_wrong_amount": (204,),
    "notify_other_merchant": (204,),
    "notify_unknown_order": (204, 204),
    "callback_dup": (200, 200, 200),
    "callback_unknown_type": (200,),
    "callback_bad_signature": (403, 200),
    "callback_wrong_appid": (403, 200),
    "callback_entity_bomb": (403, 200),
    "callback_truncated": (403, 200),
    "callback_huge": (413, 200),
    "callback_stale": (403, 200),
}
# Nobody can tell from these that nothing was done; who is turned away for haste can.
_UNCLEAR: Final = ("http_500", "http_502", "http_503")
# These leave nothing behind at WeChat.
_NOTHING_DONE: Final = (*_UNCLEAR, "http_429")
# These leave us in doubt about what was done.
_DONE_UNSEEN: Final = ("connection_reset", "timeout_after_success")
_NOT_REACHED: Final = {
    "user_blocked": "blocked",
    "not_following": "not_following",
    "no_consent": "no_consent",
    "bad_field": "bad_field",
}
_REPORTED: Final = {"result_user_block": "blocked", "result_system_failed": "system_failed"}
_CALLS_OF_CODES: Final = ("scan", "codepay")
_TRY_LATER: Final = "暂时连不上微信"
_TOO_LATE: Final = "登录没有完成"


def _at(
    operation: str, faults: Iterable[str], end: str, /, page: str = "", **options: object
) -> list[Row]:
    """Faults that lead elsewhere than the operation does, or are tuned otherwise."""
    tuned = {name: HOW.get(name, {}) | options for name in faults}
    return [
        Row(name, operation, end, tuning, DOORS.get(name, ()), page)
        for name, tuning in tuned.items()
    ]


def _inbox(operation: str, end: str, whys: Mapping[str, str], **options: object) -> list[Row]:
    """Messages that no channel brings, and what we note about it."""
    return [
        Row(name, operation, end, HOW.get(name, {}) | options, why=why)
        for name, why in whys.items()
    ]


_PAYING: Final[tuple[Row, ...]] = (
    *_at("payment notice", ["notify_unknown_order"], "booked, a stranger's money held"),
    # the payment's notice is held back, so two come at once
    Row("refund_before_payment", "refund notice", "refunded", {"match": "TRANSACTION"}, (204, 204)),
    Row("refund_abnormal", "refund notice", "refund abnormal", _ANY, (204,)),
    Row("refund_closed", "refund notice", "refund closed", _ANY, (204,)),
    *_at("refund query", ["refund_abnormal"], "refund abnormal"),
    *_at("refund query", ["refund_closed"], "refund closed"),
)
_SCANNING: Final[tuple[Row, ...]] = tuple(
    row
    for name in _CALLS_OF_CODES
    for row in (
        # A code is charged once, so the cashier has to scan again.
        *_at(name, _NOTHING_DONE, "never placed"),
        *_at(name, ["userpaying_late_success"], "taken back"),
        *_at(name, ["scan_code_expired"], "never placed"),
        *_at(name, ["scan_not_enough"], "declined"),
    )
)
_STATEMENTS: Final[tuple[Row, ...]] = (
    *_at("statement", ["bill_none"], "no trade, it says", match="tradebill"),
    *_at("statement", ["bill_missing_row"], "a line is missing"),
    *_at("statement", ["bill_extra_row"], "a stranger's line"),
    *_at("statement", ["bill_changed_amount"], "a line of another amount"),
    *_at("statement", ["bill_duplicate_row"], "a line twice"),
    *_at("statement", ["bill_refund_processing"], "a refund under way"),
)
_TELLING: Final[tuple[Row, ...]] = (
    *_inbox("message", "booked, in the inbox", {"token_invalid_forever": "gave_up"}),
    *_inbox("message", "booked, in the inbox", _NOT_REACHED),
    *_inbox("message", "booked, reported lost, in the inbox", _REPORTED),
    # WeChat shows a notification as often as it is sent, so in doubt it is not sent again.
    *_inbox("notification", "booked, in the inbox", dict.fromkeys(_UNCLEAR, "unsure")),
    *_inbox("notification", "booked, told, in the inbox", dict.fromkeys(_DONE_UNSEEN, "unsure")),
    *_inbox("notification", "booked, in the inbox", {"token_invalid_forever": "gave_up"}),
    *_inbox("notification", "booked, in the inbox", _NOT_REACHED),
    *_inbox("notification", "booked, reported lost, in the inbox", _REPORTED),
    *_inbox("sms", "suspended, to be telephoned", {"sms_refused": "blocked"}),
    *_at("report", ["callback_unknown_type"], "booked, the report meant nothing"),
)
_TALKING: Final[tuple[Row, ...]] = (
    *_at("said", ["callback_unknown_type"], "not understood"),
    # Somebody who wrote sees every copy of an answer, so in doubt it is not sent again.
    *_at("answer", _UNCLEAR, "not answered", times=1),
    *_at("answer", _DONE_UNSEEN, "answered, as far as we know not", times=1),
    *_at("answer", ["token_invalid_forever", *_NOT_REACHED], "not answered"),
    *_at("menu", _NOTHING_DONE, "published", times=1),
    *_at("menu", _DONE_UNSEEN, "published", times=1),
    # until a person mends it
    *_at("menu", ["token_invalid_forever"], "published", times=2),
    *_at("menu", ["busy"], "published", times=1),
    *_at("menu", ["errcode"], "published", value="40018", times=1),
)
_COMING_IN: Final[tuple[Row, ...]] = (
    *_at("log-in", [*_NOTHING_DONE, *_DONE_UNSEEN], "logged in", _TRY_LATER, times=1),
    *_at("log-in", ["busy", "quota_45009", "errcode"], "logged in", _TRY_LATER, times=1),
    *_at("log-in", ["code_expired"], "logged in", _TOO_LATE, times=1),
)
#: The same meetings in another way, beside those that follow.
_ALSO: Final[tuple[Row, ...]] = (
    # nobody at all: where it could cost money
    *_at("prepay", ["connection_reset"], "booked", value="before"),
    *_at("query", ["connection_reset"], "booked", value="before"),
    *_at("refund", ["connection_reset"], "refunded", value="before"),
    *_at("payment notice", ["notify_unknown_order"], "booked, a case is open", value="absent"),
    *_at("statement", ["bill_not_ready"], "statements late", times=-1),
    *_at("message", ["token_invalid"], "booked", times=2),
    *_inbox("message", "booked, in the inbox", {"errcode": "template_unknown"}, value="40037"),
    *_at("log-in", ["errcode"], "logged in", _TOO_LATE, value="40163", times=1),
)
_WRITTEN_DOWN: Final = (
    *_PAYING,
    *_SCANNING,
    *_STATEMENTS,
    *_TELLING,
    *_TALKING,
    *_COMING_IN,
)


def meetings() -> Iterator[tuple[str, str]]:
    """Every fault and operation that can meet, as the stand-in's moments have it."""
    for name, operation in OPERATIONS.items():
        for kind in KINDS.values():
            if kind.point in operation.meets and (kind.name, name) not in IMPOSSIBLE:
                yield kind.name, name


def _rest() -> Iterator[Row]:
    """All that leads where its operation leads."""
    known = {(row.fault, row.operation) for row in _WRITTEN_DOWN}
    for fault, name in meetings():
        if (fault, name) in known:
            continue
        operation, options = OPERATIONS[name], dict(HOW.get(fault, {}))
        if operation.calls > 1:
            options["times"] = int(str(options.get("times", 1))) * operation.calls
        yield Row(fault, name, operation.end, options, DOORS.get(fault, ()))


def _place(row: Row) -> tuple[int, int]:
    return list(OPERATIONS).index(row.operation), list(KINDS).index(row.fault)


ROWS: Final[tuple[Row, ...]] = tuple(sorted((*_WRITTEN_DOWN, *_ALSO, *_rest()), key=_place))
