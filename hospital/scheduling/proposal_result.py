"""What a proposal's search found, read from what was kept of it (proposal/keeping.py)."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hospital.scheduling.proposal.problem import Assignment, Period, Roster


@dataclass(frozen=True, slots=True)
class PartRow:
    """One aim: what it costs in the proposal and in the roster by hand, and why in words."""

    label: str
    points: int
    by_hand: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """A kept result. `names` are those of people, services and rooms when it was computed; `short`
    are the sessions that miss somebody where no roster keeps every rule."""

    roster: Roster
    points: int
    by_hand: int | None
    by_hand_broken: tuple[str, ...]
    bound: int
    is_optimal: bool
    seconds: float
    parts: tuple[PartRow, ...]
    troubles: tuple[str, ...]
    sentences: tuple[str, ...]
    missing: int
    short: tuple[str, ...]
    names: Mapping[str, Mapping[str, str]]


def read(result: Mapping[str, Any]) -> Result:
    """What was kept, as values."""
    return Result(
        roster=tuple(
            Assignment(dt.date.fromisoformat(day), Period(period), service, person, room)
            for day, period, service, person, room in result["roster"]
        ),
        points=result.get("points", 0),
        by_hand=result.get("by_hand"),
        by_hand_broken=tuple(result.get("by_hand_broken", ())),
        bound=result.get("bound", 0),
        is_optimal=result.get("is_optimal", False),
        seconds=result["seconds"],
        parts=tuple(PartRow(**part) for part in result.get("parts", ())),
        troubles=tuple(result.get("troubles", ())),
        sentences=tuple(result.get("sentences", ())),
        missing=result.get("missing", 0),
        short=tuple(result.get("short", ())),
        names=result["names"],
    )
