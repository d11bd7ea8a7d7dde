"""Tables of the messaging area, by noun."""

from hospital.messaging.models.calls import CallTask
from hospital.messaging.models.messages import Delivery, Message
from hospital.messaging.models.wishes import Consent, MessagePreference

__all__ = ["CallTask", "Consent", "Delivery", "Message", "MessagePreference"]
