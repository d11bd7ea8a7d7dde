"""The numbers of messaging that differ per hospital ([D] in the handbook): configuration rows."""

from __future__ import annotations

import datetime as dt

from hospital.kernel.settings_rows import Setting

_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"

ATTEMPTS = Setting(
    key="messaging.attempts",
    label="一种方式最多尝试发送的次数",
    default=6,
    unit="次",
    minimum=1,
    maximum=20,
    rule="M8.1",
)
URGENT_ATTEMPTS = Setting(
    key="messaging.urgent_attempts",
    label="紧急消息一种方式最多尝试的次数",
    default=3,
    unit="次",
    minimum=1,
    maximum=20,
    rule="M8.3",
)
QUIET_FROM = Setting(
    key="messaging.quiet_from",
    label="夜间免打扰开始（与结束相同则不启用）",
    default="22:00",
    rule="M8",
    pattern=_CLOCK,
)
QUIET_UNTIL = Setting(
    key="messaging.quiet_until",
    label="夜间免打扰结束",
    default="07:00",
    rule="M8",
    pattern=_CLOCK,
)
AWAKE_MINUTES = Setting(
    key="messaging.awake_minutes",
    label="夜间刚操作过的用户多久内照常发送",
    default=30,
    unit="分钟",
    minimum=0,
    maximum=240,
    rule="M8",
)
INBOUND_DAYS = Setting(
    key="messaging.inbound_days",
    label="用户发给公众号的文字保留多少天",
    default=7,
    unit="天",
    minimum=1,
    maximum=180,
    rule="X11",
)


def quiet_hours() -> tuple[dt.time, dt.time]:
    """From when to when, on the hospital's wall clock."""
    return dt.time.fromisoformat(QUIET_FROM.value()), dt.time.fromisoformat(QUIET_UNTIL.value())
