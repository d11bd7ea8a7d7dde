"""Bills before money: charge, let one payment have it, give it up (SM9)."""

import datetime as dt
from collections.abc import Sequence

from django.db import connection

from hospital.billing.actions.locking import (
    BillNotPayable,
    inside_a_transaction,
    lock_bill,
    numbered,
    publish,
)
from hospital.billing.actions.settling import settle_bill
from hospital.billing.events import BillReopened, BillUnwanted
from hospital.billing.models import Bill, Charge
from hospital.billing.states import PAID, BillStatus, ChargeStatus, is_payable
from hospital.catalogue.queries import FeeLine
from hospital.kernel import events, serials
from hospital.kernel.actors import Actor
from hospital.kernel.states import move


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
    waiver: str = "",
    credit_guarantee: bool = False,
    by: Actor,
    at: dt.datetime,
) -> Bill:
    """Charge the lines to the patient and issue the bill that asks for them.

    `source` says what for, such as ("appointment", 12); `wechat_user_id` who is asked to pay;
    `path` where the result is shown; `waiver` why the lines cost nothing (M1.14). With
    `credit_guarantee` the treatment does not wait for the money (M1.17). A total of nought is
    settled at once (M4.9). Call it last: the bill's gap-free number locks its series until commit.
    """
    inside_a_transaction()
    number = numbered("B", "bill", at)
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
        credit_guarantee=credit_guarantee,
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
            waiver=waiver,
            status=ChargeStatus.BILLED,
            created_at=at,
        )
        for line in lines
    )
    if bill.total_fen == 0:
        settle_bill(bill_id=bill.pk, method="none", amount_fen=0, reference="", by=by, at=at)
        bill.refresh_from_db()
    return bill


def start_paying(*, bill_id: int, by: Actor, at: dt.datetime) -> Bill:
    """Let a payment have the bill: issued → paying; nothing changes while one has it already.

    Raises BillNotPayable when it is paid, given up or past its time.
    """
    bill = lock_bill(bill_id=bill_id)
    if bill.status in PAID:
        raise BillNotPayable("该账单已支付，无需再次支付。")
    if not is_payable(bill.status, bill.expires_at, at):
        raise BillNotPayable
    if bill.status == BillStatus.ISSUED:
        move(bill, BillStatus.PAYING, by=by, at=at)
        publish(bill)
    return bill


def stop_paying(*, bill_id: int, by: Actor, at: dt.datetime, reason: str = "") -> Bill:
    """The payment came to nothing: paying → issued, and the news goes up. Else nothing happens."""
    bill = lock_bill(bill_id=bill_id)
    if bill.status == BillStatus.PAYING:
        move(bill, BillStatus.ISSUED, by=by, at=at, reason=reason)
        events.emit(BillReopened(bill_id=bill.pk))
        publish(bill)
    return bill


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


def _give_up(bill_id: int, to: BillStatus, *, by: Actor, at: dt.datetime, reason: str) -> Bill:
    bill = lock_bill(bill_id=bill_id)
    if bill.status == BillStatus.ISSUED:
        move(bill, to, by=by, at=at, reason=reason)
        publish(bill)
    return bill
