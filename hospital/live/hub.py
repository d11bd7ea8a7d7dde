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
from hospital.live.actions import UNTIL

logger = logging.getLogger(__name__)
_QUEUE_LENGTH = 32
_RECONNECT_SECONDS = 2.0
#: Tickets live twelve hours; no hospital ends more log-ins in that time.
_OVER_KEPT = 10_000


class Hub:
    """Listens on one channel of one database while `run` is awaited."""

    def __init__(self, *, conninfo: str, channel: str) -> None:
        self._conninfo = conninfo
        self._channel = channel
        self._readers: defaultdict[str, set[asyncio.Queue[str]]] = defaultdict(set)
        self._over: dict[str, None] = {}
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

    def is_over(self, topics: Sequence[str]) -> bool:
        """Say whether one of these topics is over, as far as this process has heard."""
        return any(topic in self._over for topic in topics)

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
                    if note.payload.startswith(UNTIL):
                        self._remember(note.payload)
                    self._pass_on(note.payload)

    def _remember(self, topic: str) -> None:
        self._over[topic] = None
        if len(self._over) > _OVER_KEPT:
            del self._over[next(iter(self._over))]

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
