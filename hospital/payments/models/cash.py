"""Cash taken and handed back at a window: one row each, never edited.

What a cash account holds is in the ledger; here is who held the notes, and what was on the table.
"""

import pgtrigger
from django.db import models
from django.db.models import F, Q

from hospital.kernel.models import append_only
from hospital.payments.states import CashKind


class CashEntry(models.Model):
    """现金收退 of one bill. `number` is gap-free within a day and the ledger's reference of it;
    `tendered_fen` is what the payer gave, change included; `cashier` who ("staff:3") and `at` when:
    a shift is put together from them (SM13).
    """

    number = models.CharField(max_length=20, unique=True)
    kind = models.CharField(max_length=8, choices=CashKind)
    bill = models.ForeignKey("billing.Bill", models.PROTECT, related_name="cash_entries")
    amount_fen = models.PositiveBigIntegerField()
    tendered_fen = models.PositiveBigIntegerField(null=True)
    cashier = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=CashKind.TAKEN, tendered_fen__gte=F("amount_fen"))
                | Q(kind=CashKind.BACK, tendered_fen__isnull=True),
                name="cash_tendered",
            ),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="cash_amount_positive"),
            models.UniqueConstraint(
                fields=["bill"], condition=Q(kind=CashKind.TAKEN), name="cash_taken_once"
            ),
        ]
        indexes = [models.Index(fields=["cashier", "at"], name="cash_of_shift")]
        triggers = [
            append_only("cash_append_only"),
            # No more cash leaves the drawer for a bill than came in for it.
            pgtrigger.Trigger(
                name="cash_back_fits",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                declare=[("held", "BIGINT")],
                func="""
                    SELECT sum(CASE kind WHEN 'taken' THEN amount_fen ELSE -amount_fen END)
                        INTO held FROM payments_cashentry WHERE bill_id = NEW.bill_id;
                    IF held < 0 THEN
                        RAISE EXCEPTION 'bill %: more cash went back than came', NEW.bill_id;
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def patient_id(self) -> int:
        """Whose bill the cash is about."""
        return self.bill.patient_id

    @property
    def change_fen(self) -> int:
        """What the payer got out of it at once (找零)."""
        return (self.tendered_fen or self.amount_fen) - self.amount_fen
