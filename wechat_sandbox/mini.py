"""The mini program's server side: log-in and phone number, from codes its page was given."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from wechat_sandbox import people
from wechat_sandbox.faults import Point
from wechat_sandbox.official import ApiCall, Failed, check_app, require_token, route
from wechat_sandbox.records import Code, User
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.signing import nonce

CODE_LIFE_S = 300
CODE_KINDS = ("login", "phone")
COUNTRY = "86"


def new_code(sandbox: Sandbox, user: User, kind: str) -> str:
    """What `wx.login` (`login`) or the phone number button (`phone`) hands to the page."""
    code = f"0{nonce(31)}" if kind == "login" else secrets.token_hex(32)
    sandbox.store.insert(
        "codes",
        code=code,
        openid=user.mp_openid,
        appid=sandbox.keys.mp_appid,
        scope=f"mini_{kind}",
        expires_at=sandbox.clock.now() + CODE_LIFE_S,
        used=False,
    )
    return code


def code_to_session(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """GET /sns/jscode2session"""
    appid = call.query.get("appid", "")
    check_app(sandbox, appid, call.query.get("secret", ""))
    if appid != sandbox.keys.mp_appid:
        raise Failed(40013, "invalid appid")
    if call.query.get("grant_type", "authorization_code") != "authorization_code":
        raise Failed(40002, "invalid grant_type")
    user = _redeemed(sandbox, call, call.query.get("js_code", ""), "login")
    return {
        "openid": user.mp_openid,
        "session_key": base64.b64encode(secrets.token_bytes(16)).decode(),
        "unionid": user.unionid,
    }


def phone_number(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """POST /wxa/business/getuserphonenumber"""
    require_token(sandbox, call, mini_program=True)
    user = _redeemed(sandbox, call, str(call.body.get("code", "")), "phone")
    return {
        "errcode": 0,
        "errmsg": "ok",
        "phone_info": {
            "phoneNumber": user.phone_number,
            "purePhoneNumber": user.phone_number,
            "countryCode": COUNTRY,
            "watermark": {
                "timestamp": int(sandbox.clock.now()),
                "appid": sandbox.keys.mp_appid,
            },
        },
    }


def _redeemed(sandbox: Sandbox, call: ApiCall, text: str, kind: str) -> User:
    if not text:
        raise Failed(41008, "missing code")
    code = sandbox.store.one(Code, "SELECT * FROM codes WHERE code = ?", text)
    if code is None or code.scope != f"mini_{kind}":
        raise Failed(40029, "invalid code")
    if code.used:
        raise Failed(40163, "code been used")
    if sandbox.faults.strikes(Point.CODE, call.subject):
        sandbox.store.run("DELETE FROM codes WHERE code = ?", text)
        raise Failed(40029, "code expired")
    if code.expires_at <= sandbox.clock.now():
        raise Failed(40029, "code expired")
    sandbox.store.run("UPDATE codes SET used = 1 WHERE code = ?", text)
    return people.ensure(sandbox, code.openid)


routes = [
    route("/sns/jscode2session", code_to_session, method="GET"),
    route("/wxa/business/getuserphonenumber", phone_number, method="POST"),
]
