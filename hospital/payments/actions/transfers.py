"""线下转账: what cannot go back the way it came is sent by the hospital's own bank (M9.3, R13).

One person enters payee and bank slip, another compares them with the bank and confirms; then the
ledger says that the money has left by cash:offline. Locks: bills, payment, refund, transfer.
"""

import datetime as dt

from django.db import transaction
from django.db.models import Q

from hospital.billing import actions as billing
from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.kernel.events import later
from hospital.kernel.four_eyes import (
    AlreadyAsked,
    AlreadyDecided,
    check_may_decide,
    decide,
)
from hospital.kernel.states import move
from hospital.payments import queries, schedule
from hospital.payments.actions.cases import cure_case, lock_case
from hospital.payments.actions.orders import lock_with_bills
from hospital.payments.actions.refund_results import book_refund, tell_payer
from hospital.payments.actions.refunds import lock_refund
from hospital.payments.models import OfflineTransfer, Payment, PaymentCase, Refund
from hospital.payments.states import (
    RefundRoute,
    RefundStatus,
    TransferStatus,
    TransferWay,
)

METHOD = "offline"
ROUTE = "线下转账"
SEND_CARD = "payments.jobs.send_card"
ASK_CARD = "payments.jobs.ask_card"


class TransferNotNeeded(Refusal):
    """The money has gone back otherwise, or is still on its way."""

    code = "TRANSFER_NOT_NEEDED"
    default_message = "这笔款不需要线下转账，请刷新页面查看最新状态。"


def propose_transfer(
    *,
    case_id: int,
    payee: str,
    payee_account: str,
    proof: str,
    proof_file: str = "",
    reason: str = "",
    by: Actor,
    at: dt.datetime,
) -> OfflineTransfer:
    """Enter a transfer that answers a case, with the bank's slip number as proof; the amount is
    what is owed. Raises NotFound, Invalid, TransferNotNeeded, AlreadyAsked."""
    _wanted(payee=payee, payee_account=payee_account, proof=proof)
    slip = {"proof": proof.strip()[:100], "proof_file": proof_file[:200]}
    payee, account = payee.strip(), payee_account.strip()
    return _propose(
        case_id, TransferWay.BANK, reason, by, at, payee=payee, payee_account=account, **slip
    )


def propose_card(
    *,
    case_id: int,
    payee: str,
    payee_account: str,
    bank_type: str,
    reason: str = "",
    by: Actor,
    at: dt.datetime,
) -> OfflineTransfer:
    """Ask that WeChat send an abnormal refund to the payer's bank card instead; `bank_type` is
    WeChat's code of the bank ("ICBC_DEBIT"). Once confirmed it is sent, and booked when WeChat says
    that it arrived. Raises NotFound, Invalid, TransferNotNeeded, AlreadyAsked."""
    _wanted(payee=payee, payee_account=payee_account, bank_type=bank_type)
    return _propose(
        case_id,
        TransferWay.CARD,
        reason,
        by,
        at,
        payee=payee.strip(),
        payee_account=payee_account.strip(),
        bank_type=bank_type.strip()[:32],
    )


def confirm_transfer(
    *, transfer_id: int, note: str = "", by: Actor, at: dt.datetime
) -> OfflineTransfer:
    """A second person has seen the money leave the bank: booked and told to the payer. Raises
    NotFound, OwnRequest, AlreadyDecided, TransferNotNeeded."""
    with transaction.atomic():
        transfer, case = _lock(transfer_id, by)
        if queries.owed_fen(case, at=at) < transfer.amount_fen:
            raise TransferNotNeeded
        if transfer.way == TransferWay.CARD:
            _decide(transfer, TransferStatus.SENT, note=note, by=by, at=at)
            later(SEND_CARD, transfer_id=transfer.pk)
            return transfer
        _decide(transfer, TransferStatus.DONE, note=note, by=by, at=at)
        _book(transfer, by=by, at=at)
        if queries.owed_fen(case, at=at) <= 0:
            cure_case(case, note=f"{ROUTE} {transfer.proof}", by=by, at=at)
        return transfer


def reject_transfer(*, transfer_id: int, note: str, by: Actor, at: dt.datetime) -> OfflineTransfer:
    """The slip does not fit, or the money came back otherwise meanwhile: nothing is booked. Raises
    NotFound, OwnRequest, AlreadyDecided."""
    with transaction.atomic():
        transfer = _lock_alone(transfer_id, by)
        _decide(transfer, TransferStatus.REJECTED, note=note, by=by, at=at)
        return transfer


def record_card_refused(*, transfer_id: int, code: str, by: Actor, at: dt.datetime) -> None:
    """WeChat or the card did not take it: sent → rejected; the case still waits for a way."""
    with transaction.atomic():
        transfer = _lock_row(transfer_id)
        if transfer.status == TransferStatus.SENT:
            move(transfer, TransferStatus.REJECTED, by=by, at=at, reason=code[:200])
            _note(transfer, "refused", code, by, at)


def ask_card_again(*, transfer_id: int, job: str, attempt: int, at: dt.datetime) -> None:
    """Plan the next try (`send_card`) or question (`ask_card`) while WeChat is at it."""
    with transaction.atomic():
        transfer = _lock_row(transfer_id)
        if transfer.status == TransferStatus.SENT:
            wait = schedule.refund_wait(attempt, is_processing=job == ASK_CARD)
            later(job, at=at + wait, transfer_id=transfer_id, attempt=attempt + 1)


def _book(transfer: OfflineTransfer, *, by: Actor, at: dt.datetime) -> None:
    payment = transfer.payment
    if payment is None:
        assert transfer.bill_id is not None
        billing.post_refund(
            bill_id=transfer.bill_id,
            method=METHOD,
            amount_fen=transfer.amount_fen,
            reference=f"T{transfer.pk:08d}",
            by=by,
            at=at,
        )
        return
    refund = transfer.refund
    if refund is not None:
        move(
            refund,
            RefundStatus.SUCCEEDED,
            by=by,
            at=at,
            reason=ROUTE,
            route=RefundRoute.OFFLINE,
            received_account=ROUTE,
            succeeded_at=at,
        )
    else:
        refund = _refund_by_hand(transfer, payment, at)
    book_refund(payment, refund, method=METHOD, by=by, at=at)
    tell_payer(payment, refund, RefundStatus.SUCCEEDED, by=by, at=at)


def _refund_by_hand(transfer: OfflineTransfer, payment: Payment, at: dt.datetime) -> Refund:
    """The refund the channel never saw, so that the payment's story is whole."""
    return Refund.objects.create(
        status=RefundStatus.SUCCEEDED,
        out_refund_no=f"{payment.out_trade_no}T{transfer.pk}",
        payment=payment,
        bill_id=transfer.bill_id,
        route=RefundRoute.OFFLINE,
        amount_fen=transfer.amount_fen,
        reason=transfer.reason[:80],
        received_account=ROUTE,
        requested_at=transfer.asked_at,
        succeeded_at=at,
    )


def _decide(
    transfer: OfflineTransfer, to: TransferStatus, *, note: str, by: Actor, at: dt.datetime
) -> None:
    decide(transfer, to, note=note, by=by, at=at)
    _note(transfer, to.value, note, by, at)


def _note(transfer: OfflineTransfer, act: str, note: str, by: Actor, at: dt.datetime) -> None:
    audit.record(
        act=f"payments.transfer.{act}",
        subject=transfer,
        by=by,
        at=at,
        after={"fen": transfer.amount_fen, "proof": transfer.proof, "case": transfer.case_id},
        reason=note[:200],
    )


def _lock(transfer_id: int, by: Actor) -> tuple[OfflineTransfer, PaymentCase]:
    known = OfflineTransfer.objects.filter(pk=transfer_id).first()
    if known is None:
        raise NotFound
    if known.status != TransferStatus.ASKED:
        raise AlreadyDecided
    case = lock_case(known.case_id, before=_lock_subject)
    transfer = _lock_alone(transfer_id, by)
    transfer.payment, transfer.refund = case.payment, case.refund
    return transfer, case


def _wanted(**texts: str) -> None:
    missing = [name for name, text in texts.items() if not text.strip()]
    if missing:
        raise Invalid({name: ["请填写。"] for name in missing})


def _propose(
    case_id: int, way: TransferWay, reason: str, by: Actor, at: dt.datetime, **facts: str
) -> OfflineTransfer:
    with transaction.atomic():
        case = lock_case(case_id, before=_lock_subject)
        waiting = OfflineTransfer.objects.filter(
            status__in=[TransferStatus.ASKED, TransferStatus.SENT]
        )
        # A refund may have a second case; the money leaves once.
        same = Q(case=case) | Q(refund=case.refund, refund__isnull=False)
        if waiting.filter(same).exists():
            raise AlreadyAsked
        amount_fen = queries.owed_fen(case, at=at)
        is_at_channel = case.refund is not None and case.refund.refund_id != ""
        if amount_fen <= 0 or (way == TransferWay.CARD and not is_at_channel):
            raise TransferNotNeeded
        if way == TransferWay.BANK:
            _fresh(facts["proof"])
        transfer = OfflineTransfer.objects.create(
            case=case,
            payment=case.payment,
            refund=case.refund,
            bill_id=case.refund.bill_id if case.refund else case.bill_id,
            way=way,
            amount_fen=amount_fen,
            reason=(reason or case.detail)[:200],
            asked_by=str(by),
            asked_at=at,
            **facts,
        )
        _note(transfer, "proposed", "", by, at)
        return transfer


def _fresh(proof: str) -> None:
    """One slip of the bank proves one transfer. Raises Invalid."""
    used = OfflineTransfer.objects.filter(way=TransferWay.BANK, proof=proof)
    if used.exclude(status=TransferStatus.REJECTED).exists():
        raise Invalid({"proof": ["这张回单已经登记在另一笔转账上，请核对单号。"]})


def _lock_row(transfer_id: int) -> OfflineTransfer:
    transfer = OfflineTransfer.objects.select_for_update(no_key=True).filter(pk=transfer_id).first()
    if transfer is None:
        raise NotFound
    return transfer


def _lock_alone(transfer_id: int, by: Actor) -> OfflineTransfer:
    """The transfer that somebody else may decide now."""
    transfer = _lock_row(transfer_id)
    check_may_decide(transfer, waiting=TransferStatus.ASKED, by=by)
    return transfer


def _lock_subject(case: PaymentCase) -> None:
    """Bills, payment and refund of a case, in that order, read anew under their locks."""
    if case.payment_id is not None:
        case.payment = lock_with_bills(case.payment_id)
    elif case.bill_id is not None:
        billing.lock_bill(bill_id=case.bill_id)
    if case.refund_id is not None:
        case.refund = lock_refund(case.refund_id)
