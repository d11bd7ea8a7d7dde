"""The outermost layer: where calls to the imitated hosts can break on the way.

It needs the raw ASGI events because some faults answer with silence or a cut connection, which no
web framework offers. Everything that is not an imitated API passes through untouched.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wechat_sandbox import ids
from wechat_sandbox.faults import Point
from wechat_sandbox.records import PendingFault
from wechat_sandbox.sandbox import Sandbox

CERTIFIED = "/secapi/"
IMITATED = ("/v3/", "/cgi-bin/", "/sns/", "/wxa/", "/pay/", "/secapi/", "/sms/")


@dataclass(frozen=True)
class Broken:
    """An answer given instead of carrying the call out."""

    status: int
    body: bytes
    media_type: str = "application/json; charset=utf-8"
    reason: int = 0


def _error(status: int, code: str, message: str, reason: int) -> Broken:
    return Broken(
        status,
        json.dumps({"code": code, "message": message}, ensure_ascii=False).encode(),
        reason=reason,
    )


def _gateway(status: int, says: str) -> Broken:
    page = f"<html><head><title>{status} {says}</title></head><body><h1>{says}</h1></body></html>"
    return Broken(status, page.encode(), "text/html")


BROKEN = {
    "http_500": _error(500, "SYSTEM_ERROR", "系统异常，请用相同参数重新调用", 268435457),
    "http_429": _error(429, "FREQUENCY_LIMITED", "频率限制，请降低频率后重试", 268435460),
    "http_502": _gateway(502, "Bad Gateway"),
    "http_503": _gateway(503, "Service Unavailable"),
}
NO_CERTIFICATE = _gateway(400, "No required SSL certificate was sent")


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
        if self._lacks_certificate(scope, send):
            await _broken(send, NO_CERTIFICATE)
            return
        body = await _whole_body(receive)
        subject = subject_of(scope, body)
        struck = {f.kind: f for f in self._sandbox.faults.take(Point.REQUEST, subject)}
        if not await _stopped(struck, send):
            await self._carry_out(scope, _replay(body, receive), send, subject, struck)

    def _lacks_certificate(self, scope: Scope, send: Send) -> bool:
        """Whether the merchant should have shown its certificate and has not."""
        if not self._sandbox.settings.tls_base or not scope["path"].startswith(CERTIFIED):
            return False
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        secured = None if transport is None else transport.get_extra_info("ssl_object")
        return secured is None or not secured.getpeercert()

    async def _carry_out(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        subject: str,
        struck: Mapping[str, PendingFault],
    ) -> None:
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self._app(scope, receive, keep)
        dropped = None
        if 200 <= answer[0]["status"] < 300:
            dropped = self._sandbox.faults.strikes(Point.ANSWER, subject)
        if dropped is not None:
            await _stay_silent(dropped, receive, send)
            return
        if "connection_reset" in struck:
            await _half_of(answer, send)
            return
        for message in answer:
            await send(message)


async def _stopped(struck: Mapping[str, PendingFault], send: Send) -> bool:
    """Wait where a fault says so; True when the call is not carried out at all."""
    if "slow" in struck:
        await asyncio.sleep(struck["slow"].seconds)
    for kind, broken in BROKEN.items():
        if kind in struck:
            await _broken(send, broken)
            return True
    if "connection_reset" in struck and struck["connection_reset"].value == "before":
        _cut(send)
        return True
    return False


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


async def _broken(send: Send, broken: Broken) -> None:
    headers = [(b"content-type", broken.media_type.encode())]
    if broken.reason:
        headers.append((b"request-id", ids.request_id(broken.reason).encode()))
    await send({"type": "http.response.start", "status": broken.status, "headers": headers})
    await send({"type": "http.response.body", "body": broken.body})


async def _half_of(answer: list[Message], send: Send) -> None:
    """Begin the answer and reset the connection in the middle of its body."""
    body = b"".join(message.get("body", b"") for message in answer[1:])
    if body:
        await send(answer[0])
        await send(
            {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}
        )
    _cut(send)


def _cut(send: Send) -> None:
    """Reset the connection. The server offers no such thing; its send function knows the socket."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        return
    plug = transport.get_extra_info("socket")
    if plug is not None:
        # Linger for zero seconds: the peer gets a reset instead of a polite end.
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _stay_silent(fault: PendingFault, receive: Receive, send: Send) -> None:
    """Say nothing until the client gives up or the fault's seconds are over, then cut the line."""
    gone = asyncio.ensure_future(_disconnected(receive))
    done, _ = await asyncio.wait({gone}, timeout=fault.seconds)
    if not done:
        _cut(send)
        await asyncio.wait({gone}, timeout=1)
    gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
