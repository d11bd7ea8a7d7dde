"""Our side of the money model: the actions, called with what the model of WeChat says.

What a gateway does with an answer is done here the same way: a notice that disagrees makes us ask,
a refund that WeChat does not know is sent again under its number.
"""

import datetime as dt
import itertools
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Sum

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.models import Bill, Charge
from hospital.billing.states import PAID
from hospital.catalogue.models import PriceItem
from hospital.catalogue.queries import FeeLine
from hospital.kernel.actors import SYSTEM, Actor
from hospital.payments import actions
from hospital.payments.models import Payment, PaymentCase, Refund
from hospital.payments.states import (
    FOUR_EYES,
    LIVE,
    OPEN,
    REMEDIES,
    CaseKind,
    CaseRemedy,
    NoticeKind,
    NoticeOutcome,
    RefundStatus,
    RequestStatus,
)
from hospital.payments.tests.channel_model import APPID, MCHID, Channel, Letter, Order
from hospital.testing.organisation import a_price_item
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.schedules import NOW
from hospital.wechat.outcomes import Closed, Paid, RefundProgress, Unpaid

STRANGE = "STRANGE"
ONE, OTHER = Actor("staff", 1), Actor("staff", 2)
UNSENT = (RefundStatus.REQUESTED, RefundStatus.FAILED)
#: Refunds that were sent and may still move there.
AT_CHANNEL = (RefundStatus.SUBMITTED, RefundStatus.PROCESSING, RefundStatus.ABNORMAL)
#: Each round moves every refund that can move by one.
ROUNDS = 20


class World:
    """Who pays and for what; made once, every example rolls back to it."""

    def __init__(self) -> None:
        self.user = a_wechat_user()
        self.patient = a_patient(self.user, at=NOW)
        self.item: PriceItem = a_price_item()


@dataclass
class Hospital:
    """The actions, the moment, and WeChat."""

    world: World
    at: dt.datetime = NOW
    channel: Channel = field(default_factory=Channel)
    serial: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def bills(self) -> list[Bill]:
        return list(Bill.objects.order_by("pk"))

    def payable(self) -> list[Bill]:
        return list(Bill.objects.exclude(status__in=PAID).order_by("pk"))

    def paid_bills(self) -> list[Bill]:
        return list(Bill.objects.filter(status__in=PAID).order_by("pk"))

    def payments(self) -> list[Payment]:
        return list(Payment.objects.order_by("pk"))

    def live(self) -> list[Payment]:
        return list(Payment.objects.filter(status__in=LIVE).order_by("pk"))

    def refunds(self, *statuses: RefundStatus) -> list[Refund]:
        rows = Refund.objects.select_related("payment").order_by("pk")
        return list(rows.filter(status__in=statuses))

    def orders(self, *, is_paid: bool) -> list[Order]:
        found = self.channel.orders.values()
        return [order for order in found if (order.state == "SUCCESS") == is_paid]

    def processing(self) -> list[str]:
        found = self.channel.refunds.items()
        return [number for number, it in found if it.progress is RefundProgress.PROCESSING]

    def strangers(self) -> list[str]:
        return [number for number in self.channel.orders if number.startswith(STRANGE)]

    def issue(self, amounts: list[int], *, ends_at: dt.datetime | None) -> None:
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
                expires_at=ends_at,
                by=SYSTEM,
                at=self.at,
            )

    def refund_due(self, bill: Bill) -> None:
        actions.refund_due(bill_id=bill.pk, reason="退费", by=SYSTEM, at=self.at)

    def order(self, bill_ids: set[int]) -> Payment:
        """The order of these bills, at WeChat too; raises what create_payment raises."""
        total = Bill.objects.filter(pk__in=bill_ids).aggregate(fen=Sum("total_fen"))["fen"]
        payment = actions.create_payment(
            bill_ids=bill_ids,
            wechat_user_id=self.world.user.pk,
            shown_fen=total,
            account=(MCHID, APPID),
            node=1,
            by=SYSTEM,
            at=self.at,
        )
        self.channel.place(payment.out_trade_no, payment.amount_fen)
        return payment

    def hand_over(self, letter: Letter, *, verify: bool = True) -> NoticeOutcome:
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
                self.ask(letter.says.out_trade_no)
            return outcome
        return actions.record_refund_result(
            state=letter.says, received=received, by=SYSTEM, at=self.at
        )

    def ask(self, number: str) -> None:
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

    def cases_of_two(self) -> list[PaymentCase]:
        """Open cases whose remedy takes two persons."""
        found = PaymentCase.objects.filter(closed_at=None).order_by("pk")
        return [case for case in found if REMEDIES[CaseKind(case.kind)] in FOUR_EYES]

    def decide(self, case: PaymentCase) -> None:
        """Both persons, one after the other. Raises what their actions raise."""
        with transaction.atomic():
            if REMEDIES[CaseKind(case.kind)] is CaseRemedy.REFUND_UNAPPLIED:
                decision = actions.propose_decision(
                    case_id=case.pk, note="退回", by=ONE, at=self.at
                )
                actions.confirm_decision(decision_id=decision.pk, by=OTHER, at=self.at)
                return
            transfer = actions.propose_transfer(
                case_id=case.pk,
                payee="陈晓宁",
                payee_account="6222000000000000",
                proof=f"slip-{next(self.serial)}",
                by=ONE,
                at=self.at,
            )
            actions.confirm_transfer(transfer_id=transfer.pk, by=OTHER, at=self.at)

    def ask_for_lines(self, bill: Bill, lines: set[Charge]) -> None:
        """One asks, another approves where that is wanted. Raises what their actions raise."""
        with transaction.atomic():
            request = actions.propose_refund(
                bill_id=bill.pk,
                charge_ids=[line.pk for line in lines],
                shown_fen=sum(line.amount_fen for line in lines),
                reason="退费",
                key=f"model-{next(self.serial)}",
                by=ONE,
                at=self.at,
            )
            if request.status == RequestStatus.REQUESTED:
                actions.approve_refund(request_id=request.pk, by=OTHER, at=self.at)
        self.refund_due(bill)

    def send(self, refund: Refund, answer: str) -> None:
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

    def ask_refund(self, refund: Refund) -> None:
        """Unknown there means that it never arrived: the same one is sent again."""
        state = self.channel.refunds.get(refund.out_refund_no)
        if state is None:
            self.send(refund, "taken")
        else:
            actions.record_refund_result(state=state, by=SYSTEM, at=self.at)

    def books(self) -> object:
        return (
            bills.ledger_totals(),
            list(Payment.objects.values_list("pk", "status").order_by("pk")),
            list(Refund.objects.values_list("pk", "status").order_by("pk")),
        )

    def answer_everything(self) -> None:
        for letter in self.channel.letters:
            self.hand_over(letter)
        for payment in self.live():
            self.channel.close(payment.out_trade_no)
            self.ask(payment.out_trade_no)
        for order in self.orders(is_paid=True):
            self.ask(order.number)
        for _ in range(ROUNDS):
            before = self.books()
            self._one_round()
            if self.books() == before:
                return

    def _one_round(self) -> None:
        """Whatever of refunds can move by itself moves by one."""
        self.at += dt.timedelta(minutes=2)
        for bill in self.paid_bills():
            self.refund_due(bill)
        for refund in self.refunds(*OPEN):
            self.ask_refund(refund)
        for number in self.processing():
            self.channel.end_refund(number, RefundProgress.SUCCESS, at=self.at)
            self.ask_refund(Refund.objects.select_related("payment").get(out_refund_no=number))
