"""扫一扫: what a scanned text means on this phone, and the codes that could be scanned now.

There is no camera. A picture is decoded in the browser, a text is pasted, or one is picked from a
list: the QR codes of open Native orders, the account's own, and what was scanned lately.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from wechat_sandbox import checkout, orders
from wechat_sandbox.checkout import Sheet
from wechat_sandbox.phone import account_talk, cashier, codes, looks
from wechat_sandbox.phone.pages import from_the_phone, held, page, render, sent
from wechat_sandbox.records import Order, User
from wechat_sandbox.sandbox import Sandbox

PAY_PREFIX = "weixin://wxpay/"
OVER = "二维码已过期，请商家重新出示"
A_PAY_CODE = "这是付款码，请交给收银员来扫"
LATELY = 8
LONGEST = 2000
SHOWN = 12


@dataclass(frozen=True)
class Code:
    """A code that could be scanned: `text` is what it holds, `picture` an SVG of it."""

    text: str
    title: str
    note: str
    picture: str


@held
async def screen(request: Request, sandbox: Sandbox, user: User) -> Response:
    """The finder, and what there is to find."""
    return page(render("screens/scan.html", codes=around(sandbox), lately=lately(sandbox)))


@from_the_phone
@held
async def scan(request: Request, sandbox: Sandbox, user: User) -> Response:
    """A code was read: what the phone does about it.

    `do` is `pay` (with the sheet), `browse` (url), `account` (the chat to open), `say` (a refusal)
    or `show` (just text).
    """
    text = str((await sent(request)).get("text", "")).strip()[:LONGEST]
    if not text:
        return JSONResponse({"do": "say", "says": "没有识别到二维码"})
    remember(sandbox, text)
    return JSONResponse(understood(sandbox, user, text))


def understood(sandbox: Sandbox, user: User, text: str) -> dict[str, object]:
    """What WeChat does with this text in this person's hands."""
    if text.startswith(PAY_PREFIX):
        return _pay(sandbox, user, text)
    followed = account_talk.scanned(sandbox, user, text)
    if followed is not None:
        return followed
    if urlsplit(text).scheme in ("http", "https") and urlsplit(text).netloc:
        return {"do": "browse", "url": text}
    if len(text) == 18 and text.isdecimal() and "10" <= text[:2] <= "15":
        return {"do": "say", "says": A_PAY_CODE}
    return {"do": "show", "text": text}


def around(sandbox: Sandbox) -> list[Code]:
    """What is on show somewhere: open Native orders, newest first, then the account's codes."""
    orders.expire(sandbox)
    unpaid = sandbox.store.all(
        Order,
        "SELECT * FROM orders WHERE trade_type = 'NATIVE' AND state = 'NOTPAY'"
        " ORDER BY created_at DESC, rowid DESC LIMIT ?",
        SHOWN,
    )
    found: list[Code] = []
    for order in unpaid:
        found += [_order_code(text, order) for text in _code_urls(sandbox, order)]
    return [
        *found,
        *(
            Code(text, title, "公众号二维码", codes.qr(text))
            for text, title in account_talk.codes(sandbox)[:SHOWN]
        ),
    ]


def remember(sandbox: Sandbox, text: str) -> None:
    """Any phone may scan it again."""
    listed = [text, *(old for old in _remembered(sandbox) if old != text)]
    sandbox.store.set_meta("phone:scanned", json.dumps(listed[:LATELY]))


def lately(sandbox: Sandbox) -> list[Code]:
    """What was scanned lately and still leads somewhere."""
    return [
        Code(text, urlsplit(text).netloc or text, text, codes.qr(text))
        for text in _remembered(sandbox)
        if not text.startswith(PAY_PREFIX)
    ]


def _pay(sandbox: Sandbox, user: User, text: str) -> dict[str, object]:
    opened = checkout.scan(sandbox, text, user.openid)
    if isinstance(opened, Sheet):
        return {"do": "pay", "sheet": cashier.described(sandbox, opened)}
    return {
        "do": "say",
        "says": OVER if opened.result is checkout.Result.EXPIRED else opened.says,
    }


def _code_urls(sandbox: Sandbox, order: Order) -> list[str]:
    """What the order's QR holds; a newer one has replaced the older ones."""
    return sandbox.store.texts(
        "SELECT code_url FROM code_urls WHERE out_trade_no = ? ORDER BY rowid DESC LIMIT 1",
        order.out_trade_no,
    )


def _order_code(text: str, order: Order) -> Code:
    title = f"¥{looks.yuan(order.total_fen)} {order.description}"
    return Code(text, title, f"{looks.bill_time(order.created_at)} 的收款码", codes.qr(text))


def _remembered(sandbox: Sandbox) -> list[str]:
    listed: list[str] = json.loads(sandbox.store.meta("phone:scanned", "[]"))
    return listed
