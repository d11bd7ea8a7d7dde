"""v2 of the cashier's scan: /pay/micropay, /pay/orderquery, /secapi/pay/reverse."""

from __future__ import annotations

import json
import re

from wechat_sandbox import orders, scanpay
from wechat_sandbox.clock import digits, parse_digits
from wechat_sandbox.pay import OUT_TRADE_NO
from wechat_sandbox.records import Order
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.v2 import Call, Refused, route


def micropay(sandbox: Sandbox, call: Call) -> dict[str, str]:
    """Charge a payment code at once."""
    number = call.text("out_trade_no", 32)
    if not re.fullmatch(OUT_TRADE_NO, number):
        raise Refused("PARAM_ERROR", "商户订单号格式错误")
    call.text("spbill_create_ip", 64)
    ask = scanpay.Ask(
        appid=call.fields["appid"],
        out_trade_no=number,
        auth_code=call.text("auth_code", 128),
        total_fen=call.fen("total_fee"),
        description=call.text("body", 128 * 3),
        attach=call.fields.get("attach", ""),
        device_id=call.fields.get("device_info", ""),
        expires_at=_expiry(call.fields.get("time_expire", "")),
        request=_request(call),
    )
    try:
        order = scanpay.charge(sandbox, ask, call.subject)
    except scanpay.ScanRefused as refused:
        raise Refused(refused.code, str(refused)) from refused
    if order.state == "USERPAYING":
        raise Refused("USERPAYING", scanpay.SAYS["USERPAYING"])
    return shown(order)


def query(sandbox: Sandbox, call: Call) -> dict[str, str]:
    """Any order of the merchant, made with v2 or v3."""
    order = wanted(sandbox, call)
    if order is None:
        raise Refused("ORDERNOTEXIST", scanpay.SAYS["ORDERNOTEXIST"])
    return shown(order) | {
        "trade_state": order.state,
        "trade_state_desc": orders.STATE_SAYS[order.state],
    }


def reverse(sandbox: Sandbox, call: Call) -> dict[str, str]:
    """Take a scan back; `recall` Y asks for the same call once more."""
    try:
        scanpay.reverse(sandbox, wanted(sandbox, call), call.subject)
    except scanpay.ScanRefused as refused:
        recall = "Y" if refused.recall else "N"
        raise Refused(refused.code, str(refused), recall=recall) from refused
    return {"recall": "N"}


def wanted(sandbox: Sandbox, call: Call) -> Order | None:
    """The order a call names by WeChat's number, which comes first, or by ours."""
    if call.fields.get("transaction_id"):
        return orders.find_by_transaction(sandbox, call.fields["transaction_id"])
    return orders.find(sandbox, call.text("out_trade_no", 32))


def shown(order: Order) -> dict[str, str]:
    """The fields of an order; before payment only its identity and amount."""
    known = {
        "out_trade_no": order.out_trade_no,
        "device_info": order.device_id,
        "total_fee": str(order.total_fen),
        "attach": order.attach,
    }
    if order.transaction_id is None or order.success_at is None:
        return known
    return known | {
        "transaction_id": order.transaction_id,
        "openid": order.payer_openid,
        "is_subscribe": "Y",
        "trade_type": order.trade_type,
        "bank_type": order.bank_type,
        "fee_type": "CNY",
        "cash_fee": str(order.total_fen),
        "cash_fee_type": "CNY",
        "time_end": digits(order.success_at),
    }


def _request(call: Call) -> str:
    """What must be equal for a repeat: all but what differs on every call by its nature."""
    kept = {name: text for name, text in call.fields.items() if name not in ("nonce_str", "sign")}
    return json.dumps(["MICROPAY", kept], ensure_ascii=False, sort_keys=True)


def _expiry(time_expire: str) -> float | None:
    if not time_expire:
        return None
    try:
        return parse_digits(time_expire)
    except ValueError as bad:
        raise Refused("PARAM_ERROR", "time_expire参数格式错误") from bad


routes = [
    route("/pay/micropay", micropay),
    route("/pay/orderquery", query),
    route("/secapi/pay/reverse", reverse),
]
