"""v3 of the cashier's scan: `codepay` and `reverse`, for merchants allowed to use them."""

from __future__ import annotations

import json

from wechat_sandbox import orders, pay, scanpay
from wechat_sandbox.fields import Choice, Text, Thing, Whole
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.v3 import Answer, Call, Refused, own_merchant, route

REQUEST = Thing(
    {
        "appid": Text(32, required=True),
        "mchid": Text(32, required=True),
        "description": Text(127, required=True),
        "out_trade_no": Text(32, least=6, pattern=pay.OUT_TRADE_NO, required=True),
        "attach": Text(128, least=0),
        "goods_tag": Text(32),
        "time_expire": Text(64),
        "payer": Thing({"auth_code": Text(128, required=True)}, required=True),
        "amount": Thing(
            {"total": Whole(required=True), "currency": Choice(("CNY",))}, required=True
        ),
        "scene_info": Thing(
            {
                "device_id": Text(32),
                "device_ip": Text(45),
                "store_info": Thing({"id": Text(32), "out_id": Text(32)}, required=True),
            },
            required=True,
        ),
        "detail": pay.ORDER_KEYS["detail"],
        "settle_info": pay.ORDER_KEYS["settle_info"],
    }
)
REVERSE = Thing({"appid": Text(32, required=True), "mchid": Text(32, required=True)})
HTTP = {"SYSTEMERROR": (500, "SYSTEM_ERROR"), "ORDERNOTEXIST": (404, "ORDER_NOT_EXIST")}


def codepay(sandbox: Sandbox, call: Call) -> Answer:
    """POST /v3/pay/transactions/codepay; 202 while the holder must enter the password."""
    REQUEST.check(call.body, "")
    pay.check_account(sandbox, call.body)
    expires_at = pay.expiry(call.body.get("time_expire"), sandbox.clock.now())
    ask = scanpay.Ask(
        appid=call.body["appid"],
        out_trade_no=call.body["out_trade_no"],
        auth_code=call.body["payer"]["auth_code"],
        total_fen=call.body["amount"]["total"],
        description=call.body["description"],
        attach=call.body.get("attach", ""),
        device_id=call.body["scene_info"].get("device_id", ""),
        expires_at=expires_at if "time_expire" in call.body else None,
        request=json.dumps(["CODEPAY", call.body], ensure_ascii=False, sort_keys=True),
    )
    try:
        order = scanpay.charge(sandbox, ask, call.subject)
    except scanpay.ScanRefused as refused:
        if refused.code == "USERPAYING":
            return _paying()
        raise _refusal(refused) from refused
    return _paying() if order.state == "USERPAYING" else Answer(orders.shown(order))


def reverse(sandbox: Sandbox, call: Call) -> Answer:
    """POST …/out-trade-no/{out_trade_no}/reverse; may be repeated."""
    REVERSE.check(call.body, "")
    own_merchant(sandbox, call.body["mchid"])
    scanpay.finish_due(sandbox)
    order = orders.find(sandbox, call.path["out_trade_no"])
    try:
        return Answer(orders.shown(scanpay.reverse(sandbox, order, call.subject)))
    except scanpay.ScanRefused as refused:
        raise _refusal(refused) from refused


def _paying() -> Answer:
    return Answer({"code": "USERPAYING", "message": scanpay.SAYS["USERPAYING"]}, status=202)


def _refusal(refused: scanpay.ScanRefused) -> Refused:
    status, code = HTTP.get(refused.code, (400, refused.code))
    return Refused(status, code, str(refused))


routes = [
    route("/v3/pay/transactions/codepay", codepay, method="POST"),
    route("/v3/pay/transactions/out-trade-no/{out_trade_no}/reverse", reverse, method="POST"),
]
