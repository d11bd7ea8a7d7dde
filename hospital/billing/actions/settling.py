"""Money of a bill: settle it, owe it back, pay it back (SM9, M4). Append-only postings."""

import datetime as dt
from collections.abc import Collection, Mapping

from hospital.billing import queries
from hospital.billing.actions.locking import (
    BillChanged,
    BillNotPayable,
    RefundTooMuch,
    lock_bill,
    numbered,
    publish,
)
from hospital.billing.events import BillSettled, ChargesReversed
from hospital.billing.models import Bill, Charge, Posting
from hospital.billing.states import (
    PAID,
    REFUND_DUE,
    BillStatus,
    ChargeStatus,
    PostingKind,
    Settlement,
    cash,
    revenue,
)
from hospital.kernel import events
from hospital.kernel.actors import Actor
from hospital.kernel.states import move


def settle_bill(
    *,
    bill_id: int,
    method: str,
    amount_fen: int,
    reference: str,
    by: Actor,
    at: dt.datetime,
) -> Settlement:
    """Book money that arrived, `reference` being the channel's own number of it.

    A bill not paid yet is settled, also one that had expired or was cancelled meanwhile (M1.6). A
    second payment is booked as due back and told as SURPLUS (M4.4); the same one again is
    REPEATED. Raises BillChanged when a first payment is not the bill's total.
    """
    bill = lock_bill(bill_id=bill_id)
    if bill.status in PAID:
        return _pay_again(bill, method, amount_fen, reference, by=by, at=at)
    if amount_fen != bill.total_fen:
        raise BillChanged(bill_fen=bill.total_fen, paid_fen=amount_fen)
    Posting.objects.bulk_create(
        Posting(
            debit=cash(method),
            credit=revenue(charge.category),
            amount_fen=charge.amount_fen,
            bill=bill,
            charge=charge,
            kind=PostingKind.SETTLE,
            reference=reference,
            by=str(by),
            at=at,
        )
        for charge in bill.charges.order_by("id")
        if charge.amount_fen
    )
    events.emit(BillSettled(bill_id=bill.pk))
    publish(bill)
    receipt_no = numbered("S", "receipt", at)
    move(bill, BillStatus.SETTLED, by=by, at=at, settled_at=at, receipt_no=receipt_no)
    return Settlement.SETTLED


def reverse_charges(
    *,
    bill_id: int,
    reason: str,
    charge_ids: Collection[int] | None = None,
    by: Actor,
    at: dt.datetime,
) -> int:
    """Take back charges of a paid bill (default: all) by negative child charges; the fen due back.

    Charges already reversed are left out, so repeating it reverses nothing twice. Raises
    BillNotPayable when the bill was never paid: such a bill is expired or cancelled instead.
    """
    bill = lock_bill(bill_id=bill_id)
    if bill.status not in PAID:
        raise BillNotPayable("该账单尚未支付，没有可退的费用。")
    standing = queries.standing_fen(bill_id=bill_id)
    charges = bill.charges.filter(reversal_of__isnull=True, status=ChargeStatus.BILLED)
    if charge_ids is not None:
        charges = charges.filter(pk__in=charge_ids)
    total_fen = sum(
        _reverse(bill, charge, standing[charge.pk], reason, by=by, at=at)
        for charge in charges.order_by("id")
    )
    if bill.total_fen == 0 and bill.status == BillStatus.SETTLED:
        move(bill, BillStatus.REFUNDED, by=by, at=at, reason=reason)
    if total_fen:
        events.emit(ChargesReversed(bill_id=bill.pk, amount_fen=total_fen))
    publish(bill)
    return total_fen


def reduce_charges(*, bill_id: int, by_fen: int, reason: str, by: Actor, at: dt.datetime) -> int:
    """Take a difference back from a paid bill, from its last lines first, and owe it to the payer:
    the fen due back, never more than what still stands. Raises BillNotPayable when it was never
    paid."""
    bill = lock_bill(bill_id=bill_id)
    if bill.status not in PAID:
        raise BillNotPayable("该账单尚未支付，没有可退的费用。")
    standing = queries.standing_fen(bill_id=bill_id)
    left_fen = min(by_fen, sum(standing.values()))
    total_fen = 0
    for charge in bill.charges.filter(pk__in=standing).order_by("-id"):
        part_fen = min(left_fen - total_fen, standing[charge.pk])
        if part_fen > 0:
            total_fen += _reverse(bill, charge, part_fen, reason, by=by, at=at, of=standing)
    if total_fen:
        events.emit(ChargesReversed(bill_id=bill.pk, amount_fen=total_fen))
        publish(bill)
    return total_fen


def post_refund(
    *,
    bill_id: int,
    amount_fen: int,
    reference: str,
    method: str = "wechat",
    by: Actor,
    at: dt.datetime,
) -> bool:
    """Book money that went back under our refund number; False when it was booked before.

    Raises RefundTooMuch when less than that is due back.
    """
    bill = lock_bill(bill_id=bill_id)
    if bill.postings.filter(kind=PostingKind.REFUND, reference=reference).exists():
        return False
    before = queries.balance(bill_id=bill.pk)
    if amount_fen > before.due_fen:
        raise RefundTooMuch(due_fen=before.due_fen, refund_fen=amount_fen)
    _post(
        bill,
        PostingKind.REFUND,
        debit=REFUND_DUE,
        credit=cash(method),
        amount_fen=amount_fen,
        reference=reference,
        by=by,
        at=at,
    )
    to = _status_after_refund(bill, before, amount_fen)
    if to != bill.status:
        move(bill, to, by=by, at=at, reason=reference)
    publish(bill)
    return True


def _status_after_refund(bill: Bill, before: queries.Balance, refund_fen: int) -> str:
    """A bill is refunded once nothing of it is earned or owed; an overpayment's way back is none
    of its status' business."""
    if before.revenue_fen == 0 and before.due_fen == refund_fen:
        return BillStatus.REFUNDED
    left_fen = before.cash_fen - refund_fen
    return BillStatus.PARTIALLY_REFUNDED if left_fen < bill.total_fen else bill.status


def _pay_again(
    bill: Bill, method: str, amount_fen: int, reference: str, *, by: Actor, at: dt.datetime
) -> Settlement:
    known = bill.postings.filter(
        kind__in=[PostingKind.SETTLE, PostingKind.SURPLUS], reference=reference
    )
    if amount_fen == 0 or known.exists():
        return Settlement.REPEATED
    _post(
        bill,
        PostingKind.SURPLUS,
        debit=cash(method),
        credit=REFUND_DUE,
        amount_fen=amount_fen,
        reference=reference,
        by=by,
        at=at,
    )
    publish(bill)
    return Settlement.SURPLUS


def _reverse(
    bill: Bill,
    charge: Charge,
    fen: int,
    reason: str,
    *,
    by: Actor,
    at: dt.datetime,
    of: Mapping[int, int] | None = None,
) -> int:
    """Take so much of a line back: all that stands of it, unless `of` says that more does."""
    if of is None or of[charge.pk] == fen:
        move(charge, ChargeStatus.REVERSED, by=by, at=at, reason=reason)
    child = Charge.objects.create(
        bill=bill,
        patient_id=charge.patient_id,
        price_item_id=charge.price_item_id,
        item_code=charge.item_code,
        item_name=charge.item_name,
        category=charge.category,
        quantity=charge.quantity,
        amount_fen=-fen,
        source_kind=charge.source_kind,
        source_id=charge.source_id,
        reversal_of=charge,
        status=ChargeStatus.BILLED,
        created_at=at,
    )
    if fen:
        _post(
            bill,
            PostingKind.REVERSE,
            debit=revenue(charge.category),
            credit=REFUND_DUE,
            amount_fen=fen,
            charge=child,
            by=by,
            at=at,
        )
    return fen


def _post(
    bill: Bill,
    kind: PostingKind,
    *,
    debit: str,
    credit: str,
    amount_fen: int,
    charge: Charge | None = None,
    reference: str = "",
    by: Actor,
    at: dt.datetime,
) -> None:
    Posting.objects.create(
        debit=debit,
        credit=credit,
        amount_fen=amount_fen,
        bill=bill,
        charge=charge,
        kind=kind,
        reference=reference,
        by=str(by),
        at=at,
    )
