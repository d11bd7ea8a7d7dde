"""What the phone does: every write its buttons make, as JSON in and JSON out.

Answers hold `says` when there is a sentence to show. Only the phone's own scripts may call these.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from wechat_sandbox import official, people, wallet
from wechat_sandbox.phone import cashier, chats
from wechat_sandbox.phone.pages import COOKIE, from_the_phone, held, no, remember, sent
from wechat_sandbox.records import User
from wechat_sandbox.sandbox import Sandbox, sandbox_of

# A person's phone has that person's cookies. One browser plays all the phones here, so what the
# hospital's patient pages stored for the former holder (name, path) is forgotten when the phone
# changes hands. Browsers share cookies between the ports of one host; the staff desk keeps its own.
PAGE_COOKIES = (("xinglin_patient", "/m/"), ("care", "/m/"), ("theme", "/m/"))
MOST_YUAN = Decimal(1_000_000)
_NICKNAME = re.compile(r"\S(?:.{0,18}\S)?")


@from_the_phone
async def hold(request: Request) -> Response:
    """The phone goes into somebody's hands."""
    openid = str((await sent(request)).get("openid", ""))
    try:
        user = people.ensure(sandbox_of(request), openid)
    except people.NoOpenid:
        return no("没有这个人")
    return _handed_to(request, user)


@from_the_phone
async def new_person(request: Request) -> Response:
    """Somebody new takes the phone; with `apart` only the asking tab becomes theirs."""
    asked = await sent(request)
    nickname = str(asked.get("nickname", "")).strip()
    if not _NICKNAME.fullmatch(nickname):
        return no("请输入 1 到 20 个字的名字")
    user = people.create(sandbox_of(request), nickname)
    if asked.get("apart"):
        return JSONResponse({"openid": user.openid})
    return _handed_to(request, user)


@from_the_phone
async def leave(request: Request) -> Response:
    """Nobody holds the phone any more."""
    answer = JSONResponse({})
    answer.delete_cookie(COOKIE, path="/", samesite="lax")
    _forget_pages(answer)
    return answer


@from_the_phone
@held
async def block(request: Request, sandbox: Sandbox, user: User) -> Response:
    """Refuse the account's messages, or take them again."""
    people.change(sandbox, user.openid, blocked=(await sent(request)).get("on") is True)
    sandbox.hub.publish(user.openid, "account")
    return JSONResponse({})


@from_the_phone
@held
async def balance(request: Request, sandbox: Sandbox, user: User) -> Response:
    """Set how much change there is, in yuan."""
    try:
        yuan = Decimal(str((await sent(request)).get("yuan", "")).strip())
    except InvalidOperation:
        return no("请输入金额，例如 100 或 0.50")
    fen = yuan * 100
    if not yuan.is_finite() or not 0 <= yuan <= MOST_YUAN or fen != fen.to_integral_value():
        return no("金额应在 0 到 1000000 元之间，最多两位小数")
    wallet.set_balance(sandbox, user.openid, int(fen))
    return JSONResponse({})


@from_the_phone
@held
async def card(request: Request, sandbox: Sandbox, user: User) -> Response:
    """Let the bank accept or refuse the card."""
    cashier.set_card(sandbox, user, works=(await sent(request)).get("on") is True)
    return JSONResponse({})


@from_the_phone
@held
async def seen(request: Request, sandbox: Sandbox, user: User) -> Response:
    """A chat is on the screen."""
    try:
        chats.mark_seen(sandbox, user, str((await sent(request)).get("chat", "")))
    except chats.NoChat:
        return no("没有这个聊天", 404)
    sandbox.hub.publish(user.openid, "seen")
    return JSONResponse({})


@from_the_phone
@held
async def open_sheet(request: Request, sandbox: Sandbox, user: User) -> Response:
    """A page asks for money: the sheet to show, or why there is none."""
    asked = await sent(request)
    given: Any = asked.get("fields")
    fields = {str(k): str(v) for k, v in given.items()} if isinstance(given, dict) else {}
    opened = cashier.open_sheet(sandbox, user, fields, str(asked.get("origin", "")))
    if isinstance(opened, cashier.Refused):
        return JSONResponse({"refused": opened.says})
    return JSONResponse({"sheet": cashier.described(sandbox, opened)})


@from_the_phone
@held
async def pay(request: Request, sandbox: Sandbox, user: User) -> Response:
    """Six digits were entered."""
    asked = await sent(request)
    answer = cashier.pay(
        sandbox,
        user,
        prepay_id=str(asked.get("prepay_id", "")),
        password=str(asked.get("password", "")),
        method=wallet.CARD if asked.get("method") == wallet.CARD else wallet.CHANGE,
    )
    return JSONResponse({"result": answer.result, "says": answer.says})


@from_the_phone
@held
async def js_config(request: Request, sandbox: Sandbox, user: User) -> Response:
    """`wx.config` of a page: its signature over the page's own address must be the account's."""
    asked = await sent(request)
    given: Any = asked.get("fields")
    fields = {str(k): str(v) for k, v in given.items()} if isinstance(given, dict) else {}
    good = official.js_config_is_good(
        sandbox,
        appid=fields.get("appId", ""),
        nonce_text=fields.get("nonceStr", ""),
        timestamp=fields.get("timestamp", ""),
        url=str(asked.get("url", "")),
        signature=fields.get("signature", ""),
    )
    return JSONResponse(
        {"result": "ok"} if good else {"result": "fail", "message": "invalid signature"}
    )


@from_the_phone
@held
async def forgot(request: Request, sandbox: Sandbox, user: User) -> Response:
    """忘记密码: told on this very phone, there is no bank to ask."""
    return JSONResponse({"password": cashier.remind_password(sandbox, user)})


def _handed_to(request: Request, user: User) -> Response:
    answer = JSONResponse({"openid": user.openid})
    remember(answer, user.openid)
    # From nobody's hands: a page that asked who is there waits for this answer in its session.
    if request.cookies.get(COOKIE, user.openid) != user.openid:
        _forget_pages(answer)
    return answer


def _forget_pages(answer: Response) -> None:
    for name, path in PAGE_COOKIES:
        answer.delete_cookie(name, path=path, httponly=True, samesite="lax")
