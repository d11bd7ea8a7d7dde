"""Reads of payments: the pay page of one person, the desk's search, one payment with its story."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Prefetch, Q, Sum

from hospital.billing import queries as billing
from hospital.billing.states import PAID, BillStatus
from hospital.kernel.clock import day_period
from hospital.kernel.errors import NotFound
from hospital.kernel.models import Transition
from hospital.kernel.states import history
from hospital.payments.models import Notice, Payment, PaymentCase, Refund
from hospital.payments.states import LIVE, OPEN, PaymentStatus, PayState, RefundStatus

if TYPE_CHECKING:
    from hospital.billing.models import Charge

SEARCH_LIMIT = 200


def payment(*, payment_id: int) -> Payment:
    """Raises NotFound."""
    found = Payment.objects.select_related("payer").filter(pk=payment_id).first()
    if found is None:
        raise NotFound("没有找到这笔支付。")
    return found


def refund(*, refund_id: int) -> Refund:
    """Raises NotFound."""
    found = Refund.objects.select_related("payment").filter(pk=refund_id).first()
    if found is None:
        raise NotFound("没有找到这笔退款。")
    return found


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
    """Everything the pay page shows; nothing is read while it renders. Amounts in fen."""

    bill_id: int
    token: str
    title: str
    patient_name: str
    total_fen: int
    state: PayState
    expires_at: dt.datetime | None
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
        Payment.objects.filter(bill_id=bill.id).order_by("-pk").prefetch_related("refunds")
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


def payments_of(*, bill_id: int) -> list[Payment]:
    """All payments of a bill with refunds and notices, oldest first, for the desk's history."""
    return list(
        Payment.objects.filter(bill_id=bill_id)
        .select_related("payer")
        .prefetch_related(
            Prefetch("refunds", Refund.objects.order_by("pk")),
            Prefetch("notices", Notice.objects.order_by("pk")),
        )
        .order_by("pk")
    )


def search_payments(
    *, text: str = "", status: str = "", start: dt.date, end: dt.date
) -> list[Payment]:
    """Payments made on hospital days from `start` to `end` (both included), newest first.

    A number found whole (ours, WeChat's, a refund's, a bill's) is found on any day.
    """
    text = text.strip()
    rows = Payment.objects.select_related("bill", "bill__patient")
    if text:
        return list(
            rows.filter(
                Q(out_trade_no=text)
                | Q(transaction_id=text)
                | Q(refunds__out_refund_no=text)
                | Q(refunds__refund_id=text)
                | Q(bill__number=text)
                | Q(bill__receipt_no=text)
            ).order_by("-pk")[:SEARCH_LIMIT]
        )
    if status:
        rows = rows.filter(status=status)
    first, last = day_period(start), day_period(end)
    return list(
        rows.filter(created_at__gte=first.start, created_at__lt=last.end).order_by("-pk")[
            :SEARCH_LIMIT
        ]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentStory:
    """One payment with everything that was said and done about it."""

    payment: Payment
    refunds: list[Refund]
    notices: list[Notice]
    cases: list[PaymentCase]
    moves: list[Transition]
    refundable_fen: int


def payment_story(*, payment_id: int) -> PaymentStory:
    """For the desk. Raises NotFound."""
    found = payment(payment_id=payment_id)
    refunds = list(found.refunds.order_by("pk"))
    moves = history(found) + [move for row in refunds for move in history(row)]
    gone_fen = sum(row.amount_fen for row in refunds if row.status != RefundStatus.CLOSED)
    return PaymentStory(
        payment=found,
        refunds=refunds,
        notices=list(found.notices.order_by("pk")),
        cases=list(found.cases.order_by("pk")),
        moves=sorted(moves, key=lambda move: (move.at, move.pk)),
        refundable_fen=found.amount_fen - gone_fen if found.is_received else 0,
    )


def list_refunds(*, status: str = "", start: dt.date, end: dt.date) -> list[Refund]:
    """Refunds asked for on hospital days from `start` to `end` (both included), newest first."""
    first, last = day_period(start), day_period(end)
    rows = Refund.objects.select_related("payment", "payment__bill", "payment__bill__patient")
    if status:
        rows = rows.filter(status=status)
    return list(
        rows.filter(requested_at__gte=first.start, requested_at__lt=last.end).order_by("-pk")[
            :SEARCH_LIMIT
        ]
    )


def open_cases() -> list[PaymentCase]:
    """What waits for a person, oldest first."""
    return list(
        PaymentCase.objects.filter(closed_at__isnull=True)
        .select_related("payment", "refund")
        .order_by("opened_at", "pk")[:SEARCH_LIMIT]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What stands on the desk's tiles; amounts in fen."""

    received_count: int
    received_fen: int
    live_count: int
    refunded_fen: int
    open_refund_count: int
    open_case_count: int


def totals(*, day: dt.date) -> Totals:
    """The figures of one hospital day, and what is open now."""
    period = day_period(day)
    paid = Payment.objects.filter(succeeded_at__gte=period.start, succeeded_at__lt=period.end)
    back = Refund.objects.filter(succeeded_at__gte=period.start, succeeded_at__lt=period.end)
    return Totals(
        received_count=paid.count(),
        received_fen=paid.aggregate(fen=Sum("amount_fen"))["fen"] or 0,
        live_count=Payment.objects.filter(status__in=LIVE).count(),
        refunded_fen=back.aggregate(fen=Sum("amount_fen"))["fen"] or 0,
        open_refund_count=Refund.objects.filter(status__in=OPEN).count(),
        open_case_count=PaymentCase.objects.filter(closed_at__isnull=True).count(),
    )
