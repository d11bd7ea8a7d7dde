"""Log-ins of staff: beginning, being seen, ending them; and sweeping out what has expired."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction

from hospital.identity.models import StaffAccount, StaffSession
from hospital.identity.states import SessionEnd
from hospital.kernel import audit
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid, NotFound
from hospital.live import actions as live

#: As long as the browser's own session may live without a request (settings.SESSION_COOKIE_AGE).
SESSION_HOURS: Final = 12


def begin_session(
    *, account: StaffAccount, address: str, device: str, at: dt.datetime
) -> StaffSession:
    """Write down that somebody is logged in here from now on."""
    return StaffSession.objects.create(
        account=account, address=address, device=device[:80], began_at=at, seen_at=at
    )


def note_seen(*, session_id: int, at: dt.datetime) -> None:
    """Somebody is at work in this log-in; called at most once a minute."""
    StaffSession.objects.filter(pk=session_id, ended_at__isnull=True).update(seen_at=at)


def end_sessions(
    *,
    account: StaffAccount,
    how: SessionEnd,
    by: Actor,
    at: dt.datetime,
    but: int | None = None,
) -> int:
    """End every log-in of an account at once, except the one named; say how many.

    The act that is the reason is audited by its own action. Open pages hear of it and lock.
    """
    rows = StaffSession.objects.filter(account=account, ended_at__isnull=True)
    if but is not None:
        rows = rows.exclude(pk=but)
    return _end(list(rows.values_list("pk", flat=True)), how=how, by=by, at=at)


def end_session(*, session_id: int, how: SessionEnd, by: Actor, at: dt.datetime) -> None:
    """End one log-in of one's own, or the one a browser leaves; nothing when it has ended."""
    _end([session_id], how=how, by=by, at=at)


@transaction.atomic
def end_own_session(*, account: StaffAccount, session_id: int, by: Actor, at: dt.datetime) -> None:
    """End a log-in of one's own somewhere else. Raises NotFound for anybody else's."""
    if not StaffSession.objects.filter(pk=session_id, account=account).exists():
        raise NotFound("没有这次登录。")
    if _end([session_id], how=SessionEnd.OWN, by=by, at=at):
        audit.record(
            act="identity.end_session",
            subject=account,
            by=by,
            at=at,
            after={"session": session_id},
        )


@transaction.atomic
def force_end(*, session_id: int, reason: str, by: Actor, at: dt.datetime) -> StaffAccount:
    """The security administrator ends somebody's log-in; return whose it was.

    Raises Invalid without a reason, NotFound.
    """
    if not reason.strip():
        raise Invalid.of("reason", "请填写原因。")
    row = StaffSession.objects.select_related("account").filter(pk=session_id).first()
    if row is None:
        raise NotFound("没有这次登录。")
    if _end([session_id], how=SessionEnd.FORCED, by=by, at=at):
        audit.record(
            act="identity.end_session",
            subject=row.account,
            by=by,
            at=at,
            after={"session": session_id},
            reason=reason.strip()[:200],
        )
    return row.account


def clear_sessions(*, at: dt.datetime) -> None:
    """Delete browser sessions that have expired, and end the log-ins nobody came back to."""
    SessionStore.clear_expired()
    since = at - dt.timedelta(hours=SESSION_HOURS)
    rows = StaffSession.objects.filter(ended_at__isnull=True, seen_at__lt=since)
    _end(list(rows.values_list("pk", flat=True)), how=SessionEnd.EXPIRED, by=SYSTEM, at=at)


def _end(session_ids: list[int], *, how: SessionEnd, by: Actor, at: dt.datetime) -> int:
    with transaction.atomic():
        rows = StaffSession.objects.filter(pk__in=session_ids, ended_at__isnull=True)
        ended = rows.update(ended_at=at, ended_by=str(by), how=how)
        if ended:
            live.publish(*(topic(session_id) for session_id in session_ids))
    return ended


def topic(session_id: int) -> str:
    """What pages of a log-in listen to; hinted at when it ends, and their streams end with it."""
    return f"{live.UNTIL}staff-session:{session_id}"
