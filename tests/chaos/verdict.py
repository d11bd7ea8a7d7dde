"""The books after a run: each rule says in one line what broke it; no line means that it holds."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import IntegrityError, connection
from django.db.models import Sum

from hospital.billing import queries as bills
from hospital.billing.models import Bill, Charge, Posting
from hospital.billing.states import PAYABLE, PostingKind
from hospital.kernel.actors import SYSTEM
from hospital.kernel.models import AuditEntry, Transition
from hospital.messaging.models import Delivery, Message
from hospital.messaging.states import OPEN as UNTOLD
from hospital.messaging.states import Channel, Outcome, Reason
from hospital.payments.models import (
    CaseDecision,
    OfflineTransfer,
    PayCode,
    Payment,
    PaymentCase,
    Refund,
    RefundRequest,
)
from hospital.payments.states import (
    LIVE,
    OPEN,
    RECEIVED,
    DecisionStatus,
    PaymentStatus,
    RefundRoute,
    RefundStatus,
    RequestStatus,
    Scene,
    TransferStatus,
)
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus
from hospital.scheduling.models import Slot
from hospital.scheduling.states import SlotStatus
from hospital.wechat.bill_rows import read_trade_bill
from tests.chaos.promises import Promises
from tests.chaos.wechat import is_paid, kept_fen
from tests.chaos.world import APPROVAL_ABOVE_FEN

#: Nobody answered to the end: it may have arrived, and the next channel was taken.
UNSURE: Final = (Reason.UNSURE, Reason.GAVE_UP)
#: How the audit calls what takes two persons, and its first step.
_ACTS: Final = {
    RefundRequest: "payments.refund_request",
    OfflineTransfer: "payments.transfer",
    CaseDecision: "payments.decision",
}
_FIRST: Final = {RefundRequest: "requested", OfflineTransfer: "proposed", CaseDecision: "proposed"}


@dataclass
class Evidence:
    """What the run left outside our own database."""

    wechat: dict[str, Any]
    bills: list[str]
    slots: Counter[int]
    promises: Promises
    refunded: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        back: defaultdict[str, int] = defaultdict(int)
        for row in self.wechat["refunds"]:
            if row["status"] == "SUCCESS":
                back[row["out_trade_no"]] += row["amount_fen"]
        by_bank = Refund.objects.filter(route=RefundRoute.OFFLINE, status=RefundStatus.SUCCEEDED)
        for number, fen in by_bank.values_list("payment__out_trade_no", "amount_fen"):
            back[number] += fen
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
        _who_paid_is_who_is_paid_back,
        _nobody_has_anything_left_to_do,
        _two_persons_decided,
        _a_no_moved_nothing,
        _the_window_told_the_truth,
        _staff_acts_are_on_record,
    )
    return [f"{rule.__name__.strip('_')}: {line}" for rule in rules for line in rule(evidence)]


def facts() -> list[str]:
    """What two persons had to do with, for whoever watches."""
    return [
        f"{what}: {dict(Counter(model.objects.values_list('status', flat=True)))}"
        for what, model in (
            ("refund requests", RefundRequest),
            ("decisions", CaseDecision),
            ("transfers", OfflineTransfer),
        )
    ]


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
    """Paid there: applied to its bill, or gone back. Taken back there: never believed here."""
    payments = {row.out_trade_no: row for row in Payment.objects.all()}
    for order in evidence.wechat["orders"]:
        number, fen = order["out_trade_no"], order["total_fen"]
        payment = payments.get(number)
        if order["state"] == "REVOKED" and payment and payment.status != PaymentStatus.CLOSED:
            yield f"{number}: taken back at WeChat, with us {payment.status}"
        if not is_paid(order):
            continue
        if payment is None or payment.status not in RECEIVED:
            yield f"{number}: {fen} fen at WeChat, with us {payment and payment.status}"
            continue
        if (payment.transaction_id, payment.received_fen) != (order["transaction_id"], fen):
            yield f"{number}: another transaction or amount"
        back = evidence.refunded.get(number, 0)
        if not (back == fen or _is_applied(number)):
            yield f"{number}: {fen} fen neither applied nor returned"
        if payment.status != _status_after(payment, fen, back):
            yield f"{number}: {payment.status}, yet {back} of {fen} fen went back"


def _money_we_know_is_at_wechat(evidence: Evidence) -> Iterator[str]:
    orders = evidence.wechat["orders"]
    paid = {row["out_trade_no"]: row["transaction_id"] for row in orders if is_paid(row)}
    for payment in Payment.objects.filter(status__in=RECEIVED):
        if paid.get(payment.out_trade_no) != payment.transaction_id:
            yield f"{payment.out_trade_no}: {payment.status}, unpaid at WeChat"
    live = Payment.objects.filter(status__in=LIVE)
    for number, state in ((row["out_trade_no"], row["state"]) for row in orders):
        if state in ("NOTPAY", "USERPAYING") and not live.filter(out_trade_no=number).exists():
            yield f"{number}: may still be paid at WeChat, nobody waits for it"


def _refunds_agree(evidence: Evidence) -> Iterator[str]:
    """One end at both sides. What came back there was sent by the bank; what was closed there was
    sent again under another number."""
    ours = {row.out_refund_no: row for row in Refund.objects.select_related("payment")}
    theirs = {row["out_refund_no"]: row for row in evidence.wechat["refunds"]}
    for number in theirs.keys() - ours.keys():
        yield f"{number}: a refund nobody asked for"
    for number, refund in ours.items():
        said = theirs.get(number)
        state = said["status"] if said else "absent"
        if said and said["amount_fen"] != refund.amount_fen:
            yield f"{number}: {said['amount_fen']} fen there, {refund.amount_fen} with us"
        if refund.route == RefundRoute.OFFLINE:
            agrees = refund.status == RefundStatus.SUCCEEDED and state != "SUCCESS"
        elif refund.status == RefundStatus.SUCCEEDED:
            agrees = state == "SUCCESS"
        else:
            agrees = refund.status == RefundStatus.CLOSED and state == "CLOSED"
        if not agrees:
            yield f"{number}: {refund.status} {refund.route} with us, {state} there"


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
    """M1.6: a paid booking has its place, or its money goes back; never both, never neither. Lines
    that staff gave back are gone from what it costs."""
    for row in Appointment.objects.select_related("bill"):
        has_place = row.status == AppointmentStatus.BOOKED
        kept = bills.balance(bill_id=row.bill_id)
        lines = row.bill.charges.aggregate(fen=Sum("amount_fen"))["fen"]
        earned = lines if has_place else 0
        if kept.revenue_fen != earned:
            yield f"{row.number}: {row.status} with {kept} of a bill {row.bill.status}"
        if kept.due_fen:
            yield f"{row.number}: {kept.due_fen} fen are owed and nobody sends them"


def _promises_are_kept(evidence: Evidence) -> Iterator[str]:
    """Whoever was led to a pay page has an appointment behind it, whatever was killed since."""
    known = set(Appointment.objects.values_list("bill__token", flat=True))
    shown = {path.rstrip("/").rpartition("/")[2] for path in evidence.promises.bills}
    for token in shown - known:
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
    if totals["suspense_fen"] or totals["due_fen"]:
        yield f"money belongs to somebody and went to nobody: {totals}"
    if (held := _account_fen("cash:wechat")) != at_wechat:
        yield f"we think we hold {held} fen, WeChat holds {at_wechat} for us"
    slips = OfflineTransfer.objects.filter(status=TransferStatus.DONE)
    by_bank = sum(slips.values_list("amount_fen", flat=True))
    if (left := _account_fen("cash:offline")) != -by_bank:
        yield f"the bank sent {by_bank} fen by its slips, {-left} by our books"
    wallets = -sum(entry["amount_fen"] for entry in evidence.wechat["wallet"])
    if wallets != at_wechat:
        yield f"people are {wallets} fen poorer, WeChat holds {at_wechat}"


def _wechats_bill_is_ours(evidence: Evidence) -> Iterator[str]:
    """WeChat's own bills, read as the statement job reads them, against our rows, to the fen."""
    rows = [
        row for text in evidence.bills for row in read_trade_bill(io.BytesIO(text.encode("utf-8")))
    ]
    taken_back = {row.out_trade_no for row in rows if row.trade_state == "REVOKED"}
    paid = {
        row.out_trade_no: row.order_fen
        for row in rows
        if not row.is_refund and row.out_trade_no not in taken_back
    }
    back = {
        row.out_refund_no: row.asked_refund_fen
        for row in rows
        if row.is_refund and row.refund_state == "SUCCESS" and row.trade_state != "REVOKED"
    }
    ours = Payment.objects.filter(status__in=RECEIVED)
    yield from _different("payment", paid, dict(ours.values_list("out_trade_no", "received_fen")))
    done = Refund.objects.filter(status=RefundStatus.SUCCEEDED, route=RefundRoute.ORIGINAL)
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
    """N01 for every booking, N05 for every cancelled one, N26 for every end of a refund: one that
    came back and was sent by the bank has two."""
    moves = Transition.objects.filter(subject_type="registration.appointment")
    ends = Transition.objects.filter(subject_type="payments.refund")
    by_hand = Refund.objects.filter(out_refund_no__regex=r"T\d+$")
    happened = {
        "N01": moves.filter(to_status="booked").count(),
        "N05": moves.filter(from_status="booked").count(),
        "N26": ends.exclude(to_status__in=OPEN).count() + by_hand.count(),
    }
    for kind, times in happened.items():
        if (told := Message.objects.filter(kind=kind).count()) != times:
            yield f"{times} times something happened that {kind} tells, {told} messages do"


def _who_paid_is_who_is_paid_back(evidence: Evidence) -> Iterator[str]:
    """The payer we name is whose purse it came from, also where only WeChat knew."""
    purses = {
        entry["out_trade_no"]: entry["openid"]
        for entry in evidence.wechat["wallet"]
        if entry["kind"] == "payment"
    }
    for row in Payment.objects.filter(status__in=RECEIVED).select_related("payer"):
        if row.payer is None or row.payer.openid != purses.get(row.out_trade_no):
            yield f"{row}: another payer than WeChat's"


def _nobody_has_anything_left_to_do(evidence: Evidence) -> Iterator[str]:
    """Finance and the second person have done all that their pages offered."""
    for case in PaymentCase.objects.filter(closed_at=None):
        yield f"open case {case}"
    for asked in _asked():
        if not asked.decided_by:
            yield f"{asked} is {asked.status}"


def _two_persons_decided(evidence: Evidence) -> Iterator[str]:
    """Whoever asks never decides; alone goes only a small sum of the bill's day."""
    for asked in _asked():
        if asked.decided_by == asked.asked_by:
            yield f"{asked}: asked for and decided by {asked.asked_by}"
    alone: Counter[int] = Counter()
    for request in RefundRequest.objects.filter(decided_by=str(SYSTEM)):
        alone[request.bill_id] += request.amount_fen
    for bill_id, fen in alone.items():
        if fen > APPROVAL_ABOVE_FEN:
            yield f"bill {bill_id}: {fen} fen went without a second person"


def _a_no_moved_nothing(evidence: Evidence) -> Iterator[str]:
    """Lines are given back because somebody said yes, or because the booking is cancelled; money
    in suspense and by the bank only after a yes, once."""
    granted: defaultdict[int, set[int]] = defaultdict(set)
    for request in RefundRequest.objects.filter(status=RequestStatus.APPROVED):
        granted[request.bill_id] |= set(request.charges.values_list("pk", flat=True))
    for row in Appointment.objects.exclude(status=AppointmentStatus.CANCELLED):
        lines = Charge.objects.filter(bill_id=row.bill_id, reversed_by__isnull=False)
        if (given := set(lines.values_list("pk", flat=True))) != granted[row.bill_id]:
            yield f"{row.number}: lines {given} went back, {granted[row.bill_id]} were approved"
    confirmed = CaseDecision.objects.filter(status=DecisionStatus.CONFIRMED)
    said_yes = set(confirmed.values_list("case__payment_id", flat=True))
    suspended = Refund.objects.filter(bill=None, route=RefundRoute.ORIGINAL)
    if (sent := set(suspended.values_list("payment_id", flat=True))) != said_yes:
        yield f"money in suspense went back by payments {sent}, agreed to were {said_yes}"


def _the_window_told_the_truth(evidence: Evidence) -> Iterator[str]:
    """What was read on staff's screens is so: collected is settled, decided is decided."""
    for number in evidence.promises.collected:
        if not Posting.objects.filter(bill__number=number, kind=PostingKind.SETTLE).exists():
            yield f"{number}: the window read that it was paid"
    known = {row.pk: row.get_status_display() for row in RefundRequest.objects.all()}
    for request_id, said in evidence.promises.requests.items():
        if known.get(request_id) != said:
            yield f"refund request {request_id}: its page said {said}, now {known.get(request_id)}"


def _staff_acts_are_on_record(evidence: Evidence) -> Iterator[str]:
    """Each act of staff about money has its line: who, what, when."""
    entries = Counter(AuditEntry.objects.values_list("act", "subject_id", "by"))
    for act in _acts():
        if entries[act] != 1:
            yield f"{entries[act]} lines in the audit for {act}"
    by_staff = Transition.objects.filter(to_status="paying", by__startswith="staff")
    handed = set(by_staff.values_list("subject_id", flat=True))
    for payment in Payment.objects.filter(scene__in=[Scene.CASHIER_SCAN, Scene.SCREEN_CODE]):
        if not {part.bill_id for part in payment.allocations.all()} <= handed:
            yield f"{payment}: nobody's name is on the collecting"


def _acts() -> Iterator[tuple[str, int, str]]:
    """What staff did, as the audit should have it: act, subject, actor."""
    for asked in _asked():
        name = _ACTS[type(asked)]
        yield f"{name}.{_FIRST[type(asked)]}", asked.pk, asked.asked_by
        yield f"{name}.{asked.status}", asked.pk, asked.decided_by
    for code in PayCode.objects.exclude(revoked_at=None):
        yield "payments.revoke_pay_code", code.pk, code.revoked_by
    settled = PaymentCase.objects.filter(closed_by__startswith="staff")
    for case in settled.filter(decisions=None, transfers=None):
        yield "payments.close_case", case.pk, case.closed_by


def _asked() -> list[RefundRequest | OfflineTransfer | CaseDecision]:
    """Everything that takes two persons."""
    return [
        *RefundRequest.objects.all(),
        *OfflineTransfer.objects.all(),
        *CaseDecision.objects.all(),
    ]


def _account_fen(account: str) -> int:
    """What stands on one account of the ledger."""
    came = Posting.objects.filter(debit=account).aggregate(fen=Sum("amount_fen"))["fen"] or 0
    went = Posting.objects.filter(credit=account).aggregate(fen=Sum("amount_fen"))["fen"] or 0
    return int(came - went)


def _is_applied(out_trade_no: str) -> bool:
    return Posting.objects.filter(kind=PostingKind.SETTLE, reference=out_trade_no).exists()


def _status_after(payment: Payment, fen: int, back: int) -> str:
    if back == fen:
        return PaymentStatus.FULLY_REFUNDED
    if back:
        return PaymentStatus.PARTIALLY_REFUNDED
    if payment.status == PaymentStatus.SUCCEEDED_UNAPPLIED:
        return payment.status
    return PaymentStatus.SUCCEEDED
