"""What WeChat reports afterwards about a message it had taken."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from hospital.kernel.actors import SYSTEM
from hospital.kernel.events import later
from hospital.kernel.states import move
from hospital.messaging import approved
from hospital.messaging.models import Delivery, Message
from hospital.messaging.states import TOLD, WECHAT, Channel, MessageStatus, Outcome, Reason

_ENDED = (Outcome.DELIVERED, Outcome.FAILED)


def record_delivery(
    *, provider_id: str, openid: str, status: str, at: dt.datetime, template_id: str = ""
) -> bool:
    """Write back a delivery result; what did not arrive goes on to its next channel.

    `status` is WeChat's own text: "success", or why not ("failed:user block"). A subscription
    notification gets its number only with this report: `template_id` says which it was, the
    oldest one not reported yet. False when we know no such message of this person: it is another
    system's, or our own record of sending it is not committed yet. A repeated report changes
    nothing.
    """
    known = _known(provider_id, openid, template_id)
    if known is None:
        return False
    with transaction.atomic():
        message = Message.objects.select_for_update(no_key=True).get(pk=known.message_id)
        delivery = Delivery.objects.get(pk=known.pk)
        if delivery.outcome in _ENDED:
            return True
        changes: dict[str, object] = {"provider_id": provider_id[:64], "ended_at": at}
        latest = message if delivery.round == message.round else None
        if status.strip().lower() == "success":
            _arrived(delivery, latest, changes, at)
        else:
            _failed(delivery, latest, changes, _reason(status), at)
    return True


def _known(provider_id: str, openid: str, template_id: str) -> Delivery | None:
    rows = Delivery.objects.filter(message__wechat_user__openid=openid, channel__in=WECHAT)
    found = rows.filter(provider_id=provider_id).first() if provider_id else None
    if found is not None or not template_id:
        return found
    unreported = rows.filter(
        channel=Channel.SUBSCRIPTION,
        outcome=Outcome.SENT,
        provider_id="",
        message__kind__in=approved.kinds_of(template_id),
    )
    return unreported.order_by("pk").first()


def _arrived(
    delivery: Delivery, message: Message | None, changes: dict[str, object], at: dt.datetime
) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(outcome=Outcome.DELIVERED, **changes)
    if message is not None and message.status == MessageStatus.SENT:
        move(message, MessageStatus.DELIVERED, by=SYSTEM, at=at, delivered_at=at)


def _failed(
    delivery: Delivery,
    message: Message | None,
    changes: dict[str, object],
    reason: Reason,
    at: dt.datetime,
) -> None:
    rows = Delivery.objects.filter(pk=delivery.pk)
    rows.update(outcome=Outcome.FAILED, reason=reason, **changes)
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
