"""收付款: the code a cashier scans, and what this phone hears once it was scanned.

A code is good for a minute and one charge (`paycodes`). A large amount asks for the password here;
then the key pad answers, or giving up ends the charge.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from wechat_sandbox import orders, paycodes, wallet
from wechat_sandbox.phone import cashier, chats, codes, looks
from wechat_sandbox.phone.pages import from_the_phone, held, no, page, render, sent
from wechat_sandbox.records import Order, User
from wechat_sandbox.sandbox import Sandbox

FAILED = {
    "PAYERROR": "支付已取消",
    "REVOKED": "商家已撤销这笔付款",
    "CLOSED": "订单已关闭",
}


@held
async def screen(request: Request, sandbox: Sandbox, user: User) -> Response:
    """A fresh code, as bars, as QR and as digits."""
    shown = paycodes.show(sandbox, user.openid)
    return page(
        render(
            "screens/paycode.html",
            code=shown.code,
            groups=[shown.code[:4], shown.code[4:8], shown.code[8:12], shown.code[12:]],
            bars=codes.bars(shown.code),
            qr=codes.qr(shown.code),
            balance=looks.yuan(user.balance_fen),
            limit=looks.yuan(sandbox.settings.password_above_fen),
        )
    )


@held
async def heard(request: Request, sandbox: Sandbox, user: User) -> Response:
    """What became of a charge: `asks` (a sheet), `paid` (a receipt) or `failed` (a sentence)."""
    order = _of(sandbox, user, request.path_params["out_trade_no"])
    if order is None:
        return no("没有这笔付款", 404)
    if order.state == "USERPAYING":
        asking = paycodes.asking(sandbox, user.openid)
        mine = asking is not None and asking.out_trade_no == order.out_trade_no
        return JSONResponse({"asks": _sheet(sandbox, user, order)} if mine else {})
    if order.state in FAILED:
        return JSONResponse({"failed": FAILED[order.state]})
    return JSONResponse({"paid": _receipt(sandbox, order)})


@held
async def waiting(request: Request, sandbox: Sandbox, user: User) -> Response:
    """The charge that wants the password now, for a phone that has just been opened."""
    order = paycodes.asking(sandbox, user.openid)
    return JSONResponse({"out_trade_no": order.out_trade_no if order else ""})


@from_the_phone
@held
async def enter(request: Request, sandbox: Sandbox, user: User) -> Response:
    """Six digits for a scanned charge, or none to give up."""
    asked = await sent(request)
    order = _of(sandbox, user, str(asked.get("out_trade_no", "")))
    if order is None:
        return no("没有这笔付款", 404)
    password = asked.get("password")
    answer = cashier.enter_for_scan(
        sandbox, user, order.out_trade_no, None if password is None else str(password)
    )
    return JSONResponse({"result": answer.result, "says": answer.says})


def _of(sandbox: Sandbox, user: User, out_trade_no: str) -> Order | None:
    """A charge of this person's code."""
    scan = paycodes.scan_of(sandbox, out_trade_no)
    mine = scan is not None and scan.openid == user.openid
    return orders.find(sandbox, out_trade_no) if mine else None


def _sheet(sandbox: Sandbox, user: User, order: Order) -> dict[str, object]:
    enough = user.balance_fen >= order.total_fen
    method = {"name": wallet.CHANGE, "icon": "change", "label": "零钱"}
    if not enough:
        method = {"name": wallet.CARD, "icon": "card", "label": chats.CARD_NAME}
    return {
        "out_trade_no": order.out_trade_no,
        "merchant": sandbox.settings.merchant_name,
        "description": order.description,
        "amount": looks.yuan(order.total_fen),
        "methods": [{**method, "note": "", "enough": True}],
    }


def _receipt(sandbox: Sandbox, order: Order) -> dict[str, object]:
    paid_by = wallet.CARD if order.bank_type == wallet.BANK_TYPES[wallet.CARD] else wallet.CHANGE
    return {
        "merchant": sandbox.settings.merchant_name,
        "amount": looks.yuan(order.total_fen),
        "method": chats.method_name(paid_by),
    }
