"""A refund that could not reach the payer's card, sent on to another account.

The account holder's name and number come sealed for the platform key the request names; they are
opened here, as WeChat would, and not kept.
"""

from __future__ import annotations

import base64
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from wechat_sandbox import orders, refunds
from wechat_sandbox.fields import Choice, Text, Thing, Wrong
from wechat_sandbox.records import Refund
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.v3 import Answer, Call, Refused, route

USER, MERCHANT = "USER_BANK_CARD", "MERCHANT_BANK_CARD"
REQUEST = Thing(
    {
        "out_refund_no": Text(64, required=True),
        "type": Choice((USER, MERCHANT), required=True),
        "bank_type": Text(16),
        "bank_account": Text(1024),
        "real_name": Text(1024),
    }
)
SEALED = ("bank_account", "real_name")


def apply(sandbox: Sandbox, call: Call) -> Answer:
    """POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund; may be repeated."""
    REQUEST.check(call.body, "")
    opened = _opened(sandbox, call)
    refund = sandbox.store.one(
        Refund, "SELECT * FROM refunds WHERE refund_id = ?", call.path["refund_id"]
    )
    order = None if refund is None else orders.find(sandbox, refund.out_trade_no)
    if refund is None or order is None or refund.out_refund_no != call.body["out_refund_no"]:
        raise Refused(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
    plan = refunds.plan_of(sandbox, refund)
    again = plan is not None and plan.channel != refunds.ORIGINAL
    if not again and refund.status != "ABNORMAL":
        raise Refused(400, "INVALID_REQUEST", "退款单状态不是退款异常，不能发起异常退款")
    if not again:
        refund = refunds.send_on(sandbox, refund, _received(call.body["type"], opened))
    return Answer(refunds.shown(sandbox, order, refund))


def _opened(sandbox: Sandbox, call: Call) -> dict[str, str]:
    """The sealed fields in clear; raises Wrong for one that is missing or not sealed for us."""
    body = call.body
    if body["type"] == USER:
        for name in ("bank_type", *SEALED):
            if name not in body:
                raise Wrong(f"/{name}", "", "退款至用户银行卡时，此字段为必填项")
    return {name: _open(sandbox, call, name) for name in SEALED if name in body}


def _open(sandbox: Sandbox, call: Call, name: str) -> str:
    platform = sandbox.keys.platform_of(call.serial)
    if call.serial == sandbox.keys.pub_key_id:
        key = sandbox.keys.pub_private
    elif platform is not None:
        key = platform.private
    else:
        raise Wrong(f"/{name}", "", "存在加密字段时，Http头Wechatpay-Serial为必填项")
    sha1 = hashes.SHA1()  # noqa: S303 - the product's own choice
    try:
        sealed = base64.b64decode(call.body[name], validate=True)
        return key.decrypt(
            sealed, padding.OAEP(mgf=padding.MGF1(sha1), algorithm=sha1, label=None)
        ).decode()
    except ValueError as bad:
        raise Wrong(f"/{name}", "", "敏感信息解密失败") from bad


def _received(kind: str, opened: dict[str, Any]) -> str:
    if kind == MERCHANT:
        return "商户银行账户"
    return f"银行卡{opened['bank_account'][-4:]}"


routes = [
    route("/v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund", apply, method="POST")
]
