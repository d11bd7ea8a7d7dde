"""Payments and refunds for the desk: one with its story, search, lists, the day's figures."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Prefetch, Q, QuerySet, Sum

from hospital.kernel.clock import day_period
from hospital.kernel.errors import NotFound
from hospital.kernel.models import Transition
from hospital.kernel.states import history
from hospital.payments.models import Allocation, Notice, Payment, PaymentCase, Refund
from hospital.payments.states import COMMITTED, LIVE, OPEN

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


def bill_ids_of(*, payment_id: int) -> list[int]:
    """The bills a payment is for, which never change, in the order of their ids, which is that of
    locking; none for money of unknown origin."""
    rows = Allocation.objects.filter(payment_id=payment_id).order_by("bill_id")
    return list(rows.values_list("bill_id", flat=True))


def live_payments(*, bill_ids: Collection[int]) -> list[Payment]:
    """Orders that may still be paid, of any of these bills."""
    return list(
        Payment.objects.filter(
            allocations__bill_id__in=bill_ids, allocations__is_live=True
        ).distinct()
    )


def patient_names(payment: Payment) -> list[str]:
    """Whose bills a listed payment is for, each name once; masking is the page's."""
    return list(dict.fromkeys(part.bill.patient.name for part in payment.allocations.all()))


def payments_of(*, bill_id: int) -> list[Payment]:
    """All payments of a bill with refunds and notices, oldest first, for the desk's history."""
    return list(
        Payment.objects.filter(allocations__bill_id=bill_id)
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
    rows = with_patients(Payment.objects.all())
    if text:
        return list(
            rows.filter(
                Q(out_trade_no=text)
                | Q(transaction_id=text)
                | Q(refunds__out_refund_no=text)
                | Q(refunds__refund_id=text)
                | Q(allocations__bill__number=text)
                | Q(allocations__bill__receipt_no=text)
            )
            .distinct()
            .order_by("-pk")[:SEARCH_LIMIT]
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
    parts: list[Allocation]
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
    gone_fen = sum(row.amount_fen for row in refunds if row.status in COMMITTED)
    return PaymentStory(
        payment=found,
        parts=list(found.allocations.select_related("bill", "bill__patient").order_by("bill_id")),
        refunds=refunds,
        notices=list(found.notices.order_by("pk")),
        cases=list(found.cases.order_by("pk")),
        moves=sorted(moves, key=lambda move: (move.at, move.pk)),
        refundable_fen=found.received_fen - gone_fen if found.received_fen else 0,
    )


def list_refunds(*, status: str = "", start: dt.date, end: dt.date) -> list[Refund]:
    """Refunds asked for on hospital days from `start` to `end` (both included), newest first."""
    first, last = day_period(start), day_period(end)
    rows = Refund.objects.select_related("payment", "bill", "bill__patient")
    if status:
        rows = rows.filter(status=status)
    return list(
        rows.filter(requested_at__gte=first.start, requested_at__lt=last.end).order_by("-pk")[
            :SEARCH_LIMIT
        ]
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
        received_fen=paid.aggregate(fen=Sum("received_fen"))["fen"] or 0,
        live_count=Payment.objects.filter(status__in=LIVE).count(),
        refunded_fen=back.aggregate(fen=Sum("amount_fen"))["fen"] or 0,
        open_refund_count=Refund.objects.filter(status__in=OPEN).count(),
        open_case_count=PaymentCase.objects.filter(closed_at__isnull=True).count(),
    )


def with_patients(rows: QuerySet[Payment]) -> QuerySet[Payment]:
    """The same rows with their bills and patients loaded."""
    parts = Allocation.objects.select_related("bill__patient").order_by("bill_id")
    return rows.prefetch_related(Prefetch("allocations", parts))
