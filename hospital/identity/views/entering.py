"""The last line of every log-in: from here on the browser's session belongs to somebody."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest

from hospital.identity import actions, backends, queries, sessions
from hospital.identity import one_time_codes as codes
from hospital.identity.access import client_address
from hospital.identity.models import StaffAccount
from hospital.identity.states import SessionEnd
from hospital.kernel import whereabouts
from hospital.kernel.actors import Actor


def enter(request: HttpRequest, account: StaffAccount, *, is_proved: bool, at: dt.datetime) -> None:
    """Log the account in under a new session key; what another log-in left here is gone."""
    leave(request, how=SessionEnd.AGAIN, at=at)
    auth.login(request, account, backend=backends.PATH)
    row = actions.begin_session(
        account=account,
        address=client_address(request),
        device=whereabouts.here().device,
        at=at,
    )
    sessions.sign_in_staff(request.session, session_id=row.pk, is_proved=is_proved, at=at)


def leave(request: HttpRequest, *, how: SessionEnd, at: dt.datetime) -> None:
    """End the log-in this browser had, if any, and empty its session."""
    session_id = sessions.staff_session_id(request.session)
    if session_id is not None and isinstance(request.user, StaffAccount):
        actor = Actor("staff", request.user.pk)
        actions.end_session(session_id=session_id, how=how, by=actor, at=at)
    auth.logout(request)


def shown_code(account: StaffAccount, *, at: dt.datetime) -> str | None:
    """A code that works now, for the demo on one's own machine ("": in some seconds); else None."""
    factor = queries.second_factor(account=account) if settings.DEMO_CODES else None
    if factor is None:
        return None
    return codes.next_code(factor.secret, at=at, after=factor.last_counter)


def shown_code_of(secret: str, *, at: dt.datetime) -> str | None:
    """The same for a secret that is only being bound."""
    return codes.next_code(secret, at=at, after=0) if settings.DEMO_CODES else None
