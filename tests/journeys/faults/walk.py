"""One patient's way through booking and money, step by step, with a fault on it.

The steps are the product's own: its gateways and actions, the jobs of the worker, WeChat's signed
notices at our door. People are as patient as the pages ask them to be: they tap again, and come
back a little later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from django.test import Client

from hospital.kernel import clock
from hospital.kernel.actors import Actor
from hospital.payments import gateway
from hospital.payments.models import Payment, Refund
from hospital.registration import actions as registration
from hospital.registration.models import Appointment
from hospital.testing.bookings import a_booking
from tests.journeys.faults.ends import FEE_FEN
from tests.journeys.faults.operations import OPERATIONS
from tests.journeys.faults.table import Row
from tests.journeys.story import Story

TAPS = 3
ROUNDS = 14
#: A little more than a number is held.
HOLD_MINUTES = 17
#: Seldom enough to be quick, often enough that one falls into the minutes before a hold ends.
SWEEP_MINUTES = 3
#: Just before a refund ends at the stand-in that nobody ends by a lever.
REFUND_MINUTES = 333
#: These end a refund by themselves, in their time.
SLOW_ENDS = ("refund_abnormal", "refund_closed")


@dataclass
class Walk:
    """One patient's way under one row of the table."""

    story: Story
    row: Row
    answers: list[int] = field(default_factory=list)
    handed_over: int = 0
    landed_on: str = ""

    @cached_property
    def appointment(self) -> Appointment:
        """The held number; made when the way first needs one."""
        return a_booking(schedule=self.story.schedule, at=clock.now())

    @property
    def has_booked(self) -> bool:
        return "appointment" in self.__dict__

    @property
    def openid(self) -> str:
        """The patient's, towards the account."""
        user = self.appointment.wechat_user
        assert user is not None
        return user.openid

    @property
    def payer(self) -> Actor:
        user_id = self.appointment.wechat_user_id
        assert user_id is not None
        return Actor("patient", user_id)

    def strike(self, **more: object) -> None:
        """From now on the fault waits."""
        options = {"match": OPERATIONS[self.row.operation].match, **self.row.options, **more}
        self.story.wechat.fault(self.row.fault, **options)

    def passes(self, *, minutes: float) -> None:
        """The story's clock, with the postman at work at the end."""
        self.story.time.passes(
            minutes=minutes, sweep=SWEEP_MINUTES if minutes >= HOLD_MINUTES else 60
        )
        self.post()

    def post(self) -> None:
        """Whatever notices have come are handed to our door, signed as they are."""
        letters = list(self.story.wechat.letters.letters)
        for letter in letters[self.handed_over :]:
            answer = letter.hand_to(Client(enforce_csrf_checks=True))
            self.answers.append(answer.status_code)
        self.handed_over = len(letters)
        self.story.time.work()

    def wait_for_notices(self, count: int) -> None:
        """So many notices are there and handed over; what WeChat holds back comes in its time."""
        for _ in range(ROUNDS):
            self.post()
            if self.handed_over >= count:
                return
            self.story.time.passes(seconds=20, sweep=60)
        self.story.wechat.letters.wait(count)
        self.post()

    # ------------------------------------------------------------------ steps

    def tap_until_sheet(self) -> Payment:
        """The pay button; WeChat's sheet opens at once or after a while."""
        for _ in range(TAPS):
            outcome = gateway.start_wechat_payment(
                token=self.appointment.bill.token,
                wechat_user_id=self.payer.id or 0,
                shown_fen=FEE_FEN,
                by=self.payer,
                at=clock.now(),
            )
            if isinstance(outcome, gateway.Sheet):
                return Payment.objects.get(pk=outcome.payment_id)
            self.story.time.passes(seconds=20, sweep=60)
        raise AssertionError("the sheet never opened")

    def pays(self, payment: Payment) -> None:
        """Six digits on the phone."""
        self.story.wechat.pay(payment.out_trade_no, openid=self.openid)

    def is_booked(self) -> None:
        """Paid and told, nothing in the way."""
        self.pays(self.tap_until_sheet())
        self.wait_for_notices(1)

    def cancels(self) -> Refund:
        """The patient gives the number back; the worker sends the refund, sooner or later."""
        registration.cancel(number=self.appointment.number, by=self.payer, at=clock.now())
        self.story.time.work()
        return Refund.objects.get()

    def bank_pays_back(self) -> None:
        """The refund's end at WeChat, once it was taken there."""
        for _ in range(TAPS):
            known = self.story.wechat.state()["refunds"]
            if known:
                break
            self.story.time.passes(minutes=6, sweep=60)
        (refund,) = known
        if self.row.fault in SLOW_ENDS:
            self.story.time.passes(minutes=REFUND_MINUTES, sweep=60)
            for _ in range(TAPS):
                self.passes(minutes=1)
        elif refund["status"] == "PROCESSING":
            self.story.wechat.refund_state(refund["out_refund_no"], "SUCCESS")
