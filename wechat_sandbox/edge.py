"""The outermost layer: where calls to the imitated hosts can break on the way.

It needs the raw ASGI events because some faults answer with silence or a cut connection, which no
web framework offers. Everything that is not an imitated API passes through untouched.
"""

from __future__ import annotations

import asyncio
import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wechat_sandbox import ids
from wechat_sandbox.faults import Point
from wechat_sandbox.records import PendingFault
from wechat_sandbox.sandbox import Sandbox

IMITATED = ("/v3/", "/cgi-bin/", "/sns/", "/wxa/", "/pay/", "/secapi/", "/sms/")


class Edge:
    """Wraps the application given to the HTTP server."""

    def __init__(self, app: ASGIApp, sandbox: Sandbox) -> None:
        self._app = app
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event, with faults where they are wanted."""
        if scope["type"] != "http" or not scope["path"].startswith(IMITATED):
            await self._app(scope, receive, send)
            return
        body = await _whole_body(receive)
        subject = subject_of(scope, body)
        struck = {f.kind: f for f in self._sandbox.faults.take(Point.REQUEST, subject)}
        if "slow" in struck:
            await asyncio.sleep(struck["slow"].seconds)
        if "http_500" in struck:
            await _system_error(send)
            return
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self._app(scope, _replay(body, receive), keep)
        dropped = None
        if 200 <= answer[0]["status"] < 300:
            dropped = self._sandbox.faults.strikes(Point.ANSWER, subject)
        if dropped is not None:
            await _stay_silent(dropped, receive, send)
            return
        for message in answer:
            await send(message)


def subject_of(scope: Scope, body: bytes) -> str:
    """The text in which faults look for their `match`: path, query and body."""
    query = scope["query_string"].decode("latin-1")
    return f"{scope['path']}?{query} {body.decode('utf-8', 'replace')}"


async def _whole_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)
    return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    told = False

    async def replayed() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


async def _system_error(send: Send) -> None:
    document = {"code": "SYSTEM_ERROR", "message": "系统异常，请用相同参数重新调用"}
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"request-id", ids.request_id(268435457).encode()),
    ]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})


async def _stay_silent(fault: PendingFault, receive: Receive, send: Send) -> None:
    """Say nothing until the client gives up or the fault's seconds are over, then cut the line."""
    gone = asyncio.ensure_future(_disconnected(receive))
    done, _ = await asyncio.wait({gone}, timeout=fault.seconds)
    if not done:
        # The server offers no "close without an answer"; its send function knows the socket.
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()
        await asyncio.wait({gone}, timeout=1)
    gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
