"""Server-sent events to the phone page: look again, and what to show at the top.

Each event carries the hint's kind and a banner for every card the page has not heard of. Its id
says what it has (`account:12,pay:3`, the newest card of each counter), so that nothing is lost or
told twice over a broken connection; the first connection starts from what the page was drawn with.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from wechat_sandbox import people
from wechat_sandbox.phone import chats
from wechat_sandbox.phone.pages import held
from wechat_sandbox.records import User
from wechat_sandbox.sandbox import Sandbox

PING_S = 15.0
_MARK = re.compile(r"(\w+):(\d+)")


@held
async def news(request: Request, sandbox: Sandbox, user: User) -> Response:
    """The stream of one open phone page."""
    heard = request.headers.get("last-event-id") or request.query_params.get("heard", "")
    marks = {name: int(newest) for name, newest in _MARK.findall(heard)}
    return StreamingResponse(
        _stream(sandbox, user, marks),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(sandbox: Sandbox, user: User, marks: dict[str, int]) -> AsyncIterator[str]:
    async with sandbox.hub.listen(user.openid) as hints:
        yield "retry: 1500\n\n"
        yield _event(sandbox, user, "connected", marks)
        while True:
            marks = chats.newest(sandbox, _now(sandbox, user))
            try:
                hint = await asyncio.wait_for(hints.get(), PING_S)
            except TimeoutError:
                yield ": ping\n\n"
                continue
            if hint is None:
                return
            yield _event(sandbox, user, hint.kind, marks, hint.subject)


def _event(
    sandbox: Sandbox, user: User, kind: str, marks: dict[str, int], subject: str = ""
) -> str:
    now = _now(sandbox, user)
    banners = [
        {"chat": chat.name, "title": chat.title, "text": card.preview, "face": chat.look.picture}
        for chat in [chats.chat(sandbox, now, name) for name in chats.EVERYWHERE]
        for card in chats.cards(sandbox, now, chat.name)
        if card.id > marks.get(card.counter, 0) and not card.quiet
    ]
    document = {"kind": kind, "subject": subject, "banners": banners}
    text = json.dumps(document, ensure_ascii=False)
    return f"id: {chats.marks(chats.newest(sandbox, now))}\ndata: {text}\n\n"


def _now(sandbox: Sandbox, user: User) -> User:
    return people.ensure(sandbox, user.openid)
