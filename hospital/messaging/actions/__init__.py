"""Writes of the messaging area, by noun."""

from hospital.messaging.actions.calls import CallClosed, close_call
from hospital.messaging.actions.hearing import (
    answer_later,
    begin_answer,
    forget_texts,
    handle,
    hear,
    record_answered,
    record_unanswered,
)
from hospital.messaging.actions.menus import (
    DraftExists,
    MenuUnderWay,
    begin_publishing,
    discard_draft,
    record_published,
    record_refused,
    save_draft,
    start_draft,
)
from hospital.messaging.actions.replies import save_rule
from hospital.messaging.actions.resending import MayNotResend, SendUnderWay, resend
from hospital.messaging.actions.results import record_delivery
from hospital.messaging.actions.telling import mark_all_read, mark_read, send
from hospital.messaging.actions.telling_staff import send_to_staff
from hospital.messaging.actions.trying import (
    Try,
    begin_try,
    record_failed,
    record_sent,
    try_later,
)
from hospital.messaging.actions.warning import tell_binding, tell_phone
from hospital.messaging.actions.wishes import add_consent, turn_switches, withdraw_consent

__all__ = [
    "CallClosed",
    "DraftExists",
    "MayNotResend",
    "MenuUnderWay",
    "SendUnderWay",
    "Try",
    "add_consent",
    "answer_later",
    "begin_answer",
    "begin_publishing",
    "begin_try",
    "close_call",
    "discard_draft",
    "forget_texts",
    "handle",
    "hear",
    "mark_all_read",
    "mark_read",
    "record_answered",
    "record_delivery",
    "record_failed",
    "record_published",
    "record_refused",
    "record_sent",
    "record_unanswered",
    "resend",
    "save_draft",
    "save_rule",
    "send",
    "send_to_staff",
    "start_draft",
    "tell_binding",
    "tell_phone",
    "try_later",
    "turn_switches",
    "withdraw_consent",
]
