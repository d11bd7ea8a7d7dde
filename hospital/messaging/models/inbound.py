"""What people and WeChat said to the account, each thing once."""

from __future__ import annotations

from django.db import models

from hospital.kernel.sealed import SealedCharField
from hospital.kernel.states import StatefulModel, guard, one_of
from hospital.messaging.states import INBOUND_MOVES, InboundStatus


class InboundMessage(StatefulModel):
    """One message or event of the Official Account, stored before anything is done about it.

    Kept are typed facts, not the raw body: the body names the openid in clear, and a sealed one
    could not be opened after the key was changed at WeChat. Who it was is the link to WeChatUser
    alone; `fingerprint` (keyed, over all that identifies it) tells repeats. What somebody wrote may
    be about an illness: it is sealed, and blanked some days later (messaging.inbound_days).
    """

    MOVES = INBOUND_MOVES

    fingerprint = models.CharField(max_length=43, unique=True)
    wechat_user = models.ForeignKey(
        "identity.WeChatUser", on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=12)
    event = models.CharField(max_length=40, blank=True, default="")
    event_key = models.CharField(max_length=1024, blank=True, default="")
    scene = models.CharField("二维码场景", max_length=64, blank=True, default="")
    content = SealedCharField(blank=True, default="")
    deliveries = models.JSONField(default=list)
    consents = models.JSONField(default=list)
    said_at = models.DateTimeField()
    received_at = models.DateTimeField()
    status = models.CharField(
        max_length=10, choices=InboundStatus.choices, default=InboundStatus.RECEIVED
    )
    rule = models.ForeignKey(
        "messaging.ReplyRule", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    answer = models.TextField(blank=True, default="")
    tries = models.PositiveSmallIntegerField(default=0)
    failure = models.CharField(max_length=60, blank=True, default="")

    class Meta:
        constraints = [one_of(InboundStatus.values, name="messaging_inbound_status")]
        indexes = [
            models.Index(fields=["received_at"], name="messaging_inbound_received"),
            models.Index(
                fields=["scene"], name="messaging_inbound_scene", condition=~models.Q(scene="")
            ),
        ]
        triggers = [guard(INBOUND_MOVES, name="messaging_inbound_moves")]

    def __str__(self) -> str:
        return f"inbound message {self.pk}"
