"""Orders as they stand: finding one, letting it expire, and the object WeChat shows of it.

States: NOTPAY -> SUCCESS or CLOSED; SUCCESS -> REFUND with the first accepted refund. An order of a
scanned payment code: USERPAYING -> SUCCESS, PAYERROR or CLOSED; any of them -> REVOKED.
"""

from __future__ import annotations

from typing import Any

from wechat_sandbox import ids
from wechat_sandbox.clock import rfc3339
from wechat_sandbox.records import Order, Prepay
from wechat_sandbox.sandbox import Sandbox

PREPAY_LIFE_S = 2 * 3600
ORDER_LIFE_S = 7 * 24 * 3600
# Spelt as in the partial indexes, which are used only then.
_UNPAID = ("state = 'NOTPAY' AND expires_at <= ?", "state = 'USERPAYING' AND expires_at <= ?")
STATE_SAYS = {
    "NOTPAY": "订单未支付",
    "SUCCESS": "支付成功",
    "CLOSED": "订单已关闭",
    "USERPAYING": "需要用户输入支付密码",
    "PAYERROR": "支付失败，请重新下单支付",
    "REVOKED": "订单已撤销",
    "REFUND": "订单发生过退款，退款详情请查询退款单",
}


def expire(sandbox: Sandbox) -> None:
    """Close unpaid orders whose time is over."""
    for unpaid in _UNPAID:
        sandbox.store.run(
            f"UPDATE orders SET state = 'CLOSED', closed_at = expires_at WHERE {unpaid}",  # noqa: S608 - a constant
            sandbox.clock.now(),
        )


def find(sandbox: Sandbox, out_trade_no: str) -> Order | None:
    """The merchant's order with this number, as of now."""
    expire(sandbox)
    return sandbox.store.one(Order, "SELECT * FROM orders WHERE out_trade_no = ?", out_trade_no)


def find_by_transaction(sandbox: Sandbox, transaction_id: str) -> Order | None:
    """The paid order with WeChat's number."""
    return sandbox.store.one(Order, "SELECT * FROM orders WHERE transaction_id = ?", transaction_id)


def find_by_prepay(sandbox: Sandbox, prepay_id: str) -> tuple[Order, Prepay] | None:
    """The order a prepay id stands for, and that id's record."""
    prepay = sandbox.store.one(Prepay, "SELECT * FROM prepays WHERE prepay_id = ?", prepay_id)
    if prepay is None:
        return None
    order = find(sandbox, prepay.out_trade_no)
    return None if order is None else (order, prepay)


def issue_code_url(sandbox: Sandbox, prepay_id: str, out_trade_no: str) -> str:
    """A fresh code URL for a Native order; the ones before it are void from now on."""
    code_url = ids.code_url()
    with sandbox.store.write():
        sandbox.store.run("DELETE FROM code_urls WHERE out_trade_no = ?", out_trade_no)
        sandbox.store.insert(
            "code_urls", code_url=code_url, out_trade_no=out_trade_no, prepay_id=prepay_id
        )
    return code_url


def find_by_code_url(sandbox: Sandbox, code_url: str) -> tuple[Order, Prepay] | None:
    """The Native order whose QR holds this text, unless a newer QR has voided it."""
    for prepay_id in sandbox.store.texts(
        "SELECT prepay_id FROM code_urls WHERE code_url = ?", code_url
    ):
        return find_by_prepay(sandbox, prepay_id)
    return None


def shown(order: Order) -> dict[str, Any]:
    """The order object of queries and payment notices.

    Before payment only identity, state and the total are known; keys without a value are left out.
    """
    document: dict[str, Any] = {
        "appid": order.appid,
        "mchid": order.mchid,
        "out_trade_no": order.out_trade_no,
        "trade_state": order.state,
        "trade_state_desc": STATE_SAYS[order.state],
    }
    if order.transaction_id is None or order.success_at is None:
        document["amount"] = {"total": order.total_fen}
        return document
    document |= {
        "transaction_id": order.transaction_id,
        "trade_type": order.trade_type,
        "bank_type": order.bank_type,
        "attach": order.attach,
        "success_time": rfc3339(order.success_at),
        "payer": {"openid": order.payer_openid},
        "amount": {
            "total": order.total_fen,
            "payer_total": order.total_fen,
            "currency": "CNY",
            "payer_currency": "CNY",
        },
    }
    if order.device_id:
        document["scene_info"] = {"device_id": order.device_id}
    return document
