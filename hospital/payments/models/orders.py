"""Orders at the channel and the bills they are for. Our numbers there never change."""

import pgtrigger
from django.db import models
from django.db.models import F, Q

from hospital.kernel.states import StatefulModel, guard, one_of
from hospital.payments.states import (
    LIVE,
    PAYMENT_MOVES,
    RECEIVED,
    PaymentStatus,
    Scene,
    TradeType,
)

# Only money of unknown origin is for no bill.
_ADDS_UP = """
    SELECT sum(amount_fen) INTO allocated FROM payments_allocation
        WHERE payment_id = {payment_id};
    IF EXISTS (
        SELECT FROM payments_payment WHERE id = {payment_id}
        AND CASE WHEN scene = '90' THEN allocated IS NOT NULL
            ELSE allocated IS DISTINCT FROM amount_fen END
    ) THEN
        RAISE EXCEPTION 'payment %: its bills add up to %', {payment_id}, allocated;
    END IF;
    RETURN NULL;
"""
_IS_LIVE = """
    SELECT status IN ({live}) INTO NEW.is_live FROM payments_payment WHERE id = NEW.payment_id;
    RETURN NEW;
""".replace("{live}", ", ".join(f"'{status.value}'" for status in sorted(LIVE)))


# The allocation's own trigger fills in the value; a status that changes nothing touches no row.
_FREES_BILLS = """
    IF (OLD.status IN ({live})) <> (NEW.status IN ({live})) THEN
        UPDATE payments_allocation SET is_live = is_live WHERE payment_id = NEW.id;
    END IF;
    RETURN NULL;
""".replace("{live}", ", ".join(f"'{status.value}'" for status in sorted(LIVE)))


class Payment(StatefulModel):
    """One order at the channel (SM10), for the bills of its allocations. `description` and
    `expires_at` are stored so that a repeated order has the same bytes.

    `payer` is who pays, where we know it; `made_by` who placed it ("staff:3" at a window);
    `received_fen` what WeChat says has arrived; `taken_back_at` when we last asked for a scanned
    code's charge to be taken back. One without allocations is money of which we know no order
    (scene 90).
    """

    MOVES = PAYMENT_MOVES

    status = models.CharField(
        max_length=20, choices=PaymentStatus.choices, default=PaymentStatus.CREATED
    )
    out_trade_no = models.CharField(max_length=32, unique=True)
    scene = models.CharField(max_length=2, choices=Scene.choices, default=Scene.OFFICIAL_ACCOUNT)
    trade_type = models.CharField(max_length=8, choices=TradeType.choices, default=TradeType.JSAPI)
    payer = models.ForeignKey(
        "identity.WeChatUser", on_delete=models.PROTECT, null=True, related_name="payments"
    )
    made_by = models.CharField(max_length=40, blank=True, default="")
    mchid = models.CharField(max_length=32)
    appid = models.CharField(max_length=32)
    amount_fen = models.PositiveBigIntegerField()
    received_fen = models.PositiveBigIntegerField(null=True)
    description = models.CharField(max_length=127)
    prepay_id = models.CharField(max_length=64, blank=True)
    code_url = models.CharField(max_length=200, blank=True)
    transaction_id = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    prepaid_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    taken_back_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            one_of(PaymentStatus.values, name="payment_status_known"),
            models.UniqueConstraint(
                fields=["transaction_id"],
                condition=~Q(transaction_id=""),
                name="payment_transaction_once",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=sorted(RECEIVED), succeeded_at__isnull=False, received_fen__gt=0
                )
                & ~Q(transaction_id="")
                | ~Q(status__in=sorted(RECEIVED))
                & Q(succeeded_at__isnull=True, received_fen__isnull=True, transaction_id=""),
                name="payment_received_has_proof",
            ),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="payment_amount_positive"),
            # A wrong amount is never applied: it waits in suspense (WRONG_AMOUNT).
            models.CheckConstraint(
                condition=~Q(status=PaymentStatus.SUCCEEDED) | Q(received_fen=F("amount_fen")),
                name="payment_applied_is_the_order",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="payment_created"),
            models.Index(
                fields=["made_by", "created_at"],
                condition=Q(made_by__startswith="staff:"),
                name="payment_of_shift",
            ),
        ]
        triggers = [
            guard(PAYMENT_MOVES, name="payment_moves"),
            pgtrigger.Protect(name="payment_kept", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="payment_fixed",
                fields=["mchid", "appid", "amount_fen", "trade_type", "created_at", "made_by"],
            ),
            pgtrigger.Trigger(
                name="payment_frees_bills",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("status"),
                condition=pgtrigger.AnyChange("status"),
                func=_FREES_BILLS,
            ),
            pgtrigger.Trigger(
                name="payment_is_for_bills",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                declare=[("allocated", "BIGINT")],
                func=_ADDS_UP.replace("{payment_id}", "NEW.id"),
            ),
        ]

    def __str__(self) -> str:
        return self.out_trade_no

    @property
    def patient_id(self) -> int | None:
        """The patient it pays for; None when its bills are of several, or it has none."""
        ids = set(self.allocations.values_list("bill__patient_id", flat=True))
        return ids.pop() if len(ids) == 1 else None

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def is_received(self) -> bool:
        return self.status in RECEIVED


class Allocation(models.Model):
    """The part of a payment that is for one bill. `is_live` follows the payment's status, by
    trigger alone: one live payment a bill."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations")
    bill = models.ForeignKey("billing.Bill", on_delete=models.PROTECT, related_name="allocations")
    amount_fen = models.PositiveBigIntegerField()
    is_live = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment", "bill"], name="allocation_once"),
            models.UniqueConstraint(
                fields=["bill"], condition=Q(is_live=True), name="payment_one_live"
            ),
            models.CheckConstraint(
                condition=Q(amount_fen__gt=0), name="allocation_amount_positive"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="allocation_kept", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="allocation_fixed", fields=["payment", "bill", "amount_fen"]),
            pgtrigger.Trigger(
                name="allocation_is_live",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=_IS_LIVE,
            ),
            pgtrigger.Trigger(
                name="allocation_adds_up",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                declare=[("allocated", "BIGINT")],
                func=_ADDS_UP.replace("{payment_id}", "NEW.payment_id"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payment_id} for bill {self.bill_id}"
