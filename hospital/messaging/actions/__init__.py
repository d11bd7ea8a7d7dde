"""Writes of the messaging area, by noun."""

from hospital.messaging.actions.calls import CallClosed, close_call
from hospital.messaging.actions.resending import MayNotResend, SendUnderWay, resend
from hospital.messaging.actions.results import record_delivery
from hospital.messaging.actions.telling import mark_all_read, mark_read, send
from hospital.messaging.actions.trying import (
    Try,
    begin_try,
    record_failed,
    record_sent,
    try_later,
)
from hospital.messaging.actions.wishes import add_consent, turn_switches, withdraw_consent

__all__ = [
    "CallClosed",
    "MayNotResend",
    "SendUnderWay",
    "Try",
    "add_consent",
    "begin_try",
    "close_call",
    "mark_all_read",
    "mark_read",
    "record_delivery",
    "record_failed",
    "record_sent",
    "resend",
    "send",
    "try_later",
    "turn_switches",
    "withdraw_consent",
]
