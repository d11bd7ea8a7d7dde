"""One case with everything two persons need to decide it, and the lists around it."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hospital.billing import queries as bills
from hospital.kernel.errors import NotFound
from hospital.payments.models import (
    Allocation,
    CaseDecision,
    OfflineTransfer,
    PaymentCase,
    Refund,
    RefundRequest,
)
from hospital.payments.queries.cases import money_is_open, remedy_of
from hospital.payments.queries.desk import SEARCH_LIMIT
from hospital.payments.queries.owed import owed_fen
from hospital.payments.states import CARRYING, CaseRemedy, DecisionStatus, TransferStatus

if TYPE_CHECKING:
    from hospital.billing.models import Bill


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """A case, open or closed. `moves_fen` is what its remedy would move: owed and to be sent by
    hand, else held because we could not apply it; `going` is the refund that already carries it;
    `patients` are to be masked."""

    case: PaymentCase
    remedy: CaseRemedy
    is_money_open: bool
    moves_fen: int
    patients: tuple[str, ...]
    patient_ids: tuple[int, ...]
    bill_numbers: tuple[str, ...]
    going: Refund | None
    decisions: tuple[CaseDecision, ...]
    transfers: tuple[OfflineTransfer, ...]

    @property
    def decision(self) -> CaseDecision | None:
        """What waits for a second person."""
        waiting = (row for row in self.decisions if row.status == DecisionStatus.PROPOSED)
        return next(waiting, None)

    @property
    def transfer(self) -> OfflineTransfer | None:
        """The transfer that waits for a second person, or that WeChat is sending to a card."""
        open_ones = {TransferStatus.ASKED, TransferStatus.SENT}
        return next((row for row in self.transfers if row.status in open_ones), None)


def case_page(*, case_id: int, at: dt.datetime) -> CasePage:
    """One case, whatever has become of it. Raises NotFound."""
    rows = PaymentCase.objects.select_related("payment", "refund", "refund__payment", "bill")
    case = rows.filter(pk=case_id).first()
    if case is None:
        raise NotFound("没有找到这个异常。")
    about, is_open = _bills(case), money_is_open(case)
    remedy = remedy_of(case, is_open=is_open, at=at)
    return CasePage(
        case=case,
        remedy=remedy,
        is_money_open=is_open,
        moves_fen=_moves_fen(case, remedy, at),
        patients=tuple(dict.fromkeys(bill.patient.name for bill in about)),
        patient_ids=tuple(dict.fromkeys(bill.patient_id for bill in about)),
        bill_numbers=tuple(bill.number for bill in about),
        going=_going(case) if remedy is CaseRemedy.REFUND_UNAPPLIED else None,
        decisions=tuple(case.decisions.order_by("-pk")),
        transfers=tuple(case.transfers.order_by("-pk")),
    )


def closed_cases(*, since: dt.datetime) -> list[PaymentCase]:
    """Cases closed since a moment, latest first."""
    rows = PaymentCase.objects.filter(closed_at__gte=since).select_related("bill")
    return list(rows.order_by("-closed_at", "-pk")[:SEARCH_LIMIT])


def case_of_decision(*, decision_id: int) -> int:
    """The case a decision is about. Raises NotFound."""
    found = CaseDecision.objects.filter(pk=decision_id).values_list("case_id", flat=True).first()
    if found is None:
        raise NotFound("没有找到这份申请。")
    return found


def refund_request(*, request_id: int) -> RefundRequest:
    """One request with its bill, patient and lines. Raises NotFound."""
    rows = RefundRequest.objects.select_related("bill", "bill__patient")
    found = rows.prefetch_related("charges").filter(pk=request_id).first()
    if found is None:
        raise NotFound("没有找到这份退款申请。")
    return found


def _moves_fen(case: PaymentCase, remedy: CaseRemedy, at: dt.datetime) -> int:
    if remedy is CaseRemedy.OFFLINE_TRANSFER:
        return owed_fen(case, at=at)
    return bills.suspended_fen(reference=case.payment.out_trade_no) if case.payment else 0


def _going(case: PaymentCase) -> Refund | None:
    """The refund of money nobody could apply that is under way, or waits in a case of its own."""
    if case.payment is None:
        return None
    return case.payment.refunds.filter(bill=None, status__in=CARRYING).order_by("-pk").first()


def _bills(case: PaymentCase) -> list["Bill"]:
    """The bills a case concerns, their patients loaded."""
    payment = case.payment or (case.refund.payment if case.refund else None)
    if payment is not None:
        parts = Allocation.objects.filter(payment=payment).select_related("bill__patient")
        return [part.bill for part in parts.order_by("bill_id")]
    return [case.bill] if case.bill else []
