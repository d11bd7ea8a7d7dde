"""A message and the channels it was tried through."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from hospital.kernel import serials
from hospital.kernel.states import StatefulModel, guard, one_of
from hospital.messaging.registry import KINDS, Kind
from hospital.messaging.states import MOVES, OPEN, TOLD, Channel, MessageStatus, Outcome, Reason

_WHY = (MessageStatus.FAILED, MessageStatus.FALLBACK, MessageStatus.NOT_DONE)


class Message(StatefulModel):
    """Something one WeChat user, or one member of staff, is told about one thing, exactly once per
    event (M8.1). Urgent news of a patient nobody acts for has neither: it goes to the patient's own
    phone.

    `fields` holds the values under our names, uncut; names of patients in it are masked already
    (M8.5). `token` stands in the link, so that ids cannot be counted (X16). `channel` is the way
    it took in the end, `failure` why the first one failed, `round` how often staff sent it again.
    """

    MOVES = MOVES

    token = models.CharField(max_length=22, unique=True, default=serials.opaque)
    kind = models.CharField(max_length=3)
    # The indexes below begin with these two; their own would only cost every message a write.
    wechat_user = models.ForeignKey(
        "identity.WeChatUser",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="messages",
        db_index=False,
    )
    staff = models.ForeignKey(
        "identity.StaffAccount",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    patient = models.ForeignKey(
        "patients.Patient",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    subject_type = models.CharField(max_length=60)
    subject_id = models.BigIntegerField()
    event_key = models.CharField(max_length=80)
    fields = models.JSONField()
    path = models.CharField(max_length=300)
    status = models.CharField(
        max_length=12, choices=MessageStatus.choices, default=MessageStatus.QUEUED
    )
    channel = models.CharField(max_length=12, choices=Channel.choices, blank=True, default="")
    failure = models.CharField(max_length=20, choices=Reason.choices, blank=True, default="")
    round = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    not_before = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["event_key", "kind", "wechat_user"], name="messaging_told_once"
            ),
            models.UniqueConstraint(
                fields=["event_key", "kind", "staff"],
                condition=Q(staff__isnull=False),
                name="messaging_staff_told_once",
            ),
            models.UniqueConstraint(
                fields=["event_key", "kind"],
                condition=Q(wechat_user__isnull=True, staff__isnull=True),
                name="messaging_patient_told_once",
            ),
            models.CheckConstraint(
                condition=Q(wechat_user__isnull=False, staff__isnull=True)
                | Q(wechat_user__isnull=True, staff__isnull=False, patient__isnull=True)
                | Q(wechat_user__isnull=True, staff__isnull=True, patient__isnull=False),
                name="messaging_one_reader",
            ),
            one_of(MessageStatus.values, name="messaging_status"),
            models.CheckConstraint(
                condition=Q(status__in=TOLD, sent_at__isnull=False)
                | Q(status=MessageStatus.FALLBACK)
                | (~Q(status__in=[*TOLD, MessageStatus.FALLBACK]) & Q(sent_at__isnull=True)),
                name="messaging_sent_at",
            ),
            models.CheckConstraint(
                condition=Q(status=MessageStatus.DELIVERED, delivered_at__isnull=False)
                | (~Q(status=MessageStatus.DELIVERED) & Q(delivered_at__isnull=True)),
                name="messaging_delivered_at",
            ),
            models.CheckConstraint(
                condition=(Q(status__in=_WHY) & ~Q(failure=""))
                | (~Q(status__in=_WHY) & Q(failure="")),
                name="messaging_failed_why",
            ),
            models.CheckConstraint(
                condition=(Q(status__in=[*TOLD, MessageStatus.FALLBACK]) & ~Q(channel=""))
                | (~Q(status__in=[*TOLD, MessageStatus.FALLBACK]) & Q(channel="")),
                name="messaging_which_way",
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
            models.Index(fields=["created_at"], name="messaging_log"),
            models.Index(fields=["status"], name="messaging_open", condition=Q(status__in=OPEN)),
            models.Index(
                fields=["patient"], name="messaging_patient", condition=Q(patient__isnull=False)
            ),
        ]
        triggers = [guard(MOVES, name="messaging_message_moves")]

    def __str__(self) -> str:
        return f"message {self.pk}"

    @property
    def about(self) -> Kind:
        """What kind of message it is."""
        return KINDS[self.kind]


class Delivery(models.Model):
    """One channel a message was tried through, in one round; `tries` of the same content.

    `ended_at` of one still TRYING is when its last try certainly failed; without it that try is
    under way, or was cut short. `provider_id` is the number under which WeChat or the SMS platform
    knows it, for the report of what became of it.
    """

    message = models.ForeignKey(
        Message, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    round = models.PositiveSmallIntegerField(default=0)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.TRYING)
    reason = models.CharField(max_length=20, choices=Reason.choices, blank=True, default="")
    provider_id = models.CharField(max_length=64, blank=True, default="")
    tries = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "round", "channel"], name="messaging_one_try_of_a_channel"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=Outcome.values), name="messaging_outcome"
            ),
            models.CheckConstraint(
                condition=Q(channel__in=Channel.values), name="messaging_channel"
            ),
            models.CheckConstraint(
                condition=(Q(outcome__in=[Outcome.FAILED, Outcome.SKIPPED]) & ~Q(reason=""))
                | (~Q(outcome__in=[Outcome.FAILED, Outcome.SKIPPED]) & Q(reason="")),
                name="messaging_delivery_failed_why",
            ),
            models.CheckConstraint(
                condition=~Q(outcome__in=[Outcome.SENT, Outcome.DELIVERED])
                | Q(sent_at__isnull=False),
                name="messaging_delivery_sent_at",
            ),
        ]
        indexes = [
            models.Index(
                fields=["provider_id"], name="messaging_provider_id", condition=~Q(provider_id="")
            ),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}"
