"""Prepay (JSAPI, Native), query and close: the merchant's side of an order.

Repeat rule: the same number with identical parameters gives a new prepay id for the same order;
with other parameters, or once it is paid or closed, it is refused.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from wechat_sandbox import ids, orders, people, scanpay
from wechat_sandbox.clock import parse_rfc3339
from wechat_sandbox.fields import Choice, Flag, Series, Text, Thing, Whole, Wrong
from wechat_sandbox.records import Order
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.v3 import Answer, Call, Refused, own_merchant, route

OUT_TRADE_NO = r"[0-9A-Za-z_\-|*]{6,32}"
SHORTEST_LIFE_S = 60

GOODS = Thing(
    {
        "merchant_goods_id": Text(32, required=True),
        "wechatpay_goods_id": Text(32),
        "goods_name": Text(256),
        "quantity": Whole(required=True),
        "unit_price": Whole(least=0, required=True),
    }
)
ORDER_KEYS: dict[str, Any] = {
    "appid": Text(32, required=True),
    "mchid": Text(32, required=True),
    "description": Text(127, required=True),
    "out_trade_no": Text(32, least=6, pattern=OUT_TRADE_NO, required=True),
    "notify_url": Text(255, required=True),
    "time_expire": Text(64),
    "attach": Text(128, least=0),
    "goods_tag": Text(32),
    "support_fapiao": Flag(),
    "amount": Thing({"total": Whole(required=True), "currency": Choice(("CNY",))}, required=True),
    "detail": Thing(
        {"cost_price": Whole(least=0), "invoice_id": Text(32), "goods_detail": Series(GOODS)}
    ),
    "scene_info": Thing(
        {
            "payer_client_ip": Text(45, required=True),
            "device_id": Text(32),
            "store_info": Thing(
                {
                    "id": Text(32, required=True),
                    "name": Text(256),
                    "area_code": Text(32),
                    "address": Text(512),
                }
            ),
        }
    ),
    "settle_info": Thing({"profit_sharing": Flag()}),
}
NATIVE = Thing(ORDER_KEYS)
JSAPI = Thing(ORDER_KEYS | {"payer": Thing({"openid": Text(128, required=True)}, required=True)})


def prepay_jsapi(sandbox: Sandbox, call: Call) -> Answer:
    """POST /v3/pay/transactions/jsapi"""
    JSAPI.check(call.body, "")
    check_account(sandbox, call.body)
    openid = call.body["payer"]["openid"]
    _check_payer(sandbox, openid, call.body["appid"])
    return Answer({"prepay_id": prepay(sandbox, call.body, trade_type="JSAPI", openid=openid)})


def prepay_native(sandbox: Sandbox, call: Call) -> Answer:
    """POST /v3/pay/transactions/native; a repeat voids the code URL given before."""
    NATIVE.check(call.body, "")
    check_account(sandbox, call.body)
    prepay_id = prepay(sandbox, call.body, trade_type="NATIVE", openid="")
    number: str = call.body["out_trade_no"]
    return Answer({"code_url": orders.issue_code_url(sandbox, prepay_id, number)})


def prepay(sandbox: Sandbox, body: dict[str, Any], *, trade_type: str, openid: str) -> str:
    """Create the order, or find it again under the repeat rule; a new prepay id. Raises Refused."""
    _check_notify_url(body["notify_url"])
    request = json.dumps([trade_type, body], ensure_ascii=False, sort_keys=True)
    known = orders.find(sandbox, body["out_trade_no"])
    with sandbox.store.write():
        if known is None:
            _create(sandbox, body, request, trade_type=trade_type, openid=openid)
        else:
            _check_repeat(known, request)
        now = sandbox.clock.now()
        prepay_id = ids.prepay_id(now)
        sandbox.store.insert(
            "prepays",
            prepay_id=prepay_id,
            out_trade_no=body["out_trade_no"],
            created_at=now,
        )
    return prepay_id


def query_by_number(sandbox: Sandbox, call: Call) -> Answer:
    """GET /v3/pay/transactions/out-trade-no/{out_trade_no}"""
    own_merchant(sandbox, call.query.get("mchid"))
    scanpay.finish_due(sandbox)
    return Answer(orders.shown(_known(orders.find(sandbox, call.path["out_trade_no"]))))


def query_by_transaction(sandbox: Sandbox, call: Call) -> Answer:
    """GET /v3/pay/transactions/id/{transaction_id}"""
    own_merchant(sandbox, call.query.get("mchid"))
    scanpay.finish_due(sandbox)
    found = orders.find_by_transaction(sandbox, call.path["transaction_id"])
    return Answer(orders.shown(_known(found)))


def close(sandbox: Sandbox, call: Call) -> Answer:
    """POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close; may be repeated."""
    Thing({"mchid": Text(32, required=True)}).check(call.body, "")
    own_merchant(sandbox, call.body["mchid"])
    order = _known(orders.find(sandbox, call.path["out_trade_no"]))
    if order.trade_type == "MICROPAY":
        raise Refused(400, "INVALID_REQUEST", "付款码订单不能关单，请撤销", reason=268449641)
    if order.state not in ("NOTPAY", "CLOSED"):
        raise Refused(400, "ORDERPAID", "该订单已支付，不能关闭", reason=268449538)
    sandbox.store.run(
        "UPDATE orders SET state = 'CLOSED', closed_at = ? WHERE out_trade_no = ?"
        " AND state = 'NOTPAY'",
        sandbox.clock.now(),
        order.out_trade_no,
    )
    sandbox.hub.publish("", "order", order.out_trade_no)
    return Answer()


def _known(order: Order | None) -> Order:
    if order is None:
        raise Refused(404, "ORDER_NOT_EXIST", "订单不存在", reason=268435462)
    return order


def check_account(sandbox: Sandbox, body: dict[str, Any]) -> None:
    """The order's merchant and app must be ours and bound to each other; raises Refused."""
    if body["mchid"] != sandbox.keys.mchid:
        raise Refused(400, "MCH_NOT_EXISTS", "商户号不存在或与签名的商户号不一致")
    if body["appid"] not in (sandbox.keys.appid, sandbox.keys.mp_appid):
        raise Refused(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配", reason=268436993)


def _check_payer(sandbox: Sandbox, openid: str, appid: str) -> None:
    """The openid must belong to the app of the order, not to the merchant's other app."""
    try:
        user = people.ensure(sandbox, openid)
    except people.NoOpenid as bad:
        raise Wrong("/payer/openid", openid, "无效的openid", 268501013) from bad
    if openid != people.openid_for(sandbox, user, appid):
        raise Wrong("/payer/openid", openid, "appid和openid不匹配", 268501013)


def _check_notify_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Wrong("/notify_url", url, "通知地址应为完整的http或https地址")
    if parts.query or "?" in url or parts.fragment:
        raise Wrong("/notify_url", url, "通知地址不能携带参数")


def _check_repeat(known: Order, request: str) -> None:
    if known.state == "CLOSED":
        raise Refused(400, "ORDER_CLOSED", "该订单已关闭，请更换订单号", reason=268447914)
    if known.state != "NOTPAY":
        raise Refused(400, "ORDERPAID", "该订单已支付", reason=268449538)
    if known.request != request:
        raise Refused(
            403,
            "OUT_TRADE_NO_USED",
            "商户订单号重复：请求重入时，参数与首次请求时不一致",
            reason=268498688,
        )


def _create(
    sandbox: Sandbox, body: dict[str, Any], request: str, *, trade_type: str, openid: str
) -> None:
    now = sandbox.clock.now()
    sandbox.store.insert(
        "orders",
        out_trade_no=body["out_trade_no"],
        appid=body["appid"],
        mchid=body["mchid"],
        trade_type=trade_type,
        description=body["description"],
        attach=body.get("attach", ""),
        notify_url=body["notify_url"],
        total_fen=body["amount"]["total"],
        openid=openid,
        payer_openid="",
        device_id=body.get("scene_info", {}).get("device_id", ""),
        request=request,
        state="NOTPAY",
        transaction_id=None,
        bank_type="",
        created_at=now,
        expires_at=expiry(body.get("time_expire"), now),
        success_at=None,
        closed_at=None,
    )


def expiry(time_expire: str | None, now: float) -> float:
    """When an unpaid order ends; raises Wrong."""
    if time_expire is None:
        return now + orders.ORDER_LIFE_S
    try:
        expires_at = parse_rfc3339(time_expire)
    except ValueError as bad:
        raise Wrong("/time_expire", time_expire, "时间应符合RFC3339标准格式") from bad
    # A second of grace: the text has whole seconds and was written before it travelled.
    if expires_at < now + SHORTEST_LIFE_S - 1:
        raise Wrong("/time_expire", time_expire, "订单失效时间应至少在1分钟之后")
    return min(expires_at, now + orders.ORDER_LIFE_S)


_BY_NUMBER = "/v3/pay/transactions/out-trade-no/{out_trade_no}"
routes = [
    route("/v3/pay/transactions/jsapi", prepay_jsapi, method="POST"),
    route("/v3/pay/transactions/native", prepay_native, method="POST"),
    route(_BY_NUMBER, query_by_number, method="GET"),
    route("/v3/pay/transactions/id/{transaction_id}", query_by_transaction, method="GET"),
    route(f"{_BY_NUMBER}/close", close, method="POST"),
]
