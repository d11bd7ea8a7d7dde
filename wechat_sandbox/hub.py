"""News for the phone pages: who must look again, and why.

Only hints travel here; the page reads the data itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Hint:
    """`kind`: message, wallet, order, menu or reset; `subject` is a number, may be empty."""

    openid: str
    kind: str
    subject: str = ""


class Hub:
    """In-process publish and subscribe on the event loop's thread."""

    def __init__(self) -> None:
        self._queues: set[tuple[str, asyncio.Queue[Hint | None]]] = set()

    def publish(self, openid: str, kind: str, subject: str = "") -> None:
        """Tell every open page of this person; an empty openid tells all."""
        for owner, queue in self._queues:
            if openid in ("", owner):
                queue.put_nowait(Hint(owner, kind, subject))

    @asynccontextmanager
    async def listen(self, openid: str) -> AsyncIterator[asyncio.Queue[Hint | None]]:
        """A queue of hints for one person while the block runs; None means the program ends."""
        entry = (openid, asyncio.Queue[Hint | None]())
        self._queues.add(entry)
        try:
            yield entry[1]
        finally:
            self._queues.discard(entry)

    def close(self) -> None:
        """Let every open stream end."""
        for _, queue in self._queues:
            queue.put_nowait(None)
