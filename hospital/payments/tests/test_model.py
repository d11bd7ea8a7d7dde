"""Payments and refunds driven at random against a model of WeChat (`channel_model`).

After every step: Σpaid − Σrefunded = Σapplied + Σunapplied, nothing is refunded beyond what came,
one live order a bill, every deferred check of the database holds, and we believe of WeChat only
what is so. At the end all is answered and our books are WeChat's.

MODEL_EXAMPLES (and MODEL_STEPS) make it long and random.
"""

import contextlib
import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import pytest
from django.db import connection, transaction
from django.db.models import Count, Q, Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.models import Charge
from hospital.billing.states import ChargeStatus
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import Refusal
from hospital.payments import actions
from hospital.payments.models import Allocation, Payment, PaymentCase, Refund
from hospital.payments.states import (
    COMMITTED,
    LIVE,
    OPEN,
    RECEIVED,
    NoticeOutcome,
    PaymentStatus,
    RefundRoute,
    RefundStatus,
)
from hospital.payments.tests.channel_model import Letter
from hospital.payments.tests.model_hospital import AT_CHANNEL, STRANGE, UNSENT, Hospital, World
from hospital.wechat.outcomes import RefundProgress

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "10"))
STEPS = int(os.environ.get("MODEL_STEPS", "30"))
LOOK_JOB = "payments.jobs.look"

Row = TypeVar("Row")
FEN = st.integers(1, 50_000)
AMOUNTS = st.lists(FEN, min_size=1, max_size=3)
MOST_BILLS = 7
ENDS = st.sampled_from(
    [RefundProgress.SUCCESS] * 4 + [RefundProgress.ABNORMAL, RefundProgress.CLOSED]
)


#: How often each act is chosen while it can happen.
WEIGHTS = {
    "issue": 1,
    "start": 3,
    "pay": 4,
    "pay_a_stranger": 1,
    "give_up": 1,
    "reverse": 4,
    "wait": 2,
    "deliver": 5,
    "lie": 1,
    "ask": 2,
    "end": 2,
    "refund_due": 2,
    "send": 6,
    "bank_speaks": 6,
    "ask_refund": 3,
    "renew": 2,
    "two_persons": 4,
    "ask_for_lines": 2,
}


class Draw(Protocol):
    """What hypothesis draws a value of a strategy with."""

    def __call__(self, strategy: st.SearchStrategy[Row]) -> Row: ...


class Money(RuleBasedStateMachine):
    """One hospital and one WeChat; `at` is the moment for both."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.ours = Hospital(self.world)
        self._example = transaction.atomic()
        self._example.__enter__()

    @initialize(first=AMOUNTS, second=AMOUNTS, third=AMOUNTS)
    def begin(self, first: list[int], second: list[int], third: list[int]) -> None:
        """A day that has begun: two bills paid at once, one paid alone, all booked."""
        for amounts in (first, second, third):
            self.ours.issue(amounts, ends_at=None)
        for places in ((0, 1), (2,)):
            payment = self.ours.order({self.ours.bills()[place].pk for place in places})
            self.ours.channel.pay(payment.out_trade_no, at=self.ours.at)
            self.ours.ask(payment.out_trade_no)

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        """One of the acts below that can happen now, the money's own ways more often.

        Rules of hypothesis' own are chosen too unevenly for a short run to get anywhere.
        """
        can = self._can()
        name = data.draw(
            st.sampled_from(
                [act for act, times in WEIGHTS.items() if can[act] for _ in range(times)]
            )
        )
        getattr(self, name)(data.draw)

    def _can(self) -> dict[str, object]:
        """What can happen now, by act."""
        ours = self.ours
        payable, paid_bills = ours.payable(), ours.paid_bills()
        return {
            "issue": len(payable) + len(paid_bills) < MOST_BILLS,
            "start": payable,
            "pay": ours.orders(is_paid=False),
            "pay_a_stranger": not ours.strangers(),
            "give_up": payable,
            "reverse": paid_bills,
            "wait": True,
            "deliver": ours.channel.letters,
            "lie": ours.orders(is_paid=True),
            "ask": True,
            "end": ours.live(),
            "refund_due": paid_bills,
            "send": ours.refunds(*UNSENT),
            "bank_speaks": ours.processing(),
            "ask_refund": ours.refunds(*AT_CHANNEL),
            "renew": ours.refunds(RefundStatus.CLOSED),
            "two_persons": ours.cases_of_two(),
            "ask_for_lines": paid_bills,
        }

    # ------------------------------------------------------------------ what people do

    def issue(self, draw: Draw) -> None:
        """Somebody is asked for money, for one thing or several."""
        ends_at = draw(st.sampled_from([None, self.ours.at + dt.timedelta(minutes=15)]))
        self.ours.issue(draw(AMOUNTS), ends_at=ends_at)

    def start(self, draw: Draw) -> None:
        """The pay button, for one bill or two; WeChat's answer may get lost, or we are killed."""
        chosen = {_one(draw, self.ours.payable()).pk, _one(draw, self.ours.payable()).pk}
        try:
            payment = self.ours.order(chosen)
        except Refusal:
            return
        answer = draw(st.sampled_from(["yes", "yes", "lost", "killed"]))
        number = payment.out_trade_no
        if self.ours.channel.orders[number].state != "NOTPAY":
            self.ours.ask(number)
        elif answer == "yes":
            actions.record_prepay(
                payment_id=payment.pk, prepay_id=f"wx{number}", by=SYSTEM, at=self.ours.at
            )
        elif answer == "lost":
            actions.record_unanswered(
                payment_id=payment.pk,
                job=LOOK_JOB,
                attempt=0,
                reason="x",
                by=SYSTEM,
                at=self.ours.at,
            )

    def pay(self, draw: Draw) -> None:
        """The password, also the moment after the order was closed; seldom another amount."""
        order = _one(draw, self.ours.orders(is_paid=False))
        odd_fen = draw(st.sampled_from([0, 0, 0, 0, 0, -1, 7])) if order.asked_fen > 1 else 0
        self.ours.channel.pay(order.number, at=self.ours.at, odd_fen=odd_fen)

    def pay_a_stranger(self, draw: Draw) -> None:
        """Money under our merchant number for an order we never made (R02)."""
        number = f"{STRANGE}{next(self.ours.serial)}"
        self.ours.channel.place(number, draw(FEN))
        self.ours.channel.pay(number, at=self.ours.at)

    def give_up(self, draw: Draw) -> None:
        """The bill is not wanted any more, or its time is over."""
        end = draw(st.sampled_from([billing.expire_bill, billing.cancel_bill]))
        with transaction.atomic():
            end(bill_id=_one(draw, self.ours.payable()).pk, by=SYSTEM, at=self.ours.at)

    def reverse(self, draw: Draw) -> None:
        """Charges are taken back, all of a bill or some of its lines, and the way back begins."""
        bill = _one(draw, self.ours.paid_bills())
        charges = list(bill.charges.filter(reversal_of=None).order_by("pk"))
        lines = draw(st.one_of(st.none(), st.sets(st.sampled_from(charges), min_size=1)))
        with transaction.atomic():
            billing.reverse_charges(
                bill_id=bill.pk,
                reason="退费",
                charge_ids=None if lines is None else [line.pk for line in lines],
                by=SYSTEM,
                at=self.ours.at,
            )
        self.ours.refund_due(bill)

    def wait(self, draw: Draw) -> None:
        self.ours.at += dt.timedelta(
            minutes=draw(st.sampled_from([1, 2, 20, 60 * 24, 60 * 24 * 100]))
        )

    # ------------------------------------------------------------------ what WeChat says

    def deliver(self, draw: Draw) -> None:
        """Any notice under way arrives, in any order; it may come again."""
        letter = _one(draw, self.ours.channel.letters)
        if draw(st.booleans()):
            self.ours.channel.letters.remove(letter)
        self.ours.hand_over(letter)

    def lie(self, draw: Draw) -> None:
        """A notice with another amount moves nothing; WeChat is asked and its answer counts."""
        order = _one(draw, self.ours.orders(is_paid=True))
        says = self.ours.channel.paid(order)
        wrong = replace(says, total_fen=says.total_fen + draw(st.integers(1, 99)))
        before = self.ours.books()
        outcome = self.ours.hand_over(Letter(f"lie-{next(self.ours.serial)}", wrong), verify=False)
        assert outcome is NoticeOutcome.PARKED
        assert self.ours.books() == before
        self.ours.ask(order.number)

    def ask(self, draw: Draw) -> None:
        """We ask how an order stands."""
        self.ours.ask(_one(draw, self.ours.payments()).out_trade_no)

    def end(self, draw: Draw) -> None:
        """An order's time is over: closed there, and asked once more."""
        number = _one(draw, self.ours.live()).out_trade_no
        self.ours.channel.close(number)
        self.ours.ask(number)

    def refund_due(self, draw: Draw) -> None:
        """What a bill owes and no refund carries is asked for."""
        self.ours.refund_due(_one(draw, self.ours.paid_bills()))

    def send(self, draw: Draw) -> None:
        """A refund is sent: taken, or refused, or the answer gets lost, or we are killed before."""
        answers = ["taken", "taken", "taken", "lost", "refused", "killed"]
        self.ours.send(_one(draw, self.ours.refunds(*UNSENT)), draw(st.sampled_from(answers)))

    def bank_speaks(self, draw: Draw) -> None:
        self.ours.channel.end_refund(
            _one(draw, self.ours.processing()), draw(ENDS), at=self.ours.at
        )

    def ask_refund(self, draw: Draw) -> None:
        self.ours.ask_refund(_one(draw, self.ours.refunds(*AT_CHANNEL)))

    def renew(self, draw: Draw) -> None:
        """A refund closed for good is sent under a new number, as far as it is still owed."""
        refund = _one(draw, self.ours.refunds(RefundStatus.CLOSED))
        try:
            actions.renew_closed(refund_id=refund.pk, by=SYSTEM, at=self.ours.at)
        except Refusal:
            return

    # ------------------------------------------------------------------ what staff do

    def two_persons(self, draw: Draw) -> None:
        """A case's money is sent on its way by one who proposes and another who agrees."""
        with contextlib.suppress(Refusal):
            self.ours.decide(_one(draw, self.ours.cases_of_two()))

    def ask_for_lines(self, draw: Draw) -> None:
        """Staff ask for some lines of a bill back; what needs a second person gets one."""
        bill = _one(draw, self.ours.paid_bills())
        standing = list(
            bill.charges.filter(reversal_of=None, status=ChargeStatus.BILLED).order_by("pk")
        )
        lines = draw(st.sets(st.sampled_from(standing))) if standing else set()
        with contextlib.suppress(Refusal):
            self.ours.ask_for_lines(bill, lines)

    # ------------------------------------------------------------------ what must always be so

    @invariant()
    def money_adds_up(self) -> None:
        """Σpaid − Σrefunded = Σapplied + Σunapplied, each from rows of its own."""
        paid = _sum(Payment.objects.all(), "received_fen")
        refunded = _sum(Refund.objects.filter(status=RefundStatus.SUCCEEDED), "amount_fen")
        applied = _sum(Charge.objects.filter(bill__settled_at__isnull=False), "amount_fen")
        totals = bills.ledger_totals()
        unapplied = totals["due_fen"] + totals["suspense_fen"]
        assert paid - refunded == applied + unapplied
        assert (totals["cash_fen"], totals["balance_fen"]) == (paid - refunded, 0)
        assert totals["revenue_fen"] == applied
        assert totals["due_fen"] >= 0
        assert totals["suspense_fen"] >= 0

    @invariant()
    def no_refund_beyond_paid(self) -> None:
        rows = Payment.objects.annotate(
            gone=Sum("refunds__amount_fen", filter=Q(refunds__status__in=COMMITTED))
        )
        for payment in rows.exclude(gone=None):
            assert payment.gone <= (payment.received_fen or 0), payment

    @invariant()
    def one_live_order_a_bill(self) -> None:
        live = Allocation.objects.filter(payment__status__in=LIVE)
        assert not live.values("bill").annotate(times=Count("pk")).filter(times__gt=1).exists()
        assert set(live) == set(Allocation.objects.filter(is_live=True))

    @invariant()
    def the_database_agrees(self) -> None:
        connection.check_constraints()

    @invariant()
    def only_what_is_so_is_believed(self) -> None:
        for payment in Payment.objects.filter(status__in=RECEIVED):
            order = self.ours.channel.orders[payment.out_trade_no]
            assert order.state == "SUCCESS"
            assert order.total_fen == payment.received_fen
        told = Refund.objects.filter(route=RefundRoute.ORIGINAL, status=RefundStatus.SUCCEEDED)
        for refund in told:
            there = self.ours.channel.refunds[refund.out_refund_no]
            assert there.progress is RefundProgress.SUCCESS

    def teardown(self) -> None:
        """Everything is answered; then our books are WeChat's. The example leaves no row."""
        try:
            if not connection.needs_rollback:
                self.ours.answer_everything()
                self.money_adds_up()
                self.only_what_is_so_is_believed()
                by_hand = Refund.objects.filter(route=RefundRoute.OFFLINE)
                kept_fen = self.ours.channel.kept_fen - _sum(by_hand, "amount_fen")
                assert bills.ledger_totals()["cash_fen"] == kept_fen
                self._what_is_left_has_a_case()
        finally:
            transaction.set_rollback(True)
            self._example.__exit__(None, None, None)

    def _what_is_left_has_a_case(self) -> None:
        """No order waits; what is owed or suspended and did not go back is somebody's case."""
        assert self.ours.live() == []
        assert self.ours.refunds(*OPEN) == []
        cases = PaymentCase.objects.filter(closed_at=None)
        totals = bills.ledger_totals()
        if totals["due_fen"] or totals["suspense_fen"]:
            assert cases.exists()
        for payment in Payment.objects.filter(status=PaymentStatus.SUCCEEDED_UNAPPLIED):
            assert cases.filter(payment=payment).exists(), payment


@pytest.mark.slow
def test_money_adds_up_whatever_happens_in_whatever_order(db: None) -> None:
    Money.world = World()
    run_state_machine_as_test(
        Money,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            # In the suite the same walks every time; a long run looks for new ones.
            derandomize="MODEL_EXAMPLES" not in os.environ,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def _one(draw: Draw, rows: Sequence[Row]) -> Row:
    return rows[draw(st.integers(0, len(rows) - 1))]


def _sum(rows: Any, column: str) -> int:
    return int(rows.aggregate(fen=Sum(column))["fen"] or 0)
