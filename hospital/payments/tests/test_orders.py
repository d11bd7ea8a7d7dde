"""An order's life at WeChat: placed once, found when lost, closed only when WeChat says so."""

import dataclasses
import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from pytest_django.fixtures import Settings

from hospital.billing import actions as billing
from hospital.billing.models import Bill
from hospital.billing.states import BillStatus
from hospital.kernel import clock, serials
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import NotFound
from hospital.kernel.states import history
from hospital.payments import actions, gateway, jobs, numbers, schedule
from hospital.payments.models import Allocation, Payment, PaymentCase
from hospital.payments.states import CaseKind, PaymentStatus
from hospital.payments.tests.world import (
    HOLD,
    a_bill,
    a_paid_payment,
    a_pending_payment,
    bill_of,
    later_on,
    money,
    payer_of,
    start,
)
from hospital.testing.jobs import due_jobs, run_jobs
from hospital.testing.people import a_wechat_user
from hospital.testing.wechat import StandIn
from hospital.wechat import clients
from hospital.wechat.clients import WeChatNotConnected

pytestmark = pytest.mark.django_db

AFTER_THE_HOLD = HOLD + dt.timedelta(seconds=1)


def statuses(payment: Payment) -> list[str]:
    return [move.to_status for move in history(payment)]


def is_ours(number: str) -> bool:
    """25 digits, the last of them the check digit."""
    digits, check = number[:-1], number[-1:]
    return number.isdigit() and len(number) == 25 and serials.check_digit(digits) == check


def test_an_order_is_placed_with_our_number(wechat: StandIn) -> None:
    bill = a_bill()
    payment = a_pending_payment(bill)
    bill.refresh_from_db()
    assert payment.status == PaymentStatus.PENDING
    assert bill.status == BillStatus.PAYING
    assert is_ours(payment.out_trade_no)
    (order,) = wechat.state(payment.out_trade_no)["orders"]
    assert (order["total_fen"], order["openid"]) == (2500, payer_of(payment))
    assert order["description"].endswith("挂号费 针灸推拿科")
    assert payment.expires_at == bill.expires_at
    assert "payments.jobs.settle_or_close" in due_jobs()


def test_a_second_tap_gets_the_same_order(wechat: StandIn) -> None:
    bill = a_bill()
    first, second = start(bill), start(bill)
    assert isinstance(first, gateway.Sheet)
    assert isinstance(second, gateway.Sheet)
    assert first.payment_id == second.payment_id
    assert Payment.objects.count() == 1
    assert len(wechat.state()["orders"]) == 1


def _insert_and_check(payment: Payment, *bills: Bill) -> None:
    payment.save(force_insert=True)
    for bill in bills:
        Allocation.objects.create(payment=payment, bill=bill, amount_fen=payment.amount_fen)
    connection.check_constraints()


def test_the_database_allows_one_live_payment_a_bill(wechat: StandIn) -> None:
    payment = a_pending_payment()
    bill = bill_of(payment)
    payment.pk, payment.out_trade_no = None, "other"
    with pytest.raises(DatabaseError, match="its bills add up to"), transaction.atomic():
        _insert_and_check(payment)
    with pytest.raises(IntegrityError, match="payment_one_live"), transaction.atomic():
        _insert_and_check(payment, bill)


def test_raw_sql_cannot_make_money_up(wechat: StandIn) -> None:
    payment = a_pending_payment()
    for sql in (
        "UPDATE payments_payment SET status = 'fully_refunded' WHERE id = %s",
        "UPDATE payments_payment SET status = 'succeeded' WHERE id = %s",
        "DELETE FROM payments_payment WHERE id = %s",
    ):
        with (
            pytest.raises(DatabaseError),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql, [payment.pk])
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.PENDING


def test_the_amount_shown_must_be_the_amount_asked(wechat: StandIn) -> None:
    bill = a_bill()
    bill.total_fen = 2400
    with pytest.raises(billing.BillChanged):
        start(bill)
    assert not Payment.objects.exists()
    assert wechat.state()["orders"] == []


def test_somebody_elses_bill_is_not_found(wechat: StandIn) -> None:
    bill = a_bill()
    bill.wechat_user = a_wechat_user()
    with pytest.raises(NotFound):
        start(bill)
    assert not Payment.objects.exists()


def test_an_expired_or_paid_bill_takes_no_order(wechat: StandIn) -> None:
    paid = bill_of(a_paid_payment(wechat))
    expired = a_bill(ends_in=dt.timedelta(seconds=-1))
    for bill in (paid, expired):
        with pytest.raises(billing.BillNotPayable):
            start(bill)
    assert Payment.objects.count() == 1


def test_no_wechat_account_no_order(settings: Settings) -> None:
    bill = a_bill()
    settings.WECHAT = None
    with pytest.raises(WeChatNotConnected):
        start(bill)
    bill.refresh_from_db()
    assert bill.status == BillStatus.ISSUED


def test_an_answer_lost_after_success_is_repeated_with_the_same_bytes(wechat: StandIn) -> None:
    wechat.fault("timeout_after_success", times=1, match="jsapi")
    payment = a_pending_payment()
    assert statuses(payment) == ["pending"]
    assert len(wechat.state()["orders"]) == 1


def test_no_answer_at_all_leaves_it_unknown_and_the_next_tap_goes_on(wechat: StandIn) -> None:
    wechat.fault("timeout_after_success", times=2, match="jsapi")
    bill = a_bill()
    outcome = start(bill)
    assert isinstance(outcome, gateway.Unreachable)
    payment = Payment.objects.get()
    assert payment.status == PaymentStatus.UNKNOWN
    assert isinstance(start(bill), gateway.Sheet)
    payment.refresh_from_db()
    assert statuses(payment) == ["unknown", "pending"]
    assert len(wechat.state()["orders"]) == 1


def test_an_unknown_order_is_asked_about_by_itself(wechat: StandIn) -> None:
    wechat.fault("timeout_after_success", times=2, match="jsapi")
    bill = a_bill()
    start(bill)
    payment = Payment.objects.get()
    wechat.pay(payment.out_trade_no)
    with later_on(wechat, dt.timedelta(seconds=6)):
        assert run_jobs(only="payments") == []
    payment.refresh_from_db()
    bill.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED
    assert bill.status == BillStatus.SETTLED
    assert money(bill) == (2500, 2500, 0)


def test_nobody_there_says_that_nothing_was_charged(wechat: StandIn, settings: Settings) -> None:
    settings.WECHAT = dataclasses.replace(settings.WECHAT, pay_base="http://127.0.0.1:9")
    outcome = start(a_bill())
    assert isinstance(outcome, gateway.Unreachable)
    assert Payment.objects.get().status == PaymentStatus.UNKNOWN


def test_a_lost_notice_is_found_by_looking(wechat: StandIn) -> None:
    wechat.fault("notify_lost")
    payment = a_pending_payment()
    wechat.pay(payment.out_trade_no)
    with later_on(wechat, dt.timedelta(seconds=21)):
        run_jobs(only="payments")
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED


def test_looking_goes_on_while_nobody_pays(wechat: StandIn) -> None:
    payment = a_pending_payment()
    for seconds in (21, 62, 130):
        with later_on(wechat, dt.timedelta(seconds=seconds)):
            run_jobs(only="payments.jobs.look")
    assert due_jobs().count("payments.jobs.look") == 1
    assert statuses(payment) == ["pending"]


def test_at_its_end_an_unpaid_order_is_closed_and_the_bill_reopened(wechat: StandIn) -> None:
    payment = a_pending_payment()
    with later_on(wechat, AFTER_THE_HOLD):
        run_jobs(only="payments.jobs.settle_or_close")
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.CLOSED
    assert bill_of(payment).status == BillStatus.ISSUED
    assert "registration.jobs.release_unpaid_bill" in due_jobs()
    (order,) = wechat.state(payment.out_trade_no)["orders"]
    assert order["trade_state"] == "CLOSED"


def test_at_its_end_a_paid_order_is_found(wechat: StandIn) -> None:
    wechat.fault("notify_lost")
    payment = a_pending_payment()
    wechat.pay(payment.out_trade_no)
    with later_on(wechat, AFTER_THE_HOLD):
        run_jobs(only="payments.jobs.settle_or_close")
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED
    assert bill_of(payment).status == BillStatus.SETTLED


def test_an_order_paid_while_we_close_it(wechat: StandIn) -> None:
    """WeChat refuses to close; asking again tells why."""
    payment = a_pending_payment()
    wechat.fault("http_500", times=0)
    found = gateway.ask(payment_id=payment.pk, by=SYSTEM, at=clock.now())
    assert found.status == PaymentStatus.PENDING
    wechat.pay(payment.out_trade_no)
    jobs.settle_or_close(payment_id=payment.pk)
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED


def test_an_order_that_never_arrived_is_closed_at_its_end(
    wechat: StandIn, settings: Settings
) -> None:
    connected = settings.WECHAT
    settings.WECHAT = dataclasses.replace(connected, pay_base="http://127.0.0.1:9")
    start(a_bill())
    settings.WECHAT = connected
    payment = Payment.objects.get()
    with later_on(wechat, AFTER_THE_HOLD):
        run_jobs(only="payments.jobs.settle_or_close")
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.CLOSED
    assert bill_of(payment).status == BillStatus.ISSUED


def test_without_an_answer_it_is_asked_again_at_sm10s_pace(wechat: StandIn) -> None:
    payment = a_pending_payment()
    wechat.fault("http_500", times=-1)
    at = clock.now()
    jobs.settle_or_close(payment_id=payment.pk, attempt=3)
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.UNKNOWN
    assert bill_of(payment).status == BillStatus.PAYING
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args, scheduled_at FROM procrastinate_jobs"
            " WHERE task_name = 'payments.jobs.settle_or_close' ORDER BY id DESC LIMIT 1"
        )
        arguments, scheduled_at = cursor.fetchone()
    assert '"attempt": 4' in str(arguments).replace("'", '"')
    assert dt.timedelta(seconds=59) < scheduled_at - at < dt.timedelta(seconds=65)


def test_after_a_day_without_answer_a_person_is_asked(wechat: StandIn) -> None:
    payment = a_pending_payment()
    wechat.fault("http_500", times=-1)
    attempt = next(n for n in range(1000) if schedule.unknown_wait(n) is None)
    jobs.settle_or_close(payment_id=payment.pk, attempt=attempt)
    case = PaymentCase.objects.get()
    assert (case.kind, case.number) == (CaseKind.UNRESOLVED, payment.out_trade_no)
    wechat.reset()
    actions.record_closed(payment_id=payment.pk, reason="test", by=SYSTEM, at=clock.now())
    case.refresh_from_db()
    assert case.closed_at is not None


def test_asking_ends_an_order_whose_timer_gave_up(wechat: StandIn, settings: Settings) -> None:
    connected = settings.WECHAT
    settings.WECHAT = dataclasses.replace(connected, pay_base="http://127.0.0.1:9")
    start(a_bill())
    payment = Payment.objects.get()
    attempt = next(n for n in range(1000) if schedule.unknown_wait(n) is None)
    with later_on(wechat, dt.timedelta(hours=25)):
        jobs.settle_or_close(payment_id=payment.pk, attempt=attempt)
        assert PaymentCase.objects.get().kind == CaseKind.UNRESOLVED
        settings.WECHAT = connected
        payment = gateway.ask(payment_id=payment.pk, by=SYSTEM, at=clock.now())
    assert payment.status == PaymentStatus.CLOSED
    assert bill_of(payment).status == BillStatus.ISSUED
    assert PaymentCase.objects.get().closed_at is not None


def test_unknown_waits_add_up_to_a_day() -> None:
    waits: list[dt.timedelta] = []
    while (wait := schedule.unknown_wait(len(waits))) is not None:
        waits.append(wait)
    assert [int(wait.total_seconds()) for wait in waits[:7]] == [5, 15, 30, 60, 120, 300, 600]
    assert dt.timedelta(hours=24) <= sum(waits, dt.timedelta()) < dt.timedelta(hours=24, minutes=10)


def test_a_closed_order_opens_a_new_number(wechat: StandIn) -> None:
    bill = a_bill()
    first = a_pending_payment(bill)
    jobs.close_payments(bill_id=bill.pk)
    first.refresh_from_db()
    assert first.status == PaymentStatus.CLOSED
    second = a_pending_payment(bill)
    assert second.out_trade_no != first.out_trade_no


def test_a_late_start_still_gets_wechats_minute(wechat: StandIn) -> None:
    bill = a_bill(ends_in=dt.timedelta(seconds=20))
    payment = a_pending_payment(bill)
    assert payment.expires_at - payment.created_at == schedule.SHORTEST_ORDER


def test_a_bill_without_end_gets_two_hours(wechat: StandIn) -> None:
    payment = a_pending_payment(a_bill(ends_in=None))
    assert payment.expires_at - payment.created_at == schedule.ORDER_FOR


def test_numbers() -> None:
    at = dt.datetime(2026, 11, 22, 16, 0, 1, tzinfo=dt.UTC)
    number = numbers.payment_number(scene="10", at=at, node=1, serial=1234567)
    assert number[:-1] == "102026112300000101234567"
    assert is_ours(number)
    assert not is_ours(number[:-1] + str((int(number[-1]) + 1) % 10))
    assert not is_ours("GH1")
    assert numbers.refund_number(payment_number=number, count=0) == f"{number}R01"
    assert len(number) <= 32


def test_an_outside_call_inside_a_transaction_is_a_bug(wechat: StandIn) -> None:
    bill = a_bill()
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        start(bill)


def test_an_order_wechat_refuses_is_given_up_at_once(wechat: StandIn, settings: Settings) -> None:
    """Refused and never made: the bill is free again, and the payer hears that nothing went."""
    settings.WECHAT = dataclasses.replace(settings.WECHAT, appid="wxffffffffffffffff")
    bill = a_bill()
    assert isinstance(start(bill), gateway.Unreachable)
    bill.refresh_from_db()
    assert Payment.objects.get().status == PaymentStatus.CLOSED
    assert bill.status == BillStatus.ISSUED


def test_an_order_closed_at_wechat_is_over_for_us_too(wechat: StandIn) -> None:
    bill = a_bill()
    payment = a_pending_payment(bill)
    clients.pay().close(out_trade_no=payment.out_trade_no)
    assert isinstance(start(bill), gateway.Ended)
    payment.refresh_from_db()
    bill.refresh_from_db()
    assert (payment.status, bill.status) == (PaymentStatus.CLOSED, BillStatus.ISSUED)


def test_timers_of_an_ended_order_do_nothing(wechat: StandIn) -> None:
    payment = a_paid_payment(wechat)
    before = len(due_jobs())
    jobs.look(payment_id=payment.pk)
    jobs.settle_or_close(payment_id=payment.pk)
    actions.record_unanswered(
        payment_id=payment.pk,
        job="payments.jobs.look",
        attempt=0,
        reason="",
        by=SYSTEM,
        at=clock.now(),
    )
    actions.record_unpaid(payment_id=payment.pk, reason="unpaid", by=SYSTEM, at=clock.now())
    actions.record_closed(payment_id=payment.pk, reason="test", by=SYSTEM, at=clock.now())
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED
    assert len(due_jobs()) == before


def test_actions_on_no_payment_find_nothing(wechat: StandIn) -> None:
    with pytest.raises(NotFound):
        actions.record_prepay(payment_id=0, prepay_id="wx", by=SYSTEM, at=clock.now())
    with pytest.raises(NotFound):
        actions.record_closed(payment_id=0, reason="", by=SYSTEM, at=clock.now())
