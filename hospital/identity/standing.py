"""How the log-in of a request stands: open, locked because nobody was there, or at an end."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from hospital.identity import actions, queries, sessions

if TYPE_CHECKING:
    import datetime as dt

    from django.http import HttpRequest  # noqa: TID251  a type only, no HTTP happens here

    from hospital.identity.models import StaffAccount


class Standing(enum.Enum):
    """Pages open only where it is OPEN; a LOCKED one opens again for its own account."""

    OPEN = "open"
    LOCKED = "locked"
    ENDED = "ended"


def standing(
    request: HttpRequest, *, address: str, at: dt.datetime, is_by_hand: bool
) -> tuple[Standing, StaffAccount | None]:
    """Say how the log-in stands and whose it is; note that staff is active when it is by hand.

    A page that refreshes itself is not activity: an empty chair must not stay logged in. A log-in
    that would need a second step here and had none is at an end here: its owner became an
    administrator, or sits outside the hospital now.
    """
    if not request.user.is_authenticated:
        return Standing.ENDED, None
    account, session = request.user, request.session
    queries.asked_from(account=account, address=address)
    session_id = sessions.staff_session_id(session)
    if session_id is None or not queries.is_open(account=account, session_id=session_id):
        return Standing.ENDED, account
    if not queries.is_allowed_from(account=account, address=address):
        return Standing.ENDED, account
    if not sessions.is_proved(session) and queries.asks_second_step(
        account=account, address=address
    ):
        return Standing.ENDED, account
    if not sessions.staff_is_awake(session, at=at):
        return Standing.LOCKED, account
    if is_by_hand and sessions.is_news(session, at=at):
        sessions.note_staff(session, at=at)
        actions.note_seen(session_id=session_id, at=at)
    return Standing.OPEN, account
