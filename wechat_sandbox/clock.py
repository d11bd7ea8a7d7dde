"""The stand-in's clock: real time plus an offset that tests may set.

Two readings on purpose. `now` (shifted) decides when orders, tokens and prepay ids expire and when
retries are due. `wire` stamps and checks signatures, and stays real time unless told otherwise, so
that a shifted clock expires an order without making every signature look stale to the merchant.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))


class Clock:
    """Seconds since the epoch, as a float, everywhere inside the stand-in."""

    def __init__(self) -> None:
        self.offset_s: float = 0.0
        self.shifts_wire: bool = False

    def now(self) -> float:
        """The moment by which things expire and become due."""
        return time.time() + self.offset_s

    def wire(self) -> int:
        """The second written into, and expected in, signatures."""
        return int(self.now() if self.shifts_wire else time.time())


def rfc3339(moment: float) -> str:
    """`2026-11-23T10:34:56+08:00`, the form WeChat Pay writes."""
    return datetime.fromtimestamp(int(moment), BEIJING).isoformat()


def parse_rfc3339(text: str) -> float:
    """Seconds since the epoch; ValueError when the text has no offset or is no moment."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment needs its offset")
    return moment.astimezone(UTC).timestamp()


def parse_digits(text: str) -> float:
    """Seconds since the epoch of `yyyyMMddHHmmss` in Beijing; ValueError otherwise."""
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING).timestamp()


def digits(moment: float, pattern: str = "%Y%m%d%H%M%S") -> str:
    """Beijing date digits, as they appear inside WeChat's own numbers."""
    return datetime.fromtimestamp(moment, BEIJING).strftime(pattern)
