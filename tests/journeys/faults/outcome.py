"""Comparing a story with the end the table promises: both sides' books, and nothing left over."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db import connection

from hospital.billing import queries as bills
from hospital.messaging.models import Delivery, Message
from hospital.messaging.states import OPEN as UNTOLD
from hospital.messaging.states import Channel, Outcome
from hospital.payments.models import Payment, PaymentCase, Refund
from hospital.payments.states import LIVE
from hospital.registration.models import Appointment
from hospital.scheduling.models import Slot
from hospital.scheduling.states import SlotStatus
from tests.journeys.endings import TIMERS_MINUTES
from tests.journeys.faults.ends import End
from tests.journeys.faults.walks import Walk

STRANGE = "90"


def check(walk: Walk, end: End) -> None:
    """Let hours pass; then every row must be as promised, here and at WeChat."""
    walk.story.time.passes(minutes=TIMERS_MINUTES, sweep=60)
    walk.post()
    state = walk.story.wechat.state()
    struck = [fault for fault in state["faults"] if fault["kind"] == walk.row.fault]
    assert all(fault["hits"] for fault in struck), "the fault never struck"
    assert walk.answers[: len(walk.row.door)] == list(walk.row.door), walk.answers
    found, wanted = asdict(_rows(walk, state, end.says)), asdict(end)
    wrong = {name: found[name] for name in wanted if found[name] != wanted[name]}
    assert not wrong, wrong
    connection.check_constraints()
    _nothing_is_left()


def _rows(walk: Walk, state: dict[str, Any], says: str) -> End:
    """What has become of everything, in the words of the table."""
    appointment = Appointment.objects.select_related("bill").get(pk=walk.appointment.pk)
    payment = Payment.objects.exclude(scene=STRANGE).latest("pk")
    assert Payment.objects.exclude(scene=STRANGE).count() == 1
    refund = Refund.objects.filter(payment=payment).first()
    totals = bills.ledger_totals()
    assert totals["balance_fen"] == 0
    kept_fen = _kept_fen(state)
    assert (totals["cash_fen"], _poorer_fen(state)) == (kept_fen, kept_fen)
    orders = {order["out_trade_no"]: order["state"] for order in state["orders"]}
    open_cases = PaymentCase.objects.filter(closed_at=None).order_by("kind")
    return End(
        says=says,
        order=orders.get(payment.out_trade_no, ""),
        payment=payment.status,
        refund=refund.status if refund else "",
        bill=appointment.bill.status,
        booking=appointment.status,
        told=_told(state),
        kept_fen=kept_fen,
        due_fen=totals["due_fen"],
        suspense_fen=totals["suspense_fen"],
        cases=tuple(open_cases.values_list("kind", flat=True)),
    )


def _told(state: dict[str, Any]) -> tuple[str, ...]:
    """The kinds that reached the phone, in order; each counts as sent with us, and only these."""
    arrived = [said["client_msg_id"] for said in state["messages"]]
    sent = Delivery.objects.filter(
        channel=Channel.TEMPLATE, outcome__in=[Outcome.SENT, Outcome.DELIVERED]
    )
    tokens = sent.order_by("message_id").values_list("message__token", flat=True)
    assert sorted(arrived) == sorted(tokens)
    return tuple(Message.objects.get(token=token).kind for token in arrived)


def _kept_fen(state: dict[str, Any]) -> int:
    taken = sum(
        order["total_fen"]
        for order in state["orders"]
        if order["transaction_id"] and order["state"] != "REVOKED"
    )
    given = sum(row["amount_fen"] for row in state["refunds"] if row["status"] == "SUCCESS")
    return int(taken - given)


def _poorer_fen(state: dict[str, Any]) -> int:
    """What all purses lost."""
    return -sum(int(entry["amount_fen"]) for entry in state["wallet"])


def _nothing_is_left() -> None:
    """No hold, no live order, no message under way, no job that waits, hangs or failed."""
    assert not Slot.objects.filter(status__in=[SlotStatus.HELD, SlotStatus.RECLAIM_WAIT]).exists()
    assert not Payment.objects.filter(status__in=LIVE).exists()
    assert not Message.objects.filter(status__in=UNTOLD).exists()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT task_name, status::text, args::text FROM procrastinate_jobs"
            " WHERE status <> 'succeeded'"
        )
        assert cursor.fetchall() == []
