"""Tables of the messaging area, by noun."""

from hospital.messaging.models.calls import CallTask
from hospital.messaging.models.inbound import InboundMessage
from hospital.messaging.models.menus import MenuVersion
from hospital.messaging.models.messages import Delivery, Message
from hospital.messaging.models.replies import ReplyRule
from hospital.messaging.models.wishes import Consent, MessagePreference

__all__ = [
    "CallTask",
    "Consent",
    "Delivery",
    "InboundMessage",
    "MenuVersion",
    "Message",
    "MessagePreference",
    "ReplyRule",
]
