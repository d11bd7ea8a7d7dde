"""Cash: what a bill still owes in notes, and what went through one person's hands."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Q, QuerySet, Sum

from hospital.billing import queries as bills
from hospital.billing.states import BillStatus, PostingKind
from hospital.kernel.clock import Period, hospital_day
from hospital.payments import thresholds
from hospital.payments.models import CashEntry, Payment
from hospital.payments.states import RECEIVED, CashKind, Scene

if TYPE_CHECKING:
    from hospital.billing.models import Bill

# Of these a part may be owed; of one that was given back whole nothing is.
_MAY_OWE = (BillStatus.SETTLED, BillStatus.PARTIALLY_REFUNDED)


@dataclass(frozen=True, slots=True)
class CashOwed:
    """Notes that wait for whoever paid a bill: `taken` is how they came, with bill and patient."""

    taken: CashEntry
    owed_fen: int

    @property
    def bill(self) -> "Bill":
        return self.taken.bill

    def is_supervisors(self, at: dt.datetime) -> bool:
        """Whether a supervisor hands it back (H9.3)."""
        return _is_supervisors(self.taken.at, self.owed_fen, at)


@dataclass(frozen=True, slots=True)
class ShiftMoney:
    """What one person took and gave in a period: counts and fen. Money by payment code is the
    cashier's too, and is no cash (H9.6)."""

    cash_count: int
    cash_fen: int
    back_count: int
    back_fen: int
    code_count: int
    code_fen: int

    @property
    def drawer_fen(self) -> int:
        """What must lie in the drawer beyond what it began with."""
        return self.cash_fen - self.back_fen


def cash_owed_fen(*, bill_id: int) -> int:
    """What is to be handed back in notes of a bill: its reversed charges, as far as cash had paid
    them. A second payment on WeChat is none of it: that goes back the way it came."""
    return cash_owed_sums(bill_ids=[bill_id]).get(bill_id, 0)


def cash_owed_sums(*, bill_ids: Collection[int]) -> dict[int, int]:
    """The same for many bills: bill id → fen, only of bills that were paid in cash."""
    taken = CashEntry.objects.filter(bill_id__in=bill_ids, kind=CashKind.TAKEN)
    paid = set(taken.values_list("bill_id", flat=True))
    if not paid:
        return {}
    back = dict(
        CashEntry.objects.filter(bill_id__in=paid, kind=CashKind.BACK)
        .values_list("bill_id")
        .annotate(fen=Sum("amount_fen"))
    )
    reversed_fen = bills.reversed_sums(bill_ids=paid)
    return {bill_id: reversed_fen.get(bill_id, 0) - back.get(bill_id, 0) for bill_id in paid}


def cash_owed() -> list[CashOwed]:
    """All that waits to be handed back in notes, the oldest first."""
    taken = (
        CashEntry.objects.filter(kind=CashKind.TAKEN, bill__status__in=_MAY_OWE)
        .filter(bill__postings__kind=PostingKind.REVERSE)
        .select_related("bill__patient")
        .distinct()
        .order_by("pk")
    )
    owed = cash_owed_sums(bill_ids=[entry.bill_id for entry in taken])
    return [CashOwed(entry, owed[entry.bill_id]) for entry in taken if owed[entry.bill_id] > 0]


def needs_supervisor(*, owed: Mapping[int, int], at: dt.datetime) -> bool:
    """Whether cash owed (bill id → fen) is a supervisor's to hand back: another day's, or more
    than one person gives out alone (H9.3)."""
    taken = CashEntry.objects.filter(bill_id__in=owed, kind=CashKind.TAKEN)
    return any(_is_supervisors(entry.at, owed[entry.bill_id], at) for entry in taken)


def _is_supervisors(taken_at: dt.datetime, owed_fen: int, at: dt.datetime) -> bool:
    is_large = owed_fen > thresholds.APPROVAL_ABOVE_FEN.value()
    return is_large or hospital_day(taken_at) != hospital_day(at)


def cash_left_fen(*, bill_id: int) -> int:
    """What of a bill's cash pays for charges that still stand, and would go back in notes."""
    taken = CashEntry.objects.filter(bill_id=bill_id, kind=CashKind.TAKEN).first()
    gone = bills.reversed_sums(bill_ids=[bill_id]).get(bill_id, 0)
    return max(0, taken.amount_fen - gone) if taken is not None else 0


def cash_of(*, bill_id: int) -> list[CashEntry]:
    """Cash taken and handed back for a bill, in order."""
    return list(CashEntry.objects.filter(bill_id=bill_id).order_by("pk"))


def shift_money(*, cashier: str, period: Period) -> ShiftMoney:
    """What went through a person's hands in a period."""
    taken, back = Q(kind=CashKind.TAKEN), Q(kind=CashKind.BACK)
    cash = _cash_entries(cashier, period).aggregate(
        cash_count=Count("pk", filter=taken),
        cash_fen=Sum("amount_fen", filter=taken, default=0),
        back_count=Count("pk", filter=back),
        back_fen=Sum("amount_fen", filter=back, default=0),
    )
    codes = Payment.objects.filter(
        made_by=cashier,
        scene__in=[Scene.CASHIER_SCAN, Scene.SCREEN_CODE],
        status__in=sorted(RECEIVED),
        created_at__gte=period.start,
        created_at__lt=period.end,
    ).aggregate(code_count=Count("pk"), code_fen=Sum("amount_fen", default=0))
    return ShiftMoney(**cash, **codes)


def cash_entries(*, cashier: str, period: Period) -> list[CashEntry]:
    """A person's cash of a period, newest first, with bills and patients."""
    rows = _cash_entries(cashier, period).select_related("bill__patient")
    return list(rows.order_by("-pk"))


def _cash_entries(cashier: str, period: Period) -> QuerySet[CashEntry]:
    return CashEntry.objects.filter(cashier=cashier, at__gte=period.start, at__lt=period.end)
