"""What of a paid bill may be given back, and to whom the money would go."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Sum

from hospital.billing import queries as bills
from hospital.billing.states import PAID
from hospital.kernel.errors import NotFound
from hospital.payments.models import Allocation, Payment, Refund, RefundRequest
from hospital.payments.queries.cases import refund_requests_of
from hospital.payments.spread import Part, newest_first
from hospital.payments.states import COMMITTED, RECEIVED, RequestStatus

if TYPE_CHECKING:
    from hospital.billing.models import Bill, Charge


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """So much would go back by this payment, the way it came."""

    payment: Payment
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPage:
    """A bill whose lines may be asked back. `charges` still stand; the name is to be masked."""

    bill: "Bill"
    charges: tuple["Charge", ...]
    requests: tuple[RefundRequest, ...]

    @property
    def waiting(self) -> RefundRequest | None:
        """The request that waits for approval: one at a time."""
        return next((row for row in self.requests if row.status == RequestStatus.REQUESTED), None)

    @property
    def is_paid(self) -> bool:
        return self.bill.status in PAID

    @property
    def can_ask(self) -> bool:
        return self.is_paid and self.waiting is None and any(row.amount_fen for row in self.charges)


def refund_page(*, number: str) -> RefundPage:
    """A bill by its number. Raises NotFound."""
    bill = bills.bill_by_number(number=number)
    if bill is None:
        raise NotFound("没有找到这张账单。")
    standing = bills.standing_fen(bill_id=bill.pk)
    charges = [row for row in bills.charges_of(bill_id=bill.pk) if row.pk in standing]
    for charge in charges:  # of a line of which a difference went back, what is left can go
        charge.amount_fen = standing[charge.pk]
    return RefundPage(
        bill=bill,
        charges=tuple(charges),
        requests=tuple(refund_requests_of(bill_id=bill.pk)),
    )


def destinations(*, bill_id: int, amount_fen: int) -> tuple[list[Destination], int]:
    """Where a sum of a bill would go: payments newest first, each up to what is left of it (M9.3);
    and what no payment is left for."""
    paid = {
        part.payment_id: part
        for part in Allocation.objects.filter(bill_id=bill_id, payment__status__in=RECEIVED)
        .select_related("payment", "payment__payer")
        .order_by("-payment__succeeded_at", "-payment_id")
    }
    gone = _gone_fen(bill_id, paid)
    left = [Part(key, part.amount_fen - gone.get(key, 0)) for key, part in paid.items()]
    parts, missing_fen = newest_first(amount_fen, left)
    return [
        Destination(payment=paid[part.payment_id].payment, amount_fen=part.amount_fen)
        for part in parts
    ], missing_fen


def _gone_fen(bill_id: int, payment_ids: Collection[int]) -> dict[int, int]:
    rows = Refund.objects.filter(
        bill_id=bill_id, payment__in=payment_ids, status__in=COMMITTED
    ).values("payment_id")
    return {row["payment_id"]: row["fen"] for row in rows.annotate(fen=Sum("amount_fen"))}


def refunds_of(*, bill_id: int) -> list[Refund]:
    """Every refund of a bill, newest first."""
    return list(Refund.objects.filter(bill_id=bill_id).order_by("-pk"))
