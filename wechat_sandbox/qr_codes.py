"""QR codes with a scene: made by the account, shown as a picture, scanned by a phone."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from wechat_sandbox import pictures
from wechat_sandbox.account_records import QrCode
from wechat_sandbox.official import ApiCall, Failed, require_token, route
from wechat_sandbox.sandbox import Sandbox, sandbox_of

LONGEST_S = 2_592_000
DEFAULT_S = 60
MOST_PERMANENT = 100_000
SCENE_CHARACTERS = 64
TEMPORARY = ("QR_SCENE", "QR_STR_SCENE")
PERMANENT = ("QR_LIMIT_SCENE", "QR_LIMIT_STR_SCENE")
TEXTUAL = ("QR_STR_SCENE", "QR_LIMIT_STR_SCENE")


def create(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """POST /cgi-bin/qrcode/create"""
    require_token(sandbox, call)
    action = call.body.get("action_name")
    if action not in TEMPORARY + PERMANENT:
        raise Failed(47001, "data format error: action_name")
    info = call.body.get("action_info")
    scene = info.get("scene") if isinstance(info, dict) else None
    scene_id, scene_str = _scene(action, scene if isinstance(scene, dict) else {})
    seconds = _seconds(call.body) if action in TEMPORARY else None
    if seconds is None and _permanent_ones(sandbox) >= MOST_PERMANENT:
        raise Failed(45029, "qrcode count out of limit")
    ticket = "g" + base64.urlsafe_b64encode(secrets.token_bytes(66)).decode()[:85] + "=="
    code = f"http://weixin.qq.com/q/02{secrets.token_urlsafe(16)}"
    now = sandbox.clock.now()
    sandbox.store.insert(
        "qr_codes",
        ticket=ticket,
        url=code,
        action=action,
        scene_id=scene_id,
        scene_str=scene_str,
        expires_at=None if seconds is None else now + seconds,
        created_at=now,
    )
    document: dict[str, Any] = {"ticket": ticket, "url": code}
    return document if seconds is None else document | {"expire_seconds": seconds}


async def show(request: Request) -> Response:
    """GET /cgi-bin/showqrcode: the picture, without a token."""
    sandbox = sandbox_of(request)
    code = find(sandbox, request.query_params.get("ticket", ""))
    if code is None or not is_alive(sandbox, code):
        return Response("", 404)
    return Response(pictures.qr_png(code.url), media_type="image/png")


def find(sandbox: Sandbox, ticket: str) -> QrCode | None:
    """The code of a ticket."""
    return sandbox.store.one(QrCode, "SELECT * FROM qr_codes WHERE ticket = ?", ticket)


def find_by_url(sandbox: Sandbox, url: str) -> QrCode | None:
    """The code whose picture holds this text."""
    return sandbox.store.one(QrCode, "SELECT * FROM qr_codes WHERE url = ?", url)


def find_by_scene(sandbox: Sandbox, scene: str) -> QrCode | None:
    """The newest code with this scene, number or text."""
    return sandbox.store.one(
        QrCode,
        "SELECT * FROM qr_codes WHERE scene_str = ? OR CAST(scene_id AS TEXT) = ?"
        " ORDER BY created_at DESC",
        scene,
        scene,
    )


def made(sandbox: Sandbox) -> list[QrCode]:
    """Every code, oldest first."""
    return sandbox.store.all(QrCode, "SELECT * FROM qr_codes ORDER BY created_at, rowid")


def is_alive(sandbox: Sandbox, code: QrCode) -> bool:
    """Whether scanning still does something."""
    return code.expires_at is None or code.expires_at > sandbox.clock.now()


def _scene(action: str, scene: dict[str, Any]) -> tuple[int, str]:
    if action in TEXTUAL:
        text = scene.get("scene_str")
        if not isinstance(text, str) or not 1 <= len(text) <= SCENE_CHARACTERS:
            raise Failed(40169, "invalid length for scene_str, range is 1 ~ 64")
        return 0, text
    number = scene.get("scene_id")
    most = MOST_PERMANENT if action in PERMANENT else 2**32 - 1
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
        raise Failed(40053, "invalid scene_id")
    return number, ""


def _seconds(body: dict[str, Any]) -> int:
    seconds = body.get("expire_seconds", DEFAULT_S)
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 1 <= seconds <= LONGEST_S:
        raise Failed(40052, "invalid expire_seconds")
    return seconds


def _permanent_ones(sandbox: Sandbox) -> int:
    return int(sandbox.store.number("SELECT count(*) FROM qr_codes WHERE expires_at IS NULL") or 0)


routes: list[BaseRoute] = [
    route("/cgi-bin/qrcode/create", create, method="POST"),
    Route("/cgi-bin/showqrcode", show, methods=["GET"]),
]
