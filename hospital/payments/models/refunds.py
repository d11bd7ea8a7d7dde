"""Money going back: the request somebody approves, the refund at the channel, the transfer by hand.

Whoever asks never decides: that is a check constraint, not a habit.
"""

import pgtrigger
from django.db import models
from django.db.models import Q

from hospital.kernel.four_eyes import FourEyes, four_eyes
from hospital.kernel.sealed import SealedCharField
from hospital.kernel.states import StatefulModel, guard, one_of
from hospital.payments.models.orders import Payment
from hospital.payments.states import (
    OPEN,
    REFUND_MOVES,
    REQUEST_MOVES,
    TRANSFER_MOVES,
    RefundRoute,
    RefundStatus,
    RequestStatus,
    TransferStatus,
    TransferWay,
)


class Refund(StatefulModel):
    """Money going back (SM11), under one number for ever: what the ledger owes of `bill`, or,
    without one, money we could not apply. `route` says whether it went the way it came."""

    MOVES = REFUND_MOVES

    status = models.CharField(
        max_length=20, choices=RefundStatus.choices, default=RefundStatus.REQUESTED
    )
    out_refund_no = models.CharField(max_length=64, unique=True)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    bill = models.ForeignKey(
        "billing.Bill", on_delete=models.PROTECT, null=True, related_name="refunds"
    )
    route = models.CharField(
        max_length=8, choices=RefundRoute.choices, default=RefundRoute.ORIGINAL
    )
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
    def patient_id(self) -> int | None:
        """The patient whose money goes back, as far as there is exactly one."""
        return self.bill.patient_id if self.bill is not None else self.payment.patient_id

    @property
    def is_at_channel(self) -> bool:
        """Sent, and it may still move there; an abnormal one by hand in the channel's console."""
        return self.status in {
            RefundStatus.SUBMITTED,
            RefundStatus.PROCESSING,
            RefundStatus.ABNORMAL,
        }


class RefundRequest(FourEyes):
    """退款申请: somebody asks that lines of a paid bill be given back (SM11's first half).

    `charges` are those lines, `amount_fen` their sum when it was asked.
    """

    MOVES = REQUEST_MOVES

    status = models.CharField(
        max_length=10, choices=RequestStatus.choices, default=RequestStatus.REQUESTED
    )
    bill = models.ForeignKey(
        "billing.Bill", on_delete=models.PROTECT, related_name="refund_requests"
    )
    charges = models.ManyToManyField("billing.Charge", related_name="+")
    amount_fen = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=80)

    class Meta:
        constraints = [
            one_of(RequestStatus.values, name="refund_request_status"),
            models.UniqueConstraint(
                fields=["bill"],
                condition=Q(status=RequestStatus.REQUESTED),
                name="refund_request_one_open",
            ),
            four_eyes(RequestStatus.REQUESTED, name="refund_request_four_eyes"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="refund_request_positive"),
        ]
        indexes = [models.Index(fields=["asked_at"], name="refund_request_asked")]
        triggers = [
            guard(REQUEST_MOVES, name="refund_request_moves"),
            pgtrigger.Protect(name="refund_request_kept", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="refund_request_fixed",
                fields=["bill", "amount_fen", "reason", "asked_by", "asked_at"],
            ),
        ]

    def __str__(self) -> str:
        return f"refund request {self.pk}"

    @property
    def patient_id(self) -> int:
        """Whose bill it is about."""
        return self.bill.patient_id


class OfflineTransfer(FourEyes):
    """线下转账: money that cannot go back the way it came is sent by the hospital's bank.

    `proof` is the bank's slip number, `proof_file` a reference to its scan. One person enters it,
    another compares it with the bank and confirms; then it stands in the ledger as cash:offline.
    By way of a card it is WeChat that sends an abnormal refund to `payee_account` at `bank_type`.
    """

    MOVES = TRANSFER_MOVES

    status = models.CharField(
        max_length=10, choices=TransferStatus.choices, default=TransferStatus.ASKED
    )
    case = models.ForeignKey(
        "payments.PaymentCase", on_delete=models.PROTECT, related_name="transfers"
    )
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, related_name="transfers"
    )
    refund = models.ForeignKey(
        Refund, on_delete=models.PROTECT, null=True, related_name="transfers"
    )
    bill = models.ForeignKey(
        "billing.Bill", on_delete=models.PROTECT, null=True, related_name="transfers"
    )
    way = models.CharField(max_length=8, choices=TransferWay.choices, default=TransferWay.BANK)
    bank_type = models.CharField(max_length=32, blank=True)
    amount_fen = models.PositiveBigIntegerField()
    payee = SealedCharField()
    payee_account = SealedCharField()
    reason = models.CharField(max_length=200)
    proof = models.CharField(max_length=100, blank=True)
    proof_file = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            one_of(TransferStatus.values, name="offline_transfer_status"),
            models.UniqueConstraint(
                fields=["refund"],
                condition=~Q(status=TransferStatus.REJECTED),
                name="offline_transfer_once",
            ),
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(status__in=[TransferStatus.ASKED, TransferStatus.SENT]),
                name="offline_transfer_one_open",
            ),
            # One slip of the bank proves one transfer.
            models.UniqueConstraint(
                fields=["proof"],
                condition=Q(way=TransferWay.BANK) & ~Q(status=TransferStatus.REJECTED),
                name="offline_transfer_slip_once",
            ),
            four_eyes(TransferStatus.ASKED, name="offline_transfer_four_eyes"),
            models.CheckConstraint(
                condition=Q(amount_fen__gt=0)
                & (
                    Q(way=TransferWay.BANK) & ~Q(proof="")
                    | Q(way=TransferWay.CARD, refund__isnull=False) & ~Q(bank_type="")
                ),
                name="offline_transfer_proof",
            ),
            models.CheckConstraint(
                condition=Q(payment__isnull=False) | Q(bill__isnull=False),
                name="offline_transfer_of_something",
            ),
        ]
        triggers = [
            guard(TRANSFER_MOVES, name="offline_transfer_moves"),
            pgtrigger.Protect(name="offline_transfer_kept", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="offline_transfer_fixed",
                # A sealed column cannot be compared here; nothing writes the payee again.
                fields=[
                    "case",
                    "payment",
                    "refund",
                    "bill",
                    "way",
                    "amount_fen",
                    "proof",
                    "asked_by",
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"offline transfer {self.pk}"

    @property
    def patient_id(self) -> int | None:
        """The patient whose money goes back, as far as there is exactly one."""
        if self.bill is not None:
            return self.bill.patient_id
        return self.payment.patient_id if self.payment is not None else None
