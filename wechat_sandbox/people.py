"""The people who hold the phone: a few named ones at the start, more on demand.

An openid that nobody knows yet gets a person the moment it is used, as long as it looks like one.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

from wechat_sandbox.records import User
from wechat_sandbox.sandbox import Sandbox

NAMED = (
    ("陈桂芳", "#5b8c5a"),
    ("李建国", "#3f6fb5"),
    ("黄小敏", "#b5653f"),
    ("林志强", "#8a5ab5"),
)
COLOURS = ("#5b8c5a", "#3f6fb5", "#b5653f", "#8a5ab5", "#b53f6f", "#3fa3a3", "#9a8b2f", "#6b7280")
STARTING_BALANCE_FEN = 1_000_000
DEFAULT_PASSWORD = "123456"  # noqa: S105 - the key pad of a phone that exists in a browser tab
_OPENID = re.compile(r"o[0-9A-Za-z_-]{3,127}")


class NoOpenid(Exception):
    """The text cannot be an openid: they start with `o` and hold letters, digits, - and _."""


def everyone(sandbox: Sandbox) -> list[User]:
    """All people, the named ones first."""
    return sandbox.store.all(User, "SELECT * FROM users ORDER BY created_at, rowid")


def find(sandbox: Sandbox, openid: str) -> User | None:
    """The person with this openid, of the Official Account or of the mini program."""
    return sandbox.store.one(
        User, "SELECT * FROM users WHERE openid = ? OR mp_openid = ?", openid, openid
    )


def ensure(sandbox: Sandbox, openid: str) -> User:
    """The person with this openid, made when unknown; raises NoOpenid for other text."""
    known = find(sandbox, openid)
    if known is not None:
        return known
    if not _OPENID.fullmatch(openid):
        raise NoOpenid(openid)
    return _insert(sandbox, openid, f"用户{openid[-4:]}", _colour_of(openid))


def create(sandbox: Sandbox, nickname: str, colour: str = "") -> User:
    """A new person with a fresh openid, following the Official Account."""
    openid = "o" + secrets.token_urlsafe(21)[:27]
    return _insert(sandbox, openid, nickname, colour or _colour_of(openid))


def change(
    sandbox: Sandbox,
    openid: str,
    *,
    nickname: str | None = None,
    subscribed: bool | None = None,
    blocked: bool | None = None,
    snapshot: bool | None = None,
    phone_number: str | None = None,
) -> User:
    """Set what is given; a snapshot user has opened pages in WeChat's snapshot mode.

    Nobody is told; `acts` is for what people do.
    """
    user = ensure(sandbox, openid)
    sandbox.store.run(
        "UPDATE users SET nickname = ?, subscribed = ?, blocked = ?, snapshot = ?,"
        " subscribed_at = ?, phone_number = ? WHERE openid = ?",
        user.nickname if nickname is None else nickname,
        user.subscribed if subscribed is None else subscribed,
        user.blocked if blocked is None else blocked,
        user.snapshot if snapshot is None else snapshot,
        sandbox.clock.now() if subscribed and not user.subscribed else user.subscribed_at,
        user.phone_number if phone_number is None else phone_number,
        user.openid,
    )
    return ensure(sandbox, user.openid)


def openid_for(sandbox: Sandbox, user: User, appid: str) -> str:
    """This person's openid towards the given app."""
    return user.mp_openid if appid == sandbox.keys.mp_appid else user.openid


def seed(sandbox: Sandbox) -> None:
    """Make the named people once; their openids are the same in every stand-in."""
    for nickname, colour in NAMED:
        openid = derived("openid", nickname)
        if find(sandbox, openid) is None:
            _insert(sandbox, openid, nickname, colour)
    for user in everyone(sandbox):
        if not user.phone_number:
            change(sandbox, user.openid, phone_number=_number_of(user.openid))


def derived(purpose: str, text: str) -> str:
    """A 28-character id that starts with `o`, always the same for the same text."""
    digest = hashlib.sha256(f"{purpose}:{text}".encode()).digest()
    return "o" + base64.urlsafe_b64encode(digest).decode()[:27]


def _colour_of(openid: str) -> str:
    return COLOURS[hashlib.sha256(openid.encode()).digest()[0] % len(COLOURS)]


def _number_of(openid: str) -> str:
    """Eleven digits, always the same for the same person."""
    digest = hashlib.sha256(f"phone:{openid}".encode()).digest()
    return f"13{int.from_bytes(digest[:8], 'big') % 10**9:09d}"


def _insert(sandbox: Sandbox, openid: str, nickname: str, colour: str) -> User:
    now = sandbox.clock.now()
    sandbox.store.insert(
        "users",
        openid=openid,
        mp_openid=derived("mini program", openid),
        unionid=derived("union", openid),
        nickname=nickname,
        colour=colour,
        subscribed=1,
        subscribed_at=now,
        blocked=0,
        snapshot=0,
        password=DEFAULT_PASSWORD,
        balance_fen=STARTING_BALANCE_FEN,
        created_at=now,
        phone_number=_number_of(openid),
    )
    return ensure(sandbox, openid)
