"""The books after a run: each rule says in one line what broke it; no line means that it holds."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import IntegrityError, connection

from hospital.billing import queries as bills
from hospital.billing.models import Bill, Posting
from hospital.billing.states import PAYABLE, PostingKind
from hospital.kernel.models import Transition
from hospital.messaging.models import Delivery, Message
from hospital.messaging.states import OPEN as UNTOLD
from hospital.messaging.states import Channel, Outcome, Reason
from hospital.payments.models import Payment, PaymentCase, Refund
from hospital.payments.states import LIVE, OPEN, RECEIVED, PaymentStatus, RefundStatus
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus
from hospital.scheduling.models import Slot
from hospital.scheduling.states import SlotStatus
from hospital.wechat.bill_rows import read_trade_bill
from tests.chaos.wechat import kept_fen

#: Nobody answered to the end: it may have arrived, and the next channel was taken.
UNSURE: Final = (Reason.UNSURE, Reason.GAVE_UP)


@dataclass
class Evidence:
    """What the run left outside our own database."""

    wechat: dict[str, Any]
    bills: list[str]
    slots: Counter[int]
    bill_tokens: set[str]
    refunded: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        back: defaultdict[str, int] = defaultdict(int)
        for row in self.wechat["refunds"]:
            if row["status"] == "SUCCESS":
                back[row["out_trade_no"]] += row["amount_fen"]
        self.refunded = dict(back)


def broken(evidence: Evidence) -> list[str]:
    """Every broken row, rule by rule; empty when all is well."""
    rules = (
        _nothing_waits,
        _jobs_are_done,
        _money_at_wechat_is_known,
        _money_we_know_is_at_wechat,
        _refunds_agree,
        _every_number_is_there_once,
        _a_place_or_the_money,
        _promises_are_kept,
        _the_ledger_balances,
        _wechats_bill_is_ours,
        _everybody_was_told_once,
        _every_event_was_told,
    )
    return [f"{rule.__name__.strip('_')}: {line}" for rule in rules for line in rule(evidence)]


def _nothing_waits(evidence: Evidence) -> Iterator[str]:
    waiting: dict[str, Iterable[object]] = {
        "held or waiting number": Slot.objects.filter(
            status__in=[SlotStatus.HELD, SlotStatus.RECLAIM_WAIT]
        ),
        "pending appointment": Appointment.objects.filter(status=AppointmentStatus.PENDING),
        "payable bill": Bill.objects.filter(status__in=PAYABLE),
        "live payment": Payment.objects.filter(status__in=LIVE),
        "open refund": Refund.objects.filter(status__in=OPEN),
    }
    for what, rows in waiting.items():
        for row in rows:
            yield f"{what} {row} is {getattr(row, 'status', '')}"


def _jobs_are_done(evidence: Evidence) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, task_name, status::text, attempts, args::text, worker_id, scheduled_at"
            " FROM procrastinate_jobs WHERE status <> 'succeeded' ORDER BY id"
        )
        for row in cursor.fetchall():
            yield " ".join(str(value) for value in row)


def _money_at_wechat_is_known(evidence: Evidence) -> Iterator[str]:
    """Paid there: applied to its bill, or gone back, or held with a case that says why."""
    payments = {row.out_trade_no: row for row in Payment.objects.all()}
    for order in evidence.wechat["orders"]:
        if not order["transaction_id"]:
            continue
        number, fen = order["out_trade_no"], order["total_fen"]
        payment = payments.get(number)
        if payment is None or payment.status not in RECEIVED:
            yield f"{number}: {fen} fen at WeChat, with us {payment and payment.status}"
            continue
        if (payment.transaction_id, payment.received_fen) != (order["transaction_id"], fen):
            yield f"{number}: another transaction or amount"
        back = evidence.refunded.get(number, 0)
        if not (back == fen or _is_applied(number) or _is_explained(payment)):
            yield f"{number}: {fen} fen neither applied nor returned nor explained"
        if payment.status != _status_after(payment, fen, back):
            yield f"{number}: {payment.status}, yet {back} of {fen} fen went back"


def _money_we_know_is_at_wechat(evidence: Evidence) -> Iterator[str]:
    paid = {row["out_trade_no"]: row["transaction_id"] for row in evidence.wechat["orders"]}
    for payment in Payment.objects.filter(status__in=RECEIVED):
        if paid.get(payment.out_trade_no) != payment.transaction_id:
            yield f"{payment.out_trade_no}: {payment.status}, unpaid at WeChat"
    live = Payment.objects.filter(status__in=LIVE)
    for number, state in ((row["out_trade_no"], row["state"]) for row in evidence.wechat["orders"]):
        if state == "NOTPAY" and not live.filter(out_trade_no=number).exists():
            yield f"{number}: may still be paid at WeChat, nobody waits for it"


def _refunds_agree(evidence: Evidence) -> Iterator[str]:
    ours = {row.out_refund_no: row for row in Refund.objects.select_related("payment")}
    theirs = {row["out_refund_no"]: row for row in evidence.wechat["refunds"]}
    for number in theirs.keys() - ours.keys():
        yield f"{number}: a refund nobody asked for"
    for number, refund in ours.items():
        said = theirs.get(number)
        state = said["status"] if said else "absent"
        if said and said["amount_fen"] != refund.amount_fen:
            yield f"{number}: {said['amount_fen']} fen there, {refund.amount_fen} with us"
        if refund.status == RefundStatus.SUCCEEDED and state == "SUCCESS":
            continue
        if refund.status != state.lower() or not _is_explained(refund.payment):
            yield f"{number}: {refund.status} with us, {state} there"


def _every_number_is_there_once(evidence: Evidence) -> Iterator[str]:
    if (now := Counter(Slot.objects.values_list("schedule_id", flat=True))) != evidence.slots:
        yield f"numbers by session: {dict(now)}, made were {dict(evidence.slots)}"
    seats = Counter(
        Appointment.objects.filter(status=AppointmentStatus.BOOKED).values_list(
            "slot_id", flat=True
        )
    )
    for slot in Slot.objects.all():
        if seats[slot.pk] != (slot.status == SlotStatus.BOOKED):
            yield f"number {slot.pk} is {slot.status} with {seats[slot.pk]} appointments"


def _a_place_or_the_money(evidence: Evidence) -> Iterator[str]:
    """M1.6: a paid booking has its place, or its money goes back; never both, never neither."""
    for row in Appointment.objects.select_related("bill"):
        has_place = row.status == AppointmentStatus.BOOKED
        kept = bills.balance(bill_id=row.bill_id)
        earned = row.bill.total_fen if has_place else 0
        if kept.revenue_fen != earned:
            yield f"{row.number}: {row.status} with {kept} of a bill {row.bill.status}"
        if kept.due_fen and not PaymentCase.objects.filter(closed_at=None).exists():
            yield f"{row.number}: {kept.due_fen} fen are owed and nobody sends them"


def _promises_are_kept(evidence: Evidence) -> Iterator[str]:
    """Whoever was led to a pay page has an appointment behind it, whatever was killed since."""
    known = set(Appointment.objects.values_list("bill__token", flat=True))
    for token in evidence.bill_tokens - known:
        yield f"the bill {token[:4]}… was shown and is gone"


def _the_ledger_balances(evidence: Evidence) -> Iterator[str]:
    try:
        connection.check_constraints()
    except IntegrityError as problem:
        yield str(problem)
    totals = bills.ledger_totals()
    at_wechat = kept_fen(evidence.wechat)
    if totals["balance_fen"] != 0:
        yield f"debits are not credits: {totals}"
    if totals["cash_fen"] != at_wechat:
        yield f"we think we hold {totals['cash_fen']} fen, WeChat holds {at_wechat} for us"
    wallets = -sum(entry["amount_fen"] for entry in evidence.wechat["wallet"])
    if wallets != at_wechat:
        yield f"people are {wallets} fen poorer, WeChat holds {at_wechat}"


def _wechats_bill_is_ours(evidence: Evidence) -> Iterator[str]:
    """WeChat's own bills, read as the statement job reads them, against our rows, to the fen."""
    rows = [
        row for text in evidence.bills for row in read_trade_bill(io.BytesIO(text.encode("utf-8")))
    ]
    paid = {row.out_trade_no: row.order_fen for row in rows if not row.is_refund}
    back = {
        row.out_refund_no: row.asked_refund_fen
        for row in rows
        if row.is_refund and row.refund_state == "SUCCESS"
    }
    ours = Payment.objects.filter(status__in=RECEIVED)
    yield from _different("payment", paid, dict(ours.values_list("out_trade_no", "received_fen")))
    done = Refund.objects.filter(status=RefundStatus.SUCCEEDED)
    yield from _different("refund", back, dict(done.values_list("out_refund_no", "amount_fen")))


def _different(what: str, theirs: dict[str, int], ours: dict[str, Any]) -> Iterator[str]:
    for number in theirs.keys() | ours.keys():
        if theirs.get(number) != ours.get(number):
            yield f"{what} {number}: {theirs.get(number)} on the bill, {ours.get(number)} with us"


def _everybody_was_told_once(evidence: Evidence) -> Iterator[str]:
    """What counts as sent reached a phone once, what did not says why, and nothing came twice."""
    arrived = Counter(said["client_msg_id"] for said in evidence.wechat["messages"])
    for row in Message.objects.filter(status__in=UNTOLD):
        yield f"{row} {row.kind} is still {row.status}"
    tries = Delivery.objects.filter(channel=Channel.TEMPLATE).select_related("message")
    for one in tries:
        times = arrived.pop(one.message.token + (f"-{one.round}" if one.round else ""), 0)
        counts = one.outcome in (Outcome.SENT, Outcome.DELIVERED)
        if times != counts and not (times == 1 and one.reason in UNSURE):
            yield f"{one.message} {one.message.kind} is {one.outcome}, a phone got it {times} times"
    for token, times in arrived.items():
        yield f"a phone got {token[:4]}… {times} times and nobody sent it"


def _every_event_was_told(evidence: Evidence) -> Iterator[str]:
    """N01 for every booking, N05 for every cancelled one, N26 for every refund's end."""
    moves = Transition.objects.filter(subject_type="registration.appointment")
    happened = {
        "N01": moves.filter(to_status="booked").count(),
        "N05": moves.filter(from_status="booked").count(),
        "N26": Refund.objects.exclude(status__in=OPEN).count(),
    }
    for kind, times in happened.items():
        if (told := Message.objects.filter(kind=kind).count()) != times:
            yield f"{times} times something happened that {kind} tells, {told} messages do"


def _is_applied(out_trade_no: str) -> bool:
    return Posting.objects.filter(kind=PostingKind.SETTLE, reference=out_trade_no).exists()


def _is_explained(payment: Payment) -> bool:
    return PaymentCase.objects.filter(payment=payment, closed_at=None).exists()


def _status_after(payment: Payment, fen: int, back: int) -> str:
    if back == fen:
        return PaymentStatus.FULLY_REFUNDED
    if back:
        return PaymentStatus.PARTIALLY_REFUNDED
    if payment.status == PaymentStatus.SUCCEEDED_UNAPPLIED:
        return payment.status
    return PaymentStatus.SUCCEEDED
