"""How each operation is reached: a short way through booking and money, with the fault on it.

The way is the product's own: its gateways and actions, the jobs of the worker, WeChat's signed
notices at our door. People are as patient as the pages ask them to be: they tap again, and come
back a little later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from django.test import Client

from hospital.kernel import clock
from hospital.kernel.actors import Actor
from hospital.payments import gateway
from hospital.payments.models import Payment, Refund
from hospital.registration import actions as registration
from hospital.registration.models import Appointment
from hospital.testing.bookings import a_booking
from tests.journeys.faults.ends import FEE_FEN
from tests.journeys.faults.table import OPERATIONS, Row
from tests.journeys.story import Story

CASHIER = Actor("staff", 1)
TAPS = 3
ROUNDS = 14
#: A little more than a number is held.
HOLD_MINUTES = 17
#: Just before a refund ends at the stand-in that nobody ends by a lever.
REFUND_MINUTES = 333
#: This one holds the payment's notice back; elsewhere it has come before the refund's.
EARLY = "refund_before_payment"
#: These end a refund by themselves, in their time.
SLOW_ENDS = ("refund_abnormal", "refund_closed")


@dataclass
class Walk:
    """One patient's way under one row of the table."""

    story: Story
    row: Row
    appointment: Appointment = field(init=False)
    answers: list[int] = field(default_factory=list)
    handed_over: int = 0

    def __post_init__(self) -> None:
        self.appointment = a_booking(schedule=self.story.schedule, at=clock.now())

    @property
    def payer(self) -> Actor:
        user_id = self.appointment.wechat_user_id
        assert user_id is not None
        return Actor("patient", user_id)

    def strike(self) -> None:
        """From now on the fault waits."""
        options = {"match": OPERATIONS[self.row.operation].match} | self.row.options
        self.story.wechat.fault(self.row.fault, **options)

    def passes(self, *, minutes: float) -> None:
        """The story's clock, with the postman at work at the end."""
        self.story.time.passes(minutes=minutes, sweep=1 if minutes >= HOLD_MINUTES else 60)
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
        openid = self.appointment.wechat_user.openid if self.appointment.wechat_user else ""
        self.story.wechat.pay(payment.out_trade_no, openid=openid)

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


# ---------------------------------------------------------------------- operations


def _prepay(walk: Walk) -> None:
    walk.strike()
    walk.is_booked()


def _native(walk: Walk) -> None:
    walk.strike()
    for _ in range(TAPS):
        outcome = gateway.start_native(
            bill_ids=[walk.appointment.bill_id], shown_fen=FEE_FEN, by=CASHIER, at=clock.now()
        )
        if isinstance(outcome, gateway.CodeShown):
            break
        walk.story.time.passes(seconds=20)
    walk.pays(Payment.objects.get())
    walk.wait_for_notices(1)


def _query(walk: Walk) -> None:
    """The notice is lost, so only our questions find the payment."""
    walk.story.wechat.fault("notify_lost", match="TRANSACTION")
    walk.pays(walk.tap_until_sheet())
    walk.strike()
    walk.passes(minutes=6)


def _close(walk: Walk) -> None:
    """The patient cancels while the sheet is open."""
    walk.tap_until_sheet()
    walk.strike()
    registration.cancel(number=walk.appointment.number, by=walk.payer, at=clock.now())
    walk.passes(minutes=6)


def _refund(walk: Walk) -> None:
    walk.is_booked()
    walk.strike()
    walk.cancels()
    walk.bank_pays_back()
    walk.wait_for_notices(2)


def _refund_query(walk: Walk) -> None:
    """The notice is lost, so only our questions find the refund's end."""
    walk.is_booked()
    walk.story.wechat.fault("notify_lost", match="REFUND")
    walk.strike()
    walk.cancels()
    walk.bank_pays_back()
    walk.passes(minutes=10)


def _payment_notice(walk: Walk) -> None:
    walk.story.wechat.letters.answers = list(walk.row.door)
    walk.strike()
    walk.pays(walk.tap_until_sheet())
    walk.wait_for_notices(len(walk.row.door))
    walk.passes(minutes=6)


def _refund_notice(walk: Walk) -> None:
    if walk.row.fault == EARLY:
        walk.strike()
        walk.pays(walk.tap_until_sheet())
        walk.passes(minutes=1)
    else:
        walk.is_booked()
        walk.answers.clear()
        walk.story.wechat.letters.answers = list(walk.row.door)
        walk.strike()
    walk.cancels()
    walk.bank_pays_back()
    walk.wait_for_notices(len(walk.row.door) + (1 if walk.row.fault != EARLY else 0))
    walk.passes(minutes=6)


def _account(walk: Walk) -> None:
    walk.strike()
    walk.is_booked()
    walk.passes(minutes=6)


def _scan(walk: Walk) -> None:
    walk.strike()
    _charge(walk)
    if walk.row.fault == "userpaying":
        walk.story.time.passes(seconds=11)
        walk.story.wechat.micropay_password(Payment.objects.get().out_trade_no)
    walk.passes(minutes=2 if walk.row.end == "booked" else HOLD_MINUTES)


def _scan_query(walk: Walk) -> None:
    walk.story.wechat.fault("userpaying_then_success", seconds=8)
    _charge(walk)
    walk.strike()
    walk.passes(minutes=2)


def _reverse(walk: Walk) -> None:
    walk.story.wechat.fault("userpaying")
    _charge(walk)
    walk.strike()
    walk.passes(minutes=HOLD_MINUTES)


def _charge(walk: Walk) -> None:
    """The cashier scans the code on the patient's phone."""
    user = walk.appointment.wechat_user
    assert user is not None
    gateway.charge_code(
        bill_ids=[walk.appointment.bill_id],
        auth_code=walk.story.wechat.scan_code(user.openid),
        shown_fen=FEE_FEN,
        key="till-1",
        client_ip="127.0.0.1",
        device_id="till-1",
        by=CASHIER,
        at=clock.now(),
    )


WALKS: dict[str, Callable[[Walk], None]] = {
    "prepay": _prepay,
    "native": _native,
    "query": _query,
    "close": _close,
    "refund": _refund,
    "refund query": _refund_query,
    "payment notice": _payment_notice,
    "refund notice": _refund_notice,
    "token": _account,
    "message": _account,
    "scan": _scan,
    "scan query": _scan_query,
    "reverse": _reverse,
}
