"""What waits for a person, and for a second one."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Prefetch

from hospital.billing import queries as bills
from hospital.kernel.errors import NotFound
from hospital.payments.models import (
    CaseDecision,
    OfflineTransfer,
    PaymentCase,
    Refund,
    RefundRequest,
)
from hospital.payments.queries.desk import SEARCH_LIMIT
from hospital.payments.states import (
    COMMITTED,
    OPEN,
    REMEDIES,
    CaseKind,
    CaseRemedy,
    DecisionStatus,
    RefundStatus,
    RequestStatus,
    TransferStatus,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A case with its one right action, and what already waits for a second person."""

    case: PaymentCase
    remedy: CaseRemedy
    may_close: bool
    decision: CaseDecision | None
    transfer: OfflineTransfer | None


def open_cases() -> list[PaymentCase]:
    """What waits for a person, oldest first."""
    return list(
        PaymentCase.objects.filter(closed_at__isnull=True)
        .select_related("payment", "refund")
        .order_by("opened_at", "pk")[:SEARCH_LIMIT]
    )


def open_case(*, case_id: int) -> PaymentCase:
    """One case that still waits. Raises NotFound."""
    found = PaymentCase.objects.filter(pk=case_id, closed_at__isnull=True).first()
    if found is None:
        raise NotFound("没有找到这个异常，可能已经处理。")
    return found


def transfer(*, transfer_id: int) -> OfflineTransfer:
    """One transfer with what it is about. Raises NotFound."""
    found = (
        OfflineTransfer.objects.select_related("case", "payment", "refund")
        .filter(pk=transfer_id)
        .first()
    )
    if found is None:
        raise NotFound("没有找到这笔转账。")
    return found


def case_rows() -> list[CaseRow]:
    """The open cases, oldest first, ready for the page."""
    waiting = PaymentCase.objects.filter(closed_at__isnull=True).select_related(
        "payment", "refund", "bill", "bill__patient"
    )
    found = waiting.prefetch_related(
        Prefetch(
            "decisions",
            CaseDecision.objects.filter(status=DecisionStatus.PROPOSED),
            to_attr="proposed",
        ),
        Prefetch(
            "transfers",
            OfflineTransfer.objects.filter(status__in=[TransferStatus.ASKED, TransferStatus.SENT]),
            to_attr="asked",
        ),
    ).order_by("opened_at", "pk")[:SEARCH_LIMIT]
    return [_row(case) for case in found]


def case_row(*, case_id: int) -> CaseRow | None:
    """One open case; None when it has been closed meanwhile."""
    return next((row for row in case_rows() if row.case.pk == case_id), None)


def remedy_of(case: PaymentCase) -> CaseRemedy:
    """The one right thing to do about a case as it stands now."""
    return _remedy(case, is_open=money_is_open(case))


def money_is_open(case: PaymentCase) -> bool:
    """Whether a case's money is neither where it belongs nor on its way back."""
    kind, payment, refund = CaseKind(case.kind), case.payment, case.refund
    if kind in {CaseKind.UNKNOWN_ORDER, CaseKind.WRONG_AMOUNT}:
        return payment is not None and (
            payment.is_live or bills.suspended_fen(reference=payment.out_trade_no) > 0
        )
    if kind is CaseKind.REFUND_IMPOSSIBLE and case.bill_id is None:
        return payment is not None and bills.suspended_fen(reference=payment.out_trade_no) > 0
    if kind is CaseKind.REFUND_IMPOSSIBLE and case.bill_id is not None:
        return _owed_fen(case.bill_id) > 0
    if kind is CaseKind.REFUND_CLOSED and refund is not None:
        return _closed_is_owed(refund)
    if refund is not None:
        return refund.status in OPEN | {RefundStatus.ABNORMAL}
    return payment is not None and payment.is_live


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """Everything that waits for a second person."""

    requests: list[RefundRequest]
    transfers: list[OfflineTransfer]
    decisions: list[CaseDecision]

    @property
    def count(self) -> int:
        return len(self.requests) + len(self.transfers) + len(self.decisions)


def approvals() -> Approvals:
    """What waits for a second person, oldest first."""
    return Approvals(
        requests=list(
            RefundRequest.objects.filter(status=RequestStatus.REQUESTED)
            .select_related("bill", "bill__patient")
            .prefetch_related("charges")
            .order_by("pk")[:SEARCH_LIMIT]
        ),
        transfers=list(
            OfflineTransfer.objects.filter(status=TransferStatus.ASKED)
            .select_related("case", "payment", "refund", "bill", "bill__patient")
            .order_by("pk")[:SEARCH_LIMIT]
        ),
        decisions=list(
            CaseDecision.objects.filter(status=DecisionStatus.PROPOSED)
            .select_related("case", "case__payment")
            .order_by("pk")[:SEARCH_LIMIT]
        ),
    )


def refund_requests(*, since: dt.datetime) -> list[RefundRequest]:
    """Requests asked since a moment, newest first, for the list of who asked and who decided."""
    return list(
        RefundRequest.objects.filter(asked_at__gte=since)
        .select_related("bill", "bill__patient")
        .prefetch_related("charges")
        .order_by("-pk")[:SEARCH_LIMIT]
    )


def refund_requests_of(*, bill_id: int) -> list[RefundRequest]:
    """All requests about a bill, oldest first."""
    return list(
        RefundRequest.objects.filter(bill_id=bill_id).prefetch_related("charges").order_by("pk")
    )


def _remedy(case: PaymentCase, *, is_open: bool) -> CaseRemedy:
    if case.kind == CaseKind.UNKNOWN_ORDER and case.payment_id is None:
        return CaseRemedy.ASK_AGAIN
    if case.kind == CaseKind.REFUND_STUCK and case.refund and case.refund.needs_the_bank:
        return CaseRemedy.OFFLINE_TRANSFER
    remedy = REMEDIES[CaseKind(case.kind)]
    return remedy if is_open or remedy is CaseRemedy.ASK_AGAIN else CaseRemedy.CLOSE


def _row(case: PaymentCase) -> CaseRow:
    is_open = money_is_open(case)
    return CaseRow(
        case=case,
        remedy=_remedy(case, is_open=is_open),
        may_close=not is_open,
        decision=next(iter(getattr(case, "proposed", [])), None),
        transfer=next(iter(getattr(case, "asked", [])), None),
    )


def _owed_fen(bill_id: int) -> int:
    """What a bill owes that no refund carries."""
    carried = Refund.objects.filter(
        bill_id=bill_id, status__in=COMMITTED - {RefundStatus.SUCCEEDED}
    ).values_list("amount_fen", flat=True)
    return bills.balance(bill_id=bill_id).due_fen - sum(carried)


def _closed_is_owed(refund: Refund) -> bool:
    if refund.bill_id is not None:
        return _owed_fen(refund.bill_id) > 0
    return bills.suspended_fen(reference=refund.payment.out_trade_no) > 0
