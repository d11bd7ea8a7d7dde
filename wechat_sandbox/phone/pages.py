"""Templates, the holder of the phone, and the guards every address of the phone shares.

The holder is the cookie `phone`: an openid. A tab opened as `/?as=<openid>` is a phone of its own:
its scripts name the holder in the header `X-Phone` (or in `as`, where a header cannot be sent).
Writing needs that header, which a page of another origin cannot send without asking first, so
hospital pages cannot press the phone's buttons.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from wechat_sandbox import people
from wechat_sandbox.records import User
from wechat_sandbox.sandbox import Sandbox, sandbox_of

FOLDER = Path(__file__).parent
COOKIE = "phone"
HEADER = "x-phone"
ASKED = "as"
YEAR_S = 365 * 24 * 3600

_templates = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

# Frames may show any page (the hospital's address is not known here); nothing else leaves home.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "media-src 'self' blob:",
        "form-action 'self'",
        "frame-src http: https:",
        "frame-ancestors 'self'",
        "base-uri 'none'",
    )
)

type_of_view = Callable[[Request, Sandbox, User], Awaitable[Response]]


def render(template: str, **values: Any) -> str:
    """A template as text."""
    return _templates.get_template(template).render(**values)


def page(text: str, status: int = 200) -> HTMLResponse:
    """A whole page or a screen, never stored."""
    return HTMLResponse(
        text,
        status,
        {
            "Cache-Control": "no-store",
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        },
    )


def holder_of(request: Request) -> User | None:
    """Who holds the phone; unknown openids become people, other text is nobody."""
    named = (request.headers.get(HEADER, ""), request.query_params.get(ASKED, ""))
    openid = next((text for text in named if text.startswith("o")), "")
    openid = openid or request.cookies.get(COOKIE, "")
    if not openid:
        return None
    try:
        return people.ensure(sandbox_of(request), openid)
    except people.NoOpenid:
        return None


def held(view: type_of_view) -> Callable[[Request], Awaitable[Response]]:
    """A screen of a phone somebody holds; 401 tells the page to choose first."""

    @wraps(view)
    async def guarded(request: Request) -> Response:
        user = holder_of(request)
        if user is None:
            return JSONResponse({"says": "请先选择谁拿着手机"}, 401)
        answer = await view(request, sandbox_of(request), user)
        # A tab that was opened for somebody else notices by this and starts anew.
        answer.headers["X-Phone-Holder"] = user.openid
        return answer

    return guarded


def from_the_phone(
    view: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """A write: only the phone's own scripts may send it."""

    @wraps(view)
    async def guarded(request: Request) -> Response:
        if HEADER not in request.headers:
            return JSONResponse({"says": "only the phone's own page may do this"}, 403)
        return await view(request)

    return guarded


def remember(answer: Response, openid: str) -> None:
    """From now on the browser's phone is this person's."""
    answer.set_cookie(COOKIE, openid, max_age=YEAR_S, path="/", httponly=True, samesite="lax")


def no(says: str, status: int = 422) -> Response:
    """A refusal, as a sentence for whoever tapped."""
    return JSONResponse({"says": says}, status)


async def sent(request: Request) -> dict[str, Any]:
    """The JSON object of the request, empty when there is none."""
    try:
        document = json.loads(await request.body() or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
