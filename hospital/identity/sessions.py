"""What a browser session remembers: which WeChat user, OAuth ways back; of staff the log-in's row,
whether the second step was done, and when they were active.

Patients and staff have sessions of their own, each with its own cookie (see AudienceSessions in
middleware.py). The session key changes at every log-in, so a planted cookie is worth nothing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.contrib.sessions.backends.base import SessionBase

from hospital.identity import one_time_codes
from hospital.kernel import sealed, serials
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
    label="工作台无操作自动锁定",
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
_STAFF_SESSION: Final = "staff_session"
_PROVED: Final = "second_step"
_HALF_WAY: Final = "half_way"
_ENROLMENT: Final = "enrolment"
#: Between the password and the second step nobody takes longer.
_HALF_WAY_LIVES: Final = dt.timedelta(minutes=10)
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


@dataclass(frozen=True)
class HalfWay:
    """Somebody whose password was right, before the second step; `path` is where they were going.

    `stamp` changes with the password: a new one ends the way.
    """

    account_id: int
    path: str
    stamp: str


def begin_second_step(session: SessionBase, half_way: HalfWay, *, at: dt.datetime) -> None:
    """Remember who is half way in, under a new key. Nobody is logged in by this."""
    session.flush()
    session[_HALF_WAY] = [half_way.account_id, half_way.path, half_way.stamp, at.timestamp()]


def half_way(session: SessionBase, *, at: dt.datetime) -> HalfWay | None:
    """Who is half way in here, None when nobody is or they took too long."""
    found = session.get(_HALF_WAY)
    if found is None or at.timestamp() - found[3] > _HALF_WAY_LIVES.total_seconds():
        return None
    return HalfWay(*found[:3])


def secret_to_bind(session: SessionBase) -> str:
    """The secret this browser offers to a phone until a code proves that one has it; sealed."""
    if _ENROLMENT not in session:
        session[_ENROLMENT] = sealed.seal(one_time_codes.new_secret())
    return sealed.unseal(session[_ENROLMENT])


def forget_secret(session: SessionBase) -> None:
    """A phone has it now: the next page offers another one."""
    session.pop(_ENROLMENT, None)


def sign_in_staff(
    session: SessionBase, *, session_id: int, is_proved: bool, at: dt.datetime
) -> None:
    """Join the browser's session to the row of the log-in; `is_proved`: by the second step too."""
    session.pop(_HALF_WAY, None)
    session.pop(_ENROLMENT, None)
    session[_STAFF_SESSION] = session_id
    session[_PROVED] = is_proved
    note_staff(session, at=at)


def staff_session_id(session: SessionBase) -> int | None:
    """The row of the log-in (StaffSession) this browser's session belongs to."""
    found = session.get(_STAFF_SESSION)
    return int(found) if found is not None else None


def is_proved(session: SessionBase) -> bool:
    """Say whether the second step was done in this log-in."""
    return session.get(_PROVED) is True


def note_staff(session: SessionBase, *, at: dt.datetime) -> None:
    """Note that staff is active at this moment."""
    session[_STAFF_SEEN] = at.timestamp()


def lock_staff(session: SessionBase) -> None:
    """Lock at once, as if nobody had been active for long."""
    session[_STAFF_SEEN] = 0.0


def staff_is_awake(session: SessionBase, *, at: dt.datetime) -> bool:
    """Say whether staff was active lately (X10: idle 15 minutes), also after a clock was set back:
    what lies far ahead proves nobody's presence."""
    idle = abs(at.timestamp() - session.get(_STAFF_SEEN, 0.0))
    return bool(idle < dt.timedelta(minutes=STAFF_IDLE_MINUTES.value()).total_seconds())


def is_news(session: SessionBase, *, at: dt.datetime) -> bool:
    """Say whether it is long enough ago that activity was noted to note it again."""
    return bool(at.timestamp() - session.get(_STAFF_SEEN, 0.0) >= _SEEN_EVERY.total_seconds())


def _live_states(session: SessionBase, *, at: dt.datetime) -> list[tuple[str, str, float]]:
    oldest = (at - _STATE_LIVES).timestamp()
    entries = [(state, path, made) for state, path, made in session.get(_STATES, [])]
    return [entry for entry in entries if entry[2] > oldest]
