"""One LISTEN connection per process, many readers: passes hints to whoever listens.

Each reader has a short queue; a reader too slow to keep up loses its oldest hints, which costs it
one poll and nobody else anything.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg import sql

from hospital.kernel import clock, heartbeats

logger = logging.getLogger(__name__)
_QUEUE_LENGTH = 32
_RECONNECT_SECONDS = 2.0


class Hub:
    """Listens on one channel of one database while `run` is awaited."""

    def __init__(self, *, conninfo: str, channel: str) -> None:
        self._conninfo = conninfo
        self._channel = channel
        self._readers: defaultdict[str, set[asyncio.Queue[str]]] = defaultdict(set)
        self.connected = asyncio.Event()

    @contextlib.contextmanager
    def reader(self, topics: Sequence[str]) -> Iterator[asyncio.Queue[str]]:
        """A queue that receives each of these topics as it is published."""
        queue: asyncio.Queue[str] = asyncio.Queue(_QUEUE_LENGTH)
        for topic in topics:
            self._readers[topic].add(queue)
        try:
            yield queue
        finally:
            for topic in topics:
                self._readers[topic].discard(queue)
                if not self._readers[topic]:
                    del self._readers[topic]

    async def run(self) -> None:
        """Listen for ever, connecting again when the database goes away."""
        while True:
            try:
                await self._listen()
            except psycopg.OperationalError as problem:
                logger.warning(
                    "live hub lost its database", extra={"error": type(problem).__name__}
                )
            self.connected.clear()
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen(self) -> None:
        connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
        async with connection:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
            self.connected.set()
            # Hints of the gap while we were away are lost: have everybody look again.
            for topic in list(self._readers):
                self._pass_on(topic)
            while True:
                await _beat(connection)
                # Ends after a while, so that a sign of life comes over this very connection.
                async for note in connection.notifies(timeout=heartbeats.EVERY_SECONDS):
                    self._pass_on(note.payload)

    def _pass_on(self, topic: str) -> None:
        for queue in self._readers.get(topic, ()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(topic)


async def _beat(connection: psycopg.AsyncConnection[Any]) -> None:
    """Say that the live process lives and listens; hints matter more than the sign."""
    try:
        await connection.execute(heartbeats.BEAT, ["live", heartbeats.host(), clock.now()])
    except psycopg.errors.ProgrammingError as problem:
        logger.warning("no sign of life written", extra={"error": type(problem).__name__})
