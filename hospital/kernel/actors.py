"""Who did it: a patient's WeChat user, a member of staff, an outside platform, a kiosk, or
the system.

Actors are ids, never names, so they may stand in logs, jobs and history rows.
"""

from dataclasses import dataclass
from typing import Literal, Self, get_args

Kind = Literal["patient", "staff", "partner", "device", "system"]


@dataclass(frozen=True)
class Actor:
    """`str(actor)` is "staff:3"; `Actor.parse` reads it back."""

    kind: Kind
    id: int = 0

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        kind, _, number = text.partition(":")
        for known in get_args(Kind):
            if kind == known:
                return cls(known, int(number))
        raise ValueError(f"not an actor: {text!r}")


SYSTEM = Actor("system")
