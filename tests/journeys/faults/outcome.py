"""Comparing a story with the end the table promises: both sides' books, and nothing left over."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db import connection

from hospital.billing import queries as bills
from hospital.identity.models import WeChatUser
from hospital.messaging.models import CallTask, Delivery, InboundMessage, MenuVersion, Message
from hospital.messaging.states import OPEN as UNTOLD
from hospital.messaging.states import CallStatus, Channel, MessageStatus, Outcome, Reason
from hospital.payments.models import (
    ChannelStatement,
    Payment,
    PaymentCase,
    Refund,
    StatementLine,
)
from hospital.payments.statement_states import StatementKind
from hospital.payments.states import LIVE
from hospital.registration.models import Appointment
from hospital.scheduling.models import Slot
from hospital.scheduling.states import SlotStatus
from hospital.wechat import clients
from tests.journeys.endings import TIMERS_MINUTES
from tests.journeys.faults.ends import End
from tests.journeys.faults.operations import OPERATIONS
from tests.journeys.faults.walk import Walk

STRANGE = "90"


def check(walk: Walk, end: End) -> None:
    """Let hours pass; then every row must be as promised, here and at WeChat."""
    walk.story.time.passes(minutes=TIMERS_MINUTES, sweep=60)
    walk.post()
    state = walk.story.wechat.state()
    struck = [fault for fault in state["faults"] if fault["kind"] == walk.row.fault]
    assert all(fault["hits"] for fault in struck), "the fault never struck"
    operation = OPERATIONS[walk.row.operation]
    assert {*walk.story.wechat.moments(operation.match)} <= {*operation.meets}, "a moment is unsaid"
    assert walk.answers[: len(walk.row.door)] == list(walk.row.door), walk.answers
    found, wanted = asdict(_rows(walk, state, end.says)), asdict(end)
    wrong = {name: found[name] for name in wanted if found[name] != wanted[name]}
    assert not wrong, wrong
    connection.check_constraints()
    _nothing_is_left()


def _rows(walk: Walk, state: dict[str, Any], says: str) -> End:
    """What has become of everything, in the words of the table."""
    totals = bills.ledger_totals()
    assert totals["balance_fen"] == 0
    kept_fen = _kept_fen(state)
    assert totals["cash_fen"] == kept_fen
    open_cases = PaymentCase.objects.filter(closed_at=None).order_by("kind")
    return End(
        says=says,
        **_booking(walk, state),
        kept_fen=kept_fen,
        at_bank_fen=_poorer_fen(state) - kept_fen,
        due_fen=totals["due_fen"],
        suspense_fen=totals["suspense_fen"],
        cases=tuple(open_cases.values_list("kind", flat=True)),
        told=_told(state),
        **_untold(walk),
        **_heard(walk),
        **_statements(),
        menu=_menu(),
        logged_in=_logged_in(walk),
    )


def _booking(walk: Walk, state: dict[str, Any]) -> dict[str, Any]:
    """The statuses of one booking and its money; nothing where nobody booked."""
    if not walk.has_booked:
        assert not Payment.objects.exists()
        return {}
    appointment = Appointment.objects.select_related("bill").get(pk=walk.appointment.pk)
    payment = Payment.objects.exclude(scene=STRANGE).get()
    refund = Refund.objects.filter(payment=payment).first()
    orders = {order["out_trade_no"]: order["state"] for order in state["orders"]}
    return {
        "order": orders.get(payment.out_trade_no, ""),
        "payment": payment.status,
        "refund": refund.status if refund else "",
        "bill": appointment.bill.status,
        "booking": appointment.status,
    }


def _told(state: dict[str, Any]) -> tuple[str, ...]:
    """The kinds that reached the phone, in order. Of template messages WeChat knows our number:
    each counts as sent with us, and only these."""
    arrived = [said for said in state["messages"] if said["result"] == "success"]
    numbered = [said["client_msg_id"] for said in arrived if said["product"] == "template"]
    sent = Delivery.objects.filter(
        channel=Channel.TEMPLATE, outcome__in=[Outcome.SENT, Outcome.DELIVERED]
    )
    assert sorted(numbered) == sorted(sent.values_list("message__token", flat=True))
    kinds = {str(entry["template_id"]): str(entry["kind"]) for entry in settings.WECHAT_TEMPLATES}
    return tuple(kinds[said["template_id"]] for said in arrived)


def _untold(walk: Walk) -> dict[str, Any]:
    """Messages that went another way than WeChat's, and what WeChat reported."""
    rows = Message.objects.filter(status=MessageStatus.FALLBACK).order_by("pk")
    assert {row.failure for row in rows} <= {walk.row.why or Reason.BLOCKED}
    by_sms = Delivery.objects.filter(channel=Channel.SMS, outcome=Outcome.SENT).order_by("pk")
    assert len(walk.story.wechat.sms()) == by_sms.count()
    delivered = Message.objects.filter(status=MessageStatus.DELIVERED).order_by("pk")
    calls = CallTask.objects.filter(status=CallStatus.OPEN).order_by("pk")
    return {
        "sms": tuple(by_sms.values_list("message__kind", flat=True)),
        "inbox": tuple(row.kind for row in rows if row.channel == Channel.INBOX),
        "calls": tuple(calls.values_list("kind", flat=True)),
        "delivered": tuple(delivered.values_list("kind", flat=True)),
    }


def _heard(walk: Walk) -> dict[str, Any]:
    """What was said to the account, and by it."""
    rows = InboundMessage.objects.order_by("pk")
    lines = [line["text"] for line in walk.story.wechat.chat() if line["side"] == "account"]
    return {"heard": tuple(rows.values_list("status", flat=True)), "said": tuple(lines)}


def _statements() -> dict[str, Any]:
    """Yesterday's statements with how many lines of the fund's there are, and the trade's lines."""
    found = ChannelStatement.objects.order_by("kind")
    lines = StatementLine.objects.filter(statement__kind=StatementKind.TRADE).order_by("number")
    return {
        "statements": tuple(f"{each.kind} {each.status} {each.line_count}" for each in found),
        "lines": tuple(f"{line.kind} {line.amount_fen} {line.state}" for line in lines),
    }


def _menu() -> str:
    """How the menu stands with us; published, it is the one WeChat shows."""
    version = MenuVersion.objects.first()
    if version is None:
        return ""
    assert clients.official_account().get_menu() == version.menu
    return version.status


def _logged_in(walk: Walk) -> int:
    """How many people came to the page they wanted."""
    return WeChatUser.objects.count() if walk.landed_on else 0


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
