"""Refunds: accepted at once, carried out a little later, told to the merchant at the end.

The same number with identical parameters answers the same refund; WeChat counts the refunds that
are not CLOSED against the order's total.
"""

from __future__ import annotations

import json
from typing import Any

from wechat_sandbox import ids, notices, orders, people, wallet
from wechat_sandbox.clock import rfc3339
from wechat_sandbox.faults import Point
from wechat_sandbox.records import Order, Refund, RefundPlan
from wechat_sandbox.refund_fields import REQUEST
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.v3 import Answer, Call, Refused, route

MOST_REFUNDS = 50
LATEST_AFTER_S = 365 * 24 * 3600
CHANGED = "订单金额或退款金额与之前请求不一致，请核实后再试"

ORIGINAL, OTHER_BANKCARD = "ORIGINAL", "OTHER_BANKCARD"
ENDS = {"refund_abnormal": "ABNORMAL", "refund_closed": "CLOSED"}
MOVES = {
    "PROCESSING": ("SUCCESS", "ABNORMAL", "CLOSED"),
    "ABNORMAL": ("SUCCESS", "CLOSED"),
}


class NotPossible(Exception):
    """A refund cannot take this status from where it stands."""


def create(sandbox: Sandbox, call: Call) -> Answer:
    """POST /v3/refund/domestic/refunds"""
    REQUEST.check(call.body, "")
    return Answer(shown(sandbox, *ask(sandbox, call.body, call.subject)))


def ask(sandbox: Sandbox, body: dict[str, Any], subject: str) -> tuple[Order, Refund]:
    """Accept a refund, or find it again by its number; raises Refused."""
    order = _paid_order(sandbox, body)
    request = json.dumps(body, ensure_ascii=False, sort_keys=True)
    known = find(sandbox, body["out_refund_no"])
    if known is not None:
        if known.request != request:
            raise Refused(400, "INVALID_REQUEST", CHANGED)
        return order, known
    _check_amounts(sandbox, order, body["amount"])
    fault = sandbox.faults.strikes(Point.REFUND, subject)
    if fault is not None and fault.kind == "refund_not_found":
        raise Refused(404, "RESOURCE_NOT_EXISTS", "订单不存在")
    if fault is not None:
        raise Refused(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起")
    return order, _accept(sandbox, order, body, request, subject=subject)


def query(sandbox: Sandbox, call: Call) -> Answer:
    """GET /v3/refund/domestic/refunds/{out_refund_no}"""
    refund = find(sandbox, call.path["out_refund_no"])
    order = None if refund is None else orders.find(sandbox, refund.out_trade_no)
    if refund is None or order is None:
        raise Refused(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
    return Answer(shown(sandbox, order, refund))


def find(sandbox: Sandbox, out_refund_no: str) -> Refund | None:
    """The refund with the merchant's number."""
    return sandbox.store.one(Refund, "SELECT * FROM refunds WHERE out_refund_no = ?", out_refund_no)


def of_order(sandbox: Sandbox, out_trade_no: str) -> list[Refund]:
    """All refunds of an order, oldest first."""
    return sandbox.store.all(
        Refund,
        "SELECT * FROM refunds WHERE out_trade_no = ? ORDER BY created_at, rowid",
        out_trade_no,
    )


def finish_due(sandbox: Sandbox) -> None:
    """Carry out the refunds whose time has come."""
    ready = sandbox.store.all(
        Refund,
        "SELECT * FROM refunds WHERE status = 'PROCESSING' AND NOT held AND due_at <= ?"
        " ORDER BY due_at",
        sandbox.clock.now(),
    )
    for refund in ready:
        plan = plan_of(sandbox, refund)
        decide(sandbox, refund, "SUCCESS" if plan is None else plan.ends_as)


def decide(sandbox: Sandbox, refund: Refund, status: str) -> Refund:
    """Move a refund on: `PROCESSING` holds it, the others end it and tell the merchant.

    Raises NotPossible when it has already ended otherwise.
    """
    if status == refund.status == "PROCESSING":
        sandbox.store.run(
            "UPDATE refunds SET held = 1 WHERE out_refund_no = ?", refund.out_refund_no
        )
        return _again(sandbox, refund)
    if status not in MOVES.get(refund.status, ()):
        raise NotPossible(f"{refund.out_refund_no} is {refund.status}, cannot become {status}")
    order = orders.find(sandbox, refund.out_trade_no)
    if order is None:
        raise LookupError(refund.out_trade_no)
    user = people.ensure(sandbox, order.payer_openid)
    with sandbox.store.write():
        sandbox.store.run(
            "UPDATE refunds SET status = ?, held = 0, success_at = ? WHERE out_refund_no = ?",
            status,
            sandbox.clock.now() if status == "SUCCESS" else None,
            refund.out_refund_no,
        )
        sandbox.store.insert(
            "refund_ends",
            out_refund_no=refund.out_refund_no,
            status=status,
            at=sandbox.clock.now(),
        )
        ended = _again(sandbox, refund)
        plan = plan_of(sandbox, refund)
        if status == "SUCCESS" and (plan is None or plan.channel == ORIGINAL):
            wallet.give_back(sandbox, user, order, ended)
        notices.tell_refunded(sandbox, order, ended, user)
    sandbox.hub.publish(user.openid, "wallet", refund.out_refund_no)
    return ended


def plan_of(sandbox: Sandbox, refund: Refund) -> RefundPlan | None:
    """How this refund is going to end, when somebody decided that."""
    return sandbox.store.one(
        RefundPlan, "SELECT * FROM refund_plans WHERE out_refund_no = ?", refund.out_refund_no
    )


def send_on(sandbox: Sandbox, refund: Refund, account: str) -> Refund:
    """An abnormal refund is under way again, to another account; it ends with SUCCESS later."""
    with sandbox.store.write():
        sandbox.store.run("DELETE FROM refund_plans WHERE out_refund_no = ?", refund.out_refund_no)
        _plan(sandbox, refund.out_refund_no, "SUCCESS", OTHER_BANKCARD, account)
        sandbox.store.run(
            "UPDATE refunds SET status = 'PROCESSING', due_at = ? WHERE out_refund_no = ?",
            sandbox.clock.now() + _delay_s(sandbox),
            refund.out_refund_no,
        )
    sandbox.wake()
    return _again(sandbox, refund)


def shown(sandbox: Sandbox, order: Order, refund: Refund) -> dict[str, Any]:
    """The refund object of the API; its key is `status`, the notice's is `refund_status`."""
    plan = plan_of(sandbox, refund)
    document: dict[str, Any] = {
        "refund_id": refund.refund_id,
        "out_refund_no": refund.out_refund_no,
        "transaction_id": refund.transaction_id,
        "out_trade_no": refund.out_trade_no,
        "channel": ORIGINAL if plan is None else plan.channel,
        "user_received_account": plan.account if plan else notices.received_account(order),
        "create_time": rfc3339(refund.created_at),
        "status": refund.status,
        "funds_account": refund.funds_account,
        "amount": {
            "total": refund.total_fen,
            "refund": refund.amount_fen,
            "from": [],
            "payer_total": refund.total_fen,
            "payer_refund": refund.amount_fen,
            "settlement_refund": refund.amount_fen,
            "settlement_total": refund.total_fen,
            "discount_refund": 0,
            "currency": "CNY",
            "refund_fee": 0,
        },
        "promotion_detail": [],
    }
    if refund.success_at is not None:
        document["success_time"] = rfc3339(refund.success_at)
    return document


def _again(sandbox: Sandbox, refund: Refund) -> Refund:
    found = find(sandbox, refund.out_refund_no)
    if found is None:
        raise LookupError(refund.out_refund_no)
    return found


def _paid_order(sandbox: Sandbox, body: dict[str, Any]) -> Order:
    if "transaction_id" in body:
        order = orders.find_by_transaction(sandbox, body["transaction_id"])
    elif "out_trade_no" in body:
        order = orders.find(sandbox, body["out_trade_no"])
    else:
        raise Refused(400, "PARAM_ERROR", "transaction_id和out_trade_no必须传一个")
    if order is None or body.get("out_trade_no", order.out_trade_no) != order.out_trade_no:
        raise Refused(404, "RESOURCE_NOT_EXISTS", "订单不存在")
    if order.state == "REVOKED":
        raise Refused(400, "INVALID_REQUEST", "订单已撤销，不能退款")
    if order.transaction_id is None or order.success_at is None:
        raise Refused(400, "INVALID_REQUEST", "订单未支付，不能退款")
    if sandbox.clock.now() > order.success_at + LATEST_AFTER_S:
        raise Refused(400, "INVALID_REQUEST", "订单已超过可退款的最大期限")
    return order


def _check_amounts(sandbox: Sandbox, order: Order, amount: dict[str, Any]) -> None:
    if amount["total"] != order.total_fen:
        raise Refused(400, "INVALID_REQUEST", CHANGED)
    if amount["refund"] > amount["total"]:
        raise Refused(400, "PARAM_ERROR", "退款金额不能大于订单金额")
    before = of_order(sandbox, order.out_trade_no)
    if len(before) >= MOST_REFUNDS:
        raise Refused(400, "INVALID_REQUEST", "部分退款次数超过限制")
    taken = sum(refund.amount_fen for refund in before if refund.status != "CLOSED")
    if taken + amount["refund"] > order.total_fen:
        raise Refused(400, "INVALID_REQUEST", "累计退款金额大于订单支付金额")


def _accept(
    sandbox: Sandbox, order: Order, body: dict[str, Any], request: str, *, subject: str
) -> Refund:
    now = sandbox.clock.now()
    fault = sandbox.faults.strikes(Point.REFUND_END, subject)
    kind = "" if fault is None else fault.kind
    with sandbox.store.write():
        if kind in ENDS:
            account = notices.received_account(order)
            _plan(sandbox, body["out_refund_no"], ENDS[kind], ORIGINAL, account)
        sandbox.store.run(
            "UPDATE orders SET state = 'REFUND' WHERE out_trade_no = ?", order.out_trade_no
        )
        sandbox.store.insert(
            "refunds",
            out_refund_no=body["out_refund_no"],
            refund_id=ids.refund_id(now),
            out_trade_no=order.out_trade_no,
            transaction_id=order.transaction_id,
            amount_fen=body["amount"]["refund"],
            total_fen=order.total_fen,
            reason=body.get("reason", ""),
            notify_url=body.get("notify_url", ""),
            funds_account=body.get("funds_account", "UNSETTLED"),
            request=request,
            status="PROCESSING",
            held=kind == "refund_stuck",
            created_at=now,
            due_at=now + _delay_s(sandbox),
            success_at=None,
        )
    sandbox.wake()
    accepted = find(sandbox, body["out_refund_no"])
    if accepted is None:
        raise LookupError(body["out_refund_no"])
    return accepted


def _plan(sandbox: Sandbox, number: str, ends_as: str, channel: str, account: str) -> None:
    sandbox.store.insert(
        "refund_plans", out_refund_no=number, ends_as=ends_as, channel=channel, account=account
    )


def _delay_s(sandbox: Sandbox) -> float:
    return sandbox.settings.refund_delay_s * sandbox.settings.notify_scale


routes = [
    route("/v3/refund/domestic/refunds", create, method="POST"),
    route("/v3/refund/domestic/refunds/{out_refund_no}", query, method="GET"),
]
