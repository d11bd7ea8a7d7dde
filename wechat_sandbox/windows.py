"""When the account may write freely: after something the person did, for a while, a few messages.

The rules are those of June 2023. An act sets the window anew; what was left is not added.
"""

from __future__ import annotations

from wechat_sandbox.account_records import ReplyWindow
from wechat_sandbox.sandbox import Sandbox

TWO_DAYS_S = 48 * 3600.0
# seconds, messages
WROTE = (TWO_DAYS_S, 5)
CLICKED = FOLLOWED = SCANNED = (60.0, 3)


def opened(sandbox: Sandbox, openid: str, rule: tuple[float, int]) -> None:
    """The person did something: the longer time and the larger number of old and new count."""
    seconds, messages = rule
    now, old = sandbox.clock.now(), find(sandbox, openid)
    alive = old is not None and old.until > now
    sandbox.store.run(
        "INSERT OR REPLACE INTO reply_windows (openid, until, messages_left) VALUES (?, ?, ?)",
        openid,
        max(now + seconds, old.until if old else 0.0),
        max(messages, old.messages_left if old and alive else 0),
    )


def closed(sandbox: Sandbox, openid: str) -> None:
    """The person left."""
    sandbox.store.run("DELETE FROM reply_windows WHERE openid = ?", openid)


def find(sandbox: Sandbox, openid: str) -> ReplyWindow | None:
    """The window of this person, which may be over."""
    return sandbox.store.one(ReplyWindow, "SELECT * FROM reply_windows WHERE openid = ?", openid)


def used(sandbox: Sandbox, openid: str) -> None:
    """A message went through it."""
    sandbox.store.run(
        "UPDATE reply_windows SET messages_left = messages_left - 1 WHERE openid = ?", openid
    )
