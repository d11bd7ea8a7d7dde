"""WeChat's side of a run: its levers while everything may be down, and its own books at the end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx

from tests.chaos.plan import Strike

TRIES = 100
TRY_SECONDS = 0.1


class Unreachable(Exception):
    """The stand-in did not answer however often it was asked."""


@dataclass(frozen=True)
class Levers:
    """The stand-in's control API."""

    base: str

    def strike(self, strike: Strike) -> None:
        """Have a fault ready; asked again until it is."""
        self._pull(
            "fault",
            kind=strike.kind,
            times=strike.times,
            seconds=strike.seconds,
            match=strike.match,
        )

    def calm(self) -> None:
        """No fault waits any more."""
        self._pull("calm")

    def clock(self, offset_s: float) -> None:
        """Shift the clock by which orders expire and notices are repeated."""
        self._pull("clock", offset_s=offset_s)

    def state(self) -> dict[str, Any]:
        """Its books."""
        return self._until("GET", "state")

    def _pull(self, lever: str, **said: object) -> None:
        self._until("POST", lever, said)

    def _until(self, method: str, lever: str, said: object = None) -> dict[str, Any]:
        for _ in range(TRIES):
            try:
                answer = httpx.request(
                    method, f"{self.base}/_ctl/{lever}", json=said, timeout=5.0, trust_env=False
                )
                if answer.is_success:
                    document: dict[str, Any] = answer.json()
                    return document
                raise AssertionError(f"{lever}: {answer.status_code} {answer.text}")
            except httpx.TransportError:
                time.sleep(TRY_SECONDS)
        raise Unreachable(lever)


def kept_fen(state: dict[str, Any]) -> int:
    """What WeChat took for us and did not give back."""
    taken = sum(order["total_fen"] for order in state["orders"] if order["transaction_id"])
    given = sum(row["amount_fen"] for row in state["refunds"] if row["status"] == "SUCCESS")
    return int(taken - given)
