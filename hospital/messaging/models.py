"""Table of the messaging area: one row per person and event, at once outbox and inbox."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from hospital.kernel import serials
from hospital.kernel.states import StatefulModel, guard, one_of
from hospital.messaging.registry import KINDS, Kind
from hospital.messaging.states import MOVES, MessageStatus, Reason


class Message(StatefulModel):
    """Something one WeChat user is told about one thing, exactly once per event (M8.1).

    `fields` holds the values under our names, uncut; names of patients in it are masked already
    (M8.5). `token` stands in the link, so that ids cannot be counted (X16).
    """

    MOVES = MOVES

    token = models.CharField(max_length=22, unique=True, default=serials.opaque)
    kind = models.CharField(max_length=3)
    wechat_user = models.ForeignKey(
        "identity.WeChatUser", on_delete=models.PROTECT, related_name="messages"
    )
    subject_type = models.CharField(max_length=60)
    subject_id = models.BigIntegerField()
    event_key = models.CharField(max_length=80)
    fields = models.JSONField()
    path = models.CharField(max_length=300)
    status = models.CharField(
        max_length=12, choices=MessageStatus.choices, default=MessageStatus.QUEUED
    )
    failure = models.CharField(max_length=20, choices=Reason.choices, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    wechat_message_id = models.CharField(max_length=40, blank=True, default="")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["event_key", "kind", "wechat_user"], name="messaging_told_once"
            ),
            one_of(MessageStatus.values, name="messaging_status"),
            models.CheckConstraint(
                condition=Q(status=MessageStatus.SENT, sent_at__isnull=False)
                | (~Q(status=MessageStatus.SENT) & Q(sent_at__isnull=True)),
                name="messaging_sent_at",
            ),
            models.CheckConstraint(
                condition=(Q(status=MessageStatus.UNDELIVERED) & ~Q(failure=""))
                | (~Q(status=MessageStatus.UNDELIVERED) & Q(failure="")),
                name="messaging_undelivered_why",
            ),
        ]
        indexes = [
            models.Index(fields=["wechat_user", "-id"], name="messaging_inbox"),
            models.Index(
                fields=["wechat_user"],
                name="messaging_unread",
                condition=Q(read_at__isnull=True),
            ),
            models.Index(fields=["subject_type", "subject_id"], name="messaging_subject"),
        ]
        triggers = [guard(MOVES, name="messaging_message_moves")]

    def __str__(self) -> str:
        return f"message {self.pk}"

    @property
    def about(self) -> Kind:
        """What kind of message it is."""
        return KINDS[self.kind]
