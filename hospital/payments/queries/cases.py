"""What waits for a person, and for a second one."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch

from hospital.billing import queries as bills
from hospital.kernel.errors import NotFound
from hospital.payments.models import (
    CaseDecision,
    OfflineTransfer,
    Payment,
    PaymentCase,
    Refund,
    RefundRequest,
)
from hospital.payments.queries.desk import SEARCH_LIMIT
from hospital.payments.queries.owed import needs_the_bank, unsent_sums
from hospital.payments.states import (
    CARRYING,
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
    """A case with its one right action, what already waits for a second person, and whether its
    money is on its way."""

    case: PaymentCase
    remedy: CaseRemedy
    may_close: bool
    decision: CaseDecision | None
    transfer: OfflineTransfer | None
    is_going: bool


def open_case(*, case_id: int) -> PaymentCase:
    """One case that still waits. Raises NotFound."""
    found = PaymentCase.objects.filter(pk=case_id, closed_at__isnull=True).first()
    if found is None:
        raise NotFound("没有找到这个异常，可能已经处理。")
    return found


def is_disputed(*, refund_id: int) -> bool:
    """Whether a notice told something else of a refund, and nobody has asked WeChat since."""
    waiting = PaymentCase.objects.filter(refund_id=refund_id, closed_at__isnull=True)
    return waiting.filter(kind=CaseKind.REFUND_MISMATCH).exists()


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


def case_rows(*, at: dt.datetime) -> list[CaseRow]:
    """The open cases, oldest first, ready for the page."""
    waiting = PaymentCase.objects.filter(closed_at__isnull=True).select_related(
        "payment", "refund__payment", "bill__patient"
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
    ).order_by("opened_at", "pk")
    found = found.annotate(
        is_going=Exists(
            Refund.objects.filter(payment=OuterRef("payment"), bill=None, status__in=CARRYING)
        )
    )[:SEARCH_LIMIT]
    cases = list(found)
    purse = _purse(cases)
    return [_row(case, is_open=_is_open(case, purse), at=at) for case in cases]


def remedy_of(case: PaymentCase, *, is_open: bool, at: dt.datetime) -> CaseRemedy:
    """The one right thing to do about a case as it stands, given whether its money is open."""
    if case.kind == CaseKind.UNKNOWN_ORDER and case.payment_id is None:
        return CaseRemedy.ASK_AGAIN
    if case.kind == CaseKind.WRONG_AMOUNT and case.payment and not case.payment.is_received:
        return CaseRemedy.ASK_AGAIN  # so far only a notice says so
    if case.kind == CaseKind.REFUND_STUCK and case.refund and needs_the_bank(case.refund, at=at):
        return CaseRemedy.OFFLINE_TRANSFER
    remedy = REMEDIES[CaseKind(case.kind)]
    return remedy if is_open or remedy is CaseRemedy.ASK_AGAIN else CaseRemedy.CLOSE


def money_is_open(case: PaymentCase) -> bool:
    """Whether a case's money is neither where it belongs nor on its way back."""
    return _is_open(case, _purse([case]))


def _is_open(case: PaymentCase, purse: "_Purse") -> bool:
    kind, payment, refund = CaseKind(case.kind), case.payment, case.refund
    if kind in {CaseKind.UNKNOWN_ORDER, CaseKind.WRONG_AMOUNT}:
        return payment is not None and (payment.is_live or purse.holds(payment))
    if kind is CaseKind.REFUND_IMPOSSIBLE:
        return purse.owes(case.bill_id) if case.bill_id else purse.holds(payment)
    if kind is CaseKind.REFUND_CLOSED and refund is not None:
        return purse.owes(refund.bill_id) if refund.bill_id else purse.holds(refund.payment)
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


def _row(case: PaymentCase, *, is_open: bool, at: dt.datetime) -> CaseRow:
    remedy = remedy_of(case, is_open=is_open, at=at)
    return CaseRow(
        case=case,
        remedy=remedy,
        is_going=remedy is CaseRemedy.REFUND_UNAPPLIED and getattr(case, "is_going", False),
        may_close=not is_open,
        decision=next(iter(getattr(case, "proposed", [])), None),
        transfer=next(iter(getattr(case, "asked", [])), None),
    )


@dataclass(frozen=True, slots=True)
class _Purse:
    """What some cases' money looks like: held in suspense by payment number, and owed by bill
    without a refund that carries it; fen."""

    held: dict[str, int]
    owed: dict[int, int]

    def holds(self, payment: Payment | None) -> bool:
        return payment is not None and self.held.get(payment.out_trade_no, 0) > 0

    def owes(self, bill_id: int | None) -> bool:
        return bill_id is not None and self.owed.get(bill_id, 0) > 0


def _purse(cases: Sequence[PaymentCase]) -> _Purse:
    """For any number of cases in three statements."""
    refunds = [case.refund for case in cases if case.refund is not None]
    payments = [case.payment for case in cases if case.payment is not None]
    payments += [refund.payment for refund in refunds if refund.bill_id is None]
    bill_ids = {case.bill_id for case in cases} | {refund.bill_id for refund in refunds}
    owed = unsent_sums(bill_ids=[bill_id for bill_id in bill_ids if bill_id is not None])
    held = bills.suspended_sums(references=[payment.out_trade_no for payment in payments])
    return _Purse(held=held, owed=owed)
