"""The conversation with the channels about one message: cut it to fit, send it, record it.

No transaction is open while a channel is asked. Each try carries a reference made from the
message's token, so a try whose answer got lost is not shown twice.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from prometheus_client import Counter

from hospital.kernel.errors import Stale
from hospital.messaging import actions, approved, fitting, sms
from hospital.messaging.actions import Try
from hospital.messaging.approved import Template
from hospital.messaging.models import Message
from hospital.messaging.states import Channel, Reason
from hospital.patients import queries as patients
from hospital.wechat import clients, official

logger = logging.getLogger(__name__)
DELIVERIES = Counter("messages", "Tries to deliver a message by outcome", ["kind", "outcome"])
#: Found out without asking the channel.
_SKIPPED = {Reason.NO_TEMPLATE, Reason.NOT_CONNECTED, Reason.NO_SMS, Reason.NO_PHONE}
Outcome = official.MessageOutcome | Reason


def deliver(*, message_id: int, at: dt.datetime) -> None:
    """Try to send a message that waits, channel after channel until one takes it or is to be
    tried again later; what comes of it is recorded."""
    while (attempt := actions.begin_try(message_id=message_id, at=at)) is not None:
        with transaction.atomic(durable=True):
            pass  # Refuses to hold a transaction while a channel is asked.
        outcome = _send(attempt)
        try:
            if not _goes_on(attempt, outcome, at=at):
                return
        except Stale:
            logger.info("message settled elsewhere", extra={"message_id": message_id})
            return


def _goes_on(attempt: Try, outcome: Outcome, *, at: dt.datetime) -> bool:
    """Record the outcome; whether the next channel is to be tried now."""
    DELIVERIES.labels(kind=attempt.message.kind, outcome=_word(outcome)).inc()
    if isinstance(outcome, official.Sent):
        actions.record_sent(attempt=attempt, provider_id=outcome.message_id, at=at)
        return False
    if isinstance(outcome, official.Retryable):
        extra = {
            "message_id": attempt.message.pk,
            "channel": attempt.channel.value,
            "tries": attempt.delivery.tries,
            "why": outcome.reason,
        }
        logger.warning("message not sent yet", extra=extra)
        return not actions.try_later(attempt=attempt, at=at)
    reason = outcome if isinstance(outcome, Reason) else Reason(outcome.reason)
    actions.record_failed(attempt=attempt, reason=reason, at=at, is_skipped=reason in _SKIPPED)
    return True


def _send(attempt: Try) -> Outcome:
    if attempt.channel is Channel.SMS:
        return _send_sms(attempt)
    template = approved.template_of(attempt.message.about, attempt.channel)
    if template is None:
        return Reason.NO_TEMPLATE
    try:
        account = clients.official_account()
    except clients.WeChatNotConnected:
        return Reason.NOT_CONNECTED
    try:
        values = template.values(attempt.message.fields)
    except fitting.DoesNotFit as problem:
        # The template file promises a key that this text cannot fill: a person must mend it.
        extra = {"kind": attempt.message.kind, "why": str(problem)}
        logger.error("message does not fit its template", extra=extra)
        return Reason.BAD_FIELD
    if attempt.channel is Channel.SUBSCRIPTION:
        outcome = account.send_subscription(_subscription(attempt, template, values))
        # WeChat drops no repeats here: what may have arrived is not sent that way again.
        is_unsure = isinstance(outcome, official.Retryable) and not outcome.is_certain
        return Reason.UNSURE if is_unsure else outcome
    return account.send_template_message(
        official.TemplateMessage(
            openid=_openid(attempt),
            template_id=template.template_id,
            url=_link(attempt),
            fields=values,
            client_message_id=attempt.reference,
        )
    )


def _subscription(
    attempt: Try, template: Template, values: dict[str, str]
) -> official.SubscriptionMessage:
    return official.SubscriptionMessage(
        openid=_openid(attempt),
        template_id=template.template_id,
        url=_link(attempt),
        fields=values,
    )


def _send_sms(attempt: Try) -> Outcome:
    """To the patient's own phone, one SMS per patient and event, however many users failed; or to
    the phone of a member of staff."""
    message = attempt.message
    platform = sms.gateway()
    if platform is None:
        return Reason.NO_SMS
    phone = _phone(message)
    if not phone:
        return Reason.NO_PHONE
    outcome = platform.send(
        to=phone,
        text=message.about.sms_text(message.fields, hospital=settings.HOSPITAL_NAME),
        reference=_sms_reference(attempt),
    )
    if isinstance(outcome, sms.Accepted):
        return official.Sent(message_id=outcome.sms_id)
    if isinstance(outcome, sms.TryLater):
        return official.Retryable(reason=outcome.reason)
    return Reason.SMS_REFUSED


def _phone(message: Message) -> str:
    if message.staff is not None:
        return message.staff.phone
    if message.patient_id is None:
        return ""
    return patients.patient(patient_id=message.patient_id).phone


def _openid(attempt: Try) -> str:
    user = attempt.message.wechat_user
    assert user is not None, "WeChat's channels are for its users"
    return user.openid


def _sms_reference(attempt: Try) -> str:
    """The same for every user of an event, so that the patient gets one SMS of it a round; each
    member of staff gets their own."""
    message = attempt.message
    event = f"{message.kind} {message.event_key} {attempt.delivery.round}"
    if message.staff_id is not None:
        event = f"{event} staff {message.staff_id}"
    return hashlib.sha256(event.encode()).hexdigest()[:32]


def _link(attempt: Try) -> str:
    return settings.PUBLIC_URL + reverse("messaging-open", args=[attempt.message.token])


def _word(outcome: Outcome) -> str:
    if isinstance(outcome, Reason):
        return outcome.value
    return outcome.reason if isinstance(outcome, official.Undeliverable) else type(outcome).__name__
