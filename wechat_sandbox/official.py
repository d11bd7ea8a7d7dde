"""The Official Account's API: tokens, JS ticket, users; HTTP 200 even for failures.

`stable_token` answers the same token until shortly before its end, `token` replaces it at each
call; the two are separate. Product modules wrap plain functions with `route`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wechat_sandbox import people
from wechat_sandbox.edge import subject_of
from wechat_sandbox.faults import Point
from wechat_sandbox.records import Token, User
from wechat_sandbox.sandbox import Sandbox, sandbox_of
from wechat_sandbox.signing import js_signature, nonce

TOKEN_LIFE_S = 7200
RENEWED_EARLY_S = 300
FORCED_APART_S = 30
FORCED_A_DAY = 20
STABLE, CLASSIC = "stable", "classic"


class Failed(Exception):
    """An `errcode` answer."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(f"{errcode} {errmsg}")
        self.errcode = errcode
        self.errmsg = errmsg


@dataclass(frozen=True)
class ApiCall:
    """A call to api.weixin.qq.com; `body` is the parsed JSON of a POST."""

    query: Mapping[str, str]
    body: dict[str, Any]
    subject: str


Handler = Callable[[Sandbox, ApiCall], dict[str, Any]]


def route(path: str, handler: Handler, *, method: str) -> Route:
    """An endpoint that answers JSON, failures included, with HTTP 200."""

    async def endpoint(request: Request) -> Response:
        body = await request.body()
        try:
            call = ApiCall(request.query_params, _parsed(body), subject_of(request.scope, body))
            document = handler(sandbox_of(request), call)
        except Failed as failed:
            hint = f"{failed.errmsg} rid: {nonce(8)}-{nonce(8)}-{nonce(8)}"
            document = {"errcode": failed.errcode, "errmsg": hint}
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        return Response(text, 200, media_type="application/json; charset=utf-8")

    return Route(path, endpoint, methods=[method])


def check_app(sandbox: Sandbox, appid: str, secret: str) -> None:
    """Raises Failed unless the pair is ours."""
    if appid not in (sandbox.keys.appid, sandbox.keys.mp_appid):
        raise Failed(40013, "invalid appid")
    if secret != sandbox.keys.secret:
        raise Failed(40125, "invalid appsecret")


def require_token(sandbox: Sandbox, call: ApiCall) -> None:
    """The call's `access_token` must be alive; raises Failed."""
    text = call.query.get("access_token", "")
    if not text:
        raise Failed(41001, "access_token missing")
    token = sandbox.store.one(Token, "SELECT * FROM tokens WHERE token = ?", text)
    if token is None or token.revoked:
        raise Failed(40001, "invalid credential, access_token is invalid or not latest")
    if token.expires_at <= sandbox.clock.now():
        raise Failed(42001, "access_token expired")
    if sandbox.faults.strikes(Point.TOKEN, call.subject):
        sandbox.store.run("UPDATE tokens SET revoked = 1 WHERE token = ?", text)
        raise Failed(40001, "invalid credential, access_token is invalid or not latest")


def stable_token(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """POST /cgi-bin/stable_token"""
    _check_grant(sandbox, call.body)
    now = sandbox.clock.now()
    if call.body.get("force_refresh") is True and _may_force(sandbox, now):
        sandbox.store.run("UPDATE tokens SET revoked = 1 WHERE family = ?", STABLE)
    current = sandbox.store.one(
        Token,
        "SELECT * FROM tokens WHERE family = ? AND NOT revoked AND expires_at > ?"
        " ORDER BY issued_at DESC LIMIT 1",
        STABLE,
        now + RENEWED_EARLY_S,
    )
    return _shown(current or _issue(sandbox, STABLE), now)


def classic_token(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """GET /cgi-bin/token: a new one each time; the former lives five minutes more."""
    _check_grant(sandbox, call.query)
    now = sandbox.clock.now()
    sandbox.store.run(
        "UPDATE tokens SET expires_at = min(expires_at, ?) WHERE family = ? AND NOT revoked",
        now + RENEWED_EARLY_S,
        CLASSIC,
    )
    return _shown(_issue(sandbox, CLASSIC), now)


def js_ticket(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """GET /cgi-bin/ticket/getticket"""
    require_token(sandbox, call)
    if call.query.get("type") != "jsapi":
        raise Failed(40097, "invalid ticket type")
    ticket, left_s = current_ticket(sandbox)
    return {"errcode": 0, "errmsg": "ok", "ticket": ticket, "expires_in": left_s}


def user_info(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """GET /cgi-bin/user/info"""
    require_token(sandbox, call)
    user = known_user(sandbox, call.query.get("openid", ""))
    if not user.subscribed:
        return {"subscribe": 0, "openid": user.openid, "unionid": user.unionid}
    return {
        "subscribe": 1,
        "openid": user.openid,
        "nickname": "",
        "sex": 0,
        "language": "zh_CN",
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": "",
        "subscribe_time": int(user.subscribed_at),
        "unionid": user.unionid,
        "remark": "",
        "groupid": 0,
        "tagid_list": [],
        "subscribe_scene": "ADD_SCENE_QR_CODE",
        "qr_scene": 0,
        "qr_scene_str": "",
    }


def known_user(sandbox: Sandbox, openid: str) -> User:
    """The follower with this openid of the Official Account; raises Failed."""
    try:
        user = people.ensure(sandbox, openid)
    except people.NoOpenid as bad:
        raise Failed(40003, "invalid openid") from bad
    if user.openid != openid:
        raise Failed(40003, "invalid openid")
    return user


def current_ticket(sandbox: Sandbox) -> tuple[str, int]:
    """The JS ticket and the seconds it has left; each two-hour stretch has its own."""
    stretch, past_s = divmod(int(sandbox.clock.now()), TOKEN_LIFE_S)
    text = f"{sandbox.keys.secret}:{stretch}"
    return f"sM4AOV{hashlib.sha512(text.encode()).hexdigest()[:80]}", TOKEN_LIFE_S - past_s


def js_config_is_good(
    sandbox: Sandbox, *, appid: str, timestamp: str, nonce_text: str, signature: str, url: str
) -> bool:
    """Whether `wx.config` was given a signature for this page address."""
    ticket, _ = current_ticket(sandbox)
    expected = js_signature(ticket, nonce_text, timestamp, url)
    return appid == sandbox.keys.appid and signature == expected


def _parsed(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        document = json.loads(body)
    except ValueError as bad:
        raise Failed(47001, "data format error") from bad
    if not isinstance(document, dict):
        raise Failed(47001, "data format error")
    return document


def _check_grant(sandbox: Sandbox, said: Mapping[str, Any]) -> None:
    if said.get("grant_type") != "client_credential":
        raise Failed(40002, "invalid grant_type")
    check_app(sandbox, str(said.get("appid", "")), str(said.get("secret", "")))


def _may_force(sandbox: Sandbox, now: float) -> bool:
    """At most 20 a day and 30 s apart; sooner, the current token is answered again."""
    day = int(now // 86400)
    used_day, used, last = json.loads(sandbox.store.meta("forced", "[0, 0, 0]"))
    if used_day != day:
        used = 0
    if used >= FORCED_A_DAY:
        raise Failed(45009, "reach max api daily quota limit")
    if now - last < FORCED_APART_S:
        return False
    sandbox.store.set_meta("forced", json.dumps([day, used + 1, now]))
    return True


def _issue(sandbox: Sandbox, family: str) -> Token:
    now = sandbox.clock.now()
    token = Token(f"91_{nonce(133)}", family, now, now + TOKEN_LIFE_S, revoked=False)
    sandbox.store.insert(
        "tokens",
        token=token.token,
        family=family,
        issued_at=now,
        expires_at=token.expires_at,
        revoked=False,
    )
    return token


def _shown(token: Token, now: float) -> dict[str, Any]:
    return {"access_token": token.token, "expires_in": int(token.expires_at - now)}


routes = [
    route("/cgi-bin/stable_token", stable_token, method="POST"),
    route("/cgi-bin/token", classic_token, method="GET"),
    route("/cgi-bin/ticket/getticket", js_ticket, method="GET"),
    route("/cgi-bin/user/info", user_info, method="GET"),
]
