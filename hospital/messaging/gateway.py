"""The conversation with WeChat about one message: cut it to its template, send it, record it.

No transaction is open while WeChat is asked. The message's token is WeChat's `client_msg_id`, so
a try whose answer got lost is not shown twice.
"""

from __future__ import annotations

import datetime as dt
import logging

from django.conf import settings
from django.urls import reverse
from prometheus_client import Counter

from hospital.kernel.errors import Stale
from hospital.messaging import actions, approved, fitting
from hospital.messaging.models import Message
from hospital.messaging.states import Reason
from hospital.wechat import clients, official

logger = logging.getLogger(__name__)
DELIVERIES = Counter("messages", "Tries to deliver a message by outcome", ["kind", "outcome"])
Outcome = official.MessageOutcome | Reason


def deliver(*, message_id: int, at: dt.datetime) -> None:
    """Try once to send a message that waits; what comes of it is recorded."""
    message = actions.begin_attempt(message_id=message_id)
    if message is None:
        return
    outcome = _send(message)
    try:
        _record(message, outcome, at=at)
    except Stale:
        logger.info("message settled elsewhere", extra={"message_id": message_id})


def _send(message: Message) -> Outcome:
    template = approved.read(settings.WECHAT_TEMPLATES).get(message.kind)
    if template is None:
        return Reason.NO_TEMPLATE
    try:
        account = clients.official_account()
    except clients.WeChatNotConnected:
        return Reason.NOT_CONNECTED
    try:
        values = template.values(message.fields)
    except fitting.DoesNotFit as problem:
        # The template file promises a key that this text cannot fill: a person must mend it.
        logger.error(
            "message does not fit its template", extra={"kind": message.kind, "why": str(problem)}
        )
        return Reason.BAD_FIELD
    return account.send_template_message(
        official.TemplateMessage(
            openid=message.wechat_user.openid,
            template_id=template.template_id,
            url=settings.PUBLIC_URL + reverse("messaging-open", args=[message.token]),
            fields=values,
            client_message_id=message.token,
        )
    )


def _record(message: Message, outcome: Outcome, *, at: dt.datetime) -> None:
    DELIVERIES.labels(kind=message.kind, outcome=_word(outcome)).inc()
    if isinstance(outcome, official.Sent):
        actions.record_sent(message=message, wechat_message_id=outcome.message_id, at=at)
    elif isinstance(outcome, official.Retryable):
        extra = {"message_id": message.pk, "attempts": message.attempts, "why": outcome.reason}
        logger.warning("message not sent yet", extra=extra)
        actions.try_later(message=message, at=at)
    elif isinstance(outcome, official.Undeliverable):
        actions.record_undelivered(message=message, reason=Reason(outcome.reason), at=at)
    else:
        actions.record_undelivered(message=message, reason=outcome, at=at)


def _word(outcome: Outcome) -> str:
    if isinstance(outcome, Reason):
        return outcome.value
    return outcome.reason if isinstance(outcome, official.Undeliverable) else type(outcome).__name__
