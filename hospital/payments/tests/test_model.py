"""Payments and refunds driven at random against a model of WeChat (`channel_model`).

After every step: Σpaid − Σrefunded = Σapplied + Σunapplied, nothing is refunded beyond what came,
one live order a bill, every deferred check of the database holds, and we believe of WeChat only
what is so. At the end all is answered and our books are WeChat's.

MODEL_EXAMPLES and MODEL_STEPS make it as long as one likes.
"""

import datetime as dt
import itertools
import os
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from django.db import connection, transaction
from django.db.models import Count, Q, Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.models import Bill, Charge
from hospital.billing.states import PAID
from hospital.catalogue.models import PriceItem
from hospital.catalogue.queries import FeeLine
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import Refusal
from hospital.payments import actions
from hospital.payments.models import Allocation, Payment, PaymentCase, Refund
from hospital.payments.states import (
    COMMITTED,
    LIVE,
    OPEN,
    RECEIVED,
    NoticeKind,
    NoticeOutcome,
    PaymentStatus,
    RefundStatus,
)
from hospital.payments.tests.channel_model import APPID, MCHID, Channel, Letter
from hospital.testing.organisation import a_price_item
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.schedules import NOW
from hospital.wechat.outcomes import Closed, Paid, RefundProgress, Unpaid

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "12"))
STEPS = int(os.environ.get("MODEL_STEPS", "40"))
LOOK_JOB = "payments.jobs.look"
#: Rounds of questions after the last step; each moves every refund that can move by one.
ROUNDS = 12

Row = TypeVar("Row")
PICK = st.integers(0, 999)
FEN = st.integers(1, 50_000)
ENDS = st.sampled_from(
    [RefundProgress.SUCCESS] * 4 + [RefundProgress.ABNORMAL, RefundProgress.CLOSED]
)


class World:
    """Who pays and for what; made once, every example rolls back to it."""

    def __init__(self) -> None:
        self.user = a_wechat_user()
        self.patient = a_patient(self.user, at=NOW)
        self.item: PriceItem = a_price_item()


class Money(RuleBasedStateMachine):
    """One hospital and one WeChat; `at` is the moment for both."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.at = NOW
        self.channel = Channel()
        self.serial = itertools.count(1)
        self._example = transaction.atomic()
        self._example.__enter__()

    # ------------------------------------------------------------------ what people do

    @rule(amounts=st.lists(FEN, min_size=1, max_size=3), is_held=st.booleans())
    def issue(self, amounts: list[int], is_held: bool) -> None:
        """Somebody is asked for money, for one thing or several."""
        item = self.world.item
        with transaction.atomic():
            billing.add_charges(
                patient_id=self.world.patient.pk,
                wechat_user_id=self.world.user.pk,
                source=("model", next(self.serial)),
                lines=[
                    FeeLine(item.pk, item.code, item.name, item.category, fen) for fen in amounts
                ],
                title="检查费",
                expires_at=self.at + dt.timedelta(minutes=15) if is_held else None,
                by=SYSTEM,
                at=self.at,
            )

    @precondition(lambda self: self.bills())
    @rule(pick=PICK, other=PICK, both=st.booleans(), answer=st.sampled_from(["yes", "lost", "-"]))
    def start(self, pick: int, other: int, both: bool, answer: str) -> None:
        """The pay button, for one bill or two; WeChat's answer may get lost, or we are killed."""
        chosen = {_one(self.bills(), pick).pk}
        if both:
            chosen.add(_one(self.bills(), other).pk)
        total = Bill.objects.filter(pk__in=chosen).aggregate(fen=Sum("total_fen"))["fen"]
        try:
            payment = actions.create_payment(
                bill_ids=chosen,
                wechat_user_id=self.world.user.pk,
                shown_fen=total,
                account=(MCHID, APPID),
                node=1,
                by=SYSTEM,
                at=self.at,
            )
        except Refusal:
            return
        number = payment.out_trade_no
        if self.channel.place(number, payment.amount_fen).state != "NOTPAY":
            self._ask(payment)
        elif answer == "yes":
            actions.record_prepay(
                payment_id=payment.pk, prepay_id=f"wx{number}", by=SYSTEM, at=self.at
            )
        elif answer == "lost":
            actions.record_unanswered(
                payment_id=payment.pk, job=LOOK_JOB, attempt=0, reason="x", by=SYSTEM, at=self.at
            )

    @precondition(lambda self: self.unpaid())
    @rule(pick=PICK, odd=st.sampled_from([0, 0, 0, 0, 0, -1, 7]))
    def pay(self, pick: int, odd: int) -> None:
        """The password, also the moment after the order was closed; seldom another amount."""
        order = _one(self.unpaid(), pick)
        self.channel.pay(order.number, at=self.at, odd_fen=odd if order.asked_fen > 1 else 0)

    @rule(fen=FEN)
    def pay_a_stranger(self, fen: int) -> None:
        """Money under our merchant number for an order we never made (R02)."""
        number = f"STRANGE{next(self.serial)}"
        self.channel.place(number, fen)
        self.channel.pay(number, at=self.at)

    @precondition(lambda self: self.bills())
    @rule(pick=PICK, is_over=st.booleans())
    def give_up(self, pick: int, is_over: bool) -> None:
        """The bill is not wanted any more, or its time is over."""
        give_up: Callable[..., Bill] = billing.expire_bill if is_over else billing.cancel_bill
        with transaction.atomic():
            give_up(bill_id=_one(self.bills(), pick).pk, by=SYSTEM, at=self.at)

    @precondition(lambda self: self.paid_bills())
    @rule(pick=PICK, lines=st.sets(st.integers(0, 2)), is_whole=st.booleans())
    def reverse(self, pick: int, lines: set[int], is_whole: bool) -> None:
        """Charges are taken back: all of a bill, or some of its lines."""
        bill = _one(self.paid_bills(), pick)
        charges = list(bill.charges.filter(reversal_of=None).order_by("pk"))
        some = [charge.pk for place, charge in enumerate(charges) if place in lines]
        with transaction.atomic():
            billing.reverse_charges(
                bill_id=bill.pk,
                reason="退费",
                charge_ids=None if is_whole else some,
                by=SYSTEM,
                at=self.at,
            )

    @rule(minutes=st.sampled_from([1, 2, 20, 60 * 24, 60 * 24 * 200]))
    def wait(self, minutes: int) -> None:
        self.at += dt.timedelta(minutes=minutes)

    # ------------------------------------------------------------------ what WeChat says

    @precondition(lambda self: self.channel.letters)
    @rule(pick=PICK, again=st.booleans())
    def deliver(self, pick: int, again: bool) -> None:
        """Any notice under way arrives; it may come again."""
        letter = _one(self.channel.letters, pick)
        if not again:
            self.channel.letters.remove(letter)
        self._hand_over(letter)

    @precondition(lambda self: self.paid_orders())
    @rule(pick=PICK, odd=st.integers(1, 99))
    def lie(self, pick: int, odd: int) -> None:
        """A notice with another amount moves nothing; WeChat is asked and its answer counts."""
        order = _one(self.paid_orders(), pick)
        says = self.channel.paid(order)
        wrong = Paid(**{**vars(says), "total_fen": says.total_fen + odd})
        before = self._books()
        outcome = self._hand_over(Letter(f"lie-{next(self.serial)}", wrong), verify=False)
        assert outcome is NoticeOutcome.PARKED
        assert self._books() == before
        self._ask_number(order.number)

    @precondition(lambda self: self.payments())
    @rule(pick=PICK)
    def ask(self, pick: int) -> None:
        """We ask how an order stands."""
        self._ask(_one(self.payments(), pick))

    @precondition(lambda self: self.live())
    @rule(pick=PICK)
    def end(self, pick: int) -> None:
        """An order's time is over: closed there, and asked once more."""
        payment = _one(self.live(), pick)
        if payment.out_trade_no in self.channel.orders:
            self.channel.close(payment.out_trade_no)
        self._ask(payment)

    @precondition(lambda self: self.paid_bills())
    @rule(pick=PICK)
    def refund_due(self, pick: int) -> None:
        """What a bill owes is asked for."""
        actions.refund_due(
            bill_id=_one(self.paid_bills(), pick).pk, reason="退费", by=SYSTEM, at=self.at
        )

    @precondition(lambda self: self.refunds(RefundStatus.REQUESTED, RefundStatus.FAILED))
    @rule(pick=PICK, answer=st.sampled_from(["taken", "taken", "lost", "refused", "killed"]))
    def send(self, pick: int, answer: str) -> None:
        """A refund is sent: taken, or refused, or the answer gets lost, or nothing arrived."""
        self._send(_one(self.refunds(RefundStatus.REQUESTED, RefundStatus.FAILED), pick), answer)

    @precondition(lambda self: self.processing())
    @rule(pick=PICK, to=ENDS)
    def bank_speaks(self, pick: int, to: RefundProgress) -> None:
        self.channel.end_refund(_one(self.processing(), pick), to, at=self.at)

    @precondition(lambda self: self.refunds(*AT_CHANNEL))
    @rule(pick=PICK)
    def ask_refund(self, pick: int) -> None:
        self._ask_refund(_one(self.refunds(*AT_CHANNEL), pick))

    @precondition(lambda self: self.refunds(RefundStatus.CLOSED))
    @rule(pick=PICK)
    def renew(self, pick: int) -> None:
        """A refund closed for good is sent under a new number, as far as it is still owed."""
        refund = _one(self.refunds(RefundStatus.CLOSED), pick)
        try:
            actions.renew_closed(refund_id=refund.pk, by=SYSTEM, at=self.at)
        except Refusal:
            return

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
            order = self.channel.orders[payment.out_trade_no]
            assert order.state == "SUCCESS"
            assert order.total_fen == payment.received_fen
        for refund in Refund.objects.filter(status=RefundStatus.SUCCEEDED):
            assert self.channel.refunds[refund.out_refund_no].progress is RefundProgress.SUCCESS

    def teardown(self) -> None:
        """Everything is answered; then our books are WeChat's. The example leaves no row."""
        try:
            if not connection.needs_rollback:
                self._answer_everything()
                self.money_adds_up()
                self.only_what_is_so_is_believed()
                assert bills.ledger_totals()["cash_fen"] == self.channel.kept_fen
                self._what_is_left_has_a_case()
        finally:
            transaction.set_rollback(True)
            self._example.__exit__(None, None, None)

    # ------------------------------------------------------------------ how it is done

    def bills(self) -> list[Bill]:
        return list(Bill.objects.order_by("pk"))

    def paid_bills(self) -> list[Bill]:
        return list(Bill.objects.filter(status__in=PAID).order_by("pk"))

    def payments(self) -> list[Payment]:
        return list(Payment.objects.order_by("pk"))

    def live(self) -> list[Payment]:
        return list(Payment.objects.filter(status__in=LIVE).order_by("pk"))

    def refunds(self, *statuses: RefundStatus) -> list[Refund]:
        rows = Refund.objects.select_related("payment").order_by("pk")
        return list(rows.filter(status__in=statuses))

    def unpaid(self) -> list[Any]:
        return [order for order in self.channel.orders.values() if order.state != "SUCCESS"]

    def paid_orders(self) -> list[Any]:
        return [order for order in self.channel.orders.values() if order.state == "SUCCESS"]

    def processing(self) -> list[str]:
        found = self.channel.refunds.items()
        return [number for number, it in found if it.progress is RefundProgress.PROCESSING]

    def _hand_over(self, letter: Letter, *, verify: bool = True) -> NoticeOutcome:
        """A notice arrives; one that disagrees makes us ask, as its deferred job does."""
        is_payment = isinstance(letter.says, Paid)
        received = actions.Received(
            notice_id=letter.notice_id,
            kind=NoticeKind.PAYMENT if is_payment else NoticeKind.REFUND,
            event_type="MODEL",
            headers={},
            body=b"{}",
        )
        if isinstance(letter.says, Paid):
            outcome = actions.record_result(
                paid=letter.says, received=received, by=SYSTEM, at=self.at
            )
            if verify and outcome is NoticeOutcome.PARKED:
                self._ask_number(letter.says.out_trade_no)
            return outcome
        return actions.record_refund_result(
            state=letter.says, received=received, by=SYSTEM, at=self.at
        )

    def _ask(self, payment: Payment) -> None:
        self._ask_number(payment.out_trade_no)

    def _ask_number(self, number: str) -> None:
        found = self.channel.query(number)
        payment = Payment.objects.filter(out_trade_no=number).first()
        if isinstance(found, Paid):
            actions.record_result(paid=found, by=SYSTEM, at=self.at)
        elif payment is None:
            return
        elif isinstance(found, Unpaid):
            actions.record_unpaid(payment_id=payment.pk, reason="unpaid", by=SYSTEM, at=self.at)
        elif isinstance(found, Closed):
            actions.record_closed(payment_id=payment.pk, reason="closed", by=SYSTEM, at=self.at)

    def _send(self, refund: Refund, answer: str) -> None:
        sent = actions.submit_refund(refund_id=refund.pk, by=SYSTEM, at=self.at)
        if sent is None or answer == "killed":
            return
        if answer == "refused":
            actions.record_refund_refused(
                refund_id=refund.pk, code="NOT_ENOUGH", attempt=0, by=SYSTEM, at=self.at
            )
            return
        state = self.channel.refund(
            out_refund_no=refund.out_refund_no,
            number=refund.payment.out_trade_no,
            fen=refund.amount_fen,
        )
        if answer == "taken":
            actions.record_refund_result(state=state, by=SYSTEM, at=self.at)
        else:
            actions.ask_refund_again(
                refund_id=refund.pk, attempt=0, reason="lost", by=SYSTEM, at=self.at
            )

    def _ask_refund(self, refund: Refund) -> None:
        """Unknown there means that it never arrived: the same one is sent again."""
        state = self.channel.refunds.get(refund.out_refund_no)
        if state is None:
            self._send(refund, "taken")
        else:
            actions.record_refund_result(state=state, by=SYSTEM, at=self.at)

    def _books(self) -> object:
        return (
            bills.ledger_totals(),
            list(Payment.objects.values_list("pk", "status").order_by("pk")),
            list(Refund.objects.values_list("pk", "status").order_by("pk")),
        )

    def _answer_everything(self) -> None:
        for letter in self.channel.letters:
            self._hand_over(letter)
        for payment in self.live():
            self.channel.close(payment.out_trade_no)
            self._ask(payment)
        for order in self.paid_orders():
            self._ask_number(order.number)
        for _ in range(ROUNDS):
            self.at += dt.timedelta(minutes=2)
            for bill in self.paid_bills():
                actions.refund_due(bill_id=bill.pk, reason="退费", by=SYSTEM, at=self.at)
            for refund in self.refunds(*OPEN):
                self._ask_refund(refund)
            for number in self.processing():
                self.channel.end_refund(number, RefundProgress.SUCCESS, at=self.at)
            for refund in self.refunds(*AT_CHANNEL):
                self._ask_refund(refund)

    def _what_is_left_has_a_case(self) -> None:
        """No order waits; what is owed or suspended and did not go back is somebody's case."""
        assert self.live() == []
        assert self.refunds(*OPEN) == []
        cases = PaymentCase.objects.filter(closed_at=None)
        totals = bills.ledger_totals()
        if totals["due_fen"] or totals["suspense_fen"]:
            assert cases.exists()
        for payment in Payment.objects.filter(status=PaymentStatus.SUCCEEDED_UNAPPLIED):
            assert cases.filter(payment=payment).exists(), payment


AT_CHANNEL = (RefundStatus.SUBMITTED, RefundStatus.PROCESSING, RefundStatus.ABNORMAL)


@pytest.mark.slow
def test_money_adds_up_whatever_happens_in_whatever_order(db: None) -> None:
    Money.world = World()
    run_state_machine_as_test(
        Money,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def _one(rows: list[Row], pick: int) -> Row:
    return rows[pick % len(rows)]


def _sum(rows: Any, column: str) -> int:
    return int(rows.aggregate(fen=Sum(column))["fen"] or 0)
