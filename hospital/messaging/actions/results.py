"""What WeChat reports afterwards about a message it had taken."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from hospital.kernel.actors import SYSTEM
from hospital.kernel.events import later
from hospital.kernel.states import move
from hospital.messaging.models import Delivery, Message
from hospital.messaging.states import TOLD, WECHAT, MessageStatus, Outcome, Reason

_ENDED = (Outcome.DELIVERED, Outcome.FAILED)


def record_delivery(*, provider_id: str, openid: str, status: str, at: dt.datetime) -> bool:
    """Write back a delivery result; what did not arrive goes on to its next channel.

    `status` is WeChat's own text: "success", or why not ("failed:user block"). False when we know
    no such message of this person: it is another system's, or our own record of sending it is not
    committed yet. A repeated report changes nothing.
    """
    known = Delivery.objects.filter(
        provider_id=provider_id,
        message__wechat_user__openid=openid,
        channel__in=WECHAT,
    ).first()
    if not provider_id or known is None:
        return False
    with transaction.atomic():
        message = Message.objects.select_for_update(no_key=True).get(pk=known.message_id)
        delivery = Delivery.objects.get(pk=known.pk)
        if delivery.outcome in _ENDED:
            return True
        is_latest = delivery.round == message.round
        if status.strip().lower() == "success":
            _arrived(delivery, message if is_latest else None, at)
        else:
            _failed(delivery, message if is_latest else None, _reason(status), at)
    return True


def _arrived(delivery: Delivery, message: Message | None, at: dt.datetime) -> None:
    rows = Delivery.objects.filter(pk=delivery.pk)
    rows.update(outcome=Outcome.DELIVERED, ended_at=at)
    if message is not None and message.status == MessageStatus.SENT:
        move(message, MessageStatus.DELIVERED, by=SYSTEM, at=at, delivered_at=at)


def _failed(delivery: Delivery, message: Message | None, reason: Reason, at: dt.datetime) -> None:
    rows = Delivery.objects.filter(pk=delivery.pk)
    rows.update(outcome=Outcome.FAILED, reason=reason, ended_at=at)
    if message is None or message.status not in (*TOLD, MessageStatus.FALLBACK):
        return
    if message.channel != delivery.channel:
        return
    move(
        message,
        MessageStatus.FAILED,
        by=SYSTEM,
        at=at,
        reason=reason.label,
        failure=reason.value,
        channel="",
        sent_at=None,
    )
    later("messaging.jobs.deliver", message_id=message.pk)


def _reason(status: str) -> Reason:
    return Reason.BLOCKED if "block" in status.lower() else Reason.SYSTEM_FAILED
