"""Turning WeChat's JSON into outcomes. Unknown keys are ignored, missing ones make it Unreadable.

The same readers serve answers and opened notices, so that a query and a notice about one order can
never be understood differently.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hospital.wechat.outcomes import Closed, Paid, RefundProgress, RefundState, Unpaid
from hospital.wechat.signing import Unreadable
from hospital.wechat.xml import clean

Facts = Mapping[str, Any]

# Longer or bigger than anything WeChat means, and still safe to store.
LONGEST_TEXT = 256
MOST_FEN = 10**12
MOST_SECONDS = 10**10

PAID_STATES = {"SUCCESS", "REFUND"}
OPEN_STATES = {"NOTPAY", "USERPAYING"}
DEAD_STATES = {"CLOSED", "REVOKED", "PAYERROR"}


def read_json(body: bytes) -> Facts:
    """A JSON object. Raises Unreadable."""
    try:
        facts = json.loads(body)
    except (ValueError, RecursionError) as error:
        # The second: brackets nested deeper than Python goes.
        raise Unreadable("not_json") from error
    if not isinstance(facts, dict):
        raise Unreadable("not_an_object")
    return facts


def moment(stamp: object) -> datetime:
    """A moment given in seconds since 1970. Raises Unreadable, also for one no calendar has."""
    if not isinstance(stamp, int) or isinstance(stamp, bool) or not 0 < stamp < MOST_SECONDS:
        raise Unreadable("moment")
    return datetime.fromtimestamp(stamp, UTC)


def read_order(facts: Facts) -> Paid | Unpaid | Closed:
    """An order object of a query or a payment notice. Raises Unreadable."""
    state = str(facts.get("trade_state"))
    if state in PAID_STATES:
        return _read_paid(facts)
    if state in OPEN_STATES:
        return Unpaid(state=state)
    if state in DEAD_STATES:
        return Closed(state=state)
    raise Unreadable("trade_state")


def _read_paid(facts: Facts) -> Paid:
    amount = _object(facts, "amount")
    total_fen = _fen(amount, "total")
    if total_fen == 0:
        raise Unreadable("total")  # nothing is never paid
    return Paid(
        mchid=read_text(facts, "mchid"),
        appid=read_text(facts, "appid"),
        out_trade_no=read_text(facts, "out_trade_no"),
        transaction_id=read_text(facts, "transaction_id"),
        total_fen=total_fen,
        payer_fen=_fen(amount, "payer_total") if "payer_total" in amount else total_fen,
        openid=read_text(_object(facts, "payer"), "openid") if facts.get("payer") else "",
        succeeded_at=_moment(facts, "success_time"),
        has_refunds=facts["trade_state"] == "REFUND",
    )


def read_refund(facts: Facts, *, mchid: str = "") -> RefundState:
    """A refund object (`status`) or an opened refund notice (`refund_status`). Raises Unreadable.

    The object of a call names no merchant; `mchid` is then the one the call was signed for.
    """
    word = facts.get("refund_status") or facts.get("status")
    try:
        progress = RefundProgress(str(word))
    except ValueError as error:
        raise Unreadable("refund_status") from error
    amount = _object(facts, "amount")
    return RefundState(
        mchid=_optional(facts, "mchid") or mchid,
        out_trade_no=read_text(facts, "out_trade_no"),
        out_refund_no=read_text(facts, "out_refund_no"),
        refund_id=read_text(facts, "refund_id"),
        progress=progress,
        refund_fen=_fen(amount, "refund"),
        total_fen=_fen(amount, "total"),
        received_account=_optional(facts, "user_received_account"),
        succeeded_at=(
            _moment(facts, "success_time") if progress is RefundProgress.SUCCESS else None
        ),
    )


def _object(facts: Facts, name: str) -> Facts:
    value = facts.get(name)
    if not isinstance(value, dict):
        raise Unreadable(name)
    return value


def read_text(facts: Facts, name: str) -> str:
    """A text that can be stored and logged. Raises Unreadable."""
    value = facts.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT or value != clean(value):
        raise Unreadable(name)
    return value


def _optional(facts: Facts, name: str) -> str:
    return read_text(facts, name) if facts.get(name) else ""


def _fen(facts: Facts, name: str) -> int:
    value = facts.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_FEN:
        raise Unreadable(name)
    return value


def _moment(facts: Facts, name: str) -> datetime:
    """RFC 3339 with offset, milliseconds allowed, as UTC."""
    try:
        moment = datetime.fromisoformat(read_text(facts, name))
        if moment.tzinfo is None:
            raise Unreadable(name)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unreadable(name) from error
