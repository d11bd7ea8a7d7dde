"""How every story must end, whatever went wrong in it: nothing hangs, and the money adds up.

`nothing_is_stuck` lets hours pass until every timer has fired; `books_balance` compares our ledger
with itself, with the database's own checks, and with what WeChat says it holds.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import Count

from hospital.billing import queries as bills
from hospital.billing.models import Bill
from hospital.billing.states import PAID, PAYABLE
from hospital.kernel.models import Transition
from hospital.messaging.models import Message
from hospital.messaging.states import MessageStatus
from hospital.payments.models import Payment, PaymentCase, Refund
from hospital.payments.states import LIVE as LIVE_PAYMENTS
from hospital.payments.states import OPEN as OPEN_REFUNDS
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus
from hospital.scheduling.models import Slot
from hospital.scheduling.states import SlotStatus
from tests.journeys.story import Story

TIMERS_MINUTES = 180


def nothing_is_stuck(story: Story) -> None:
    """Every timer fires and changes nothing; nobody and nothing waits for anything any more."""
    before = _moves_of_money_and_places()
    story.time.passes(minutes=TIMERS_MINUTES, sweep=60)
    assert _moves_of_money_and_places() == before, "something moved after the story was over"
    assert _open() == {}
    assert _jobs() == {}, "jobs are left"
    _messages_arrived_once(story)


def books_balance(story: Story, *, kept_fen: int) -> None:
    """The hospital keeps `kept_fen` of all money that moved, has earned as much, owes nothing;
    WeChat's own books say the same."""
    connection.check_constraints()
    assert bills.ledger_totals() == {
        "cash_fen": kept_fen,
        "revenue_fen": kept_fen,
        "due_fen": 0,
        "suspense_fen": 0,
        "balance_fen": 0,
    }
    assert _kept_at_wechat(story.wechat.state()) == kept_fen
    assert sum(phone.money_moved_fen() for phone in story.phones) == -kept_fen
    for row in Appointment.objects.select_related("bill"):
        _never_both_never_neither(row)


def _never_both_never_neither(row: Appointment) -> None:
    """M1.6: paid money has either a place or a way back, never both."""
    paid = row.bill.status in PAID
    back = bills.is_reversed(bill_id=row.bill_id)
    has_place = row.status == AppointmentStatus.BOOKED
    assert has_place == (paid and not back), (row.status, row.bill.status, back)
    assert has_place == (row.slot.status == SlotStatus.BOOKED and _holds_slot(row))


def _holds_slot(row: Appointment) -> bool:
    """A number given back may be booked by somebody else meanwhile."""
    return row.status != AppointmentStatus.CANCELLED


def _open() -> dict[str, int]:
    """What still waits, by what it is; a story's end has none of it."""
    waiting = {
        "held numbers": Slot.objects.filter(status=SlotStatus.HELD),
        "numbers to give back": Slot.objects.filter(status=SlotStatus.RECLAIM_WAIT),
        "pending appointments": Appointment.objects.filter(status=AppointmentStatus.PENDING),
        "payable bills": Bill.objects.filter(status__in=PAYABLE),
        "live payments": Payment.objects.filter(status__in=LIVE_PAYMENTS),
        "open refunds": Refund.objects.filter(status__in=OPEN_REFUNDS),
        "queued messages": Message.objects.filter(status=MessageStatus.QUEUED),
        "open cases": PaymentCase.objects.filter(closed_at=None),
    }
    counts = {name: rows.count() for name, rows in waiting.items()}
    return {name: count for name, count in counts.items() if count}


def _jobs() -> dict[str, int]:
    """Jobs that wait, hang or failed, by name and status."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT task_name || ' ' || status, count(*) FROM procrastinate_jobs"
            " WHERE status <> 'succeeded' GROUP BY 1"
        )
        return dict(cursor.fetchall())


def _messages_arrived_once(story: Story) -> None:
    """What we think we sent is what reached the phones, message for message."""
    sent = Message.objects.filter(status=MessageStatus.SENT)
    arrived = [said["client_msg_id"] for said in story.wechat.state()["messages"]]
    assert sorted(arrived) == sorted(sent.values_list("token", flat=True))


def _kept_at_wechat(state: dict[str, Any]) -> int:
    """What WeChat took for us and did not give back, in fen."""
    taken = sum(order["total_fen"] for order in state["orders"] if order["transaction_id"])
    given = sum(row["amount_fen"] for row in state["refunds"] if row["status"] == "SUCCESS")
    return int(taken - given)


def _moves_of_money_and_places() -> dict[str, int]:
    """How often anything of a subject moved; giving numbers back is the clock's business."""
    rows = Transition.objects.exclude(subject_type__startswith="scheduling.")
    return dict(rows.values_list("subject_type").annotate(times=Count("pk")))
