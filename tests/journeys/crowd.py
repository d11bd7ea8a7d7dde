"""A crowd at the door: everybody's connection stands open, then all send at the same moment."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

_SECONDS: Final = 90.0


@dataclass(frozen=True)
class Wish:
    """What one person posts: address, Cookie header, form."""

    path: str
    cookie: str
    form: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """What came back; a status of 0 means nothing did."""

    status: int
    location: str
    body: str


def all_at_once(port: int, wishes: list[Wish]) -> list[Reply]:
    """Send every wish over a connection of its own; replies in the order of the wishes."""
    with ThreadPoolExecutor(1) as aside:  # a browser test may have left a loop in this thread
        return aside.submit(asyncio.run, _all_at_once(port, wishes)).result()


async def _all_at_once(port: int, wishes: list[Wish]) -> list[Reply]:
    start = asyncio.Event()
    here = asyncio.Semaphore(0)
    people = [asyncio.create_task(_one(port, wish, here, start)) for wish in wishes]
    for _ in wishes:
        await here.acquire()
    start.set()
    return list(await asyncio.gather(*people))


async def _one(port: int, wish: Wish, here: asyncio.Semaphore, start: asyncio.Event) -> Reply:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    here.release()
    await start.wait()
    writer.write(_encoded(port, wish))
    whole = await asyncio.wait_for(reader.read(), _SECONDS)
    writer.close()
    head, _, body = whole.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    status = int(first.split(" ")[1]) if first else 0
    return Reply(status, headers.get("location", ""), body)


def _encoded(port: int, wish: Wish) -> bytes:
    body = urlencode(wish.form)
    lines = [
        f"POST {wish.path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Cookie: {wish.cookie}",
        "Accept: text/html",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", body]).encode()
