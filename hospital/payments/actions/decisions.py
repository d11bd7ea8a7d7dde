"""Money of a case that we could not apply: one person proposes to send it back, another confirms.

Locks: bills, payment, case, decision.
"""

import datetime as dt

from django.db import transaction

from hospital.billing import queries as bills
from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound, Refusal
from hospital.kernel.four_eyes import (
    AlreadyAsked,
    AlreadyDecided,
    check_may_decide,
    decide,
)
from hospital.payments import queries
from hospital.payments.actions.cases import lock_case
from hospital.payments.actions.orders import lock_with_bills
from hospital.payments.actions.refunds import (
    RefundInProgress,
    RefundNotPossible,
    ask_for_the_bank,
    make_refund,
)
from hospital.payments.models import CaseDecision, PaymentCase
from hospital.payments.states import (
    REMEDIES,
    CaseKind,
    CaseRemedy,
    DecisionStatus,
)

REASON = "无法入账，原路退回"


class NotThisRemedy(Refusal):
    """The case asks for something else."""

    code = "NOT_THIS_REMEDY"
    default_message = "这个异常不适用该处理方式，请刷新页面。"


def propose_decision(*, case_id: int, note: str, by: Actor, at: dt.datetime) -> CaseDecision:
    """Propose that the case's unapplied money go back. Raises NotFound, CaseAlreadyClosed,
    NotThisRemedy, RefundInProgress, AlreadyAsked."""
    with transaction.atomic():
        case = lock_case(case_id, before=_lock_payment)
        _check(case)
        assert case.payment is not None
        if queries.refundable_fen(case.payment, bill_id=None) <= 0:
            raise RefundInProgress
        if case.decisions.filter(status=DecisionStatus.PROPOSED).exists():
            raise AlreadyAsked
        decision = CaseDecision.objects.create(
            case=case,
            remedy=CaseRemedy.REFUND_UNAPPLIED,
            note=note[:200],
            asked_by=str(by),
            asked_at=at,
        )
        _note(decision, "proposed", note, by, at)
        return decision


def confirm_decision(
    *, decision_id: int, note: str = "", by: Actor, at: dt.datetime
) -> CaseDecision:
    """The second person agrees: the refund is made, and sent at once. One that cannot go the way
    it came becomes a case of its own. Raises NotFound, OwnRequest, AlreadyDecided, NotThisRemedy,
    RefundInProgress."""
    with transaction.atomic():
        decision, case = _lock(decision_id, by)
        _check(case)
        _decide(decision, DecisionStatus.CONFIRMED, note=note, by=by, at=at)
        assert case.payment is not None
        amount_fen = queries.refundable_fen(case.payment, bill_id=None)
        if amount_fen <= 0:
            raise RefundInProgress
        try:
            make_refund(
                case.payment, bill_id=None, amount_fen=amount_fen, reason=REASON, by=by, at=at
            )
        except RefundNotPossible as refusal:
            ask_for_the_bank(case.payment, refusal, bill_id=None, amount_fen=amount_fen, at=at)
        return decision


def reject_decision(*, decision_id: int, note: str, by: Actor, at: dt.datetime) -> CaseDecision:
    """The second person says no; the case stays. Raises NotFound, OwnRequest, AlreadyDecided."""
    with transaction.atomic():
        decision = _lock_alone(decision_id, by)
        _decide(decision, DecisionStatus.REJECTED, note=note, by=by, at=at)
        return decision


def _check(case: PaymentCase) -> None:
    if REMEDIES[CaseKind(case.kind)] is not CaseRemedy.REFUND_UNAPPLIED or case.payment is None:
        raise NotThisRemedy
    if not bills.suspended_fen(reference=case.payment.out_trade_no):
        raise NotThisRemedy  # applied money goes back bill by bill


def _lock(decision_id: int, by: Actor) -> tuple[CaseDecision, PaymentCase]:
    known = CaseDecision.objects.filter(pk=decision_id).first()
    if known is None:
        raise NotFound
    if known.status != DecisionStatus.PROPOSED:
        raise AlreadyDecided
    case = lock_case(known.case_id, before=_lock_payment)
    return _lock_alone(decision_id, by), case


def _lock_alone(decision_id: int, by: Actor) -> CaseDecision:
    """The proposal that somebody else may decide now."""
    decision = CaseDecision.objects.select_for_update(no_key=True).filter(pk=decision_id).first()
    if decision is None:
        raise NotFound
    check_may_decide(decision, waiting=DecisionStatus.PROPOSED, by=by)
    return decision


def _lock_payment(case: PaymentCase) -> None:
    if case.payment_id is not None:
        case.payment = lock_with_bills(case.payment_id)


def _decide(
    decision: CaseDecision, to: DecisionStatus, *, note: str, by: Actor, at: dt.datetime
) -> None:
    decide(decision, to, note=note, by=by, at=at)
    _note(decision, to.value, note, by, at)


def _note(decision: CaseDecision, act: str, note: str, by: Actor, at: dt.datetime) -> None:
    audit.record(
        act=f"payments.decision.{act}",
        subject=decision,
        by=by,
        at=at,
        after={"case": decision.case_id, "remedy": decision.remedy},
        reason=note[:200],
    )
