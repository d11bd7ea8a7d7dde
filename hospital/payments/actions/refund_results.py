"""The one door for what the channel says about a refund, as a notice or as an answer.

Success is booked in the ledger and told to the payer (N26), once; abnormal and closed refunds open
a case for finance and are told too.
"""

import datetime as dt

from django.db import transaction
from django.urls import reverse

from hospital.billing import actions as billing
from hospital.kernel.actors import Actor
from hospital.kernel.events import later
from hospital.kernel.money import format_yuan
from hospital.kernel.states import move
from hospital.live import actions as live
from hospital.messaging import actions as messaging
from hospital.payments import queries, schedule
from hospital.payments.actions.cases import AGREES, cure_cases, open_case
from hospital.payments.actions.orders import lock_with_bills
from hospital.payments.actions.received import Received, finish, keep
from hospital.payments.actions.refunds import lock_refund
from hospital.payments.models import Payment, Refund
from hospital.payments.states import (
    CaseKind,
    NoticeOutcome,
    PaymentStatus,
    RefundRoute,
    RefundStatus,
    TransferStatus,
    TransferWay,
)
from hospital.wechat.outcomes import RefundProgress, RefundState

METHOD = "wechat"
_STATUS = {
    RefundProgress.PROCESSING: RefundStatus.PROCESSING,
    RefundProgress.SUCCESS: RefundStatus.SUCCEEDED,
    RefundProgress.ABNORMAL: RefundStatus.ABNORMAL,
    RefundProgress.CLOSED: RefundStatus.CLOSED,
}
REPEATED = NoticeOutcome.REPEATED
_TOLD = {
    RefundStatus.SUCCEEDED: "退款成功",
    RefundStatus.ABNORMAL: "退款异常，医院正在处理",
    RefundStatus.CLOSED: "退款未成功，医院正在处理",
}


def record_refund_result(
    *, state: RefundState, received: Received | None = None, by: Actor, at: dt.datetime
) -> NoticeOutcome:
    """Apply what became of a refund. A notice seen before ends at its unique id; one that does not
    fit our refund opens a case, moves nothing and makes us ask at once: our own question's answer
    is the truth."""
    with transaction.atomic():
        notice_pk = keep(received, at=at) if received else None
        if received and notice_pk is None:
            return NoticeOutcome.REPEATED
        known = Refund.objects.filter(out_refund_no=state.out_refund_no).first()
        if known is None:
            outcome = _park(CaseKind.UNKNOWN_REFUND, state, None, at)
            finish(notice_pk, outcome)
            return outcome
        payment = lock_with_bills(known.payment_id)
        refund = lock_refund(known.pk)
        outcome = _apply(payment, refund, state, by, at)
        if received is None and outcome is not NoticeOutcome.PARKED:
            note, kinds = AGREES, [CaseKind.REFUND_MISMATCH]
            cure_cases(number=refund.out_refund_no, kinds=kinds, note=note, at=at)
        finish(notice_pk, outcome, payment=payment, refund=refund)
        if received and outcome is NoticeOutcome.PARKED:
            later("payments.jobs.ask_refund", refund_id=refund.pk)
        return outcome


def _apply(
    payment: Payment, refund: Refund, state: RefundState, by: Actor, at: dt.datetime
) -> NoticeOutcome:
    if not _fits(payment, refund, state):
        return _park(CaseKind.REFUND_MISMATCH, state, refund, at)
    to = _STATUS[state.progress]
    if refund.route == RefundRoute.OFFLINE:
        # The bank has paid it: only success is news, and bad.
        is_twice = to is RefundStatus.SUCCEEDED
        return _park(CaseKind.REFUND_TWICE, state, refund, at) if is_twice else REPEATED
    if refund.status == to or (to is RefundStatus.PROCESSING and refund.status not in _BEFORE):
        return REPEATED
    if (refund.status, to) not in Refund.MOVES:
        return _park(CaseKind.REFUND_MISMATCH, state, refund, at)
    move(
        refund,
        to,
        by=by,
        at=at,
        refund_id=state.refund_id,
        received_account=state.received_account[:64],
        succeeded_at=state.succeeded_at,
        failure="",
    )
    if to is RefundStatus.PROCESSING:
        wait = schedule.refund_wait(0, is_processing=True)
        later("payments.jobs.ask_refund", at=at + wait, refund_id=refund.pk)
    else:
        _end(payment, refund, to, by, at)
    return NoticeOutcome.APPLIED


_BEFORE = {RefundStatus.SUBMITTED, RefundStatus.FAILED}


def _end(payment: Payment, refund: Refund, to: RefundStatus, by: Actor, at: dt.datetime) -> None:
    """Whatever the end is, the payer hears of it; only success moves money in the books."""
    if to is RefundStatus.SUCCEEDED:
        book_refund(payment, refund, method=METHOD, by=by, at=at)
        for transfer in refund.transfers.filter(status=TransferStatus.SENT):
            move(transfer, TransferStatus.DONE, by=by, at=at)
        slips = refund.transfers.filter(status=TransferStatus.ASKED, way=TransferWay.BANK)
        if slips.exists():
            # A bank's slip was entered meanwhile: did that money leave too?
            open_case(
                kind=CaseKind.REFUND_TWICE,
                number=refund.out_refund_no,
                payment=payment,
                refund=refund,
                bill_id=refund.bill_id,
                expected_fen=refund.amount_fen,
                at=at,
            )
    else:
        # Refused it was, perhaps; what became of it is the case now.
        kinds, note = [CaseKind.REFUND_STUCK], f"微信的结果：{to.label}"
        cure_cases(number=refund.out_refund_no, kinds=kinds, note=note, at=at)
        is_closed = to is RefundStatus.CLOSED
        open_case(
            kind=CaseKind.REFUND_CLOSED if is_closed else CaseKind.REFUND_ABNORMAL,
            number=refund.out_refund_no,
            payment=payment,
            refund=refund,
            bill_id=refund.bill_id,
            expected_fen=refund.amount_fen,
            detail=to.value,
            at=at,
        )
    _wake(payment, refund, at)
    tell_payer(payment, refund, to, by=by, at=at)


def tell_payer(
    payment: Payment, refund: Refund, to: RefundStatus, *, by: Actor, at: dt.datetime
) -> None:
    """N26 to whoever paid, and a hint to every page that shows the bill."""
    bill, path = refund.bill, reverse("portal-home")
    if bill is not None and bill.wechat_user_id == payment.payer_id:
        path = reverse("payments-pay", args=[bill.token])
    if payment.payer_id is not None:
        messaging.send(
            kind="N26",
            to=[payment.payer_id],
            event_key=f"refund:{refund.pk}:{to.value}",
            subject=refund,
            fields={
                "amount": f"¥{format_yuan(refund.amount_fen)}",
                "route": refund.received_account or "原支付账户",
                "state": _TOLD[to],
            },
            path=path,
            by=by,
            at=at,
        )
    if bill is not None:
        live.publish(f"bill:{bill.pk}")


def book_refund(
    payment: Payment, refund: Refund, *, method: str, by: Actor, at: dt.datetime
) -> None:
    """The money has gone back: the ledger, the payment's status, the cases it answers. `method`
    says by which account of ours. The caller holds the locks."""
    if refund.bill_id is not None:
        billing.post_refund(
            bill_id=refund.bill_id,
            method=method,
            amount_fen=refund.amount_fen,
            reference=refund.out_refund_no,
            by=by,
            at=at,
        )
    else:
        billing.return_money(
            suspended=payment.out_trade_no,
            method=method,
            amount_fen=refund.amount_fen,
            reference=refund.out_refund_no,
            by=by,
            at=at,
        )
    back_fen = sum(
        payment.refunds.filter(status=RefundStatus.SUCCEEDED).values_list("amount_fen", flat=True)
    )
    is_whole = back_fen == payment.received_fen
    to = PaymentStatus.FULLY_REFUNDED if is_whole else PaymentStatus.PARTIALLY_REFUNDED
    if payment.status != to:
        move(payment, to, by=by, at=at, reason=refund.out_refund_no)
    cure_cases(
        number=refund.out_refund_no,
        kinds=[CaseKind.REFUND_STUCK, CaseKind.REFUND_ABNORMAL],
        note="钱已退到",
        at=at,
    )
    if is_whole:
        cure_cases(
            number=payment.out_trade_no,
            kinds=[CaseKind.UNKNOWN_ORDER, CaseKind.WRONG_AMOUNT, CaseKind.REFUND_IMPOSSIBLE],
            note="钱已退到",
            at=at,
        )


def _wake(payment: Payment, refund: Refund, at: dt.datetime) -> None:
    """Refunds of the payment's other bills may have waited for this one."""
    for bill_id in queries.bill_ids_of(payment_id=payment.pk):
        if bill_id != refund.bill_id:
            later(
                "payments.jobs.refund_reversed",
                at=at + schedule.SECOND_REFUND_AFTER,
                bill_id=bill_id,
            )


def _fits(payment: Payment, refund: Refund, state: RefundState) -> bool:
    ours = (payment.mchid, payment.out_trade_no, payment.received_fen, refund.amount_fen)
    theirs = (state.mchid, state.out_trade_no, state.total_fen, state.refund_fen)
    return ours == theirs and refund.refund_id in {"", state.refund_id}


def _park(
    kind: CaseKind, state: RefundState, refund: Refund | None, at: dt.datetime
) -> NoticeOutcome:
    open_case(
        kind=kind,
        number=state.out_refund_no[:64],
        payment=refund.payment if refund else None,
        refund=refund,
        bill_id=refund.bill_id if refund else None,
        expected_fen=refund.amount_fen if refund else None,
        found_fen=state.refund_fen,
        detail=f"{state.progress.value} {state.refund_id}",
        at=at,
    )
    return NoticeOutcome.PARKED
