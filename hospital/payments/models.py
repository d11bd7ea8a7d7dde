"""Tables of payments. Amounts are fen, moments UTC; numbers at the channel never change.

A Notice is stored under WeChat's own id before it acts, so a repeat ends at the unique key.
"""

import pgtrigger
from django.db import models
from django.db.models import F, Q

from hospital.kernel.states import StatefulModel, guard, one_of
from hospital.payments.states import (
    LIVE,
    OPEN,
    PAYMENT_MOVES,
    RECEIVED,
    REFUND_MOVES,
    CaseKind,
    NoticeKind,
    NoticeOutcome,
    PaymentStatus,
    RefundStatus,
    Scene,
)


class Payment(StatefulModel):
    """One order at the channel for one bill (SM10). `description` and `expires_at` are stored so
    that a repeated order has the same bytes."""

    MOVES = PAYMENT_MOVES

    status = models.CharField(
        max_length=20, choices=PaymentStatus.choices, default=PaymentStatus.CREATED
    )
    out_trade_no = models.CharField(max_length=32, unique=True)
    scene = models.CharField(max_length=2, choices=Scene.choices, default=Scene.OFFICIAL_ACCOUNT)
    bill = models.ForeignKey("billing.Bill", on_delete=models.PROTECT, related_name="payments")
    payer = models.ForeignKey(
        "identity.WeChatUser", on_delete=models.PROTECT, related_name="payments"
    )
    mchid = models.CharField(max_length=32)
    appid = models.CharField(max_length=32)
    amount_fen = models.PositiveBigIntegerField()
    description = models.CharField(max_length=127)
    prepay_id = models.CharField(max_length=64, blank=True)
    transaction_id = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    prepaid_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            one_of(PaymentStatus.values, name="payment_status_known"),
            models.UniqueConstraint(
                fields=["bill"], condition=Q(status__in=sorted(LIVE)), name="payment_one_live"
            ),
            models.UniqueConstraint(
                fields=["transaction_id"],
                condition=~Q(transaction_id=""),
                name="payment_transaction_once",
            ),
            models.CheckConstraint(
                condition=Q(status__in=sorted(RECEIVED), succeeded_at__isnull=False)
                & ~Q(transaction_id="")
                | ~Q(status__in=sorted(RECEIVED)) & Q(succeeded_at__isnull=True, transaction_id=""),
                name="payment_received_has_proof",
            ),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="payment_amount_positive"),
        ]
        indexes = [models.Index(fields=["created_at"], name="payment_created")]
        triggers = [
            guard(PAYMENT_MOVES, name="payment_moves"),
            pgtrigger.Protect(name="payment_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.out_trade_no

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def is_received(self) -> bool:
        return self.status in RECEIVED


class Refund(StatefulModel):
    """Money going back to the payer (SM11), under one number for ever."""

    MOVES = REFUND_MOVES

    status = models.CharField(
        max_length=20, choices=RefundStatus.choices, default=RefundStatus.REQUESTED
    )
    out_refund_no = models.CharField(max_length=64, unique=True)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount_fen = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=80)
    refund_id = models.CharField(max_length=32, blank=True)
    received_account = models.CharField(max_length=64, blank=True)
    failure = models.CharField(max_length=64, blank=True)
    requested_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            one_of(RefundStatus.values, name="refund_status_known"),
            models.UniqueConstraint(
                fields=["payment"], condition=Q(status__in=sorted(OPEN)), name="refund_one_open"
            ),
            models.UniqueConstraint(
                fields=["refund_id"], condition=~Q(refund_id=""), name="refund_id_once"
            ),
            models.CheckConstraint(
                condition=Q(status=RefundStatus.SUCCEEDED, succeeded_at__isnull=False)
                | ~Q(status=RefundStatus.SUCCEEDED) & Q(succeeded_at__isnull=True),
                name="refund_succeeded_has_moment",
            ),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="refund_amount_positive"),
        ]
        indexes = [models.Index(fields=["requested_at"], name="refund_requested")]
        triggers = [
            guard(REFUND_MOVES, name="refund_moves"),
            pgtrigger.Protect(name="refund_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.out_refund_no

    @property
    def is_at_channel(self) -> bool:
        """Sent, and it may still move there; an abnormal one by hand in the channel's console."""
        return self.status in {
            RefundStatus.SUBMITTED,
            RefundStatus.PROCESSING,
            RefundStatus.ABNORMAL,
        }


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


class PaymentCase(models.Model):
    """Something about money that the system will not decide by itself. One open case a kind and
    number; staff close it with a note."""

    kind = models.CharField(max_length=20, choices=CaseKind.choices)
    number = models.CharField(max_length=64)
    payment = models.ForeignKey(Payment, null=True, on_delete=models.PROTECT, related_name="cases")
    refund = models.ForeignKey(Refund, null=True, on_delete=models.PROTECT, related_name="cases")
    expected_fen = models.PositiveBigIntegerField(null=True)
    found_fen = models.PositiveBigIntegerField(null=True)
    detail = models.CharField(max_length=200, blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=40, blank=True)
    closing_note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "number"],
                condition=Q(closed_at__isnull=True),
                name="payment_case_once",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by="")
                | Q(closed_at__gte=F("opened_at")) & ~Q(closed_by=""),
                name="payment_case_closed_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["opened_at"], name="payment_case_opened")]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"
