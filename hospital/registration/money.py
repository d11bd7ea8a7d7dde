"""What a booking was paid with: its own bill, and those of the bookings it was exchanged for.

An exchange asks only for the difference: what was paid before stays with the earlier bill, and so
goes back the way it came, whoever cancels and whenever (M1.7).
"""

import dataclasses
import datetime as dt
from typing import Final

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.queries import Money
from hospital.billing.states import PAID, MoneyState
from hospital.kernel.actors import Actor
from hospital.registration.models import Appointment
from hospital.registration.states import VOID, WayBack

_NOT_PAID: Final = (MoneyState.UNPAID, MoneyState.PAYING, MoneyState.CLOSED)


def bills_of(row: Appointment) -> list[int]:
    """The bills that pay for a booking, its own first. No statement unless it was exchanged."""
    found, current = [row.bill_id], row
    while current.replaces_id is not None:
        earlier = Appointment.objects.get(pk=current.replaces_id)
        if earlier.successor_id != current.pk:
            break
        found.append(earlier.bill_id)
        current = earlier
    return found


def standing_of(row: Appointment) -> int:
    """What stands of all that was paid for a booking, in fen: what was charged and never paid,
    before an exchange or at all, is no money."""
    paid = [one for one in bills_of(row) if bills.bill(bill_id=one).status in PAID]
    return sum(sum(bills.standing_fen(bill_id=one).values()) for one in paid)


def take_back(row: Appointment, *, fen: int, reason: str, by: Actor, at: dt.datetime) -> int:
    """Owe a difference to whoever paid, the latest bill first; what is owed now, in fen.

    Locks the bills from the latest to the first, as everybody does who needs several of them.
    """
    back_fen = 0
    for bill_id in bills_of(row):
        if back_fen < fen and billing.lock_bill(bill_id=bill_id).status in PAID:
            back_fen += billing.reduce_charges(
                bill_id=bill_id, by_fen=fen - back_fen, reason=reason, by=by, at=at
            )
    return back_fen


def take_all_back(row: Appointment, *, reason: str, by: Actor, at: dt.datetime) -> int:
    """Owe everything to whoever paid, give up what was not paid; what is owed now, in fen."""
    back_fen = 0
    for bill_id in bills_of(row):
        if billing.lock_bill(bill_id=bill_id).status in PAID:
            back_fen += billing.reverse_charges(bill_id=bill_id, reason=reason, by=by, at=at)
        else:
            billing.cancel_bill(bill_id=bill_id, by=by, at=at, reason=reason)
    return back_fen


def whole_money(row: Appointment, own: Money) -> Money:
    """The payment side of a booking as pages show it: all that an exchanged one was paid with, as
    one; what it costs now when a difference went back."""
    earlier = [bills.bill(bill_id=bill_id) for bill_id in bills_of(row)[1:]]
    paid = [bill for bill in earlier if bill.status in PAID]
    if (own.state in _NOT_PAID and not paid) or not (earlier or row.consent):
        return own
    parts = [own, *bills.money_of(paid).values()]
    due_fen = sum(part.due_fen for part in parts)
    refunded_fen = sum(part.refunded_fen for part in parts)
    is_over = row.status in VOID
    total_fen = sum(part.total_fen for part in parts) if is_over else standing_of(row)
    state = MoneyState.PAID if total_fen else MoneyState.WAIVED
    if is_over and refunded_fen:
        state = MoneyState.REFUNDED
    if due_fen:
        state = MoneyState.REFUNDING
    return dataclasses.replace(
        own,
        total_fen=total_fen,
        settled_fen=sum(part.settled_fen for part in parts),
        cash_fen=sum(part.cash_fen for part in parts),
        due_fen=due_fen,
        refunded_fen=refunded_fen,
        state=state,
    )


def way_back(money: Money) -> WayBack:
    """How what was paid comes back: notes over the counter, everything else the way it came."""
    if not money.settled_fen:
        return WayBack.NOTHING
    if not money.cash_fen:
        return WayBack.ACCOUNT
    return WayBack.CASH if money.cash_fen == money.settled_fen else WayBack.BOTH


def way_back_of(row: Appointment) -> WayBack:
    """The same for one booking."""
    return way_back(whole_money(row, bills.money_of([row.bill])[row.bill_id]))
