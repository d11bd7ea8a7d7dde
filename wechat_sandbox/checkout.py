"""The patient's side of a payment: the sheet that opens, the password, the money that moves.

`open_sheet` is what the bridge calls with the fields a page was given, `pay` what the key pad
calls. Every refusal leaves the order unpaid, as WeChat does.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from wechat_sandbox import ids, notices, orders, people, wallet
from wechat_sandbox.records import Order, User
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.signing import pay_sign_is_good


class Result(StrEnum):
    """How an attempt to pay ended; only PAID changes anything."""

    PAID = "paid"
    CANCELLED = "cancelled"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - the name of an outcome
    NOT_ENOUGH = "not_enough"
    ALREADY_PAID = "already_paid"
    CLOSED = "closed"
    EXPIRED = "expired"
    OTHER_PAYER = "other_payer"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_ORDER = "unknown_order"


SOMEBODY = people.NAMED[0][0]
SAYS = {
    Result.PAID: "支付成功",
    Result.CANCELLED: "支付已取消",
    Result.WRONG_PASSWORD: "支付密码错误，请重试",
    Result.NOT_ENOUGH: "零钱余额不足，请更换支付方式",
    Result.ALREADY_PAID: "该订单已支付，请勿重复支付",
    Result.CLOSED: "该订单已关闭，请重新下单",
    Result.EXPIRED: "支付会话已过期，请重新下单",
    Result.OTHER_PAYER: "下单账号与支付账号不一致，请核实后再支付",
    Result.BAD_SIGNATURE: "支付验证签名失败",
    Result.UNKNOWN_ORDER: "商家订单信息有误，请重新下单支付",
}


@dataclass(frozen=True)
class Sheet:
    """What the payment sheet shows: to whom, what for, how much (fen), and from which pocket."""

    prepay_id: str
    merchant: str
    order: Order
    user: User
    balance_fen: int


@dataclass(frozen=True)
class Outcome:
    """`order` is None only when the number is unknown; `says` is the sentence for the person."""

    result: Result
    order: Order | None

    @property
    def says(self) -> str:
        """The sentence WeChat shows."""
        return SAYS[self.result]


def open_sheet(sandbox: Sandbox, openid: str, fields: Mapping[str, str]) -> Sheet | Outcome:
    """Check the six fields of `getBrandWCPayRequest` and open the sheet, or say why not.

    `openid` is the holder of the phone.
    """
    package = fields.get("package", "")
    if not pay_sign_is_good(sandbox.keys, fields) or not package.startswith("prepay_id="):
        return Outcome(Result.BAD_SIGNATURE, None)
    prepay_id = package.removeprefix("prepay_id=")
    found = orders.find_by_prepay(sandbox, prepay_id)
    if found is not None and found[0].appid != fields.get("appId"):
        return Outcome(Result.BAD_SIGNATURE, None)
    return sheet(sandbox, prepay_id, openid)


def sheet(sandbox: Sandbox, prepay_id: str, openid: str) -> Sheet | Outcome:
    """The sheet of a prepay id held by this person, or why it cannot be paid."""
    user = people.ensure(sandbox, openid)
    found = orders.find_by_prepay(sandbox, prepay_id)
    if found is None:
        return Outcome(Result.UNKNOWN_ORDER, None)
    order, prepay = found
    refusal = _why_not(order, user)
    if refusal is not None:
        return Outcome(refusal, order)
    if sandbox.clock.now() > prepay.created_at + orders.PREPAY_LIFE_S:
        return Outcome(Result.EXPIRED, order)
    return Sheet(
        prepay_id=prepay_id,
        merchant=sandbox.settings.merchant_name,
        order=order,
        user=user,
        balance_fen=user.balance_fen,
    )


def pay(
    sandbox: Sandbox,
    *,
    prepay_id: str,
    openid: str,
    password: str,
    method: str = wallet.CHANGE,
) -> Outcome:
    """Pay a sheet with the six-digit password from change (`change`) or the bank card (`card`)."""
    opened = sheet(sandbox, prepay_id, openid)
    if isinstance(opened, Outcome):
        return opened
    if not secrets.compare_digest(password.encode(), opened.user.password.encode()):
        return Outcome(Result.WRONG_PASSWORD, opened.order)
    if method == wallet.CHANGE and opened.balance_fen < opened.order.total_fen:
        return Outcome(Result.NOT_ENOUGH, opened.order)
    return settle(sandbox, opened.order, opened.user, method)


def scan(sandbox: Sandbox, code_url: str, openid: str) -> Sheet | Outcome:
    """The sheet that opens when this person scans a Native order's QR, or why none does."""
    found = orders.find_by_code_url(sandbox, code_url)
    if found is None:
        return Outcome(Result.EXPIRED, None)
    return sheet(sandbox, found[1].prepay_id, openid)


def pay_order(sandbox: Sandbox, out_trade_no: str, openid: str, mode: str) -> Outcome:
    """Pay by order number without a phone, as tests do.

    An empty openid means the payer named in the order, for a Native order the first person.
    `mode`: `success`, `cancel`, `wrong_password`, `not_enough`, or `late`: the password was entered
    just before the order was closed, and closing does not stop a payment under way. A pocket with
    too little change pays by card.
    """
    order = orders.find(sandbox, out_trade_no)
    if order is None:
        return Outcome(Result.UNKNOWN_ORDER, None)
    user = people.ensure(sandbox, openid or order.openid or people.derived("openid", SOMEBODY))
    was = "CLOSED" if mode == "late" and order.state == "CLOSED" else "NOTPAY"
    refusal = (_why_not(order, user) if was == "NOTPAY" else None) or {
        "cancel": Result.CANCELLED,
        "wrong_password": Result.WRONG_PASSWORD,
        "not_enough": Result.NOT_ENOUGH,
    }.get(mode)
    if refusal is not None:
        return Outcome(refusal, order)
    method = wallet.CHANGE if user.balance_fen >= order.total_fen else wallet.CARD
    return settle(sandbox, order, user, method, was=was)


def settle(
    sandbox: Sandbox, order: Order, user: User, method: str, *, was: str = "NOTPAY"
) -> Outcome:
    """Move the money and tell the merchant, provided that the order still is what it was."""
    now = sandbox.clock.now()
    with sandbox.store.write():
        paid = sandbox.store.run(
            "UPDATE orders SET state = 'SUCCESS', transaction_id = ?, bank_type = ?,"
            " payer_openid = ?, success_at = ? WHERE out_trade_no = ? AND state = ?",
            ids.transaction_id(now),
            wallet.BANK_TYPES[method],
            people.openid_for(sandbox, user, order.appid),
            now,
            order.out_trade_no,
            was,
        )
        if not paid:
            return Outcome(Result.ALREADY_PAID, orders.find(sandbox, order.out_trade_no))
        wallet.pay(sandbox, user, order, method)
        settled = orders.find(sandbox, order.out_trade_no)
        if settled is None:
            raise LookupError(order.out_trade_no)
        notices.tell_paid(sandbox, settled)
    sandbox.hub.publish(user.openid, "wallet", order.out_trade_no)
    return Outcome(Result.PAID, settled)


def _why_not(order: Order, user: User) -> Result | None:
    if order.state == "CLOSED":
        return Result.CLOSED
    if order.state != "NOTPAY":
        return Result.ALREADY_PAID
    if order.openid and order.openid not in (user.openid, user.mp_openid):
        return Result.OTHER_PAYER
    return None
