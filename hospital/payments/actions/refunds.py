"""Asking for money to go back to the payer, under one number for ever (SM11).

Limits of the channel: never more than was paid, one open refund a payment, a minute between two,
fifty in all, within 365 days. Locks: bills, payments, refund.
"""

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound, Refusal
from hospital.kernel.events import later
from hospital.kernel.states import move
from hospital.payments import numbers, queries, schedule
from hospital.payments.actions.cases import cure_all, open_case
from hospital.payments.actions.orders import lock_with_bills
from hospital.payments.models import Payment, PaymentCase, Refund
from hospital.payments.spread import Part, newest_first
from hospital.payments.states import (
    OPEN,
    RECEIVED,
    CaseKind,
    RefundStatus,
    TransferStatus,
)

# Besides an empty balance: the channel is busy, or does not know the fresh payment yet.
PASSING = {"NOT_ENOUGH", "FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "RESOURCE_NOT_EXISTS"}


class NothingToRefund(Refusal):
    code = "NOTHING_TO_REFUND"
    default_message = "该笔支付尚未成功，没有可退的金额。"


class RefundTooMuch(Refusal):
    code = "REFUND_TOO_MUCH"
    default_message = "退款金额超过该笔支付剩余可退金额。"


class RefundInProgress(Refusal):
    code = "REFUND_IN_PROGRESS"
    default_message = "该笔支付有一笔退款正在处理，请稍后再试。"


class RefundNotPossible(Refusal):
    """Details: limit ("age" or "count")."""

    code = "REFUND_NOT_POSSIBLE"
    default_message = "该笔支付已超过微信原路退款的期限或次数，请线下办理。"


def make_refund(
    payment: Payment,
    *,
    bill_id: int | None,
    amount_fen: int,
    reason: str,
    by: Actor,
    at: dt.datetime,
) -> Refund:
    """Decide that money goes back by one payment, whose bills and row the caller has locked; sent
    it is later. Without a bill it is money we could not apply; of a bill the caller knows what is
    owed. Raises NothingToRefund, RefundTooMuch, RefundInProgress, RefundNotPossible."""
    _check(payment, bill_id=bill_id, amount_fen=amount_fen, at=at)
    earlier = _numbered(payment).order_by("-id")
    refund = Refund.objects.create(
        status=RefundStatus.REQUESTED,
        out_refund_no=numbers.refund_number(
            payment_number=payment.out_trade_no, count=earlier.count()
        ),
        payment=payment,
        bill_id=bill_id,
        amount_fen=amount_fen,
        reason=reason,
        requested_at=at,
    )
    latest = earlier.exclude(pk=refund.pk).first()
    sent_at = (latest.submitted_at or latest.requested_at) if latest else None
    earliest = sent_at + schedule.SECOND_REFUND_AFTER if sent_at else at
    later("payments.jobs.send_refund", at=earliest if earliest > at else None, refund_id=refund.pk)
    _cure_closed(payment, bill_id, at)
    return refund


def refund_due(
    *, bill_id: int, reason: str, attempt: int = 0, by: Actor, at: dt.datetime
) -> list[Refund]:
    """Send back whatever the ledger owes the payers of this bill and no refund carries yet: what
    the bill never needed (R07), then the newest payment first, each up to what is left (M9.3).

    Idempotent: it compares what is due with what is under way. While a refund of the same payment
    is open it comes back later. What cannot go the way it came opens a case.
    """
    with transaction.atomic():
        billing.lock_bill(bill_id=bill_id)
        paid = Payment.objects.select_for_update(no_key=True, of=("self",)).filter(
            allocations__bill_id=bill_id, status__in=RECEIVED
        )
        payments = {row.pk: row for row in paid.order_by("pk")}
        surplus = bills.surplus_references(bill_id=bill_id)
        newest = sorted(
            payments.values(),
            key=lambda row: (row.out_trade_no in surplus, row.succeeded_at or at, row.pk),
            reverse=True,
        )
        left = [Part(row.pk, queries.refundable_fen(row, bill_id=bill_id)) for row in newest]
        parts, missing_fen = newest_first(queries.unsent_fen(bill_id=bill_id), left)
        made = [
            send_back(
                payments[part.payment_id],
                bill_id=bill_id,
                amount_fen=part.amount_fen,
                reason=reason,
                attempt=attempt,
                by=by,
                at=at,
            )
            for part in parts
        ]
        if missing_fen > 0:
            open_case(
                kind=CaseKind.REFUND_IMPOSSIBLE,
                number=f"bill {bill_id}",
                bill_id=bill_id,
                expected_fen=missing_fen,
                detail="no payment left that could be refunded",
                at=at,
            )
        return [refund for refund in made if refund is not None]


def send_back(
    payment: Payment,
    *,
    bill_id: int,
    amount_fen: int,
    reason: str,
    attempt: int = 0,
    by: Actor,
    at: dt.datetime,
) -> Refund | None:
    """One payment's part of what a bill owes, rows locked by the caller. None when it has to wait
    for another refund of that payment, or needs a person."""
    try:
        return make_refund(
            payment, bill_id=bill_id, amount_fen=amount_fen, reason=reason, by=by, at=at
        )
    except RefundInProgress:
        later(
            "payments.jobs.refund_reversed",
            at=at + schedule.next_refund_wait(attempt),
            bill_id=bill_id,
            attempt=attempt + 1,
        )
    except RefundNotPossible as refusal:
        ask_for_the_bank(payment, refusal, bill_id=bill_id, amount_fen=amount_fen, at=at)
    return None


def ask_for_the_bank(
    payment: Payment,
    refusal: RefundNotPossible,
    *,
    bill_id: int | None,
    amount_fen: int,
    at: dt.datetime,
) -> None:
    """The money cannot go back the way it came: a case says so, one for each bill of a payment."""
    number = payment.out_trade_no if bill_id is None else f"bill {bill_id} {payment.out_trade_no}"
    open_case(
        kind=CaseKind.REFUND_IMPOSSIBLE,
        number=number,
        payment=payment,
        bill_id=bill_id,
        expected_fen=amount_fen,
        detail=f"limit: {refusal.details.get('limit')}",
        at=at,
    )


def renew_closed(*, refund_id: int, by: Actor, at: dt.datetime) -> Refund:
    """A refund the channel closed for good: what it still owes goes again under a new number.

    Returns the new one, or this one when nothing is owed any more. Raises NotFound, and what
    make_refund raises for money that could not be applied.
    """
    with transaction.atomic():
        closed = Refund.objects.select_related("payment").filter(pk=refund_id).first()
        if closed is None:
            raise NotFound
        if closed.bill_id is not None:
            made = refund_due(bill_id=closed.bill_id, reason=closed.reason, by=by, at=at)
            return made[0] if made else closed
        payment = lock_with_bills(closed.payment_id)
        left_fen = queries.refundable_fen(payment, bill_id=None)
        if left_fen <= 0:
            return closed
        return make_refund(
            payment, bill_id=None, amount_fen=left_fen, reason=closed.reason, by=by, at=at
        )


def submit_refund(*, refund_id: int, by: Actor, at: dt.datetime) -> Refund | None:
    """Note, before it is sent, that the refund is on its way: requested or failed → submitted.

    None when there is nothing to send any more, or a bank's slip for it waits to be confirmed.
    Raises NotFound.
    """
    with transaction.atomic():
        refund = lock_refund(refund_id)
        if refund.transfers.filter(status=TransferStatus.ASKED).exists():
            return None
        if refund.status in {RefundStatus.REQUESTED, RefundStatus.FAILED}:
            move(refund, RefundStatus.SUBMITTED, by=by, at=at, submitted_at=at)
        return refund if refund.status == RefundStatus.SUBMITTED else None


def record_refund_refused(
    *, refund_id: int, code: str, attempt: int, by: Actor, at: dt.datetime
) -> Refund:
    """The channel did not take it (e.g. NOT_ENOUGH): submitted → failed, to be sent again with
    the same number. Finance is told by a case: somebody has to fill the account, or look."""
    with transaction.atomic():
        refund = lock_refund(refund_id)
        if refund.status != RefundStatus.SUBMITTED:
            return refund
        move(refund, RefundStatus.FAILED, by=by, at=at, reason=code[:64], failure=code[:64])
        _ask_for_help(refund, code, at)
        if code in PASSING or attempt == 0:
            _again("payments.jobs.send_refund", refund, schedule.refused_wait(attempt), attempt, at)
        return refund


def ask_refund_again(
    *, refund_id: int, attempt: int, reason: str, by: Actor, at: dt.datetime
) -> Refund:
    """Plan the next question about a refund under way or unanswered; after a week a case."""
    with transaction.atomic():
        refund = lock_refund(refund_id)
        if refund.status in {RefundStatus.SUBMITTED, RefundStatus.PROCESSING}:
            wait = schedule.refund_wait(
                attempt, is_processing=refund.status == RefundStatus.PROCESSING
            )
            if not _again("payments.jobs.ask_refund", refund, wait, attempt, at):
                _ask_for_help(refund, reason, at)
        return refund


def lock_refund(refund_id: int) -> Refund:
    """The refund alone, for moves that touch nothing else. Raises NotFound."""
    refund = Refund.objects.select_for_update(no_key=True).filter(pk=refund_id).first()
    if refund is None:
        raise NotFound
    return refund


def _check(payment: Payment, *, bill_id: int | None, amount_fen: int, at: dt.datetime) -> None:
    if payment.succeeded_at is None:
        raise NothingToRefund
    if payment.refunds.filter(status__in=OPEN).exists():
        raise RefundInProgress
    left_fen = queries.refundable_fen(payment, bill_id=bill_id)
    if not 0 < amount_fen <= left_fen:
        raise RefundTooMuch(refundable_fen=left_fen)
    if at - payment.succeeded_at > schedule.REFUND_WITHIN:
        raise RefundNotPossible(limit="age")
    if _numbered(payment).count() >= numbers.MOST_REFUNDS:
        raise RefundNotPossible(limit="count")


def _numbered(payment: Payment) -> QuerySet[Refund]:
    """The refunds with a number of the payment's series: one that the bank paid in the end keeps
    its number, and counts at the channel."""
    return payment.refunds.filter(out_refund_no__startswith=f"{payment.out_trade_no}R")


def _cure_closed(payment: Payment, bill_id: int | None, at: dt.datetime) -> None:
    """A refund that was closed there is under way again under a new number."""
    closed = Refund.objects.filter(payment=payment, bill=bill_id, status=RefundStatus.CLOSED)
    cases = PaymentCase.objects.filter(kind=CaseKind.REFUND_CLOSED, refund__in=closed)
    cure_all(cases, note="已用新单号重新提交", at=at)


def _again(job: str, refund: Refund, wait: dt.timedelta, attempt: int, at: dt.datetime) -> bool:
    """Defer the next try; False when the refund has been tried for a week."""
    if at + wait - refund.requested_at > schedule.REFUND_FOR:
        return False
    later(job, at=at + wait, refund_id=refund.pk, attempt=attempt + 1)
    return True


def _ask_for_help(refund: Refund, reason: str, at: dt.datetime) -> None:
    open_case(
        kind=CaseKind.REFUND_STUCK,
        number=refund.out_refund_no,
        payment=refund.payment,
        refund=refund,
        expected_fen=refund.amount_fen,
        detail=reason,
        at=at,
    )
