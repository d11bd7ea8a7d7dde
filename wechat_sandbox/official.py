"""The Official Account's API: tokens, JS ticket, users; HTTP 200 even for failures.

`stable_token` answers the same token until shortly before its end, `token` replaces it at each
call; the two are separate, and so are the account's and the mini program's. Product modules wrap
plain functions with `route`.
"""

from __future__ import annotations

import asyncio
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
STABLE, CLASSIC, MINI = "stable", "classic", ":mini"
TOKEN_PATHS = ("/cgi-bin/stable_token", "/cgi-bin/token")
INVALID_TOKEN = "invalid credential, access_token is invalid or not latest"  # noqa: S105 - words


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
            sandbox, subject = sandbox_of(request), subject_of(request.scope, body)
            call = ApiCall(request.query_params, _parsed(body), subject)
            _refuse_when_told(sandbox, subject)
            if path in TOKEN_PATHS:
                await _dawdle(sandbox, subject)
            document = handler(sandbox, call)
        except Failed as failed:
            hint = f"{failed.errmsg} rid: {nonce(8)}-{nonce(8)}-{nonce(8)}"
            document = {"errcode": failed.errcode, "errmsg": hint}
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        return Response(text, 200, media_type="application/json; charset=utf-8")

    return Route(path, endpoint, methods=[method])


def check_app(sandbox: Sandbox, appid: str, secret: str) -> None:
    """Raises Failed unless the pair is ours; account and mini program have their own secrets."""
    keys = sandbox.keys
    secrets = {keys.appid: keys.secret, keys.mp_appid: keys.mp_secret}
    if appid not in secrets:
        raise Failed(40013, "invalid appid")
    if secret != secrets[appid]:
        raise Failed(40125, "invalid appsecret")


def require_token(sandbox: Sandbox, call: ApiCall, *, mini_program: bool = False) -> None:
    """The call's `access_token` must be alive and of the right app; raises Failed."""
    text = call.query.get("access_token", "")
    if not text:
        raise Failed(41001, "access_token missing")
    token = sandbox.store.one(Token, "SELECT * FROM tokens WHERE token = ?", text)
    if token is None or token.revoked:
        raise Failed(40001, INVALID_TOKEN)
    if token.expires_at <= sandbox.clock.now():
        raise Failed(42001, "access_token expired")
    if token.family.endswith(MINI) is not mini_program:
        raise Failed(48001, "api unauthorized")
    struck = {fault.kind for fault in sandbox.faults.take(Point.TOKEN, call.subject)}
    if struck & {"token_invalid", "token_invalid_forever"}:
        sandbox.store.run("UPDATE tokens SET revoked = 1 WHERE token = ?", text)
        raise Failed(40001, INVALID_TOKEN)
    if "token_expired" in struck:
        sandbox.store.run(
            "UPDATE tokens SET expires_at = ? WHERE token = ?", sandbox.clock.now(), text
        )
        raise Failed(42001, "access_token expired")


def stable_token(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """POST /cgi-bin/stable_token"""
    family = STABLE + _check_grant(sandbox, call.body)
    now = sandbox.clock.now()
    if call.body.get("force_refresh") is True and _may_force(sandbox, family, now):
        sandbox.store.run("UPDATE tokens SET revoked = 1 WHERE family = ?", family)
    current = sandbox.store.one(
        Token,
        "SELECT * FROM tokens WHERE family = ? AND NOT revoked AND expires_at > ?"
        " ORDER BY issued_at DESC LIMIT 1",
        family,
        now + RENEWED_EARLY_S,
    )
    if current is not None:
        return _shown(current, current.expires_at - now)
    return _shown(_issue(sandbox, family, call.subject), TOKEN_LIFE_S)


def classic_token(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """GET /cgi-bin/token: a new one each time; the former lives five minutes more."""
    family = CLASSIC + _check_grant(sandbox, call.query)
    now = sandbox.clock.now()
    sandbox.store.run(
        "UPDATE tokens SET expires_at = min(expires_at, ?) WHERE family = ? AND NOT revoked",
        now + RENEWED_EARLY_S,
        family,
    )
    return _shown(_issue(sandbox, family, call.subject), TOKEN_LIFE_S)


def js_ticket(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """GET /cgi-bin/ticket/getticket"""
    require_token(sandbox, call)
    if call.query.get("type") != "jsapi":
        raise Failed(40097, "invalid ticket type")
    ticket, left_s = current_ticket(sandbox)
    return {"errcode": 0, "errmsg": "ok", "ticket": ticket, "expires_in": left_s}


def known_user(sandbox: Sandbox, openid: str) -> User:
    """The follower with this openid of the Official Account; raises Failed."""
    try:
        user = people.ensure(sandbox, openid)
    except people.NoOpenid as bad:
        raise Failed(40003, "invalid openid") from bad
    if user.openid != openid:
        raise Failed(40003, "invalid openid")
    return user


def mini_user(sandbox: Sandbox, openid: str) -> User:
    """The person with this openid of the mini program; raises Failed."""
    user = people.find(sandbox, openid)
    if user is None or user.mp_openid != openid:
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


def _check_grant(sandbox: Sandbox, said: Mapping[str, Any]) -> str:
    """What the token family ends with: nothing for the account."""
    if said.get("grant_type") != "client_credential":
        raise Failed(40002, "invalid grant_type")
    appid = str(said.get("appid", ""))
    check_app(sandbox, appid, str(said.get("secret", "")))
    return MINI if appid == sandbox.keys.mp_appid else ""


def _refuse_when_told(sandbox: Sandbox, subject: str) -> None:
    struck = {fault.kind: fault for fault in sandbox.faults.take(Point.ACCOUNT_CALL, subject)}
    if "errcode" in struck:
        raise Failed(int(struck["errcode"].value or -1), "as the tester wished")
    if "busy" in struck:
        raise Failed(-1, "system error")
    if "quota_45009" in struck:
        raise Failed(45009, "reach max api daily quota limit")


async def _dawdle(sandbox: Sandbox, subject: str) -> None:
    slow = sandbox.faults.strikes(Point.TOKEN_ASKED, subject)
    if slow is not None:
        await asyncio.sleep(slow.seconds)


def _may_force(sandbox: Sandbox, family: str, now: float) -> bool:
    """At most 20 a day and 30 s apart; sooner, the current token is answered again."""
    day = int(now // 86400)
    used_day, used, last = json.loads(sandbox.store.meta(f"forced:{family}", "[0, 0, 0]"))
    if used_day != day:
        used = 0
    if used >= FORCED_A_DAY:
        raise Failed(45009, "reach max api daily quota limit")
    if now - last < FORCED_APART_S:
        return False
    sandbox.store.set_meta(f"forced:{family}", json.dumps([day, used + 1, now]))
    return True


def _issue(sandbox: Sandbox, family: str, subject: str) -> Token:
    now = sandbox.clock.now()
    early = sandbox.faults.strikes(Point.ISSUE, subject)
    life_s = TOKEN_LIFE_S if early is None else early.seconds
    token = Token(f"91_{nonce(133)}", family, now, now + life_s, revoked=False)
    sandbox.store.insert(
        "tokens",
        token=token.token,
        family=family,
        issued_at=now,
        expires_at=token.expires_at,
        revoked=False,
    )
    return token


def _shown(token: Token, left_s: float) -> dict[str, Any]:
    return {"access_token": token.token, "expires_in": int(left_s)}


routes = [
    route("/cgi-bin/stable_token", stable_token, method="POST"),
    route("/cgi-bin/token", classic_token, method="GET"),
    route("/cgi-bin/ticket/getticket", js_ticket, method="GET"),
]
