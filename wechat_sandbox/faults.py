"""Injected faults: what can go wrong, at which moment, and which ones are waiting.

A kind belongs to a point, a moment in the program that asks "does a fault want this one?". To add
a kind: one line in KINDS and, at the code of its point, what it does there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from wechat_sandbox.clock import Clock
from wechat_sandbox.records import PendingFault
from wechat_sandbox.store import Store


class Point(StrEnum):
    """The moments at which the program looks for faults."""

    REQUEST = "request"  # an API call came in, nothing has happened yet
    ANSWER = "answer"  # it was carried out (2xx), the answer has not left
    SIGNATURE = "signature"  # the answer is about to be signed
    NOTICE = "notice"  # a notification is about to be queued
    ATTEMPT = "attempt"  # a notification is about to be sent
    REFUND = "refund"  # a valid refund is about to be accepted
    REFUND_END = "refund_end"  # an accepted refund is about to be carried out
    TOKEN = "token"  # noqa: S105 - an API token was found valid
    MESSAGE = "message"  # a valid message is about to reach a phone


@dataclass(frozen=True)
class Kind:
    """`counts_copies`: `times` says how many copies one notice gets, not how often to strike."""

    name: str
    point: Point
    says: str
    seconds: float = 0.0
    counts_copies: bool = False


KINDS = {
    kind.name: kind
    for kind in (
        Kind("http_500", Point.REQUEST, "answer 500 SYSTEM_ERROR, do nothing"),
        Kind("slow", Point.REQUEST, "carry out and answer late", seconds=4.9),
        Kind(
            "timeout_after_success",
            Point.ANSWER,
            "carry out, keep silent for `seconds`, then drop the connection",
            seconds=30.0,
        ),
        Kind("response_bad_signature", Point.SIGNATURE, "answer with a signature of other bytes"),
        Kind("notify_lost", Point.NOTICE, "never send this notice"),
        Kind("notify_delay", Point.NOTICE, "send it only after `seconds`", seconds=5.0),
        Kind("notify_dup", Point.NOTICE, "send `times` copies in turn", counts_copies=True),
        Kind("notify_concurrent", Point.NOTICE, "send `times` copies at once", counts_copies=True),
        Kind("notify_bad_signature", Point.ATTEMPT, "sign this attempt over other bytes"),
        Kind("refund_not_enough", Point.REFUND, "403 NOT_ENOUGH, no refund is made"),
        Kind("refund_hold", Point.REFUND_END, "stay PROCESSING until told otherwise"),
        Kind("token_invalid", Point.TOKEN, "revoke the token and answer 40001"),
        Kind("user_blocked", Point.MESSAGE, "answer 43019, the phone gets nothing"),
    )
}
COPIES_WHEN_NOT_SAID = {"notify_dup": 2, "notify_concurrent": 20}


class UnknownFault(Exception):
    """No such kind; the message lists the known ones."""


class Faults:
    """The waiting faults, oldest first."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

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

    def pending(self) -> list[PendingFault]:
        """Faults that have not struck often enough yet."""
        return self._store.all(
            PendingFault, "SELECT * FROM faults WHERE times_left <> 0 ORDER BY id"
        )

    def clear(self) -> None:
        """Drop them all."""
        self._store.run("DELETE FROM faults")
