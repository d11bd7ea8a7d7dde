"""Log-in through the page address: authorize on the phone, exchange the code on the server.

The phone's holder is the cookie `phone`, an openid; unknown ones become people. Both scopes are
consented to at once: the holder of this phone has already tapped 允许.
"""

from __future__ import annotations

import html
import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from wechat_sandbox import people
from wechat_sandbox.account_records import RefreshToken
from wechat_sandbox.faults import Point
from wechat_sandbox.official import INVALID_TOKEN, ApiCall, Failed, check_app, route
from wechat_sandbox.records import Code, User, WebToken
from wechat_sandbox.sandbox import Sandbox, sandbox_of
from wechat_sandbox.signing import nonce

PHONE_COOKIE = "phone"
CODE_LIFE_S = 300
WEB_TOKEN_LIFE_S = 7200
REFRESH_LIFE_S = 30 * 86400
SCOPES = ("snsapi_base", "snsapi_userinfo")


async def authorize(request: Request) -> Response:
    """GET /connect/oauth2/authorize: 302 back with `code` and `state`."""
    sandbox = sandbox_of(request)
    problem = _why_not(sandbox, request.query_params)
    if problem:
        return HTMLResponse(
            f"<!doctype html><meta charset=utf-8><title>微信</title><p>{html.escape(problem)}</p>"
        )
    holder = request.cookies.get(PHONE_COOKIE, "")
    if not holder:
        here = f"{request.url.path}?{request.url.query}"
        return RedirectResponse(f"/phone/choose?next={quote(here, safe='')}", 302)
    try:
        user = people.ensure(sandbox, holder)
    except people.NoOpenid:
        return HTMLResponse("<!doctype html><meta charset=utf-8><p>phone: not an openid</p>", 400)
    code = _grant(sandbox, user, request.query_params)
    back = _with_query(
        request.query_params["redirect_uri"],
        [("code", code), ("state", request.query_params.get("state", ""))],
    )
    return RedirectResponse(back, 302)


def exchange_code(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """GET /sns/oauth2/access_token"""
    check_app(sandbox, call.query.get("appid", ""), call.query.get("secret", ""))
    if call.query.get("grant_type") != "authorization_code":
        raise Failed(40002, "invalid grant_type")
    text = call.query.get("code", "")
    if not text:
        raise Failed(41008, "missing code")
    code = sandbox.store.one(Code, "SELECT * FROM codes WHERE code = ?", text)
    if code is None or code.scope not in SCOPES or code.appid != call.query["appid"]:
        raise Failed(40029, "invalid code")
    if code.used:
        raise Failed(40163, "code been used")
    if sandbox.faults.strikes(Point.CODE, call.subject):
        sandbox.store.run("DELETE FROM codes WHERE code = ?", text)
        raise Failed(40029, "code expired")
    if code.expires_at <= sandbox.clock.now():
        raise Failed(40029, "code expired")
    sandbox.store.run("UPDATE codes SET used = 1 WHERE code = ?", text)
    return _tokens(sandbox, code)


def refresh(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """GET /sns/oauth2/refresh_token: a new access token; the refresh token keeps its end."""
    if call.query.get("appid") != sandbox.keys.appid:
        raise Failed(40013, "invalid appid")
    if call.query.get("grant_type") != "refresh_token":
        raise Failed(40002, "invalid grant_type")
    text = call.query.get("refresh_token", "")
    known = sandbox.store.one(RefreshToken, "SELECT * FROM refresh_tokens WHERE token = ?", text)
    if known is None:
        raise Failed(40030, "invalid refresh_token")
    if known.expires_at <= sandbox.clock.now():
        raise Failed(42002, "refresh_token expired")
    return {
        "access_token": _issue(sandbox, known.openid, known.scope),
        "expires_in": WEB_TOKEN_LIFE_S,
        "refresh_token": known.token,
        "openid": known.openid,
        "scope": known.scope,
    }


def check_token(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """GET /sns/auth: whether a log-in's token still holds."""
    _alive(sandbox, call)
    return {"errcode": 0, "errmsg": "ok"}


def user_info(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """GET /sns/userinfo: nickname and avatar only, the rest is blank nowadays."""
    token = _alive(sandbox, call)
    if token.scope != "snsapi_userinfo":
        raise Failed(48001, "api unauthorized")
    user = people.ensure(sandbox, token.openid)
    return {
        "openid": user.openid,
        "nickname": user.nickname,
        "sex": 0,
        "language": "",
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": f"{sandbox.settings.base}/phone/avatar/{user.openid}",
        "privilege": [],
        "unionid": user.unionid,
    }


def redirect_is_allowed(sandbox: Sandbox, address: str) -> bool:
    """Loopback, private addresses, and the hosts given at the start."""
    host = urlsplit(address).hostname or ""
    if urlsplit(address).scheme not in ("http", "https"):
        return False
    if host in sandbox.settings.redirect_hosts or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host.endswith(".localhost")


def _why_not(sandbox: Sandbox, said: Mapping[str, str]) -> str:
    if said.get("appid") != sandbox.keys.appid:
        return "AppID 参数错误"
    if said.get("response_type") != "code":
        return "response_type 参数错误"
    if said.get("scope") not in SCOPES:
        return "Scope 参数错误或没有 Scope 权限"
    if not re.fullmatch(r"[0-9A-Za-z]{0,128}", said.get("state", "")):
        return "state 参数错误"
    if not redirect_is_allowed(sandbox, said.get("redirect_uri", "")):
        return "redirect_uri域名与后台配置不一致，错误码：10003"
    return ""


def _grant(sandbox: Sandbox, user: User, said: Mapping[str, str]) -> str:
    code = f"0{nonce(31)}"
    sandbox.store.insert(
        "codes",
        code=code,
        openid=people.openid_for(sandbox, user, said["appid"]),
        appid=said["appid"],
        scope=said["scope"],
        expires_at=sandbox.clock.now() + CODE_LIFE_S,
        used=False,
    )
    return code


def _tokens(sandbox: Sandbox, code: Code) -> dict[str, Any]:
    user = people.ensure(sandbox, code.openid)
    # A page opened in snapshot mode sees a person who does not exist.
    openid = people.derived("snapshot", user.openid) if user.snapshot else code.openid
    renewal = f"91_{nonce(85)}"
    sandbox.store.insert(
        "refresh_tokens",
        token=renewal,
        openid=openid,
        scope=code.scope,
        expires_at=sandbox.clock.now() + REFRESH_LIFE_S,
    )
    document = {
        "access_token": _issue(sandbox, openid, code.scope),
        "expires_in": WEB_TOKEN_LIFE_S,
        "refresh_token": renewal,
        "openid": openid,
        "scope": code.scope,
        "unionid": user.unionid,
    }
    return document | ({"is_snapshotuser": 1} if user.snapshot else {})


def _issue(sandbox: Sandbox, openid: str, scope: str) -> str:
    token = f"91_{nonce(85)}"
    sandbox.store.insert(
        "web_tokens",
        token=token,
        openid=openid,
        scope=scope,
        expires_at=sandbox.clock.now() + WEB_TOKEN_LIFE_S,
    )
    return token


def _alive(sandbox: Sandbox, call: ApiCall) -> WebToken:
    """The log-in's token, which must be this person's; raises Failed."""
    token = sandbox.store.one(
        WebToken,
        "SELECT * FROM web_tokens WHERE token = ?",
        call.query.get("access_token", ""),
    )
    if token is None:
        raise Failed(40001, INVALID_TOKEN)
    if token.expires_at <= sandbox.clock.now():
        raise Failed(42001, "access_token expired")
    if token.openid != call.query.get("openid"):
        raise Failed(40003, "invalid openid")
    return token


def _with_query(address: str, extra: list[tuple[str, str]]) -> str:
    parts = urlsplit(address)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *extra])
    return urlunsplit(parts._replace(query=query))


routes = [
    Route("/connect/oauth2/authorize", authorize, methods=["GET"]),
    route("/sns/oauth2/access_token", exchange_code, method="GET"),
    route("/sns/oauth2/refresh_token", refresh, method="GET"),
    route("/sns/auth", check_token, method="GET"),
    route("/sns/userinfo", user_info, method="GET"),
]
