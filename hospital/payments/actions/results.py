"""The one door for what the channel says about a payment, as a notice or as an answer (walk 1).

A verified word either moves the payment once, repeats what we know, or is parked for a person;
whichever it is, it has been stored and may be answered with success. A notice that disagrees with
us is only a reason to ask: the answer to our own question (no `received`) is the truth.
"""

import datetime as dt

from django.db import transaction

from hospital.billing import actions as billing
from hospital.billing.states import Settlement
from hospital.identity import actions as identity
from hospital.kernel.actors import Actor
from hospital.kernel.events import later
from hospital.kernel.states import move
from hospital.payments import schedule
from hospital.payments.actions.cases import AGREES, cure_cases, open_case
from hospital.payments.actions.orders import free_bills, lock_with_bills
from hospital.payments.actions.received import Received, finish, keep
from hospital.payments.actions.refunds import send_back
from hospital.payments.models import Allocation, Payment
from hospital.payments.states import CaseKind, NoticeOutcome, PaymentStatus, Scene
from hospital.wechat.outcomes import Paid

METHOD = "wechat"
SECOND_PAYMENT = "重复支付，自动退款"
# What an answer that agrees with us has cleared up.
_CLEARED = (
    CaseKind.UNRESOLVED,
    CaseKind.WRONG_AMOUNT,
    CaseKind.WRONG_ACCOUNT,
    CaseKind.SECOND_TRANSACTION,
)


def record_result(
    *, paid: Paid, received: Received | None = None, by: Actor, at: dt.datetime
) -> NoticeOutcome:
    """Apply that money arrived. A notice seen before ends at its unique id.

    Amount and account must be ours: a notice that disagrees opens a case and makes us ask at once;
    an answer that disagrees too leaves the money unapplied in suspense, the bills free, and the
    case to two persons. Bills that need no money any more send their part back (R07). Late money
    settles an expired bill too; what that means is decided above (M1.6).
    """
    with transaction.atomic():
        notice_pk = keep(received, at=at) if received else None
        if received and notice_pk is None:
            return NoticeOutcome.REPEATED
        known = Payment.objects.filter(out_trade_no=paid.out_trade_no).first()
        if known is None:
            outcome = _strange(paid, is_truth=received is None, by=by, at=at)
            finish(notice_pk, outcome)
            return outcome
        payment = lock_with_bills(known.pk)
        outcome = _apply(payment, paid, is_truth=received is None, by=by, at=at)
        finish(notice_pk, outcome, payment=payment)
        if outcome is NoticeOutcome.APPLIED and payment.status == PaymentStatus.SUCCEEDED:
            _settle(payment, by, at)
        return outcome


def _apply(
    payment: Payment, paid: Paid, *, is_truth: bool, by: Actor, at: dt.datetime
) -> NoticeOutcome:
    """Decide on the locked row; APPLIED means that it has moved."""
    if _is_taken_back(payment, at):
        return NoticeOutcome.PARKED
    problem = _problem(payment, paid)
    if problem is not None and not is_truth:
        _park(problem, paid, payment, at)
        later("payments.jobs.verify", payment_id=payment.pk)
        return NoticeOutcome.PARKED
    if problem is not None:
        _park(problem, paid, payment, at)
        if problem is not CaseKind.WRONG_AMOUNT or payment.is_received:
            return NoticeOutcome.PARKED
        _suspend(payment, paid, by, at)
        return NoticeOutcome.APPLIED
    if is_truth:
        # A wrong amount that was found before stays a case until its money has gone back.
        kinds = [kind for kind in _CLEARED if kind is not CaseKind.WRONG_AMOUNT]
        is_odd = payment.received_fen not in {None, payment.amount_fen}
        cure_cases(
            number=payment.out_trade_no,
            kinds=kinds if is_odd else _CLEARED,
            note=AGREES,
            at=at,
        )
    if payment.is_received:
        return NoticeOutcome.REPEATED
    _succeed(payment, PaymentStatus.SUCCEEDED, paid, by, at)
    cure_cases(
        number=payment.out_trade_no, kinds=[CaseKind.UNRESOLVED], note="微信确认已支付", at=at
    )
    return NoticeOutcome.APPLIED


def _is_taken_back(payment: Payment, at: dt.datetime) -> bool:
    """Whether this may be the charge that is going back this moment. Its own questions go on, and
    find out when the dust has settled."""
    since = payment.taken_back_at
    return since is not None and not payment.is_received and at - since < schedule.TAKING_BACK


def _problem(payment: Payment, paid: Paid) -> CaseKind | None:
    if (paid.mchid, paid.appid) != (payment.mchid, payment.appid):
        return CaseKind.WRONG_ACCOUNT
    if payment.is_received and payment.transaction_id != paid.transaction_id:
        return CaseKind.SECOND_TRANSACTION
    expected_fen = payment.received_fen if payment.is_received else payment.amount_fen
    return CaseKind.WRONG_AMOUNT if paid.total_fen != expected_fen else None


def _succeed(
    payment: Payment, to: PaymentStatus, paid: Paid, by: Actor, at: dt.datetime, reason: str = ""
) -> None:
    """The money is there; who paid is noted where only WeChat knew."""
    if payment.payer_id is None and paid.openid:
        payer = identity.sign_in_wechat_user(appid=paid.appid, openid=paid.openid, at=at)
        payment.payer = payer
    move(
        payment,
        to,
        by=by,
        at=at,
        reason=reason,
        transaction_id=paid.transaction_id,
        succeeded_at=paid.succeeded_at,
        received_fen=paid.total_fen,
        payer_id=payment.payer_id,
    )


def _suspend(payment: Payment, paid: Paid, by: Actor, at: dt.datetime) -> None:
    """Not what was ordered: nothing of it is applied, and the bills may be paid again (R06)."""
    was_live = payment.is_live
    reason = CaseKind.WRONG_AMOUNT.value
    _succeed(payment, PaymentStatus.SUCCEEDED_UNAPPLIED, paid, by, at, reason)
    billing.suspend_money(
        amount_fen=paid.total_fen,
        reference=payment.out_trade_no,
        method=METHOD,
        by=by,
        at=at,
    )
    if was_live:
        free_bills(payment, reason=reason, by=by, at=at)


def _strange(paid: Paid, *, is_truth: bool, by: Actor, at: dt.datetime) -> NoticeOutcome:
    """Money for an order we do not have (R02): asked about at once; really there, it is kept as a
    payment of unknown origin until two persons send it back."""
    if not is_truth:
        _park(CaseKind.UNKNOWN_ORDER, paid, None, at)
        later("payments.jobs.ask_unknown", number=paid.out_trade_no)
        return NoticeOutcome.PARKED
    payment = Payment.objects.create(
        status=PaymentStatus.SUCCEEDED_UNAPPLIED,
        out_trade_no=paid.out_trade_no,
        scene=Scene.UNKNOWN,
        payer=(
            identity.sign_in_wechat_user(appid=paid.appid, openid=paid.openid, at=at)
            if paid.openid
            else None
        ),
        mchid=paid.mchid,
        appid=paid.appid,
        amount_fen=paid.total_fen,
        received_fen=paid.total_fen,
        description=Scene.UNKNOWN.label,
        transaction_id=paid.transaction_id,
        created_at=at,
        expires_at=at,
        succeeded_at=paid.succeeded_at,
    )
    billing.suspend_money(
        amount_fen=paid.total_fen, reference=paid.out_trade_no, method=METHOD, by=by, at=at
    )
    _park(CaseKind.UNKNOWN_ORDER, paid, payment, at)
    return NoticeOutcome.APPLIED


def _park(kind: CaseKind, paid: Paid, payment: Payment | None, at: dt.datetime) -> NoticeOutcome:
    open_case(
        kind=kind,
        number=paid.out_trade_no[:64],
        payment=payment,
        expected_fen=payment.amount_fen if payment and payment.scene != Scene.UNKNOWN else None,
        found_fen=paid.total_fen,
        detail=f"transaction {paid.transaction_id}",
        at=at,
    )
    return NoticeOutcome.PARKED


def _settle(payment: Payment, by: Actor, at: dt.datetime) -> None:
    """Book the money, bill by bill. Called last: the first receipt number locks its series until
    commit."""
    parts = list(payment.allocations.order_by("bill_id"))
    surplus: list[Allocation] = []
    for part in parts:
        settlement = billing.settle_bill(
            bill_id=part.bill_id,
            method=METHOD,
            amount_fen=part.amount_fen,
            reference=payment.out_trade_no,
            by=by,
            at=at,
        )
        if settlement is Settlement.SURPLUS:
            surplus.append(part)
        elif Allocation.objects.filter(bill_id=part.bill_id, is_live=True).exists():
            # Late money settled it while somebody else was about to pay: end that order.
            later("payments.jobs.close_payments", bill_id=part.bill_id)
    if surplus and len(surplus) == len(parts):
        move(payment, PaymentStatus.SUCCEEDED_UNAPPLIED, by=by, at=at, reason="R07")
    for part in surplus:
        send_back(
            payment,
            bill_id=part.bill_id,
            amount_fen=part.amount_fen,
            reason=SECOND_PAYMENT,
            by=by,
            at=at,
        )
