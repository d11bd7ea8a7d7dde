"""The pay page of one person for one bill."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Prefetch

from hospital.billing import queries as billing
from hospital.billing.states import PAID, BillStatus
from hospital.payments.models import Payment, Refund
from hospital.payments.states import OPEN, PaymentStatus, PayState, RefundStatus

if TYPE_CHECKING:
    from hospital.billing.models import Charge


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundLine:
    """One refund as the payer sees it; amounts in fen."""

    amount_fen: int
    status: RefundStatus
    account: str
    at: dt.datetime

    @property
    def label(self) -> str:
        """In the payer's words: our steps towards WeChat are none of theirs."""
        if self.status in OPEN:
            return "退款中"
        return "已退款" if self.status == RefundStatus.SUCCEEDED else "退款异常，医院处理中"


@dataclass(frozen=True, slots=True, kw_only=True)
class PayPage:
    """Everything the pay page shows; nothing is read while it renders. Amounts in fen.

    `is_held`: something (a number) is kept for the payer until `expires_at`.
    """

    bill_id: int
    token: str
    title: str
    patient_name: str
    total_fen: int
    state: PayState
    expires_at: dt.datetime | None
    is_held: bool
    paid_at: dt.datetime | None
    receipt_no: str
    path: str
    payment_id: int | None
    lines: tuple["Charge", ...]
    refunds: tuple[RefundLine, ...]

    @property
    def can_pay(self) -> bool:
        return self.state in {PayState.UNPAID, PayState.PAYING, PayState.CONFIRMING}


def pay_page_for(*, wechat_user_id: int, token: str, at: dt.datetime) -> PayPage:
    """The pay page of a bill for the one asked to pay it. Raises NotFound for anybody else."""
    bill = billing.payable_bill_for(wechat_user_id=wechat_user_id, token=token)
    payments = list(
        Payment.objects.filter(allocations__bill_id=bill.id)
        .order_by("-pk")
        .prefetch_related(Prefetch("refunds", Refund.objects.filter(bill_id=bill.id)))
    )
    live = next((row for row in payments if row.is_live), None)
    received = [row for row in payments if row.is_received]
    return PayPage(
        bill_id=bill.id,
        token=bill.token,
        title=bill.title,
        patient_name=bill.patient_name,
        total_fen=bill.total_fen,
        state=_pay_state(bill, live, received, at),
        expires_at=live.expires_at if live else bill.expires_at,
        is_held=bill.expires_at is not None,
        paid_at=min((row.succeeded_at for row in received if row.succeeded_at), default=None),
        receipt_no=bill.receipt_no,
        path=bill.path,
        lines=tuple(line for line in bill.lines if line.reversal_of_id is None),
        payment_id=live.pk if live else None,
        refunds=tuple(
            RefundLine(
                amount_fen=row.amount_fen,
                status=RefundStatus(row.status),
                account=row.received_account,
                at=row.succeeded_at or row.requested_at,
            )
            for paid in received
            for row in paid.refunds.all()
        ),
    )


def _pay_state(
    bill: billing.BillPage, live: Payment | None, received: Sequence[Payment], at: dt.datetime
) -> PayState:
    if bill.status in PAID:
        back = [row for paid in received for row in paid.refunds.all()]
        if any(row.status in OPEN for row in back):
            return PayState.REFUNDING
        return PayState.REFUNDED if bill.status == BillStatus.REFUNDED else PayState.PAID
    if bill.status == BillStatus.CANCELLED:
        return PayState.CANCELLED
    if live is not None:
        if live.status == PaymentStatus.UNKNOWN or at >= live.expires_at:
            return PayState.CONFIRMING
        return PayState.PAYING
    if bill.status == BillStatus.EXPIRED or (bill.expires_at and bill.expires_at <= at):
        return PayState.EXPIRED
    return PayState.UNPAID
