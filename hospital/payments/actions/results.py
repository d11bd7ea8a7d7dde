"""The one door for what the channel says about a payment, as a notice or as an answer (walk 1).

A verified word either moves the payment once, repeats what we know, or is parked for a person;
whichever it is, it has been stored and may be answered with success.
"""

import datetime as dt

from django.db import transaction

from hospital.billing import actions as billing
from hospital.billing.states import Settlement
from hospital.kernel.actors import Actor
from hospital.kernel.states import move
from hospital.payments.actions.cases import cure_cases, open_case
from hospital.payments.actions.orders import give_up, lock_with_bill
from hospital.payments.actions.received import Received, finish, keep
from hospital.payments.actions.refunds import request_locked_refund
from hospital.payments.models import Payment
from hospital.payments.states import CaseKind, NoticeOutcome, PaymentStatus
from hospital.wechat.outcomes import Paid

METHOD = "wechat"
SECOND_PAYMENT = "重复支付，自动退款"


def record_result(
    *, paid: Paid, received: Received | None = None, by: Actor, at: dt.datetime
) -> NoticeOutcome:
    """Apply that money arrived. A notice seen before ends at its unique id.

    Amount and account must be ours, else a case is opened and the order is given up, so that
    nothing stays locked. A bill that needs no money any more sends this payment back (R07). Late
    money settles an expired bill too; what that means is decided above (M1.6).
    """
    with transaction.atomic():
        notice_pk = keep(received, at=at) if received else None
        if received and notice_pk is None:
            return NoticeOutcome.REPEATED
        known = Payment.objects.filter(out_trade_no=paid.out_trade_no).first()
        if known is None:
            outcome = _park(CaseKind.UNKNOWN_ORDER, paid, None, at)
            finish(notice_pk, outcome)
            return outcome
        payment = lock_with_bill(known.pk)
        outcome = _apply(payment, paid, by, at)
        finish(notice_pk, outcome, payment=payment)
        if outcome is NoticeOutcome.APPLIED:
            _settle(payment, by, at)
        return outcome


def _apply(payment: Payment, paid: Paid, by: Actor, at: dt.datetime) -> NoticeOutcome:
    """Decide on the locked row; APPLIED means that it has moved to succeeded."""
    problem = _problem(payment, paid)
    if problem is not None:
        if payment.is_live:
            give_up(payment, reason=problem.value, by=by, at=at)
        return _park(problem, paid, payment, at)
    if payment.is_received:
        return NoticeOutcome.REPEATED
    move(
        payment,
        PaymentStatus.SUCCEEDED,
        by=by,
        at=at,
        transaction_id=paid.transaction_id,
        succeeded_at=paid.succeeded_at,
    )
    cure_cases(number=payment.out_trade_no, kinds=[CaseKind.UNRESOLVED], note="paid", at=at)
    return NoticeOutcome.APPLIED


def _problem(payment: Payment, paid: Paid) -> CaseKind | None:
    if (paid.mchid, paid.appid) != (payment.mchid, payment.appid):
        return CaseKind.WRONG_ACCOUNT
    if paid.total_fen != payment.amount_fen:
        return CaseKind.WRONG_AMOUNT
    if payment.is_received and payment.transaction_id != paid.transaction_id:
        return CaseKind.SECOND_TRANSACTION
    return None


def _park(kind: CaseKind, paid: Paid, payment: Payment | None, at: dt.datetime) -> NoticeOutcome:
    open_case(
        kind=kind,
        number=paid.out_trade_no[:64],
        payment=payment,
        expected_fen=payment.amount_fen if payment else None,
        found_fen=paid.total_fen,
        detail=f"transaction {paid.transaction_id}",
        at=at,
    )
    return NoticeOutcome.PARKED


def _settle(payment: Payment, by: Actor, at: dt.datetime) -> None:
    """Book the money. Called last: the bill's receipt number locks its series until commit."""
    settlement = billing.settle_bill(
        bill_id=payment.bill_id,
        method=METHOD,
        amount_fen=payment.amount_fen,
        reference=payment.out_trade_no,
        by=by,
        at=at,
    )
    if settlement is Settlement.SURPLUS:
        move(payment, PaymentStatus.SUCCEEDED_UNAPPLIED, by=by, at=at, reason="R07")
        request_locked_refund(
            payment, amount_fen=payment.amount_fen, reason=SECOND_PAYMENT, by=by, at=at
        )
