"""Bookings paid and returned through WeChat, told by the actions notices call; nothing is sent."""

import datetime as dt
import itertools

from hospital.billing.models import Bill
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.payments import actions
from hospital.payments.actions.cases import open_case
from hospital.payments.actions.received import Received
from hospital.payments.models import Payment, Refund
from hospital.payments.states import CaseKind, NoticeKind
from hospital.registration import actions as registration
from hospital.registration.models import Appointment
from hospital.testing.bookings import a_booking
from hospital.testing.jobs import run_jobs
from hospital.testing.schedules import NOW
from hospital.wechat.outcomes import Paid, RefundProgress, RefundState

_numbers = itertools.count(1)
MCHID, APPID = "1900000001", "wx0000000000000000"
MOMENT = dt.timedelta(seconds=1)


def an_order(bill: Bill) -> Payment:
    """The payer has tapped the button and WeChat has the order."""
    assert bill.wechat_user_id is not None
    by = Actor("patient", bill.wechat_user_id)
    payment = actions.create_payment(
        bill_ids=[bill.pk],
        wechat_user_id=bill.wechat_user_id,
        shown_fen=bill.total_fen,
        account=(MCHID, APPID),
        node=1,
        by=by,
        at=clock.now(),
    )
    return actions.record_prepay(
        payment_id=payment.pk, prepay_id=f"wx{payment.pk}", by=by, at=clock.now()
    )


def notice(kind: NoticeKind) -> Received:
    return Received(
        notice_id=f"notice-{next(_numbers)}", kind=kind, event_type="X", headers={}, body=b"{}"
    )


def money_arrives(payment: Payment, *, fen: int | None = None) -> Payment:
    """WeChat's notice of success comes, and what follows from it."""
    amount_fen = payment.amount_fen if fen is None else fen
    actions.record_result(
        paid=Paid(
            mchid=MCHID,
            appid=APPID,
            out_trade_no=payment.out_trade_no,
            transaction_id=f"42000{next(_numbers):023d}",
            total_fen=amount_fen,
            payer_fen=amount_fen,
            openid=payment.payer.openid if payment.payer else "",
            succeeded_at=clock.now(),
        ),
        received=notice(NoticeKind.PAYMENT),
        by=SYSTEM,
        at=clock.now(),
    )
    assert run_jobs(only="registration.") == []
    payment.refresh_from_db()
    return payment


def a_booking_paid_by_wechat(booked: Appointment | None = None) -> tuple[Appointment, Payment]:
    """A number held, paid and confirmed."""
    booked = booked or a_booking(at=NOW)
    payment = money_arrives(an_order(booked.bill))
    booked.refresh_from_db()
    assert booked.status == "booked"
    return booked, payment


def give_back(booked: Appointment) -> Refund:
    """The patient cancels; the refund has been made and waits to be sent."""
    assert booked.wechat_user_id is not None
    by = Actor("patient", booked.wechat_user_id)
    registration.cancel(number=booked.number, by=by, at=clock.now())
    assert run_jobs(only="payments.jobs.refund_reversed") == []
    booked.refresh_from_db()
    return Refund.objects.get(bill_id=booked.bill_id)


def money_returns(refund: Refund) -> Refund:
    """WeChat says that the refund has arrived."""
    actions.submit_refund(refund_id=refund.pk, by=SYSTEM, at=clock.now())
    actions.record_refund_result(
        state=RefundState(
            mchid=MCHID,
            out_trade_no=refund.payment.out_trade_no,
            out_refund_no=refund.out_refund_no,
            refund_id=f"50000{next(_numbers):023d}",
            progress=RefundProgress.SUCCESS,
            refund_fen=refund.amount_fen,
            total_fen=refund.payment.received_fen or 0,
            received_account="支付用户零钱",
            succeeded_at=clock.now(),
        ),
        received=notice(NoticeKind.REFUND),
        by=SYSTEM,
        at=clock.now(),
    )
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    return refund


def a_case(payment: Payment, kind: CaseKind = CaseKind.WRONG_AMOUNT) -> int:
    """Something a person must look at; returns its id."""
    open_case(
        kind=kind,
        number=payment.out_trade_no,
        payment=payment,
        expected_fen=2500,
        found_fen=2400,
        detail="金额少了一元",
        at=clock.now(),
    )
    return payment.cases.get(kind=kind).pk
