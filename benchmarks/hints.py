"""How long a hint takes from the commit to an open page, with a thousand pages open.

The limit beside it is PostgreSQL's own: NOTIFY on one connection, LISTEN on another, nothing in
between. Both are measured in one run on the same server.
"""

import asyncio
import json
import random
import time
from dataclasses import dataclass
from urllib.parse import quote

import psycopg

from benchmarks import world
from benchmarks.load import Answers

PAGES = 1000
HINTS = 1500
EACH_SECONDS = 0.01
ROUNDS = 20
_SECTION = """## Hints to open pages

From the moment a commit is asked for to the arrival at the page, with {pages} pages open on one
live process (the listening pages run on the same two cores). First {hints} hints, each to one page
drawn at random; then {rounds} hints that all {pages} pages listen to, each page's own time counted.
The limit is the database's own notification between two connections. Aim: 99 of 100 within 300 ms.

{rows}
"""


@dataclass(frozen=True)
class Hints:
    """Seconds from commit to arrival: one page each, the last of a thousand, the bare server."""

    single: Answers
    everybody: Answers
    limit: Answers


def measure(url: str) -> Hints:
    """Run all three. Raises TimeoutError when a hint never arrives."""
    return asyncio.run(_measure(url))


async def _measure(url: str) -> Hints:
    limit = await _bare(url)
    with world.live() as port:
        arrivals: asyncio.Queue[tuple[str, float]] = asyncio.Queue()
        opened = asyncio.Semaphore(0)
        pages = [
            asyncio.create_task(_page(port, [f"page:{number}", "everybody"], opened, arrivals))
            for number in range(PAGES)
        ]
        for _ in pages:
            await asyncio.wait_for(opened.acquire(), 60)
        try:
            single = await _one_each(url, arrivals)
            everybody = await _all_at_once(url, arrivals)
        finally:
            for page in pages:
                page.cancel()
            await asyncio.gather(*pages, return_exceptions=True)
    return Hints(single=single, everybody=everybody, limit=limit)


async def _page(
    port: int,
    topics: list[str],
    opened: asyncio.Semaphore,
    arrivals: "asyncio.Queue[tuple[str, float]]",
) -> None:
    """An open page: listens until it is cancelled."""
    from hospital.live import tickets

    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    path = f"/live/?ticket={quote(tickets.issue(topics))}"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    await reader.readuntil(b"retry: ")
    opened.release()
    try:
        while True:
            line = await reader.readline()
            if line.startswith(b"data: "):
                arrivals.put_nowait((json.loads(line[6:]), time.perf_counter()))
    finally:
        writer.close()


async def _one_each(url: str, arrivals: "asyncio.Queue[tuple[str, float]]") -> Answers:
    """One hint after another to a page drawn at random."""
    answers = Answers()
    draw = random.Random(1)
    started = time.perf_counter()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for _ in range(HINTS):
            topic = f"page:{draw.randrange(PAGES)}"
            sent = await _publish(connection, topic)
            heard, at = await asyncio.wait_for(arrivals.get(), 10)
            assert heard == topic
            answers.seconds.append(at - sent)
            await asyncio.sleep(EACH_SECONDS)
    answers.elapsed = time.perf_counter() - started
    return answers


async def _all_at_once(url: str, arrivals: "asyncio.Queue[tuple[str, float]]") -> Answers:
    """One hint to every page; each page's own time counts."""
    answers = Answers()
    started = time.perf_counter()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for _ in range(ROUNDS):
            sent = await _publish(connection, "everybody")
            for _ in range(PAGES):
                _, at = await asyncio.wait_for(arrivals.get(), 10)
                answers.seconds.append(at - sent)
    answers.elapsed = time.perf_counter() - started
    return answers


async def _bare(url: str) -> Answers:
    """NOTIFY and LISTEN with nothing of ours between them."""
    answers = Answers()
    started = time.perf_counter()
    async with (
        await psycopg.AsyncConnection.connect(url, autocommit=True) as speaker,
        await psycopg.AsyncConnection.connect(url, autocommit=True) as listener,
    ):
        from hospital.live.actions import CHANNEL

        await listener.execute(f"LISTEN {CHANNEL}".encode())
        for _ in range(HINTS):
            sent = await _publish(speaker, "nobody")
            async for _ in listener.notifies(timeout=10, stop_after=1):
                answers.seconds.append(time.perf_counter() - sent)
    answers.elapsed = time.perf_counter() - started
    return answers


async def _publish(connection: psycopg.AsyncConnection[tuple[object, ...]], topic: str) -> float:
    """Notify as the product does; returns the moment before the commit was asked for."""
    from hospital.live.actions import CHANNEL

    sent = time.perf_counter()
    await connection.execute("SELECT pg_notify(%s, %s)", [CHANNEL, topic])
    return sent


def section(hints: Hints) -> str:
    """The figures as a part of docs/benchmarks.md."""
    rows = ["| | p50 ms | p99 ms | slowest ms |", "|---|---|---|---|"]
    rows += [
        f"| {name} | {answers.percentile_ms(0.5):.1f} | **{answers.percentile_ms(0.99):.1f}** "
        f"| {answers.percentile_ms(1):.1f} |"
        for name, answers in (
            ("one page of a thousand", hints.single),
            ("all thousand pages at once", hints.everybody),
            ("NOTIFY to LISTEN alone", hints.limit),
        )
    ]
    return _SECTION.format(pages=PAGES, hints=HINTS, rounds=ROUNDS, rows="\n".join(rows))
