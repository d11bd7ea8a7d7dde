"""What has to go back and has not yet, and by which way: fen, from the ledger and the refunds.

Actions read it under their locks, pages without.
"""

import datetime as dt
from collections.abc import Collection

from django.db.models import QuerySet, Sum

from hospital.billing import queries as bills
from hospital.payments.models import Allocation, Payment, PaymentCase, Refund
from hospital.payments.queries.cash import cash_owed_sums
from hospital.payments.schedule import REFUND_WITHIN
from hospital.payments.states import CARRYING, COMMITTED, PAYER_GONE, CaseKind, RefundStatus


def refundable_fen(payment: Payment, *, bill_id: int | None) -> int:
    """What of the payment's part for a bill is neither back nor on its way; without a bill, of
    money that could not be applied."""
    if bill_id is None:
        if not bills.is_suspended(reference=payment.out_trade_no):
            return 0
        return (payment.received_fen or 0) - _gone_fen(payment.refunds.all())
    if bills.is_suspended(reference=payment.out_trade_no):
        return 0
    part = Allocation.objects.filter(payment=payment, bill_id=bill_id).first()
    return part.amount_fen - _gone_fen(payment.refunds.filter(bill_id=bill_id)) if part else 0


def unsent_fen(*, bill_id: int) -> int:
    """What the ledger owes the payers of a bill through a channel and no refund carries yet; cash
    is handed back at the window instead."""
    return unsent_sums(bill_ids=[bill_id]).get(bill_id, 0)


def unsent_sums(*, bill_ids: Collection[int]) -> dict[int, int]:
    """The same for many bills in two statements: bill id → fen."""
    owed = bills.due_sums(bill_ids=bill_ids)
    carrying = Refund.objects.filter(bill_id__in=bill_ids, status__in=CARRYING)
    for bill_id, fen in carrying.values_list("bill_id", "amount_fen"):
        if bill_id is not None:
            owed[bill_id] = owed.get(bill_id, 0) - fen
    for bill_id, fen in cash_owed_sums(bill_ids=bill_ids).items():
        owed[bill_id] = owed.get(bill_id, 0) - fen
    return owed


def needs_the_bank(refund: Refund, *, at: dt.datetime) -> bool:
    """Whether it came back, or WeChat takes it never, because the payer's account is gone or the
    payment became too old while it was refused: the money goes another way."""
    if refund.status != RefundStatus.FAILED:
        return refund.status == RefundStatus.ABNORMAL
    paid_at = refund.payment.succeeded_at or refund.requested_at
    return refund.failure in PAYER_GONE or at - paid_at > REFUND_WITHIN


def owed_fen(case: PaymentCase, *, at: dt.datetime) -> int:
    """What of a case's money has to be sent by hand."""
    if case.kind in {CaseKind.REFUND_ABNORMAL, CaseKind.REFUND_STUCK} and case.refund is not None:
        return case.refund.amount_fen if needs_the_bank(case.refund, at=at) else 0
    if case.kind != CaseKind.REFUND_IMPOSSIBLE:
        return 0
    if case.bill_id is not None:
        left_fen = unsent_fen(bill_id=case.bill_id)
        if case.payment is not None:
            return min(left_fen, refundable_fen(case.payment, bill_id=case.bill_id))
        return min(left_fen, case.expected_fen or left_fen)
    return refundable_fen(case.payment, bill_id=None) if case.payment else 0


def _gone_fen(refunds: QuerySet[Refund]) -> int:
    """What went back, or is promised to."""
    return refunds.filter(status__in=COMMITTED).aggregate(fen=Sum("amount_fen"))["fen"] or 0
