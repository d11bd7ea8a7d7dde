"""v2 refunds: /secapi/pay/refund and /pay/refundquery, over the same ledger as v3."""

from __future__ import annotations

from typing import Any

from wechat_sandbox import micropay, notices, orders, refunds, v3
from wechat_sandbox.clock import digits
from wechat_sandbox.records import Order, Refund
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.v2 import Call, Refused, route
from wechat_sandbox.v2_notices import STATUS

ACCOUNTS = {
    "": "UNSETTLED",
    "REFUND_SOURCE_UNSETTLED_FUNDS": "UNSETTLED",
    "REFUND_SOURCE_RECHARGE_FUNDS": "AVAILABLE",
}
CODES = {
    "RESOURCE_NOT_EXISTS": "ORDERNOTEXIST",
    "NOT_ENOUGH": "NOTENOUGH",
    "SYSTEM_ERROR": "SYSTEMERROR",
}
MOST_SHOWN = 10


def apply(sandbox: Sandbox, call: Call) -> dict[str, str]:
    """Ask for a refund; SUCCESS only means accepted."""
    body: dict[str, Any] = {
        "out_refund_no": call.text("out_refund_no", 64),
        "amount": {
            "refund": call.fen("refund_fee"),
            "total": call.fen("total_fee"),
            "currency": "CNY",
        },
        "funds_account": _account(call),
        "v2": True,
    }
    if call.fields.get("refund_desc"):
        body["reason"] = call.text("refund_desc", 80 * 3)
    if call.fields.get("notify_url"):
        body["notify_url"] = call.text("notify_url", 256)
    number = "transaction_id" if call.fields.get("transaction_id") else "out_trade_no"
    body[number] = call.text(number, 32)
    try:
        order, refund = refunds.ask(sandbox, body, call.subject)
    except v3.Refused as refused:
        raise Refused(CODES.get(refused.code, refused.code), refused.message) from refused
    return _of_order(order) | {
        "out_refund_no": refund.out_refund_no,
        "refund_id": refund.refund_id,
        "refund_fee": str(refund.amount_fen),
        "cash_refund_fee": str(refund.amount_fen),
        "coupon_refund_fee": "0",
        "coupon_refund_count": "0",
    }


def query(sandbox: Sandbox, call: Call) -> dict[str, str]:
    """The refunds of an order, or one of them; ten at most from `offset`."""
    order, found = _wanted(sandbox, call)
    offset = int(call.fields.get("offset") or 0)
    if order is None or not found[offset:]:
        raise Refused("REFUNDNOTEXIST", "退款订单查询失败")
    answer = _of_order(order) | {
        "total_refund_count": str(len(found)),
        "refund_count": str(len(found[offset : offset + MOST_SHOWN])),
    }
    for place, refund in enumerate(found[offset : offset + MOST_SHOWN]):
        answer |= {f"{name}_{place}": text for name, text in _numbered(order, refund).items()}
    return answer


def _wanted(sandbox: Sandbox, call: Call) -> tuple[Order | None, list[Refund]]:
    """The most exact number counts: refund_id, out_refund_no, then the order's."""
    for column in ("refund_id", "out_refund_no"):
        if call.fields.get(column):
            found = sandbox.store.all(
                Refund,
                f"SELECT * FROM refunds WHERE {column} = ?",  # noqa: S608 - one of two words
                call.fields[column],
            )
            return (orders.find(sandbox, found[0].out_trade_no) if found else None), found
    order = micropay.wanted(sandbox, call)
    return order, [] if order is None else refunds.of_order(sandbox, order.out_trade_no)


def _of_order(order: Order) -> dict[str, str]:
    return {
        "transaction_id": order.transaction_id or "",
        "out_trade_no": order.out_trade_no,
        "total_fee": str(order.total_fen),
        "fee_type": "CNY",
        "cash_fee": str(order.total_fen),
    }


def _numbered(order: Order, refund: Refund) -> dict[str, str]:
    shown = {
        "out_refund_no": refund.out_refund_no,
        "refund_id": refund.refund_id,
        "refund_channel": "ORIGINAL",
        "refund_fee": str(refund.amount_fen),
        "settlement_refund_fee": str(refund.amount_fen),
        "coupon_refund_fee": "0",
        "coupon_refund_count": "0",
        "refund_status": STATUS[refund.status],
        "refund_account": f"REFUND_SOURCE_{_source(refund)}_FUNDS",
        "refund_recv_accout": notices.received_account(order),
    }
    if refund.success_at is not None:
        moment = digits(refund.success_at, "%Y-%m-%d %H:%M:%S")
        shown["refund_success_time"] = moment
    return shown


def _source(refund: Refund) -> str:
    return "RECHARGE" if refund.funds_account == "AVAILABLE" else "UNSETTLED"


def _account(call: Call) -> str:
    try:
        return ACCOUNTS[call.fields.get("refund_account", "")]
    except KeyError as bad:
        raise Refused("PARAM_ERROR", "refund_account参数错误") from bad


routes = [route("/secapi/pay/refund", apply), route("/pay/refundquery", query)]
