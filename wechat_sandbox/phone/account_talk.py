"""The holder and the Official Account: writing, menu taps, following, scanning its codes.

What these acts mean to the merchant's server is `acts`' business; here are the phone's addresses.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from wechat_sandbox import acts, qr_codes, templates
from wechat_sandbox.account_records import ChatLine
from wechat_sandbox.phone import account_menu
from wechat_sandbox.phone.pages import from_the_phone, held, no, page, render, sent
from wechat_sandbox.records import User
from wechat_sandbox.sandbox import Sandbox

CHAT = "/phone/chat/account"
ACCOUNT_QR = "http://weixin.qq.com/q/"
MOST_TEMPLATES = 5
_LINK = re.compile(r'<a\s[^>]*?href\s*=\s*"(https?://[^"]+)"[^>]*>(.*?)</a>', re.S | re.I)
_TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True)
class Piece:
    """A stretch of an account's words; `url` is empty outside a link."""

    text: str
    url: str = ""


@from_the_phone
@held
async def say(request: Request, sandbox: Sandbox, user: User) -> Response:
    """The holder writes to the account."""
    text = str((await sent(request)).get("text", "")).strip()
    if not text:
        return no("不能发送空白消息")
    acts.say(sandbox, user, text)
    return JSONResponse({})


@from_the_phone
@held
async def tap(request: Request, sandbox: Sandbox, user: User) -> Response:
    """A menu entry was tapped: `key` of a click entry, or `url` of a view entry."""
    asked = await sent(request)
    key, url = str(asked.get("key", "")), str(asked.get("url", ""))
    if key and key in account_menu.keys(sandbox):
        acts.click(sandbox, user, key)
    elif url in account_menu.addresses(sandbox):
        acts.view(sandbox, user, url)
    else:
        return no("菜单已经更新，请再点一次")
    return JSONResponse({})


@from_the_phone
@held
async def follow(request: Request, sandbox: Sandbox, user: User) -> Response:
    """Follow the account, or stop."""
    wanted = (await sent(request)).get("on") is True
    acts.set_following(sandbox, user, wanted=wanted)
    return JSONResponse({"says": "已关注" if wanted else "已取消关注"})


@held
async def popup(request: Request, sandbox: Sandbox, user: User) -> Response:
    """What the subscription popup asks about: `templates` is a list of ids with commas."""
    asked = request.query_params.get("templates", "").split(",")[:MOST_TEMPLATES]
    found = [templates.find(sandbox, template_id.strip()) for template_id in asked]
    listed = [template for template in found if template is not None]
    if not listed:
        return no("没有可以订阅的消息", 404)
    return page(
        render(
            "consent.html", account_name=sandbox.settings.account_name, templates=listed, user=user
        )
    )


@from_the_phone
@held
async def answer_popup(request: Request, sandbox: Sandbox, user: User) -> Response:
    """The popup was answered: `choices` maps template ids to true or false."""
    asked = await sent(request)
    given: Any = asked.get("choices")
    choices = {str(key): value is True for key, value in given.items()} if given else {}
    known = {
        template_id: agreed
        for template_id, agreed in choices.items()
        if templates.find(sandbox, template_id) is not None
    }
    acts.answer_popup(sandbox, user, known, permanent=asked.get("always") is True)
    return JSONResponse({})


def scanned(sandbox: Sandbox, user: User, text: str) -> dict[str, object] | None:
    """What a code of the account does in this person's hands; None when it is no such code."""
    if not text.startswith(ACCOUNT_QR):
        return None
    code = qr_codes.find_by_url(sandbox, text)
    if code is None:
        return {"do": "say", "says": "二维码无效"}
    try:
        acts.scan(sandbox, user, code)
    except acts.NotPossible as impossible:
        return {"do": "say", "says": str(impossible)}
    return {"do": "account", "open": CHAT, "says": "" if user.subscribed else "已关注公众号"}


def codes(sandbox: Sandbox) -> list[tuple[str, str]]:
    """The account's codes that still work, newest first: what they hold, and their scene."""
    return [
        (code.url, f"公众号 · 场景 {code.scene}")
        for code in reversed(qr_codes.made(sandbox))
        if qr_codes.is_alive(sandbox, code)
    ]


def pieces(text: str) -> list[Piece]:
    """An account's text as WeChat shows it: links can be tapped, other markup is plain text."""
    found, at = [], 0
    for link in _LINK.finditer(text):
        found += [Piece(text[at : link.start()]), Piece(_TAG.sub("", link[2]), link[1])]
        at = link.end()
    return [piece for piece in [*found, Piece(text[at:])] if piece.text]


def articles(line: ChatLine) -> list[dict[str, Any]]:
    """The articles of a picture message, or the choices of a question."""
    listed: list[dict[str, Any]] = json.loads(line.items)
    return listed
