"""Solving the picture that is asked of whoever books very fast (M1.15); each is good for once."""

import datetime as dt
import math

from django.db import transaction

from hospital.kernel import request_keys
from hospital.registration import thresholds
from hospital.registration.puzzle import Puzzle, puzzle_of


def solve_puzzle(*, user_id: int, token: str, place: int | None, at: dt.datetime) -> bool:
    """Whether the picture was understood, or waited out where no `place` is given. A try spends
    it, right or wrong; one that came too early for waiting does not."""
    puzzle = puzzle_of(token, user_id=user_id, at=at)
    if puzzle is None:
        return False
    if place is None and seconds_left(puzzle, at=at):
        return False
    with transaction.atomic():
        spent = request_keys.claim(
            key=puzzle.nonce, scope=f"registration.puzzle:{user_id}", inputs={}, at=at
        )
    if spent.answer is not None:
        return False
    return place is None or puzzle.is_solved_by(place)


def seconds_left(puzzle: Puzzle, *, at: dt.datetime) -> int:
    """How much longer somebody must wait who does not solve the picture."""
    ready_at = puzzle.drawn_at + dt.timedelta(seconds=thresholds.PUZZLE_WAIT_SECONDS.value())
    return max(0, math.ceil((ready_at - at).total_seconds()))
