"""Injected faults: which ones are waiting, and which one strikes now.

A kind belongs to a point, a moment in the program that asks "does a fault want this one?". To add
a kind: one line in `fault_kinds` and, at the code of its point, what it does there.
"""

from __future__ import annotations

from collections import deque

from wechat_sandbox.clock import Clock
from wechat_sandbox.fault_kinds import COPIES_WHEN_NOT_SAID, KINDS, Kind, Point
from wechat_sandbox.records import PendingFault
from wechat_sandbox.store import Store

__all__ = ["KINDS", "Faults", "Kind", "Point", "UnknownFault"]


MOMENTS_KEPT = 500


class UnknownFault(Exception):
    """No such kind; the message lists the known ones."""


class Faults:
    """The waiting faults, oldest first."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._passed: deque[tuple[Point, str]] = deque(maxlen=MOMENTS_KEPT)

    def add(
        self,
        kind: str,
        *,
        times: int | None = None,
        seconds: float | None = None,
        match: str = "",
        value: str = "",
    ) -> PendingFault:
        """Let a fault wait for its next matching moments; raises UnknownFault."""
        known = KINDS.get(kind)
        if known is None:
            raise UnknownFault(f"unknown fault {kind!r}; known: {', '.join(sorted(KINDS))}")
        copies = 1
        if times is None and known.lasts:
            times = -1
        if known.counts_copies:
            copies, times = times or COPIES_WHEN_NOT_SAID[kind], 1
        row = self._store.insert(
            "faults",
            kind=kind,
            times_left=1 if times is None else times,
            copies=copies,
            seconds=known.seconds if seconds is None else seconds,
            match=match,
            value=value,
            created_at=self._clock.now(),
            hits=0,
        )
        added = self._store.one(PendingFault, "SELECT * FROM faults WHERE id = ?", row)
        if added is None:
            raise LookupError("a fault vanished while it was being added")
        return added

    def take(self, point: Point, subject: str) -> list[PendingFault]:
        """The faults that strike here, at most one of each kind; each is used up by one.

        `subject` is the text in which `match` is looked for: path, numbers, openid.
        """
        self._passed.append((point, subject))
        struck: dict[str, PendingFault] = {}
        for fault in self.pending():
            if (
                KINDS[fault.kind].point is point
                and fault.kind not in struck
                and fault.match in subject
            ):
                struck[fault.kind] = fault
        for fault in struck.values():
            self._store.run(
                "UPDATE faults SET hits = hits + 1, times_left = times_left - (times_left > 0)"
                " WHERE id = ?",
                fault.id,
            )
        return list(struck.values())

    def strikes(self, point: Point, subject: str) -> PendingFault | None:
        """The one fault that strikes at a point with one kind, or None."""
        struck = self.take(point, subject)
        return struck[0] if struck else None

    def passed(self, match: str) -> list[Point]:
        """Which moments somebody has asked at lately in whose subject `match` stands."""
        return sorted({point for point, subject in self._passed if match in subject})

    def forget_moments(self) -> None:
        """As after a start."""
        self._passed.clear()

    def pending(self) -> list[PendingFault]:
        """Faults that have not struck often enough yet."""
        return self._store.all(
            PendingFault, "SELECT * FROM faults WHERE times_left <> 0 ORDER BY id"
        )

    def clear(self) -> None:
        """Drop them all."""
        self._store.run("DELETE FROM faults")
