"""A patient's turn in the rush: a signed cookie that says who, which number of the line, and since
when inside (M1.16).

Once inside nobody waits again for a quarter of an hour. Somebody who was known a minute ago need
not be asked for again on pages that show everybody the same: those then cost no statement.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.signing import BadSignature, Signer

from hospital.identity import paths
from hospital.kernel import rush_line

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase  # noqa: TID251  types only

COOKIE: Final = "xinglin_turn"
_INSIDE: Final = dt.timedelta(minutes=15)
_KNOWN: Final = dt.timedelta(minutes=1)
_OUTSIDE: Final = 0
#: Nobody is told to ask again sooner or later than this (seconds, and up to a tenth more). Who is
#: _NEAR asks at the very moment of the own turn, so that all come in by number; who is not, when
#: about a tenth is left.
_SOONEST: Final = 0.5
_NEAR: Final = 10.0
_LATEST: Final = 90.0


@dataclass(frozen=True, slots=True)
class Turn:
    """Moments are whole seconds (UTC); `let_in` is 0 while waiting."""

    user_id: int
    number: int
    let_in: int
    known: int

    def is_inside(self, *, at: dt.datetime) -> bool:
        """Whether this person was let in and has not been gone for long."""
        return self.let_in != _OUTSIDE and _is_within(self.let_in, _INSIDE, at)

    def is_known(self, *, at: dt.datetime) -> bool:
        """Whether this is somebody inside whose session and account were looked at just now."""
        return self.is_inside(at=at) and _is_within(self.known, _KNOWN, at)


@dataclass(frozen=True, slots=True)
class Wait:
    """How many come first, about how many minutes that takes, in how many seconds to ask again."""

    ahead: int
    minutes: int
    again: float


def turn_of(request: HttpRequest) -> Turn | None:
    """The turn a browser brings; None for none, or for one we did not write."""
    try:
        parts = _signer().unsign(request.COOKIES.get(COOKIE, "")).split(".")
        return Turn(*map(int, parts))
    except (BadSignature, TypeError, ValueError):
        return None


def is_known(request: HttpRequest, *, at: dt.datetime) -> bool:
    """Whether a browser brings the turn of somebody who need not be asked for again."""
    turn = turn_of(request)
    return turn is not None and turn.is_known(at=at)


def next_turn(turn: Turn | None, *, user_id: int, is_step: bool, at: dt.datetime) -> Turn:
    """The turn of somebody just looked at: the one brought goes on, else a number is taken.

    `is_step`: something was posted; whoever was inside once is not sent back to the line for it.
    """
    if turn is None or turn.user_id != user_id:
        return step_in(Turn(user_id, rush_line.take_number(), _OUTSIDE, _seconds(at)), at=at)
    if turn.let_in == _OUTSIDE:
        return step_in(turn, at=at)
    if turn.is_inside(at=at) or is_step:
        is_fresh = _is_within(turn.known, _KNOWN / 2, at)
        return turn if is_fresh else replace(turn, let_in=_seconds(at), known=_seconds(at))
    return step_in(Turn(user_id, rush_line.take_number(), _OUTSIDE, _seconds(at)), at=at)


def step_in(turn: Turn, *, at: dt.datetime) -> Turn:
    """The same turn, let in when its number has come."""
    if rush_line.ahead_of(turn.number, at=at):
        return turn
    return replace(turn, let_in=_seconds(at))


def wait_of(turn: Turn, *, at: dt.datetime) -> Wait:
    """What a waiting page says. Who is near asks when it is their turn, who is far away seldom,
    and no two at the same moment."""
    ahead = rush_line.ahead_of(turn.number, at=at)
    seconds = rush_line.seconds_until(ahead)
    pause = max(seconds, _SOONEST)
    if seconds > _NEAR:
        jitter = random.SystemRandom().uniform(1, 1.1)
        pause = min(seconds * 0.85, _LATEST) * jitter
    again = math.ceil(pause * 10) / 10  # a tenth early would be in vain
    return Wait(math.ceil(ahead), max(1, round(seconds / 60)), again)


def keep(response: HttpResponseBase, turn: Turn) -> None:
    """Give the turn to the browser."""
    response.set_cookie(
        COOKIE,
        _signer().sign(f"{turn.user_id}.{turn.number}.{turn.let_in}.{turn.known}"),
        max_age=int(2 * _INSIDE.total_seconds()),
        path=paths.PATIENT_HOME,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _is_within(second: int, span: dt.timedelta, at: dt.datetime) -> bool:
    return 0 <= _seconds(at) - second < span.total_seconds()


def _seconds(at: dt.datetime) -> int:
    return int(at.timestamp())


def _signer() -> Signer:
    return Signer(salt="identity.turns")
