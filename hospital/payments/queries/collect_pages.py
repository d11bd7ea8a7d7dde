"""The collect page of one bill: who pays what, and how the newest attempt stands."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hospital.billing import queries as bills
from hospital.billing.states import PAID, BillStatus
from hospital.kernel.errors import NotFound
from hospital.payments.models import PayCode, Payment
from hospital.payments.queries.collecting import CollectView, collect_view
from hospital.payments.queries.pay_codes import pay_codes_of
from hospital.payments.states import CollectState, Scene, TradeType

if TYPE_CHECKING:
    from hospital.billing.models import Bill, Charge

# A charge that failed longer ago says nothing to the person at the window.
_STILL_NEWS = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectPage:
    """A bill at the window; the name is to be masked. `attempt` is the order that stands, else the
    one that brought the money, else a charge that failed just now."""

    bill: "Bill"
    lines: tuple["Charge", ...]
    attempt: CollectView | None
    code: PayCode | None

    @property
    def is_payable(self) -> bool:
        """Nothing stands in the way of collecting now."""
        free = self.attempt is None or self.attempt.state is CollectState.FAILED
        return free and self.bill.status == BillStatus.ISSUED

    @property
    def is_paid(self) -> bool:
        return self.bill.status in PAID

    @property
    def is_scan(self) -> bool:
        return self.attempt is not None and self.attempt.payment.trade_type == TradeType.SCAN

    @property
    def is_native(self) -> bool:
        return self.attempt is not None and self.attempt.payment.trade_type == TradeType.NATIVE

    @property
    def polls(self) -> bool:
        """Worth a look every few seconds; not while somebody may be typing into the page."""
        is_open_form = not (self.is_scan or self.is_native)
        is_sure = self.attempt is not None and self.attempt.state is CollectState.CONFIRMING
        return self.is_moving and (is_sure or not is_open_form)

    @property
    def is_moving(self) -> bool:
        """Something may change without anybody's hand."""
        return self.attempt is not None and self.attempt.state in {
            CollectState.WAITING,
            CollectState.CONFIRMING,
        }


def collect_page(*, number: str, at: dt.datetime) -> CollectPage:
    """A bill by its number. Raises NotFound."""
    bill = bills.bill_by_number(number=number)
    if bill is None:
        raise NotFound("没有找到这张账单。")
    latest = _attempt(bill.pk, at)
    return CollectPage(
        bill=bill,
        lines=tuple(
            line for line in bills.charges_of(bill_id=bill.pk) if line.reversal_of_id is None
        ),
        attempt=collect_view(payment_id=latest.pk, at=at) if latest else None,
        code=next((code for code in pay_codes_of(bill_id=bill.pk) if not code.revoked_at), None),
    )


def _attempt(bill_id: int, at: dt.datetime) -> Payment | None:
    payments = list(Payment.objects.filter(allocations__bill_id=bill_id).order_by("-pk"))
    live = next((row for row in payments if row.is_live), None)
    received = next((row for row in payments if row.is_received), None)
    found = live or received
    if found is not None or not payments:
        return found
    newest = payments[0]
    is_ours = newest.scene == Scene.CASHIER_SCAN
    return newest if is_ours and at - newest.created_at < _STILL_NEWS else None
