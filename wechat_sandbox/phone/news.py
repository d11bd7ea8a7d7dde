"""Server-sent events to the phone page: look again, and what to show at the top.

An event carries the hint's kind and a banner for each card that came since the stream began.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from wechat_sandbox import people
from wechat_sandbox.phone import chats
from wechat_sandbox.phone.pages import held
from wechat_sandbox.records import User
from wechat_sandbox.sandbox import Sandbox

PING_S = 15.0


@held
async def news(request: Request, sandbox: Sandbox, user: User) -> Response:
    """The stream of one open phone page."""
    return StreamingResponse(
        _stream(sandbox, user),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(sandbox: Sandbox, user: User) -> AsyncIterator[str]:
    async with sandbox.hub.listen(user.openid) as hints:
        shown = _newest(sandbox, user)
        yield "retry: 1500\n\n"
        while True:
            try:
                hint = await asyncio.wait_for(hints.get(), PING_S)
            except TimeoutError:
                yield ": ping\n\n"
                continue
            if hint is None:
                return
            banners = _banners(sandbox, user, shown)
            shown = _newest(sandbox, user)
            document = {"kind": hint.kind, "subject": hint.subject, "banners": banners}
            yield f"data: {json.dumps(document, ensure_ascii=False)}\n\n"


def _newest(sandbox: Sandbox, user: User) -> dict[str, int]:
    return {
        chat.name: max((card.id for card in chats.cards(sandbox, user, chat.name)), default=0)
        for chat in chats.overview(sandbox, _now(sandbox, user))
    }


def _banners(sandbox: Sandbox, user: User, shown: dict[str, int]) -> list[dict[str, str]]:
    return [
        {
            "chat": chat.name,
            "title": chat.title,
            "text": card.preview,
            "face": chat.look.picture,
        }
        for chat in chats.overview(sandbox, _now(sandbox, user))
        for card in chats.cards(sandbox, user, chat.name)
        if card.id > shown.get(chat.name, 0) and not card.quiet
    ]


def _now(sandbox: Sandbox, user: User) -> User:
    return people.ensure(sandbox, user.openid)
