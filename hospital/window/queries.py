"""Reads of the window: how one booking stands at the counter, and a person's shift so far."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from hospital.billing import queries as bills
from hospital.billing.states import BillStatus
from hospital.kernel.clock import day_period, hospital_day
from hospital.payments import queries as payments
from hospital.payments.queries import CollectPage, ShiftMoney
from hospital.registration import queries as bookings
from hospital.registration.queries import AppointmentRow, Handled
from hospital.scheduling import queries as sessions
from hospital.window.models import SlipPrint
from hospital.window.sentences import Timing, timing
from hospital.window.states import Reprint

# Whoever comes back later has had the change: it is not said again.
_CHANGE_IS_NEWS: Final = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Counter:
    """A booking at the window: its facts, its money, what to say, the slips printed so far.
    `owed_fen` is cash to be handed back, by a supervisor when `is_supervisors` (H9.3);
    `change_fen` what the payer gets out of notes laid down just now; `expected_at` the estimated
    turn (M2.1)."""

    row: AppointmentRow
    money: CollectPage
    timing: Timing
    slips: tuple[SlipPrint, ...]
    owed_fen: int
    is_supervisors: bool
    change_fen: int | None
    expected_at: dt.datetime

    @property
    def is_done(self) -> bool:
        """Paid for, given out and printed."""
        return self.row.collected_at is not None and bool(self.slips)


@dataclass(frozen=True, slots=True)
class Shift:
    """我的班次: what one person did on a hospital day so far."""

    day: dt.date
    money: ShiftMoney
    handled: Handled
    slips: int
    reprints: int


def counter(*, number: str, at: dt.datetime) -> Counter:
    """How a booking stands at the counter now. Raises NotFound."""
    row = bookings.appointment(number=number, at=at)
    money = payments.collect_page(number=row.bill_number, at=at)
    cash = payments.cash_of(bill_id=row.bill_id)
    owed = owed_of(number=number)
    return Counter(
        row=row,
        money=money,
        timing=timing(row, at=at),
        slips=slips_of(appointment_id=row.id),
        owed_fen=sum(owed.values()),
        is_supervisors=bool(owed) and payments.needs_supervisor(owed=owed, at=at),
        change_fen=cash[0].change_fen if cash and at - cash[0].at < _CHANGE_IS_NEWS else None,
        expected_at=sessions.place_of(slot_id=row.slot_id).expected_at,
    )


def slips_of(*, appointment_id: int) -> tuple[SlipPrint, ...]:
    """The printings of a booking's slip, the first one first."""
    return tuple(SlipPrint.objects.filter(appointment_id=appointment_id).order_by("copy_no"))


def is_before_the_money(slip: SlipPrint, *, bill_id: int) -> bool:
    """Whether a slip says unpaid of what was paid since: an emergency's (M1.17)."""
    bill = bills.bill(bill_id=bill_id)
    if bill.status != BillStatus.SETTLED or bill.settled_at is None:
        return False
    return slip.at < bill.settled_at


def owed_of(*, number: str) -> dict[int, int]:
    """The cash to be handed back for a booking, by the bills that paid for it: one that was
    exchanged has several. Raises NotFound."""
    paying = bookings.paying_bills(number=number)
    owed = payments.cash_owed_sums(bill_ids=paying)
    return {bill_id: owed[bill_id] for bill_id in paying if owed.get(bill_id, 0) > 0}


def shift(*, by: str, at: dt.datetime) -> Shift:
    """A person's day so far; the close of the day comes with the cashier's (SM13)."""
    day = hospital_day(at)
    period = day_period(day)
    mine = SlipPrint.objects.filter(by=by, at__gte=period.start, at__lt=period.end)
    return Shift(
        day=day,
        money=payments.shift_money(cashier=by, period=period),
        handled=bookings.handled(by=by, period=period),
        slips=mine.count(),
        reprints=mine.filter(copy_no__gt=1).exclude(reason=Reprint.PAID).count(),
    )
