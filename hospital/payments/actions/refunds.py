"""Asking for money to go back to the payer, under one number for ever (SM11).

Limits of the channel: never more than was paid, one open refund a payment, a minute between two,
fifty in all, within 365 days. Locks: bill, payment, refund.
"""

import datetime as dt

from django.db import transaction
from django.db.models import Sum

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound, Refusal
from hospital.kernel.events import later
from hospital.kernel.states import move
from hospital.payments import numbers, schedule
from hospital.payments.actions.cases import open_case
from hospital.payments.actions.orders import lock_with_bill
from hospital.payments.models import Payment, Refund
from hospital.payments.states import COMMITTED, OPEN, RECEIVED, CaseKind, RefundStatus

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


def request_refund(
    *, payment_id: int, amount_fen: int, reason: str, by: Actor, at: dt.datetime
) -> Refund:
    """Decide that money goes back; sending it is deferred. Raises NotFound, NothingToRefund,
    RefundTooMuch, RefundInProgress, RefundNotPossible.

    Only what the ledger owes the payer may go: charges are reversed first, or money would leave
    that no posting could tell of.
    """
    with transaction.atomic():
        payment = lock_with_bill(payment_id)
        made = request_locked_refund(payment, amount_fen=amount_fen, reason=reason, by=by, at=at)
        if _under_way_fen(payment) > bills.balance(bill_id=payment.bill_id).due_fen:
            raise RefundTooMuch
        return made


def request_locked_refund(
    payment: Payment, *, amount_fen: int, reason: str, by: Actor, at: dt.datetime
) -> Refund:
    """The same for a payment whose bill and row the caller has locked."""
    _check(payment, amount_fen=amount_fen, at=at)
    earlier = payment.refunds.order_by("-id")
    refund = Refund.objects.create(
        status=RefundStatus.REQUESTED,
        out_refund_no=numbers.refund_number(
            payment_number=payment.out_trade_no, count=earlier.count()
        ),
        payment=payment,
        amount_fen=amount_fen,
        reason=reason,
        requested_at=at,
    )
    latest = earlier.exclude(pk=refund.pk).first()
    earliest = latest.requested_at + schedule.SECOND_REFUND_AFTER if latest else at
    later("payments.jobs.send_refund", at=earliest if earliest > at else None, refund_id=refund.pk)
    return refund


def refund_due(*, bill_id: int, reason: str, by: Actor, at: dt.datetime) -> list[Refund]:
    """Send back whatever the ledger owes the payer of this bill and no refund carries yet.

    Idempotent: it compares what is due with what is under way. While a refund of the same payment
    is open it comes back a minute later. What cannot go the way it came opens a case.
    """
    with transaction.atomic():
        billing.lock_bill(bill_id=bill_id)
        payments = list(
            Payment.objects.select_for_update(no_key=True)
            .filter(bill_id=bill_id, status__in=RECEIVED)
            .order_by("pk")
        )
        wanted_fen = bills.balance(bill_id=bill_id).due_fen - sum(
            _under_way_fen(payment) for payment in payments
        )
        made: list[Refund] = []
        for payment in payments:
            amount_fen = min(wanted_fen, refundable_fen(payment))
            if amount_fen <= 0:
                continue
            wanted_fen -= amount_fen
            refund = _refund_part(payment, amount_fen, reason, by=by, at=at)
            made += [refund] if refund else []
        if wanted_fen > 0:
            open_case(
                kind=CaseKind.REFUND_IMPOSSIBLE,
                number=f"bill {bill_id}",
                expected_fen=wanted_fen,
                detail="no payment left that could be refunded",
                at=at,
            )
        return made


def submit_refund(*, refund_id: int, by: Actor, at: dt.datetime) -> Refund | None:
    """Note, before it is sent, that the refund is on its way: requested or failed → submitted.

    None when there is nothing to send any more. Raises NotFound.
    """
    with transaction.atomic():
        refund = lock_refund(refund_id)
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


def refundable_fen(payment: Payment) -> int:
    """What of the payment is neither back nor on its way."""
    return payment.amount_fen - _sum_fen(payment, COMMITTED)


def lock_refund(refund_id: int) -> Refund:
    """The refund alone, for moves that touch nothing else. Raises NotFound."""
    refund = Refund.objects.select_for_update(no_key=True).filter(pk=refund_id).first()
    if refund is None:
        raise NotFound
    return refund


def _check(payment: Payment, *, amount_fen: int, at: dt.datetime) -> None:
    if payment.succeeded_at is None:
        raise NothingToRefund
    if payment.refunds.filter(status__in=OPEN).exists():
        raise RefundInProgress
    if not 0 < amount_fen <= refundable_fen(payment):
        raise RefundTooMuch(refundable_fen=refundable_fen(payment))
    if at - payment.succeeded_at > schedule.REFUND_WITHIN:
        raise RefundNotPossible(limit="age")
    if payment.refunds.count() >= numbers.MOST_REFUNDS:
        raise RefundNotPossible(limit="count")


def _refund_part(
    payment: Payment, amount_fen: int, reason: str, *, by: Actor, at: dt.datetime
) -> Refund | None:
    try:
        return request_locked_refund(payment, amount_fen=amount_fen, reason=reason, by=by, at=at)
    except RefundInProgress:
        later(
            "payments.jobs.refund_reversed",
            at=at + schedule.SECOND_REFUND_AFTER,
            bill_id=payment.bill_id,
        )
    except RefundNotPossible as refusal:
        open_case(
            kind=CaseKind.REFUND_IMPOSSIBLE,
            number=payment.out_trade_no,
            payment=payment,
            expected_fen=amount_fen,
            detail=f"limit: {refusal.details.get('limit')}",
            at=at,
        )
    return None


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


def _under_way_fen(payment: Payment) -> int:
    """Committed, and not yet booked in the ledger."""
    return _sum_fen(payment, COMMITTED - {RefundStatus.SUCCEEDED})


def _sum_fen(payment: Payment, statuses: frozenset[RefundStatus]) -> int:
    total = payment.refunds.filter(status__in=statuses).aggregate(fen=Sum("amount_fen"))["fen"]
    return int(total or 0)
