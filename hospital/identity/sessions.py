"""What a browser session remembers: which WeChat user, OAuth ways back, when staff was active.

Patients and staff have sessions of their own, each with its own cookie (see AudienceSessions in
middleware.py). The session key changes at every log-in, so a planted cookie is worth nothing.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.contrib.sessions.backends.base import SessionBase

from hospital.kernel import serials
from hospital.kernel.settings_rows import Setting

PATIENT_HOURS = Setting(
    key="identity.patient_session_hours",
    label="患者微信登录保持时间",
    default=72,
    unit="小时",
    minimum=1,
    maximum=720,
    is_policy=True,
)
STAFF_IDLE_MINUTES = Setting(
    key="identity.staff_idle_minutes",
    label="工作台无操作自动退出",
    default=15,
    unit="分钟",
    minimum=5,
    maximum=480,
    rule="X10",
    is_policy=True,
)

_USER: Final = "wechat_user_id"
_STATES: Final = "wechat_states"
_STAFF_SEEN: Final = "staff_seen"
#: Somebody may open a few pages at once before logging in; more than this is no person.
_STATES_KEPT: Final = 5
_STATE_LIVES: Final = dt.timedelta(minutes=10)
#: Writing the session at each click would cost a write per page; a minute is exact enough.
_SEEN_EVERY: Final = dt.timedelta(minutes=1)


def begin_oauth(session: SessionBase, *, path: str, at: dt.datetime) -> str:
    """Remember where the person was going and return the state that proves the way back."""
    state = serials.opaque(length=32)
    kept = _live_states(session, at=at)[-(_STATES_KEPT - 1) :]
    session[_STATES] = [*kept, (state, path, at.timestamp())]
    return state


def end_oauth(session: SessionBase, *, state: str, at: dt.datetime) -> str | None:
    """Use up a state; return the path it was for, None for one unknown here, used or too old."""
    states = _live_states(session, at=at)
    found = next((path for known, path, _ in states if known == state), None)
    if found is not None:
        session[_STATES] = [entry for entry in states if entry[0] != state]
    return found


def sign_in_patient(session: SessionBase, *, wechat_user_id: int) -> None:
    """Make the session that of a WeChat user, forgetting whatever another one left in it."""
    if session.get(_USER) not in {None, wechat_user_id}:
        session.flush()
    session.cycle_key()
    session[_USER] = wechat_user_id
    session.set_expiry(PATIENT_HOURS.value() * 3600)


def patient_id(session: SessionBase) -> int | None:
    """Return the id of the WeChatUser this session stands for, None when it stands for none."""
    user_id = session.get(_USER)
    return int(user_id) if user_id is not None else None


def note_staff(session: SessionBase, *, at: dt.datetime) -> None:
    """Note that staff is active at this moment."""
    session[_STAFF_SEEN] = at.timestamp()


def staff_is_awake(session: SessionBase, *, at: dt.datetime, is_by_hand: bool) -> bool:
    """Say whether staff was active lately (X10: idle 15 minutes), and note that it is now.

    A page that refreshes itself is not activity: an empty chair must not stay logged in.
    """
    idle = at.timestamp() - session.get(_STAFF_SEEN, 0.0)
    if idle >= dt.timedelta(minutes=STAFF_IDLE_MINUTES.value()).total_seconds():
        return False
    if is_by_hand and idle >= _SEEN_EVERY.total_seconds():
        note_staff(session, at=at)
    return True


def _live_states(session: SessionBase, *, at: dt.datetime) -> list[tuple[str, str, float]]:
    oldest = (at - _STATE_LIVES).timestamp()
    entries = [(state, path, made) for state, path, made in session.get(_STATES, [])]
    return [entry for entry in entries if entry[2] > oldest]
