"""Every statement of the money core is lost once: afterwards there is one right end, and books
that balance.

Each story is told for every statement in it, and the connection is lost before that one. What
follows is what a hospital has: the notice comes again, the job runs again, somebody taps
again.
"""

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from django.db import OperationalError, connection, transaction

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.models import Bill
from hospital.billing.states import BillStatus
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.payments import actions, gateway, jobs
from hospital.payments.models import Notice, Payment, PaymentCase, Refund
from hospital.payments.states import NoticeOutcome, PaymentStatus, RefundStatus
from hospital.payments.tests.world import (
    HOLD,
    a_bill,
    a_notice,
    bill_of,
    later_on,
    money,
    paid_word,
    refund_word,
    reverse,
    start,
)
from hospital.testing.jobs import run_jobs
from hospital.testing.wechat import StandIn
from hospital.wechat.outcomes import Paid

pytestmark = pytest.mark.django_db
Thing = TypeVar("Thing")
CASHIER = Actor("staff", 3)
_numbers = itertools.count(1)
KEPT = "SELECT " + ", ".join(
    f"(SELECT count(*) FROM {table})"
    for table in (
        "kernel_transition",
        "kernel_requestkey",
        "procrastinate_jobs",
        "payments_payment",
        "payments_notice",
        "payments_refund",
        "payments_paymentcase",
        "billing_posting",
    )
)


class Lost(OperationalError):
    """The connection to the database is gone."""


@contextmanager
def losing(number: int) -> Iterator[list[str]]:
    """The statement of this number never arrives; yields what was lost."""
    count, lost = itertools.count(1), []

    def wrap(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if next(count) == number:
            lost.append(sql)
            raise Lost(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(wrap):
        yield lost


def kept() -> object:
    """What has reached the disk, in figures: whoever writes anything writes one of these."""
    with connection.cursor() as cursor:
        cursor.execute(KEPT)
        return cursor.fetchone()


def at_every_boundary(
    make: Callable[[], Thing], act: Callable[[Thing], object], *, least: int
) -> list[Thing]:
    """Act again and again, losing one statement later each time, until nothing is lost; `least` is
    how many statements there are at the very least.

    What a loss left untouched goes on to the next loss; whatever it left half done is put aside for
    the end, and the story is made anew.
    """
    things: list[Thing] = []
    before: object = None
    for number in itertools.count(1):
        if not things or kept() != before:
            things.append(make())
            before = kept()
        try:
            with losing(number) as lost:
                act(things[-1])
        except Lost:
            continue
        assert lost == [], "a lost statement was swallowed"
        assert number > least, "the story has become too short to be true"
        return things
    raise AssertionError("no story is endless")


def books_balance() -> None:
    connection.check_constraints()
    assert bills.ledger_totals()["balance_fen"] == 0


def an_order(*for_bills: Bill) -> Payment:
    """An order as it stands here; the stand-in is not asked."""
    for_bills = for_bills or (a_bill(),)
    payment = actions.create_payment(
        bill_ids=[bill.pk for bill in for_bills],
        wechat_user_id=for_bills[0].wechat_user_id,
        shown_fen=sum(bill.total_fen for bill in for_bills),
        account=("1900000001", "wx1"),
        node=1,
        by=SYSTEM,
        at=clock.now(),
    )
    return actions.record_prepay(payment_id=payment.pk, prepay_id="wx", by=SYSTEM, at=clock.now())


def told(payment: Payment, **odd: object) -> tuple[Payment, Paid, actions.Received]:
    return payment, paid_word(payment, **odd), a_notice(next(_numbers))


def tell(story: tuple[Payment, Paid, actions.Received]) -> NoticeOutcome:
    _, paid, received = story
    return actions.record_result(paid=paid, received=received, by=SYSTEM, at=clock.now())


def test_start_wechat_payment_and_the_payer_taps_again(wechat: StandIn) -> None:
    every = at_every_boundary(a_bill, start, least=15)
    for bill in every:
        sheet = start(bill)
        assert isinstance(sheet, gateway.Sheet)
        payment = bill.allocations.get().payment
        assert sheet.payment_id == payment.pk
        wechat.pay(payment.out_trade_no)
    assert len(wechat.state()["orders"]) == len(every)
    with later_on(wechat, HOLD + dt.timedelta(seconds=5)):
        assert run_jobs(only="payments") == []
    for bill in every:
        bill.refresh_from_db()
        assert bill.allocations.get().payment.status == PaymentStatus.SUCCEEDED
        assert (bill.status, money(bill)) == (BillStatus.SETTLED, (2500, 2500, 0))
    books_balance()


def test_start_wechat_payment_and_nobody_comes_back(wechat: StandIn) -> None:
    every = at_every_boundary(a_bill, start, least=15)
    with later_on(wechat, HOLD + dt.timedelta(seconds=5)):
        assert run_jobs(only="payments") == []
    for bill in every:
        bill.refresh_from_db()
        payments = [part.payment.status for part in bill.allocations.all()]
        assert payments in ([], [PaymentStatus.CLOSED])
        assert (bill.status, money(bill)) == (BillStatus.ISSUED, (0, 0, 0))
    assert all(row["trade_state"] == "CLOSED" for row in wechat.state()["orders"])
    books_balance()


def test_record_result_and_the_notice_comes_again() -> None:
    every = at_every_boundary(lambda: told(an_order()), tell, least=20)
    for story in every:
        assert tell(story) is (
            NoticeOutcome.REPEATED if story is every[-1] else NoticeOutcome.APPLIED
        )
        payment, paid, _ = story
        payment.refresh_from_db()
        assert (payment.status, payment.transaction_id) == ("succeeded", paid.transaction_id)
        assert bill_of(payment).status == BillStatus.SETTLED
        assert money(bill_of(payment)) == (2500, 2500, 0)
    assert Notice.objects.count() == len(every)
    books_balance()


def a_second_payment() -> tuple[Payment, Paid, actions.Received]:
    """Thought closed, while another order paid one of its two bills."""
    first, second = a_bill(fen=2500), a_bill(fen=700)
    group = an_order(first, second)
    actions.record_closed(payment_id=group.pk, reason="test", by=SYSTEM, at=clock.now())
    tell(told(an_order(first)))
    return told(group)


def test_record_result_of_money_for_a_bill_paid_already() -> None:
    every = at_every_boundary(a_second_payment, tell, least=30)
    for story in every:
        tell(story)
        refund = story[0].refunds.get()
        first, second = (part.bill for part in story[0].allocations.order_by("bill_id"))
        assert (refund.amount_fen, refund.bill_id) == (2500, first.pk)
        assert (money(first), money(second)) == ((5000, 2500, 2500), (700, 700, 0))
    books_balance()


def test_record_result_of_a_wrong_amount() -> None:
    def answer(story: tuple[Payment, Paid, actions.Received]) -> NoticeOutcome:
        return actions.record_result(paid=story[1], by=SYSTEM, at=clock.now())

    every = at_every_boundary(lambda: told(an_order(), total_fen=9), answer, least=12)
    for story in every:
        answer(story)
        story[0].refresh_from_db()
        assert story[0].status == PaymentStatus.SUCCEEDED_UNAPPLIED
        assert bill_of(story[0]).status == BillStatus.ISSUED
        assert bills.suspended_fen(reference=story[0].out_trade_no) == 9
    assert PaymentCase.objects.count() == len(every)
    assert bills.ledger_totals()["suspense_fen"] == 9 * len(every)
    books_balance()


def an_owing_bill() -> Bill:
    story = told(an_order())
    tell(story)
    bill = bill_of(story[0])
    reverse(bill)
    return bill


def test_refund_due_and_the_job_runs_again() -> None:
    every = at_every_boundary(
        an_owing_bill, lambda bill: jobs.refund_reversed(bill_id=bill.pk), least=10
    )
    for bill in every:
        jobs.refund_reversed(bill_id=bill.pk)
        refund = bill.refunds.get()
        assert (refund.amount_fen, refund.status) == (2500, RefundStatus.REQUESTED)
        assert money(bill) == (2500, 0, 2500)
    books_balance()


def test_a_request_is_approved_once() -> None:
    def a_paid_bill() -> tuple[Bill, str]:
        story = told(an_order())
        tell(story)
        return bill_of(story[0]), f"key{next(_numbers)}"

    def ask(story: tuple[Bill, str]) -> object:
        return actions.propose_refund(
            bill_id=story[0].pk,
            shown_fen=2500,
            reason="误收",
            key=story[1],
            by=CASHIER,
            at=clock.now(),
        )

    for story in at_every_boundary(a_paid_bill, ask, least=15):
        ask(story)
        assert story[0].refund_requests.get().status == "approved"
        assert money(story[0]) == (2500, 0, 2500)
    books_balance()


def a_refund() -> Refund:
    (made,) = actions.refund_due(
        bill_id=an_owing_bill().pk, reason="测试", by=SYSTEM, at=clock.now()
    )
    return made


def test_record_refund_result_and_the_notice_comes_again() -> None:
    def a_sent_refund() -> Refund:
        refund = a_refund()
        actions.submit_refund(refund_id=refund.pk, by=SYSTEM, at=clock.now())
        return refund

    def succeed(refund: Refund) -> NoticeOutcome:
        return actions.record_refund_result(
            state=refund_word(refund),
            received=a_notice(10**6 + refund.pk),
            by=SYSTEM,
            at=clock.now(),
        )

    for refund in at_every_boundary(a_sent_refund, succeed, least=20):
        succeed(refund)
        refund.refresh_from_db()
        assert refund.status == RefundStatus.SUCCEEDED
        assert refund.payment.status == PaymentStatus.FULLY_REFUNDED
        assert money(bill_of(refund.payment)) == (0, 0, 0)
    assert set(bills.ledger_totals().values()) == {0}
    books_balance()


def test_send_refund_and_the_jobs_run_again(wechat: StandIn) -> None:
    """Also between WeChat's taking it and our noting that: it goes out under one number."""

    def a_refund_of_money_there() -> Refund:
        bill = a_bill()
        start(bill)
        payment = bill.allocations.get().payment
        wechat.pay(payment.out_trade_no)
        tell(told(payment))
        reverse(bill)
        (made,) = actions.refund_due(bill_id=bill.pk, reason="测试", by=SYSTEM, at=clock.now())
        return made

    every = at_every_boundary(
        a_refund_of_money_there, lambda refund: jobs.send_refund(refund_id=refund.pk), least=10
    )
    with later_on(wechat, dt.timedelta(seconds=30)):
        assert run_jobs(only="payments.jobs") == []
    sent = wechat.state()["refunds"]
    assert sorted(row["out_refund_no"] for row in sent) == sorted(
        refund.out_refund_no for refund in every
    )
    for refund in every:
        wechat.refund_state(refund.out_refund_no, "SUCCESS")
    with later_on(wechat, dt.timedelta(minutes=5)):
        assert run_jobs(only="payments.jobs") == []
    assert set(Refund.objects.values_list("status", flat=True)) == {RefundStatus.SUCCEEDED}
    assert set(bills.ledger_totals().values()) == {0}
    books_balance()


def test_a_scanned_code_ends_paid_or_not_charged(wechat: StandIn) -> None:
    def scan(bill: Bill) -> object:
        return gateway.charge_code(
            bill_ids=[bill.pk],
            auth_code=wechat.scan_code(),
            shown_fen=2500,
            key=f"scan{bill.pk}",
            client_ip="10.1.1.9",
            device_id="window-3",
            by=CASHIER,
            at=clock.now(),
        )

    every = at_every_boundary(a_bill, scan, least=25)
    for passed in (10, 40, 80):
        with later_on(wechat, dt.timedelta(seconds=passed)):
            assert run_jobs(only="payments.jobs") == []
    orders = {row["out_trade_no"]: row["trade_state"] for row in wechat.state()["orders"]}
    for bill in every:
        bill.refresh_from_db()
        payment = next((part.payment for part in bill.allocations.all()), None)
        is_paid = payment is not None and orders.get(payment.out_trade_no) == "SUCCESS"
        assert bill.status == (BillStatus.SETTLED if is_paid else BillStatus.ISSUED)
        assert money(bill) == ((2500, 2500, 0) if is_paid else (0, 0, 0))
    assert list(orders.values()).count("SUCCESS") == sum(
        bill.status == BillStatus.SETTLED for bill in every
    )
    books_balance()


def test_a_transfer_is_booked_once() -> None:
    def a_transfer() -> int:
        refund = a_refund()
        actions.submit_refund(refund_id=refund.pk, by=SYSTEM, at=clock.now())
        with transaction.atomic():
            Refund.objects.filter(pk=refund.pk).update(status=RefundStatus.ABNORMAL)
            actions_case = refund.cases.create(
                kind="refund_abnormal",
                number=refund.out_refund_no,
                payment=refund.payment,
                opened_at=clock.now(),
            )
        made = actions.propose_transfer(
            case_id=actions_case.pk,
            payee="甲",
            payee_account="1",
            proof="S1",
            by=CASHIER,
            at=clock.now(),
        )
        return made.pk

    def confirm(transfer_id: int) -> object:
        return actions.confirm_transfer(
            transfer_id=transfer_id, by=Actor("staff", 7), at=clock.now()
        )

    every = at_every_boundary(a_transfer, confirm, least=20)
    for transfer_id in every[:-1]:
        confirm(transfer_id)
    assert bills.ledger_totals()["cash_fen"] == 0
    with pytest.raises(actions.AlreadyDecided):
        confirm(every[0])
    books_balance()


def test_giving_up_frees_the_bill_once() -> None:
    def close(payment: Payment) -> object:
        return actions.record_closed(
            payment_id=payment.pk, reason="test", by=SYSTEM, at=clock.now()
        )

    for payment in at_every_boundary(an_order, close, least=8):
        close(payment)
        payment.refresh_from_db()
        assert payment.status == PaymentStatus.CLOSED
        bill = bill_of(payment)
        assert bill.status == BillStatus.ISSUED
        with transaction.atomic():
            billing.expire_bill(bill_id=bill.pk, by=SYSTEM, at=clock.now())
    books_balance()
