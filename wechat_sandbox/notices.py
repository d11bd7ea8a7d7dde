"""Notifications to the merchant: made once, delivered until answered 200 or 204.

The id and the sealed body of a notice never change; each attempt is signed anew. Faults are drawn
when a notice is queued (lost, late, copies) and when an attempt is made (bad signature).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from wechat_sandbox import ids, notice_faults, orders, v2_notices
from wechat_sandbox.clock import rfc3339
from wechat_sandbox.faults import Point
from wechat_sandbox.records import Notice, Order, PendingFault, Refund, User
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.signing import encrypt

PAID = "TRANSACTION.SUCCESS"
LATE = ("notify_delay", "refund_before_payment")
REFUND_SAYS = {"SUCCESS": "退款成功", "ABNORMAL": "退款异常", "CLOSED": "退款关闭"}


def tell_paid(sandbox: Sandbox, order: Order) -> None:
    """Queue TRANSACTION.SUCCESS for a paid order; call inside `write()`.

    A scanned payment code has no address: the merchant is told by its own call.
    """
    if not order.notify_url:
        return
    subject = f"{order.out_trade_no} {order.transaction_id} {order.payer_openid}"
    struck = _struck(sandbox, PAID, order.notify_url, subject)
    if "notify_unknown_order" in struck:
        stray = notice_faults.stray(sandbox, order, struck["notify_unknown_order"])
        _queue_paid(sandbox, stray, subject, {})
    _queue_paid(sandbox, order, subject, struck)


def tell_refunded(sandbox: Sandbox, order: Order, refund: Refund, user: User) -> None:
    """Queue REFUND.SUCCESS, .ABNORMAL or .CLOSED; call inside `write()`.

    Nothing is sent when neither the refund nor the merchant console names an address. A refund of
    v2 is told in the way of v2.
    """
    url = refund.notify_url or sandbox.settings.notify_url
    if not url:
        return
    plain: dict[str, Any] = {
        "mchid": order.mchid,
        "out_trade_no": order.out_trade_no,
        "transaction_id": refund.transaction_id,
        "out_refund_no": refund.out_refund_no,
        "refund_id": refund.refund_id,
        "refund_status": refund.status,
        "user_received_account": received_account(order),
        "amount": {
            "total": order.total_fen,
            "refund": refund.amount_fen,
            "payer_total": order.total_fen,
            "payer_refund": refund.amount_fen,
        },
    }
    if refund.success_at is not None:
        plain["success_time"] = rfc3339(refund.success_at)
    subject = f"{refund.out_refund_no} {refund.refund_id} {order.out_trade_no} {user.openid}"
    _queue(
        sandbox,
        event_type=f"REFUND.{refund.status}",
        summary=REFUND_SAYS[refund.status],
        original_type="refund",
        plain=plain,
        url=url,
        subject=subject,
        struck=_struck(sandbox, f"REFUND.{refund.status}", url, subject),
        out_trade_no=order.out_trade_no,
        out_refund_no=refund.out_refund_no,
        body=v2_notices.body(sandbox.keys, order, refund, received_account(order))
        if json.loads(refund.request).get("v2")
        else "",
    )


def received_account(order: Order) -> str:
    """Where refunded money goes, in WeChat's words."""
    return "支付用户零钱" if order.bank_type == "OTHERS" else "招商银行借记卡0403"


def release(sandbox: Sandbox, out_trade_no: str) -> None:
    """A refund of this order has been told: a payment notice held back for that goes now."""
    sandbox.store.run(
        "UPDATE notices SET next_at = ? WHERE status = 'waiting' AND id IN"
        " (SELECT notice_id FROM held_notices WHERE out_trade_no = ?)",
        sandbox.clock.now(),
        out_trade_no,
    )
    sandbox.store.run("DELETE FROM held_notices WHERE out_trade_no = ?", out_trade_no)


def _queue_paid(
    sandbox: Sandbox, order: Order, subject: str, struck: Mapping[str, PendingFault]
) -> None:
    _queue(
        sandbox,
        event_type=PAID,
        summary="支付成功",
        original_type="transaction",
        plain=orders.shown(order),
        url=order.notify_url,
        subject=subject,
        struck=struck,
        out_trade_no=order.out_trade_no,
    )


def _struck(sandbox: Sandbox, event_type: str, url: str, subject: str) -> dict[str, PendingFault]:
    found = sandbox.faults.take(Point.NOTICE, f"{event_type} {url} {subject}")
    return {fault.kind: fault for fault in found}


def _queue(
    sandbox: Sandbox,
    *,
    event_type: str,
    summary: str,
    original_type: str,
    plain: dict[str, Any],
    url: str,
    subject: str,
    struck: Mapping[str, PendingFault],
    out_trade_no: str,
    out_refund_no: str = "",
    body: str = "",
) -> None:
    """Put a notice in line; `body` replaces the sealed JSON made of `plain`."""
    now = sandbox.clock.now()
    notice_id = ids.notice_id()
    said = notice_faults.spoilt(plain, struck)
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    key = notice_faults.wrong_key() if "notify_wrong_key" in struck else ""
    sealed = encrypt(sandbox.keys, text.encode(), original_type, key=key)
    document = {
        "id": notice_id,
        "create_time": rfc3339(now),
        "resource_type": "encrypt-resource",
        "event_type": event_type,
        "summary": summary,
        "resource": {"original_type": original_type, **sealed},
    }
    delays = [struck[kind].seconds for kind in LATE if kind in struck]
    copies = struck.get("notify_concurrent") or struck.get("notify_dup")
    sandbox.store.insert(
        "notices",
        id=notice_id,
        event_type=event_type,
        out_trade_no=out_trade_no,
        out_refund_no=out_refund_no,
        subject=f"{event_type} {url} {subject}",
        url=url,
        body=body or json.dumps(document, ensure_ascii=False, separators=(",", ":")),
        created_at=now,
        status="lost" if "notify_lost" in struck else "waiting",
        attempts=0,
        next_at=now + max(delays, default=0),
        copies=copies.copies if copies else 1,
        concurrent="notify_concurrent" in struck,
    )
    if "refund_before_payment" in struck and not out_refund_no:
        sandbox.store.insert("held_notices", notice_id=notice_id, out_trade_no=out_trade_no)
    sandbox.wake()


def due(sandbox: Sandbox) -> list[Notice]:
    """Notices whose next attempt should be made now."""
    return sandbox.store.all(
        Notice,
        "SELECT * FROM notices WHERE status = 'waiting' AND next_at <= ? ORDER BY next_at",
        sandbox.clock.now(),
    )


def restart(sandbox: Sandbox) -> None:
    """After a stop, make the attempts that were under way once more."""
    sandbox.store.run(
        "UPDATE notices SET status = 'waiting', next_at = ? WHERE status = 'sending'",
        sandbox.clock.now(),
    )
