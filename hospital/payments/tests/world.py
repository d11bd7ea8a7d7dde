"""A small world for payments: a bill, its payer, and a clock that moves ours and WeChat's."""

import datetime as dt
import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import time_machine
from django.db import transaction

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.models import Bill
from hospital.catalogue.queries import FeeLine
from hospital.identity.models import WeChatUser
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.payments import actions, gateway
from hospital.payments.models import Payment, Refund
from hospital.payments.states import PaymentStatus
from hospital.testing.organisation import a_price_item
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.wechat import StandIn

_numbers = itertools.count(1)
HOLD = dt.timedelta(minutes=15)


def a_bill(
    user: WeChatUser | None = None, *, fen: int = 2500, ends_in: dt.timedelta | None = HOLD
) -> Bill:
    """An issued bill of one line for something no other area knows of."""
    user = user or a_wechat_user()
    at = clock.now()
    item = a_price_item(price_fen=fen)
    with transaction.atomic():
        return billing.add_charges(
            patient_id=a_patient(user, at=at).pk,
            wechat_user_id=user.pk,
            source=("test", next(_numbers)),
            lines=[
                FeeLine(
                    price_item_id=item.pk,
                    code=item.code,
                    name=item.name,
                    category=item.category,
                    amount_fen=fen,
                )
            ],
            title="挂号费 针灸推拿科",
            path="/m/appointments/X/",
            expires_at=at + ends_in if ends_in else None,
            by=SYSTEM,
            at=at,
        )


def start(bill: Bill) -> gateway.Sheet | gateway.Ended | gateway.Unreachable:
    """The payer taps the button."""
    assert bill.wechat_user_id is not None
    return gateway.start_wechat_payment(
        token=bill.token,
        wechat_user_id=bill.wechat_user_id,
        shown_fen=bill.total_fen,
        by=Actor("patient", bill.wechat_user_id),
        at=clock.now(),
    )


def a_pending_payment(bill: Bill | None = None) -> Payment:
    """An order that stands at WeChat."""
    outcome = start(bill or a_bill())
    assert isinstance(outcome, gateway.Sheet)
    return Payment.objects.get(pk=outcome.payment_id)


def a_paid_payment(wechat: StandIn, bill: Bill | None = None) -> Payment:
    """Paid on the phone and found by asking."""
    payment = a_pending_payment(bill)
    wechat.pay(payment.out_trade_no)
    payment = gateway.ask(payment_id=payment.pk, by=SYSTEM, at=clock.now())
    assert payment.status == PaymentStatus.SUCCEEDED
    return payment


def a_reversed_payment(wechat: StandIn, bill: Bill | None = None) -> tuple[Payment, Refund]:
    """Paid, then the charges were reversed and the refund asked for; not sent yet."""
    payment = a_paid_payment(wechat, bill)
    reverse(bill_of(payment))
    (refund,) = actions.refund_due(
        bill_id=bill_of(payment).pk, reason="测试退费", by=SYSTEM, at=clock.now()
    )
    return payment, refund


def bill_of(payment: Payment) -> Bill:
    """The one bill of a payment, read anew."""
    return payment.allocations.get().bill


def payer_of(payment: Payment) -> str:
    """The openid of whoever pays."""
    assert payment.payer is not None
    return payment.payer.openid


def reverse(bill: Bill) -> None:
    with transaction.atomic():
        billing.reverse_charges(bill_id=bill.pk, reason="测试退费", by=SYSTEM, at=clock.now())


def money(bill: Bill) -> tuple[int, int, int]:
    """Kept, earned and owed back, in fen."""
    balance = bills.balance(bill_id=bill.pk)
    return balance.cash_fen, balance.revenue_fen, balance.due_fen


@contextmanager
def later_on(wechat: StandIn, by: dt.timedelta) -> Iterator[None]:
    """Everybody's clock is later, WeChat's too."""
    wechat.clock(by.total_seconds(), wire=True)
    with time_machine.travel(clock.now() + by, tick=True):
        yield
    wechat.clock(0, wire=True)
