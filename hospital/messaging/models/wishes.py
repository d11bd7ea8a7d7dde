"""What a user wants to get: consents given in WeChat, switches turned on our own page."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from hospital.messaging.states import Switch


class Consent(models.Model):
    """How many subscription notifications of a template a user still allows.

    One consent is one notification; a permanent one is used up by none. WeChat's own count is the
    truth: when it says there is none left, ours becomes none.
    """

    wechat_user = models.ForeignKey(
        "identity.WeChatUser", on_delete=models.PROTECT, related_name="+"
    )
    template_id = models.CharField(max_length=64)
    left = models.PositiveIntegerField(default=0)
    is_permanent = models.BooleanField(default=False)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["wechat_user", "template_id"], name="messaging_one_count_of_consents"
            ),
        ]

    def __str__(self) -> str:
        return f"consent {self.pk}"


class MessagePreference(models.Model):
    """A switch a user has turned; without a row a switch stands where it stands for all."""

    wechat_user = models.ForeignKey(
        "identity.WeChatUser", on_delete=models.PROTECT, related_name="message_preferences"
    )
    switch = models.CharField(max_length=10, choices=Switch.choices)
    is_on = models.BooleanField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["wechat_user", "switch"], name="messaging_one_wish_a_switch"
            ),
            models.CheckConstraint(condition=Q(switch__in=Switch.values), name="messaging_switch"),
        ]

    def __str__(self) -> str:
        return f"message preference {self.pk}"
