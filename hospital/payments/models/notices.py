"""The in-box of the channel's notices.

A Notice is stored under WeChat's own id before it acts, so a repeat ends at the unique key.
"""

import pgtrigger
from django.db import models

from hospital.payments.models.orders import Payment
from hospital.payments.models.refunds import Refund
from hospital.payments.states import NoticeKind, NoticeOutcome


class Notice(models.Model):
    """A verified notice, exactly as it arrived: the body is WeChat's sealed one, so no openid is
    stored in clear. Unverifiable ones are never stored."""

    notice_id = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=10, choices=NoticeKind.choices)
    event_type = models.CharField(max_length=64)
    headers = models.JSONField()
    body = models.TextField()
    received_at = models.DateTimeField()
    outcome = models.CharField(
        max_length=10, choices=NoticeOutcome.choices, default=NoticeOutcome.RECEIVED
    )
    payment = models.ForeignKey(
        Payment, null=True, on_delete=models.PROTECT, related_name="notices"
    )
    refund = models.ForeignKey(Refund, null=True, on_delete=models.PROTECT, related_name="notices")

    class Meta:
        indexes = [models.Index(fields=["received_at"], name="notice_received")]
        triggers = [
            pgtrigger.Protect(name="notice_kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="notice_as_it_came",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "notice_id", "kind", "event_type", "headers", "body", "received_at"
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.notice_id
