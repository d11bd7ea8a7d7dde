"""WeChat's side of a run: its levers while everything may be down, and its own books at the end."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable
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
            match=strike.match,
            **({} if strike.seconds is None else {"seconds": strike.seconds}),
        )

    def calm(self) -> None:
        """No fault waits any more."""
        self._pull("calm")

    def free_refunds(self) -> None:
        """Let refunds end that were told to stay under way."""
        for refund in self.state()["refunds"]:
            if refund["held"] and refund["status"] == "PROCESSING":
                self._pull("refund_state", out_refund_no=refund["out_refund_no"], status="SUCCESS")

    def bills(self, days: Iterable[dt.date]) -> list[str]:
        """WeChat's own bills of these days as far as they have come; a day without any has none."""
        texts = (self._until("GET", f"bill?day={day}")["text"] for day in days)
        return [text for text in texts if text]

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


def is_paid(order: dict[str, Any]) -> bool:
    """Whether the money of an order came to us and was not taken back by a reversal."""
    return bool(order["transaction_id"]) and order["state"] != "REVOKED"


def kept_fen(state: dict[str, Any]) -> int:
    """What WeChat took for us and did not give back."""
    taken = sum(order["total_fen"] for order in state["orders"] if is_paid(order))
    given = sum(row["amount_fen"] for row in state["refunds"] if row["status"] == "SUCCESS")
    return int(taken - given)
