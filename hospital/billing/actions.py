"""Writes of billing: charge, settle, give up, reverse, refund (SM9, M4). One bill at a time.

Every write locks its bill first and decides on what it reads then. These actions are steps of a
larger cause (a booking, a payment notice), so they join the caller's transaction.
"""

import datetime as dt
from collections.abc import Collection, Sequence

from django.db import connection

from hospital.billing import queries
from hospital.billing.events import BillReopened, BillSettled, BillUnwanted, ChargesReversed
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
from hospital.catalogue.queries import FeeLine
from hospital.kernel import events, serials
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import NotFound, Refusal
from hospital.kernel.states import move
from hospital.live import actions as live


class BillNotPayable(Refusal):
    code = "BILL_NOT_PAYABLE"
    default_message = "该账单已失效，不能再支付。"


class BillChanged(Refusal):
    code = "BILL_CHANGED"
    default_message = "账单金额已变化，请返回重新确认。"


class RefundTooMuch(Refusal):
    code = "REFUND_TOO_MUCH"
    default_message = "退款金额超过该账单应退金额。"


def reserve_bill() -> int:
    """An id for a bill to come, so that a row may point at its bill before the bill is numbered.

    Numbering locks the series until commit, so `add_charges` is best called last (M1.16).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('billing_bill', 'id'))")
        return int(cursor.fetchone()[0])


def add_charges(
    *,
    patient_id: int,
    source: tuple[str, int],
    lines: Sequence[FeeLine],
    title: str,
    path: str = "",
    wechat_user_id: int | None = None,
    expires_at: dt.datetime | None = None,
    bill_id: int | None = None,
    by: Actor,
    at: dt.datetime,
) -> Bill:
    """Charge the lines to the patient and issue the bill that asks for them.

    `source` says what for, such as ("appointment", 12); `wechat_user_id` who is asked to pay;
    `path` where the result is shown. A total of nought is settled at once (M4.9). Call it last:
    the bill's gap-free number locks its series until commit.
    """
    _inside_a_transaction()
    number = _numbered("B", "bill", at)
    bill = Bill(
        pk=bill_id,
        number=number,
        token=serials.opaque(),
        patient_id=patient_id,
        wechat_user_id=wechat_user_id,
        title=title,
        path=path,
        total_fen=sum(line.amount_fen for line in lines),
        status=BillStatus.ISSUED,
        issued_at=at,
        expires_at=expires_at,
    )
    bill.save(force_insert=True)
    kind, source_id = source
    Charge.objects.bulk_create(
        Charge(
            bill=bill,
            patient_id=patient_id,
            price_item_id=line.price_item_id,
            item_code=line.code,
            item_name=line.name,
            category=line.category,
            quantity=1,
            amount_fen=line.amount_fen,
            source_kind=kind,
            source_id=source_id,
            status=ChargeStatus.BILLED,
            created_at=at,
        )
        for line in lines
    )
    if bill.total_fen == 0:
        settle_bill(bill_id=bill.pk, method="none", amount_fen=0, reference="", by=by, at=at)
        bill.refresh_from_db()
    return bill


def lock_bill(*, bill_id: int) -> Bill:
    """The bill, locked until the caller's transaction ends. Raises NotFound."""
    _inside_a_transaction()
    bill = Bill.objects.select_for_update(no_key=True).filter(pk=bill_id).first()
    if bill is None:
        raise NotFound
    return bill


def start_paying(*, bill_id: int, by: Actor, at: dt.datetime) -> Bill:
    """Let a payment have the bill: issued → paying; nothing changes while one has it already.

    Raises BillNotPayable when it is paid, given up or past its time.
    """
    bill = lock_bill(bill_id=bill_id)
    if bill.status == BillStatus.PAYING:
        return bill
    if bill.status in PAID:
        raise BillNotPayable("该账单已支付，无需再次支付。")
    if bill.status != BillStatus.ISSUED or (bill.expires_at and bill.expires_at <= at):
        raise BillNotPayable
    move(bill, BillStatus.PAYING, by=by, at=at)
    _publish(bill)
    return bill


def stop_paying(*, bill_id: int, by: Actor, at: dt.datetime, reason: str = "") -> Bill:
    """The payment came to nothing: paying → issued, and the news goes up. Else nothing happens."""
    bill = lock_bill(bill_id=bill_id)
    if bill.status == BillStatus.PAYING:
        move(bill, BillStatus.ISSUED, by=by, at=at, reason=reason)
        events.emit(BillReopened(bill_id=bill.pk))
        _publish(bill)
    return bill


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
    _publish(bill)
    receipt_no = _numbered("S", "receipt", at)
    move(bill, BillStatus.SETTLED, by=by, at=at, settled_at=at, receipt_no=receipt_no)
    return Settlement.SETTLED


def expire_bill(*, bill_id: int, by: Actor, at: dt.datetime, reason: str = "") -> Bill:
    """Give up an unpaid bill because its time is over; other than issued ones stay as they are."""
    return _give_up(bill_id, BillStatus.EXPIRED, by=by, at=at, reason=reason)


def cancel_bill(*, bill_id: int, by: Actor, at: dt.datetime, reason: str = "") -> Bill:
    """Give up an unpaid bill because it is not wanted; other than issued ones stay as they are.

    One that is being paid stays until that payment has come to its end, which is asked for.
    """
    bill = _give_up(bill_id, BillStatus.CANCELLED, by=by, at=at, reason=reason)
    if bill.status == BillStatus.PAYING:
        events.emit(BillUnwanted(bill_id=bill.pk))
    return bill


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
    charges = bill.charges.filter(reversal_of__isnull=True, status=ChargeStatus.BILLED)
    if charge_ids is not None:
        charges = charges.filter(pk__in=charge_ids)
    total_fen = sum(
        _reverse(bill, charge, reason, by=by, at=at) for charge in charges.order_by("id")
    )
    if bill.total_fen == 0 and bill.status == BillStatus.SETTLED:
        move(bill, BillStatus.REFUNDED, by=by, at=at, reason=reason)
    if total_fen:
        events.emit(ChargesReversed(bill_id=bill.pk, amount_fen=total_fen))
    _publish(bill)
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
    _publish(bill)
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
    _publish(bill)
    return Settlement.SURPLUS


def _reverse(bill: Bill, charge: Charge, reason: str, *, by: Actor, at: dt.datetime) -> int:
    move(charge, ChargeStatus.REVERSED, by=by, at=at, reason=reason)
    child = Charge.objects.create(
        bill=bill,
        patient_id=charge.patient_id,
        price_item_id=charge.price_item_id,
        item_code=charge.item_code,
        item_name=charge.item_name,
        category=charge.category,
        quantity=charge.quantity,
        amount_fen=-charge.amount_fen,
        source_kind=charge.source_kind,
        source_id=charge.source_id,
        reversal_of=charge,
        status=ChargeStatus.BILLED,
        created_at=at,
    )
    if charge.amount_fen:
        _post(
            bill,
            PostingKind.REVERSE,
            debit=revenue(charge.category),
            credit=REFUND_DUE,
            amount_fen=charge.amount_fen,
            charge=child,
            by=by,
            at=at,
        )
    return charge.amount_fen


def _give_up(bill_id: int, to: BillStatus, *, by: Actor, at: dt.datetime, reason: str) -> Bill:
    bill = lock_bill(bill_id=bill_id)
    if bill.status == BillStatus.ISSUED:
        move(bill, to, by=by, at=at, reason=reason)
        _publish(bill)
    return bill


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


def _numbered(letter: str, series: str, at: dt.datetime) -> str:
    day = hospital_day(at)
    return f"{letter}{day:%y%m%d}{serials.gap_free(series=f'{series}:{day:%Y%m%d}'):06d}"


def _publish(bill: Bill) -> None:
    live.publish(f"bill:{bill.pk}")


def _inside_a_transaction() -> None:
    assert connection.in_atomic_block, "billing joins the transaction of its cause"
