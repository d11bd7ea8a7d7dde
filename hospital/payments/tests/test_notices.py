"""What WeChat posts to us: true ones act once, false ones never, odd ones wait for staff."""

import dataclasses
import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.test import Client
from pytest_django.fixtures import Settings

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.states import BillStatus
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.states import history
from hospital.payments import actions, gateway, jobs
from hospital.payments.models import Notice, Payment, PaymentCase, Refund
from hospital.payments.states import (
    CaseKind,
    NoticeOutcome,
    PaymentStatus,
    RefundStatus,
    Scene,
)
from hospital.payments.tests.world import (
    a_bill,
    a_notice,
    a_paid_payment,
    a_pending_payment,
    a_reversed_payment,
    bill_of,
    money,
    paid_word,
    payer_of,
    start,
)
from hospital.testing.jobs import due_jobs, run_jobs
from hospital.testing.wechat import Letter, StandIn

pytestmark = pytest.mark.django_db


def a_paid_letter(wechat: StandIn) -> tuple[Payment, Letter]:
    payment = a_pending_payment()
    wechat.pay(payment.out_trade_no)
    return payment, wechat.letters.wait()[0]


def test_a_notice_pays_the_bill(wechat: StandIn, client: Client) -> None:
    payment, letter = a_paid_letter(wechat)
    assert letter.path == "/callback/wechat/pay"
    answer = letter.hand_to(client)
    assert (answer.status_code, answer.content) == (204, b"")
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED
    assert payment.transaction_id.startswith("4200")
    assert bill_of(payment).status == BillStatus.SETTLED
    assert money(bill_of(payment)) == (2500, 2500, 0)
    notice = Notice.objects.get()
    assert (notice.outcome, notice.payment_id) == (NoticeOutcome.APPLIED, payment.pk)
    assert notice.body.encode() == letter.body
    assert payer_of(payment) not in notice.body
    assert "registration.jobs.confirm_paid_appointment" in due_jobs()


def test_a_repeated_notice_is_success_and_changes_nothing(wechat: StandIn, client: Client) -> None:
    payment, letter = a_paid_letter(wechat)
    statuses = [letter.hand_to(client).status_code for _ in range(3)]
    assert statuses == [204, 204, 204]
    assert Notice.objects.count() == 1
    assert len(history(Payment.objects.get())) == 2
    assert money(bill_of(payment)) == (2500, 2500, 0)


def test_a_notice_after_asking_is_stored_as_repeated(wechat: StandIn, client: Client) -> None:
    a_paid_payment(wechat)
    wechat.letters.wait()[0].hand_to(client)
    assert Notice.objects.get().outcome == NoticeOutcome.REPEATED


@pytest.mark.parametrize("mode", ["public_key", "certificate"])
def test_both_kinds_of_signature(wechat: StandIn, client: Client, mode: str) -> None:
    wechat.notify_mode(mode)
    _, letter = a_paid_letter(wechat)
    assert letter.hand_to(client).status_code == 204


def test_a_forged_notice_is_refused_and_leaves_no_trace(wechat: StandIn, client: Client) -> None:
    wechat.fault("notify_bad_signature")
    payment, letter = a_paid_letter(wechat)
    answer = letter.hand_to(client)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/json"
    assert b'"code": "FAIL"' in answer.content
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.PENDING
    assert not Notice.objects.exists()


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe"])
def test_an_unsigned_post_is_refused(wechat: StandIn, client: Client, body: bytes) -> None:
    for path in ("/callback/wechat/pay", "/callback/wechat/refund"):
        answer = client.post(path, data=body, content_type="application/json")
        assert answer.status_code == 401
    assert not Notice.objects.exists()


def test_a_changed_byte_is_refused(wechat: StandIn, client: Client) -> None:
    _, letter = a_paid_letter(wechat)
    changed = dataclasses.replace(letter, body=letter.body.replace(b"SUCCESS", b"REFUNDS"))
    assert changed.hand_to(client).status_code == 401


def test_a_notice_we_cannot_open_comes_again(
    wechat: StandIn, client: Client, settings: Settings
) -> None:
    """Signed by WeChat, sealed with another key: our configuration is wrong, nothing is lost."""
    payment, letter = a_paid_letter(wechat)
    connected = settings.WECHAT
    settings.WECHAT = dataclasses.replace(connected, apiv3_key=b"x" * 32)
    assert letter.hand_to(client).status_code == 500
    assert not Notice.objects.exists()
    settings.WECHAT = connected
    assert letter.hand_to(client).status_code == 204
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED


def test_only_posts_are_taken(wechat: StandIn, client: Client) -> None:
    assert client.get("/callback/wechat/pay").status_code == 405


def test_an_order_we_do_not_know_is_parked(wechat: StandIn, client: Client) -> None:
    payment, letter = a_paid_letter(wechat)
    Payment.objects.filter(pk=payment.pk).update(out_trade_no="otherwise")
    assert letter.hand_to(client).status_code == 204
    case = PaymentCase.objects.get()
    assert (case.kind, case.found_fen) == (CaseKind.UNKNOWN_ORDER, 2500)
    assert Notice.objects.get().outcome == NoticeOutcome.PARKED


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"total_fen": 1}, CaseKind.WRONG_AMOUNT),
        ({"mchid": "1900000000"}, CaseKind.WRONG_ACCOUNT),
        ({"appid": "wxother"}, CaseKind.WRONG_ACCOUNT),
    ],
)
def test_a_notice_that_does_not_fit_makes_us_ask_and_the_answer_counts(
    wechat: StandIn, changes: dict[str, object], kind: CaseKind
) -> None:
    payment = a_pending_payment()
    wechat.pay(payment.out_trade_no)
    word = paid_word(payment, **changes)
    for number in range(2):
        outcome = actions.record_result(
            paid=word, received=a_notice(number), by=SYSTEM, at=clock.now()
        )
        assert outcome is NoticeOutcome.PARKED
    payment.refresh_from_db()
    assert (payment.status, PaymentCase.objects.get().kind) == (PaymentStatus.PENDING, kind)
    assert money(bill_of(payment)) == (0, 0, 0)
    run_jobs(only="payments.jobs.verify")
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED
    assert bill_of(payment).status == BillStatus.SETTLED
    assert PaymentCase.objects.get().closed_at is not None
    assert money(bill_of(payment)) == (2500, 2500, 0)


def test_a_wrong_amount_that_really_arrived_is_suspended_and_frees_the_bill(
    wechat: StandIn,
) -> None:
    payment = a_pending_payment()
    word = paid_word(payment, total_fen=1)
    outcomes = [actions.record_result(paid=word, by=SYSTEM, at=clock.now()) for _ in range(2)]
    assert outcomes == [NoticeOutcome.APPLIED, NoticeOutcome.REPEATED]
    payment.refresh_from_db()
    assert (payment.status, payment.received_fen) == (PaymentStatus.SUCCEEDED_UNAPPLIED, 1)
    assert bill_of(payment).status == BillStatus.ISSUED
    assert money(bill_of(payment)) == (0, 0, 0)
    totals = bills.ledger_totals()
    assert (totals["cash_fen"], totals["suspense_fen"], totals["balance_fen"]) == (1, 1, 0)
    case = PaymentCase.objects.get()
    assert (case.kind, case.closed_at) == (CaseKind.WRONG_AMOUNT, None)
    assert (case.expected_fen, case.found_fen) == (2500, 1)


def test_a_late_wrong_amount_on_a_closed_order_is_suspended(wechat: StandIn) -> None:
    payment = a_pending_payment()
    actions.record_closed(payment_id=payment.pk, reason="test", by=SYSTEM, at=clock.now())
    actions.record_result(paid=paid_word(payment, total_fen=9), by=SYSTEM, at=clock.now())
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED_UNAPPLIED
    assert bills.ledger_totals()["suspense_fen"] == 9
    assert bill_of(payment).status == BillStatus.ISSUED


def test_money_for_an_unknown_order_that_is_really_there_is_kept_apart(wechat: StandIn) -> None:
    """R02: another system's order under our merchant number, or one a restored backup lost."""
    payment = a_pending_payment()
    number = payment.out_trade_no
    wechat.pay(number)
    Payment.objects.filter(pk=payment.pk).update(out_trade_no="otherwise")
    word = paid_word(payment, out_trade_no=number)
    actions.record_result(paid=word, received=a_notice(1), by=SYSTEM, at=clock.now())
    assert due_jobs().count("payments.jobs.ask_unknown") == 1
    run_jobs(only="payments.jobs.ask_unknown")
    strange = Payment.objects.get(out_trade_no=number)
    assert (strange.status, strange.scene) == (PaymentStatus.SUCCEEDED_UNAPPLIED, Scene.UNKNOWN)
    assert (strange.received_fen, strange.allocations.count()) == (2500, 0)
    case = PaymentCase.objects.get()
    assert (case.kind, case.payment_id) == (CaseKind.UNKNOWN_ORDER, strange.pk)
    assert bills.ledger_totals()["suspense_fen"] == 2500
    jobs.ask_unknown(number=number)
    assert Payment.objects.count() == 2
    assert bills.ledger_totals()["suspense_fen"] == 2500


def test_an_unknown_order_that_is_nowhere_stays_a_case(wechat: StandIn) -> None:
    payment = a_pending_payment()
    word = paid_word(payment, out_trade_no="nowhere0001")
    actions.record_result(paid=word, received=a_notice(1), by=SYSTEM, at=clock.now())
    run_jobs(only="payments.jobs.ask_unknown")
    assert Payment.objects.count() == 1
    assert PaymentCase.objects.get().closed_at is None
    assert due_jobs().count("payments.jobs.ask_unknown") == 0


def test_two_transactions_for_one_order_are_asked_about(wechat: StandIn) -> None:
    payment = a_paid_payment(wechat)
    outcome = actions.record_result(
        paid=paid_word(payment), received=a_notice(1), by=SYSTEM, at=clock.now()
    )
    assert outcome is NoticeOutcome.PARKED
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED
    assert PaymentCase.objects.get().kind == CaseKind.SECOND_TRANSACTION
    run_jobs(only="payments.jobs.verify")
    assert PaymentCase.objects.get().closed_at is not None
    assert money(bill_of(payment)) == (2500, 2500, 0)


def test_a_case_opened_by_a_clock_ahead_is_closed_all_the_same(wechat: StandIn) -> None:
    payment = a_paid_payment(wechat)
    ahead = clock.now() + dt.timedelta(seconds=30)
    actions.record_result(paid=paid_word(payment), received=a_notice(1), by=SYSTEM, at=ahead)
    run_jobs(only="payments.jobs.verify")
    case = PaymentCase.objects.get()
    assert (case.kind, case.opened_at) == (CaseKind.SECOND_TRANSACTION, ahead)
    assert (case.closed_at, case.closed_by) == (ahead, "system:0")


def test_a_notice_may_overtake_our_own_answer(wechat: StandIn) -> None:
    wechat.fault("timeout_after_success", times=2, match="jsapi")
    start(a_bill())
    payment = Payment.objects.get()
    actions.record_result(paid=paid_word(payment), by=SYSTEM, at=clock.now())
    late = actions.record_prepay(payment_id=payment.pk, prepay_id="wx1", by=SYSTEM, at=clock.now())
    assert late.status == PaymentStatus.SUCCEEDED


def test_late_success_settles_an_expired_bill(wechat: StandIn, client: Client) -> None:
    """The order was closed by us, the bill given up; the money is booked all the same (M1.6)."""
    payment = a_pending_payment()
    actions.record_closed(payment_id=payment.pk, reason="test", by=SYSTEM, at=clock.now())
    with transaction.atomic():
        billing.expire_bill(bill_id=bill_of(payment).pk, by=SYSTEM, at=clock.now())
    wechat.pay(payment.out_trade_no)
    assert wechat.letters.wait()[0].hand_to(client).status_code == 204
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED
    assert bill_of(payment).status == BillStatus.SETTLED


def test_a_second_payment_of_a_settled_bill_goes_back(wechat: StandIn) -> None:
    """Class R07: the first order was thought closed and a second one paid; then both are."""
    bill = a_bill()
    first = a_pending_payment(bill)
    actions.record_closed(payment_id=first.pk, reason="test", by=SYSTEM, at=clock.now())
    second = a_paid_payment(wechat, bill)
    wechat.pay(first.out_trade_no)
    first = gateway.ask(payment_id=first.pk, by=SYSTEM, at=clock.now())
    assert first.status == PaymentStatus.SUCCEEDED_UNAPPLIED
    assert money(bill) == (5000, 2500, 2500)
    run_jobs(only="payments.jobs.send_refund")
    refund = Refund.objects.get()
    assert (refund.payment_id, refund.status) == (first.pk, RefundStatus.PROCESSING)
    jobs.refund_reversed(bill_id=bill.pk)
    assert Refund.objects.count() == 1
    wechat.refund_state(refund.out_refund_no, "SUCCESS")
    jobs.ask_refund(refund_id=refund.pk)
    first.refresh_from_db()
    second.refresh_from_db()
    bill.refresh_from_db()
    assert first.status == PaymentStatus.FULLY_REFUNDED
    assert (second.status, bill.status) == (PaymentStatus.SUCCEEDED, BillStatus.SETTLED)
    assert money(bill) == (2500, 2500, 0)


def test_a_refund_notice_ends_the_refund(wechat: StandIn, client: Client) -> None:
    payment, refund = a_reversed_payment(wechat)
    jobs.send_refund(refund_id=refund.pk)
    wechat.refund_state(refund.out_refund_no, "SUCCESS")
    letter = wechat.letters.wait(2)[1]
    assert letter.path == "/callback/wechat/refund"
    assert [letter.hand_to(client).status_code for _ in range(2)] == [204, 204]
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED
    assert money(bill_of(payment)) == (0, 0, 0)
    assert Notice.objects.filter(refund=refund).count() == 1


def test_a_refund_we_do_not_know_is_parked(wechat: StandIn, client: Client) -> None:
    _, refund = a_reversed_payment(wechat)
    jobs.send_refund(refund_id=refund.pk)
    Refund.objects.filter(pk=refund.pk).update(out_refund_no="otherwise")
    wechat.refund_state(refund.out_refund_no, "SUCCESS")
    assert wechat.letters.wait(2)[1].hand_to(client).status_code == 204
    assert PaymentCase.objects.get().kind == CaseKind.UNKNOWN_REFUND


def test_a_stored_notice_cannot_be_rewritten(wechat: StandIn, client: Client) -> None:
    _, letter = a_paid_letter(wechat)
    letter.hand_to(client)
    for sql in (
        "UPDATE payments_notice SET body = ''",
        "UPDATE payments_notice SET notice_id = 'x'",
        "DELETE FROM payments_notice",
    ):
        with (
            pytest.raises(DatabaseError),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Do these in as many threads at the same moment; what they raise is raised here."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        gate.wait()
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.mark.django_db(transaction=True)
def test_twenty_notices_at_once_change_one_state(wechat: StandIn) -> None:
    payment, letter = a_paid_letter(wechat)
    answers = at_once(*[lambda: letter.hand_to(Client()).status_code] * 20)
    assert answers == [204] * 20
    assert Notice.objects.count() == 1
    assert [move.to_status for move in history(payment)] == ["pending", "succeeded"]
    assert money(bill_of(payment)) == (2500, 2500, 0)
    assert due_jobs().count("registration.jobs.confirm_paid_appointment") == 1


@pytest.mark.django_db(transaction=True)
def test_notices_and_questions_at_once_change_one_state(wechat: StandIn) -> None:
    payment, letter = a_paid_letter(wechat)
    asked: dict[str, Any] = {"payment_id": payment.pk, "by": SYSTEM, "at": clock.now()}
    at_once(
        *[lambda: letter.hand_to(Client())] * 4,
        *[lambda: gateway.ask(**asked)] * 2,
        *[lambda: gateway.settle_or_close(attempt=0, **asked)] * 2,
    )
    assert [move.to_status for move in history(payment)] == ["pending", "succeeded"]
    assert money(bill_of(payment)) == (2500, 2500, 0)


def test_a_stale_notice_is_refused(wechat: StandIn, client: Client) -> None:
    _, letter = a_paid_letter(wechat)
    with time_machine.travel(clock.now() + dt.timedelta(minutes=6), tick=True):
        assert letter.hand_to(client).status_code == 401
    assert not Notice.objects.exists()
