"""What the merchant's server is told: messages from people and events about them.

Queued here, delivered by `callbacks`. Nothing is queued while no callback address is set. Messages
carry a MsgId; events are known by person, second and kind, as at WeChat.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from wechat_sandbox import xml
from wechat_sandbox.account_records import Inbound
from wechat_sandbox.faults import Point
from wechat_sandbox.sandbox import Sandbox

FIRST_MSG_ID = 24_000_000_000_000_000
# WeChat reports what became of a message a moment after it accepted it.
RESULT_AFTER_S = 1.0
UNKNOWN = "hologram"


def callback_url(sandbox: Sandbox) -> str:
    """The merchant's callback address, empty when none is set."""
    return sandbox.store.meta("callback_url", sandbox.settings.callback_url)


def account_name(sandbox: Sandbox) -> str:
    """The account's original id, `gh_` and twelve hex digits."""
    return f"gh_{hashlib.sha256(sandbox.keys.appid.encode()).hexdigest()[:12]}"


def message(sandbox: Sandbox, openid: str, kind: str, fields: Sequence[xml.Field]) -> int | None:
    """Queue a message of a person, such as `text`; its row, None when there is nowhere to send."""
    return _queue(sandbox, openid, kind=kind, fields=fields, awaits_reply=True)


def event(
    sandbox: Sandbox,
    openid: str,
    name: str,
    fields: Sequence[xml.Field] = (),
    *,
    awaits_reply: bool = False,
    after_s: float = 0.0,
) -> int | None:
    """Queue an event; its row, None when there is nowhere to send it."""
    return _queue(
        sandbox,
        openid,
        kind="event",
        event=name,
        fields=fields,
        awaits_reply=awaits_reply,
        after_s=after_s,
    )


def due(sandbox: Sandbox) -> list[Inbound]:
    """What should be sent now."""
    return sandbox.store.all(
        Inbound,
        "SELECT * FROM inbound WHERE status = 'waiting' AND next_at <= ? ORDER BY next_at, id",
        sandbox.clock.now(),
    )


def next_at(sandbox: Sandbox) -> float | None:
    """When the next one is due."""
    return sandbox.store.number("SELECT min(next_at) FROM inbound WHERE status = 'waiting'")


def restart(sandbox: Sandbox) -> None:
    """After a stop, send once more what was under way."""
    sandbox.store.run(
        "UPDATE inbound SET status = 'waiting', next_at = ? WHERE status = 'sending'",
        sandbox.clock.now(),
    )


def _queue(
    sandbox: Sandbox,
    openid: str,
    *,
    kind: str,
    fields: Sequence[xml.Field],
    event: str = "",
    awaits_reply: bool = False,
    after_s: float = 0.0,
) -> int | None:
    if not callback_url(sandbox):
        return None
    key = next((str(value) for name, value in fields if name == "EventKey"), "")
    subject = f"{kind} {event} {key} {openid}"
    struck = {fault.kind: fault for fault in sandbox.faults.take(Point.INBOUND, subject)}
    unknown = struck.get("callback_unknown_type")
    if unknown is not None:
        odd = unknown.value or UNKNOWN
        kind, event = ("event", odd) if event else (odd, "")
    now = sandbox.clock.now()
    with sandbox.store.write():
        row = sandbox.store.insert(
            "inbound",
            openid=openid,
            kind=kind,
            event=event,
            event_key=key,
            msg_id=0,
            xml="",
            created_at=now,
            status="waiting",
            attempts=0,
            next_at=now + after_s * sandbox.settings.notify_scale,
            copies=struck["callback_dup"].copies if "callback_dup" in struck else 1,
            concurrent="callback_dup" in struck and struck["callback_dup"].value == "at_once",
            awaits_reply=awaits_reply,
        )
        msg_id = 0 if kind == "event" else FIRST_MSG_ID + row
        head: list[xml.Field] = [
            ("ToUserName", account_name(sandbox)),
            ("FromUserName", openid),
            ("CreateTime", int(now)),
            ("MsgType", kind),
        ]
        tail: list[xml.Field] = [("MsgId", msg_id)] if msg_id else []
        middle: list[xml.Field] = [("Event", event)] if event else []
        sandbox.store.run(
            "UPDATE inbound SET msg_id = ?, xml = ? WHERE id = ?",
            msg_id,
            xml.write([*head, *middle, *fields, *tail]).decode(),
            row,
        )
    sandbox.wake()
    return row
