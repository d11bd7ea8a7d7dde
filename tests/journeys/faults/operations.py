"""What is under way when a fault strikes, and which moments of the stand-in it passes.

Pure data: from the moments follows which faults an operation can meet at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wechat_sandbox.fault_kinds import Point

_CALL: Final = (Point.REQUEST, Point.ANSWER)
_SIGNED: Final = (*_CALL, Point.SIGNATURE)
_ACCOUNT: Final = (*_CALL, Point.ACCOUNT_CALL)
_WITH_TOKEN: Final = (*_ACCOUNT, Point.TOKEN)
_HEARD: Final = (Point.INBOUND, Point.CALLBACK)
#: Settings of the hospital under which an operation is reached; the others need none.
CODEPAY, NOTIFICATIONS = "codepay", "notifications"


@dataclass(frozen=True)
class Operation:
    """`match` finds its calls or notices at the stand-in, `end` is where it leads when all goes
    well in the end, `meets` are the moments it passes or first sees the effect of. `calls`: how
    many such calls are made side by side, each of which a fault has to strike. `setting` is how
    the hospital is set up for it."""

    says: str
    match: str
    end: str
    meets: tuple[Point, ...]
    calls: int = 1
    setting: str = ""


OPERATIONS: Final = {
    "prepay": Operation("placing the order", "transactions/jsapi", "booked", _SIGNED),
    "native": Operation(
        "placing the order of a code on a screen", "transactions/native", "booked", _SIGNED
    ),
    "query": Operation("asking how an order stands", "?mchid=", "booked", _SIGNED),
    "close": Operation("closing an order nobody wants any more", "/close?", "given up", _SIGNED),
    "refund": Operation(
        "sending a refund",
        "domestic/refunds? ",
        "refunded",
        (*_SIGNED, Point.REFUND, Point.REFUND_END),
    ),
    "refund query": Operation(
        "asking how a refund stands",
        "domestic/refunds/",
        "refunded",
        (*_SIGNED, Point.REFUND_END),
    ),
    "card": Operation(
        "sending an abnormal refund to a bank card",
        "apply-abnormal-refund",
        "refunded to a card",
        _SIGNED,
    ),
    "payment notice": Operation(
        "WeChat tells that somebody paid",
        "TRANSACTION",
        "booked",
        (Point.NOTICE, Point.ATTEMPT),
    ),
    "refund notice": Operation(
        "WeChat tells how a refund ended",
        "REFUND",
        "refunded",
        (Point.NOTICE, Point.ATTEMPT, Point.REFUND_END),
    ),
    "statement": Operation(
        "asking for yesterday's two statements",
        "/v3/bill/",
        "statements kept",
        (*_SIGNED, Point.BILL, Point.BILL_ROWS),
        calls=2,
    ),
    "statement file": Operation(
        "fetching the files of the two statements",
        "billdownload",
        "statements kept",
        (*_CALL, Point.BILL_FILE),
        calls=2,
    ),
    "scan": Operation("charging a payment code", "/pay/micropay", "booked", (*_SIGNED, Point.SCAN)),
    "scan query": Operation(
        "asking how a charged code stands", "/pay/orderquery", "booked", _SIGNED
    ),
    "reverse": Operation(
        "taking a charged code back",
        "/secapi/pay/reverse",
        "taken back",
        (*_SIGNED, Point.REVERSE),
    ),
    "codepay": Operation(
        "charging a payment code in v3",
        "transactions/codepay",
        "booked",
        (*_SIGNED, Point.SCAN),
        setting=CODEPAY,
    ),
    "codepay query": Operation(
        "asking how a code charged in v3 stands", "?mchid=", "booked", _SIGNED, setting=CODEPAY
    ),
    "codepay reverse": Operation(
        "taking a code charged in v3 back",
        "/reverse?",
        "taken back",
        (*_SIGNED, Point.REVERSE),
        setting=CODEPAY,
    ),
    "log-in": Operation(
        "learning who opened the page", "sns/oauth2", "logged in", (*_ACCOUNT, Point.CODE)
    ),
    "token": Operation(
        "fetching the account's token",
        "stable_token",
        "booked",
        (*_ACCOUNT, Point.TOKEN_ASKED, Point.ISSUE),
    ),
    "message": Operation(
        "sending a message",
        "template/send",
        "booked",
        (*_WITH_TOKEN, Point.MESSAGE, Point.RESULT),
    ),
    "notification": Operation(
        "sending a subscription notification",
        "subscribe/bizsend",
        "booked",
        (*_WITH_TOKEN, Point.MESSAGE, Point.RESULT),
        setting=NOTIFICATIONS,
    ),
    "sms": Operation(
        "sending an SMS to who blocked the account",
        "/sms/messages",
        "suspended, told by SMS",
        (*_CALL, Point.SMS),
    ),
    "said": Operation("WeChat tells what somebody wrote", "text   ", "answered", _HEARD),
    "report": Operation(
        "WeChat tells what became of a message",
        "TEMPLATESENDJOBFINISH",
        "booked, delivery reported",
        _HEARD,
    ),
    "answer": Operation(
        "answering what somebody wrote",
        "custom/send",
        "answered",
        (*_WITH_TOKEN, Point.MESSAGE),
    ),
    "menu": Operation("publishing the account's menu", "menu/create", "published", _WITH_TOKEN),
}

_V2: Final = ("scan", "scan query", "reverse")
#: A fault that never strikes at an operation, though it strikes at a moment that is passed.
IMPOSSIBLE: Final = {
    **{("response_stale", name): "v2 answers bear no time" for name in _V2},
    **{("response_wrong_serial", name): "v2 answers name no key" for name in _V2},
    **{("response_swapped_key", name): "v2 has one key" for name in _V2},
    **{
        (name, "refund"): "its end is seen by the notice and by asking"
        for name in ("refund_abnormal", "refund_closed", "refund_stuck")
    },
    ("notify_unknown_order", "refund notice"): "it rides on a payment's notice",
    ("refund_before_payment", "payment notice"): "its end is seen at the refund's notice",
    ("refund_stuck", "refund notice"): "a refund that is stuck tells nothing",
}
