"""The live process: /live/?ticket=… is a stream of server-sent events, /healthz says it is alive.

Plain ASGI without Django's request cycle: a stream holds no database connection and no thread.
Pages of PUBLIC_URL may listen; others are refused by the browser.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import parse_qs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.config.settings")

import django
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from hospital.live import tickets
from hospital.live.actions import CHANNEL
from hospital.live.hub import Hub

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_PING_SECONDS: Final = 20.0
_RETRY_MS: Final = 3000


class Live:
    """The ASGI application; the hub starts and stops with the server's lifespan."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http" and scope["path"] == "/healthz":
            await _answer(send, 200 if self._hub.connected.is_set() else 503)
        elif scope["type"] == "http" and scope["path"] == "/live/":
            await self._stream(scope, receive, send)
        elif scope["type"] == "http":
            await _answer(send, 404)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        task: asyncio.Task[None] | None = None
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                task = asyncio.create_task(self._hub.run())
                await send({"type": "lifespan.startup.complete"})
            else:
                if task is not None:
                    task.cancel()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        try:
            topics = tickets.topics_of(query.get("ticket", [""])[0])
        except tickets.BadTicket:
            await _answer(send, 403)
            return
        if self._hub.is_over(topics):
            await _answer(send, 403)
            return
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", b"text/event-stream; charset=utf-8"),
                    (b"cache-control", b"no-store"),
                    (b"x-accel-buffering", b"no"),
                    (b"access-control-allow-origin", settings.PUBLIC_URL.encode()),
                ],
            }
        )
        await _write(send, f"retry: {_RETRY_MS}\n\n")
        with self._hub.reader(topics) as queue:
            feed = asyncio.create_task(self._feed(queue, topics, send))
            gone = asyncio.create_task(_until_gone(receive))
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({feed, gone}, return_when=asyncio.FIRST_COMPLETED)
            for task in (feed, gone):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _feed(self, queue: "asyncio.Queue[str]", topics: Sequence[str], send: Send) -> None:
        """Write hints until one of the topics is over."""
        while not self._hub.is_over(topics):
            try:
                topic = await asyncio.wait_for(queue.get(), _PING_SECONDS)
                await _write(send, f"data: {json.dumps(topic)}\n\n")
            except TimeoutError:
                await _write(send, ": ping\n\n")
        await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _answer(send: Send, status: int) -> None:
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": str(status).encode()})


def _conninfo() -> str:
    parameters = {**connection.get_connection_params()}
    for not_libpq in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(not_libpq, None)
    return make_conninfo(**parameters)


django.setup()
application = Live(Hub(conninfo=_conninfo(), channel=CHANNEL))
