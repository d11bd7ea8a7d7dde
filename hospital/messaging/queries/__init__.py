"""Reads of the messaging area, by noun."""

from hospital.messaging.queries.inbox import (
    InboxRow,
    Line,
    SentRow,
    inbox,
    message_for,
    messages_about,
    messages_of,
    unread_count,
)
from hospital.messaging.queries.wishes import (
    SwitchRow,
    is_on,
    is_other_open,
    is_other_told,
    switches_of,
    told_at_once,
    wants_anytime,
)

__all__ = [
    "InboxRow",
    "Line",
    "SentRow",
    "SwitchRow",
    "inbox",
    "is_on",
    "is_other_open",
    "is_other_told",
    "message_for",
    "messages_about",
    "messages_of",
    "switches_of",
    "told_at_once",
    "unread_count",
    "wants_anytime",
]
