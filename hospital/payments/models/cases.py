"""What a person must look at, and what two persons decided about it."""

import pgtrigger
from django.db import models
from django.db.models import F, Q

from hospital.kernel.four_eyes import FourEyes, four_eyes
from hospital.kernel.states import guard, one_of
from hospital.payments.models.orders import Payment
from hospital.payments.models.refunds import Refund
from hospital.payments.states import DECISION_MOVES, CaseKind, CaseRemedy, DecisionStatus


class PaymentCase(models.Model):
    """Something about money that the system will not decide by itself. One open case a kind and
    number; staff close it with a note."""

    kind = models.CharField(max_length=20, choices=CaseKind.choices)
    number = models.CharField(max_length=64)
    payment = models.ForeignKey(Payment, null=True, on_delete=models.PROTECT, related_name="cases")
    refund = models.ForeignKey(Refund, null=True, on_delete=models.PROTECT, related_name="cases")
    bill = models.ForeignKey(
        "billing.Bill", null=True, on_delete=models.PROTECT, related_name="payment_cases"
    )
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

    @property
    def patient_id(self) -> int | None:
        """The patient whose money it is about, as far as there is exactly one."""
        if self.bill is not None:
            return self.bill.patient_id
        payment = self.payment or (self.refund.payment if self.refund else None)
        return payment.patient_id if payment is not None else None


class CaseDecision(FourEyes):
    """One person proposes what moves a case's money, another confirms it; only then it moves."""

    MOVES = DECISION_MOVES

    case = models.ForeignKey(PaymentCase, on_delete=models.PROTECT, related_name="decisions")
    remedy = models.CharField(max_length=20, choices=CaseRemedy.choices)
    status = models.CharField(
        max_length=10, choices=DecisionStatus.choices, default=DecisionStatus.PROPOSED
    )
    note = models.CharField(max_length=200)

    class Meta:
        constraints = [
            one_of(DecisionStatus.values, name="case_decision_status"),
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(status=DecisionStatus.PROPOSED),
                name="case_decision_one_open",
            ),
            four_eyes(DecisionStatus.PROPOSED, name="case_decision_four_eyes"),
        ]
        triggers = [
            guard(DECISION_MOVES, name="case_decision_moves"),
            pgtrigger.Protect(name="case_decision_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"decision {self.pk} on case {self.case_id}"

    @property
    def patient_id(self) -> int | None:
        """As its case's."""
        return self.case.patient_id
