"""A small world for payments: a bill, its payer, and a clock that moves ours and WeChat's."""

import dataclasses
import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
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
from hospital.payments import actions, gateway, queries
from hospital.payments.models import Payment, PaymentCase, Refund
from hospital.payments.states import CaseRemedy, NoticeKind, PaymentStatus
from hospital.testing.organisation import a_price_item
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.wechat import StandIn
from hospital.wechat.outcomes import Paid, RefundProgress, RefundState

_numbers = itertools.count(1)
HOLD = dt.timedelta(minutes=15)


def a_bill(
    user: WeChatUser | None = None,
    *,
    fen: int = 2500,
    more: Sequence[int] = (),
    ends_in: dt.timedelta | None = HOLD,
) -> Bill:
    """An issued bill of one line (or `more`) for something no other area knows of."""
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
                    amount_fen=line_fen,
                )
                for line_fen in (fen, *more)
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


def paid_word(payment: Payment, **changes: object) -> Paid:
    """What WeChat would say of this payment, or something odd."""
    word = Paid(
        mchid=payment.mchid,
        appid=payment.appid,
        out_trade_no=payment.out_trade_no,
        transaction_id=f"42{next(_numbers):026d}",
        total_fen=payment.amount_fen,
        payer_fen=payment.amount_fen,
        openid=payment.payer.openid if payment.payer else "",
        succeeded_at=clock.now(),
    )
    return dataclasses.replace(word, **changes)  # type: ignore[arg-type]


def refund_word(
    refund: Refund, progress: RefundProgress = RefundProgress.SUCCESS, **changes: object
) -> RefundState:
    """What WeChat would say of this refund, or something odd."""
    state = RefundState(
        mchid=refund.payment.mchid,
        out_trade_no=refund.payment.out_trade_no,
        out_refund_no=refund.out_refund_no,
        refund_id=f"50{refund.pk:018d}",
        progress=progress,
        refund_fen=refund.amount_fen,
        total_fen=refund.payment.received_fen or 0,
        received_account="支付用户零钱",
        succeeded_at=clock.now() if progress is RefundProgress.SUCCESS else None,
    )
    return dataclasses.replace(state, **changes)  # type: ignore[arg-type]


def a_notice(number: int) -> actions.Received:
    """A notice as it would be stored, without WeChat's bytes."""
    return actions.Received(
        notice_id=f"n{number}",
        kind=NoticeKind.PAYMENT,
        event_type="TRANSACTION.SUCCESS",
        headers={},
        body=b"{}",
    )


def reverse(bill: Bill) -> None:
    with transaction.atomic():
        billing.reverse_charges(bill_id=bill.pk, reason="测试退费", by=SYSTEM, at=clock.now())


def money(bill: Bill) -> tuple[int, int, int]:
    """Kept, earned and owed back, in fen."""
    balance = bills.balance(bill_id=bill.pk)
    return balance.cash_fen, balance.revenue_fen, balance.due_fen


def remedy_of(case: PaymentCase) -> CaseRemedy:
    """What the case's page asks for now."""
    return queries.case_page(case_id=case.pk, at=clock.now()).remedy


@contextmanager
def later_on(wechat: StandIn, by: dt.timedelta) -> Iterator[None]:
    """Everybody's clock is later, WeChat's too."""
    wechat.clock(by.total_seconds(), wire=True)
    with time_machine.travel(clock.now() + by, tick=True):
        yield
    wechat.clock(0, wire=True)
