"""Staff send a message again: a new round through the same channels, audited."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.db import transaction

from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound, Refusal, Stale
from hospital.kernel.events import later
from hospital.kernel.states import move
from hospital.messaging.models import Message
from hospital.messaging.states import OPEN, MessageStatus, Reason


class SendUnderWay(Refusal):
    """Another send now could tell the person twice."""

    code: ClassVar[str] = "SEND_UNDER_WAY"
    default_message: ClassVar[str] = "这条消息正在发送，请等发送结束后再试。"


class MayNotResend(Refusal):
    """The message was not sent for a reason that another send does not change."""

    code: ClassVar[str] = "MAY_NOT_RESEND"
    default_message: ClassVar[str] = "这条消息不能再发。"


def resend(*, message_id: int, seen_round: int, by: Actor, at: dt.datetime) -> Message:
    """Begin a new round of tries after the round the clerk saw.

    Raises NotFound, SendUnderWay, MayNotResend, and Stale when somebody has sent it again since.
    """
    with transaction.atomic():
        rows = Message.objects.select_for_update(no_key=True)
        message = rows.filter(pk=message_id, staff__isnull=True).first()
        if message is None:
            raise NotFound("没有找到这条消息。")
        if message.status in OPEN:
            raise SendUnderWay
        if message.round != seen_round:
            raise Stale("这条消息刚刚已经再次发送过，请看过结果再决定。")
        if message.status == MessageStatus.NOT_DONE:
            raise MayNotResend(f"不能再发：{Reason(message.failure).label}。")
        if message.expires_at is not None and message.expires_at <= at:
            raise MayNotResend(f"不能再发：{Reason.EXPIRED.label}。")
        before = {"status": message.status, "channel": message.channel}
        move(
            message,
            MessageStatus.QUEUED,
            by=by,
            at=at,
            reason="再次发送",
            channel="",
            failure="",
            sent_at=None,
            delivered_at=None,
            round=message.round + 1,
        )
        audit.record(
            act="messaging.resend",
            subject=message,
            by=by,
            at=at,
            before=before,
            after={"round": message.round},
        )
        later("messaging.jobs.deliver", message_id=message.pk)
    return message
