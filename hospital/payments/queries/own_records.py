"""What patients paid and got back, for the people who may act for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from hospital.payments.models import Allocation, Refund
from hospital.payments.states import RECEIVED, RefundStatus


@dataclass(frozen=True, slots=True)
class PaidRow:
    """One bill's part of a payment that arrived; `at` in UTC, fen."""

    at: dt.datetime
    patient_id: int
    title: str
    bill_number: str
    path: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class RefundRow:
    """Money on its way back to whoever paid, or back; `at` is when it began (UTC), fen."""

    at: dt.datetime
    patient_id: int
    title: str
    bill_number: str
    path: str
    amount_fen: int
    status: RefundStatus


def paid_rows(
    *, patient_ids: Collection[int], start: dt.datetime, end: dt.datetime
) -> list[PaidRow]:
    """The payments for patients' bills that arrived in a period, newest first."""
    rows = Allocation.objects.select_related("payment", "bill").filter(
        bill__patient_id__in=patient_ids,
        payment__status__in=sorted(RECEIVED),
        payment__succeeded_at__gte=start,
        payment__succeeded_at__lt=end,
    )
    return [
        PaidRow(
            at=row.payment.succeeded_at,
            patient_id=row.bill.patient_id,
            title=row.bill.title,
            bill_number=row.bill.number,
            path=row.bill.path,
            amount_fen=row.amount_fen,
        )
        for row in rows.order_by("-payment__succeeded_at", "-pk")
        if row.payment.succeeded_at is not None
    ]


def refund_rows(
    *, patient_ids: Collection[int], start: dt.datetime, end: dt.datetime
) -> list[RefundRow]:
    """The refunds of patients' bills begun in a period, newest first."""
    rows = Refund.objects.select_related("bill").filter(
        bill__patient_id__in=patient_ids, requested_at__gte=start, requested_at__lt=end
    )
    return [
        RefundRow(
            at=row.requested_at,
            patient_id=row.bill.patient_id,
            title=row.bill.title,
            bill_number=row.bill.number,
            path=row.bill.path,
            amount_fen=row.amount_fen,
            status=RefundStatus(row.status),
        )
        for row in rows.order_by("-requested_at", "-pk")
        if row.bill is not None
    ]
