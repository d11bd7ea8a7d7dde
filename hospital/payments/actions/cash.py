"""Cash over the counter: taken for a bill, handed back when its charges were reversed (H3.3, H9.3).

What was paid in cash goes back in cash, and what was paid on WeChat never does. Locks: bill.
"""

import datetime as dt
from typing import Final

from django.db import transaction

from hospital.billing import actions as billing
from hospital.billing.states import BillStatus
from hospital.kernel import audit, request_keys
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotAllowed, Refusal
from hospital.payments import numbers, queries
from hospital.payments.models import CashEntry
from hospital.payments.states import CASH_METHOD, CashKind

# Nobody lays down so much more than is asked for: a number was scanned or typed wrongly.
_MOST_CHANGE_FEN: Final = 100_000


class TooLittleCash(Refusal):
    code = "TOO_LITTLE_CASH"
    default_message = "实收金额少于应收金额，请核对。"


class TooMuchChange(Refusal):
    code = "TOO_MUCH_CHANGE"
    default_message = "找零超过 1,000 元，请核对实收金额。"


class PaidOnAPhone(Refusal):
    """A payment of this bill stands at WeChat and may succeed any moment (M4.4)."""

    code = "BILL_PAYING"
    default_message = "这张账单有一笔微信支付还没有结果，现在收现金可能重复收款。请先等结果。"


class NoCashOwed(Refusal):
    code = "NO_CASH_OWED"
    default_message = "没有要退的现金：可能已经退过，或者当时是用微信付的（原路退回）。"


class CashBackNeedsSupervisor(NotAllowed):
    """H9.3: large sums and other days' money are handed back by a supervisor."""

    code = "CASH_BACK_NEEDS_SUPERVISOR"
    default_message = "隔日或大额的现金退款，请收费主管办理。"


def take_cash(
    *, bill_id: int, shown_fen: int, tendered_fen: int, key: str, by: Actor, at: dt.datetime
) -> CashEntry:
    """Settle a bill with notes; the entry knows the change (H3.3).

    `shown_fen` is what the cashier saw; the same `key` again gives the same entry. Raises
    KeyReused, NotFound, BillNotPayable, BillChanged, PaidOnAPhone, TooLittleCash, TooMuchChange.
    """
    with transaction.atomic():
        claim = request_keys.claim(
            key=key,
            scope=f"payments.take_cash:{by}",
            inputs={"bill": bill_id, "fen": shown_fen, "tendered": tendered_fen},
            at=at,
        )
        if claim.answer is not None:
            return CashEntry.objects.select_related("bill").get(number=claim.answer["number"])
        bill = billing.lock_bill(bill_id=bill_id)
        if bill.status == BillStatus.PAYING:
            raise PaidOnAPhone
        billing.start_paying(bill_id=bill_id, by=by, at=at)
        if bill.total_fen != shown_fen:
            raise billing.BillChanged
        if tendered_fen < bill.total_fen:
            raise TooLittleCash
        if tendered_fen - bill.total_fen > _MOST_CHANGE_FEN:
            raise TooMuchChange
        number = numbers.cash_number(at=at)
        billing.settle_bill(
            bill_id=bill_id,
            method=CASH_METHOD,
            amount_fen=bill.total_fen,
            reference=number,
            by=by,
            at=at,
        )
        entry = _write(number, CashKind.TAKEN, bill_id, bill.total_fen, tendered_fen, by, at)
        claim.finish({"number": number})
        return entry


def hand_back_cash(
    *,
    bill_id: int,
    shown_fen: int,
    key: str,
    is_supervisor: bool = False,
    by: Actor,
    at: dt.datetime,
) -> CashEntry:
    """Note that the cash a bill owes was handed back to whoever paid it.

    Only what `cash_owed_fen` says, on the day it was taken and up to the sum that needs no second
    person; else by a supervisor (H9.3). Raises KeyReused, NotFound, NoCashOwed, BillChanged,
    CashBackNeedsSupervisor.
    """
    with transaction.atomic():
        claim = request_keys.claim(
            key=key,
            scope=f"payments.hand_back_cash:{by}",
            inputs={"bill": bill_id, "fen": shown_fen},
            at=at,
        )
        if claim.answer is not None:
            return CashEntry.objects.select_related("bill").get(number=claim.answer["number"])
        billing.lock_bill(bill_id=bill_id)
        owed_fen = queries.cash_owed_fen(bill_id=bill_id)
        if owed_fen <= 0:
            raise NoCashOwed
        if owed_fen != shown_fen:
            raise billing.BillChanged
        taken = CashEntry.objects.get(bill_id=bill_id, kind=CashKind.TAKEN)
        if not is_supervisor and queries.needs_supervisor(owed={bill_id: owed_fen}, at=at):
            raise CashBackNeedsSupervisor(person_id=taken.patient_id)
        number = numbers.cash_number(at=at)
        billing.post_refund(
            bill_id=bill_id,
            amount_fen=owed_fen,
            reference=number,
            method=CASH_METHOD,
            by=by,
            at=at,
        )
        entry = _write(number, CashKind.BACK, bill_id, owed_fen, None, by, at)
        claim.finish({"number": number})
        return entry


def _write(
    number: str,
    kind: CashKind,
    bill_id: int,
    amount_fen: int,
    tendered_fen: int | None,
    by: Actor,
    at: dt.datetime,
) -> CashEntry:
    entry = CashEntry.objects.create(
        number=number,
        kind=kind,
        bill_id=bill_id,
        amount_fen=amount_fen,
        tendered_fen=tendered_fen,
        cashier=str(by),
        at=at,
    )
    act = "take_cash" if kind == CashKind.TAKEN else "hand_back_cash"
    after = {"fen": amount_fen, "number": number}
    audit.record(act=f"payments.{act}", subject=entry, by=by, at=at, after=after)
    return entry
