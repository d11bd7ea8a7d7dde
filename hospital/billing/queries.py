"""Reads of billing: a bill for the person asked to pay it, its money, the ledger's totals."""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TypedDict

from django.db.models import Q, Sum

from hospital.billing.models import Bill, Charge, Posting
from hospital.billing.states import (
    REFUND_DUE,
    SUSPENSE,
    BillStatus,
    ChargeStatus,
    MoneyState,
    PostingKind,
    cash,
)
from hospital.kernel.errors import NotFound
from hospital.kernel.models import Transition
from hospital.kernel.states import subject_type

_UNPAID = {
    BillStatus.ISSUED: MoneyState.UNPAID,
    BillStatus.PAYING: MoneyState.PAYING,
    BillStatus.CANCELLED: MoneyState.CLOSED,
    BillStatus.EXPIRED: MoneyState.CLOSED,
}


class Totals(TypedDict):
    """Sums over the whole ledger in fen; `balance_fen` is debits minus credits, always nought:
    what was kept is what was earned, is owed back, or waits because it could not be applied."""

    cash_fen: int
    revenue_fen: int
    due_fen: int
    suspense_fen: int
    balance_fen: int


@dataclass(frozen=True, slots=True)
class BillPage:
    """A bill for the person asked to pay it; amounts in fen, moments in UTC."""

    id: int
    number: str
    token: str
    title: str
    path: str
    patient_name: str
    total_fen: int
    status: BillStatus
    expires_at: dt.datetime | None
    receipt_no: str
    lines: tuple[Charge, ...]


@dataclass(frozen=True, slots=True)
class Balance:
    """Where money stands, in fen: kept, earned, owed back; and, never of a bill, suspended."""

    cash_fen: int
    revenue_fen: int
    due_fen: int
    suspense_fen: int = 0


@dataclass(frozen=True, slots=True)
class Money:
    """The payment side of a bill as pages show it (SM3): amounts in fen. `settled_fen` is what it
    was once paid with, `cash_fen` the part of it that came as notes and goes back as notes."""

    bill_id: int
    number: str
    token: str
    total_fen: int
    settled_fen: int
    cash_fen: int
    refunded_fen: int
    due_fen: int
    receipt_no: str
    state: MoneyState


@dataclass(frozen=True, slots=True)
class Arrears:
    """欠费: a guaranteed bill nobody has paid yet; fen, UTC."""

    number: str
    title: str
    patient_id: int
    patient_name: str
    patient_number: str
    total_fen: int
    issued_at: dt.datetime
    is_being_paid: bool


def open_bills_with(*, price_item_id: int) -> int:
    """How many bills that are still to be paid hold a live charge of a price item."""
    owed = Bill.objects.filter(status__in=[BillStatus.ISSUED, BillStatus.PAYING])
    return owed.filter(charges__price_item_id=price_item_id).distinct().count()


def arrears() -> list[Arrears]:
    """What was guaranteed and is still to be paid, the oldest first (M1.17)."""
    rows = Bill.objects.select_related("patient").filter(
        credit_guarantee=True, status__in=[BillStatus.ISSUED, BillStatus.PAYING]
    )
    return [
        Arrears(
            number=row.number,
            title=row.title,
            patient_id=row.patient_id,
            patient_name=row.patient.name,
            patient_number=row.patient.outpatient_no,
            total_fen=row.total_fen,
            issued_at=row.issued_at,
            is_being_paid=row.status == BillStatus.PAYING,
        )
        for row in rows.order_by("issued_at", "pk")
    ]


def is_reversed(*, bill_id: int) -> bool:
    """Whether anything of a bill has been taken back."""
    return Charge.objects.filter(bill_id=bill_id, reversal_of__isnull=False).exists()


def standing_fen(*, bill_id: int) -> dict[int, int]:
    """The lines of a bill not taken back yet, with what still stands of each: charge id → fen."""
    lines = Charge.objects.filter(
        bill_id=bill_id, reversal_of__isnull=True, status=ChargeStatus.BILLED
    ).annotate(gone_fen=Sum("reversed_by__amount_fen", default=0))
    return {line.pk: line.amount_fen + line.gone_fen for line in lines.order_by("pk")}


def refund_due_fen(*, bill_id: int) -> int:
    """What is owed back to whoever paid a bill, in fen."""
    return balance(bill_id=bill_id).due_fen


def payable_bill_for(*, wechat_user_id: int, token: str) -> BillPage:
    """The bill of a token for the user asked to pay it, whatever has become of it.

    Raises NotFound when there is none, it is somebody else's, or the user may no longer act for
    the patient (M11.2).
    """
    bills = Bill.objects.select_related("patient").filter(
        token=token,
        wechat_user_id=wechat_user_id,
        patient__bindings__wechat_user_id=wechat_user_id,
        patient__bindings__ended_at__isnull=True,
    )
    found = bills.first()
    if found is None:
        raise NotFound("没有找到这张账单。")
    return BillPage(
        id=found.pk,
        number=found.number,
        token=found.token,
        title=found.title,
        path=found.path,
        patient_name=found.patient.name,
        total_fen=found.total_fen,
        status=BillStatus(found.status),
        expires_at=found.expires_at,
        receipt_no=found.receipt_no,
        lines=tuple(charges_of(bill_id=found.pk)),
    )


def owed_bills_for(*, wechat_user_id: int, patient_id: int) -> list[Bill]:
    """The bills of a patient that this user has been asked to pay and has not, oldest first."""
    owed = Bill.objects.filter(wechat_user_id=wechat_user_id, patient_id=patient_id)
    return list(owed.filter(status__in=[BillStatus.ISSUED, BillStatus.PAYING]).order_by("pk"))


def bill(*, bill_id: int) -> Bill:
    """One bill, `.patient` loaded. Raises NotFound."""
    found = Bill.objects.select_related("patient").filter(pk=bill_id).first()
    if found is None:
        raise NotFound("没有找到这张账单。")
    return found


def bill_by_number(*, number: str) -> Bill | None:
    """A bill by the number on paper, for the desk."""
    return Bill.objects.select_related("patient").filter(number=number).first()


def charges_of(*, bill_id: int) -> list[Charge]:
    """All lines of a bill, reversals among them, in the order they were made."""
    return list(Charge.objects.filter(bill_id=bill_id).order_by("id"))


def history_of(*, bill_id: int) -> list[Transition]:
    """All moves of a bill, oldest first."""
    return list(
        Transition.objects.filter(subject_type=subject_type(Bill), subject_id=bill_id).order_by(
            "id"
        )
    )


def balance(*, bill_id: int) -> Balance:
    """Where one bill's money stands now."""
    return _balance(
        Posting.objects.filter(bill_id=bill_id).values_list("debit", "credit", "amount_fen")
    )


def is_suspended(*, reference: str) -> bool:
    """Whether a payment's money was booked as money we cannot apply."""
    return Posting.objects.filter(kind=PostingKind.SUSPEND, reference=reference).exists()


def suspended_fen(*, reference: str) -> int:
    """What is still held of money we could not apply, by its payment's number."""
    return suspended_sums(references=[reference]).get(reference, 0)


def suspended_sums(*, references: Collection[str]) -> dict[str, int]:
    """The same for many payments in one statement: number → fen still held."""
    came = Posting.objects.filter(kind=PostingKind.SUSPEND, reference__in=references)
    rows = came.annotate(gone_fen=Sum("returns__amount_fen", default=0))
    return {row.reference: row.amount_fen - row.gone_fen for row in rows}


def due_sums(*, bill_ids: Collection[int]) -> dict[int, int]:
    """What is owed back to whoever paid, of many bills in one statement: bill id → fen."""
    rows = Posting.objects.filter(bill_id__in=bill_ids).values("bill_id")
    sums = rows.annotate(
        owed_fen=Sum("amount_fen", filter=Q(credit=REFUND_DUE), default=0),
        paid_fen=Sum("amount_fen", filter=Q(debit=REFUND_DUE), default=0),
    )
    return {row["bill_id"]: row["owed_fen"] - row["paid_fen"] for row in sums}


def reversed_sums(*, bill_ids: Collection[int]) -> dict[int, int]:
    """What of bills' charges was taken back since they were paid: bill id → fen."""
    rows = Posting.objects.filter(bill_id__in=bill_ids, kind=PostingKind.REVERSE)
    sums = rows.order_by().values_list("bill_id").annotate(fen=Sum("amount_fen"))
    return {bill_id: fen for bill_id, fen in sums if bill_id is not None}


def surplus_references(*, bill_id: int) -> set[str]:
    """The payments a bill did not need: their money is due back whatever becomes of the bill."""
    rows = Posting.objects.filter(bill_id=bill_id, kind=PostingKind.SURPLUS)
    return set(rows.values_list("reference", flat=True))


def money_of(bills: Collection[Bill]) -> dict[int, Money]:
    """Bill id → its payment side; one statement for all of them."""
    rows = (
        Posting.objects.filter(bill__in=bills)
        .values("bill_id", "kind")
        .annotate(
            fen=Sum("amount_fen"),
            cash_fen=Sum("amount_fen", filter=Q(debit=cash("cash")), default=0),
        )
    )
    sums = {(row["bill_id"], row["kind"]): row["fen"] for row in rows}
    notes = {row["bill_id"]: row["cash_fen"] for row in rows if row["kind"] == PostingKind.SETTLE}
    return {bill.pk: _money(bill, sums, notes.get(bill.pk, 0)) for bill in bills}


def ledger_totals() -> Totals:
    """The whole ledger in one line: money kept, earned, owed back and suspended."""
    kept = _balance(
        Posting.objects.values("debit", "credit")
        .annotate(fen=Sum("amount_fen"))
        .values_list("debit", "credit", "fen")
    )
    return Totals(
        cash_fen=kept.cash_fen,
        revenue_fen=kept.revenue_fen,
        due_fen=kept.due_fen,
        suspense_fen=kept.suspense_fen,
        balance_fen=kept.cash_fen - kept.revenue_fen - kept.due_fen - kept.suspense_fen,
    )


def _balance(rows: Iterable[tuple[str, str, int]]) -> Balance:
    held: dict[str, int] = {}
    for debit, credit, fen in rows:
        for account, change in ((debit, fen), (credit, -fen)):
            kind = account.partition(":")[0]
            held[kind] = held.get(kind, 0) + change
    return Balance(
        cash_fen=held.get("cash", 0),
        revenue_fen=-held.get("revenue", 0),
        due_fen=-held.get(REFUND_DUE, 0),
        suspense_fen=-held.get(SUSPENSE, 0),
    )


def _money(bill: Bill, sums: dict[tuple[int, str], int], cash_fen: int) -> Money:
    def total(*kinds: PostingKind) -> int:
        return sum(sums.get((bill.pk, kind), 0) for kind in kinds)

    refunded_fen = total(PostingKind.REFUND)
    due_fen = total(PostingKind.REVERSE, PostingKind.SURPLUS) - refunded_fen
    return Money(
        bill_id=bill.pk,
        number=bill.number,
        token=bill.token,
        total_fen=bill.total_fen,
        settled_fen=total(PostingKind.SETTLE),
        cash_fen=cash_fen,
        refunded_fen=refunded_fen,
        due_fen=due_fen,
        receipt_no=bill.receipt_no,
        state=_money_state(bill, due_fen),
    )


def _money_state(bill: Bill, due_fen: int) -> MoneyState:
    unpaid = _UNPAID.get(BillStatus(bill.status))
    if unpaid is not None:
        return unpaid
    if bill.total_fen == 0:
        return MoneyState.WAIVED
    if due_fen:
        return MoneyState.REFUNDING
    return {
        BillStatus.SETTLED: MoneyState.PAID,
        BillStatus.PARTIALLY_REFUNDED: MoneyState.PARTIALLY_REFUNDED,
        BillStatus.REFUNDED: MoneyState.REFUNDED,
    }[BillStatus(bill.status)]
