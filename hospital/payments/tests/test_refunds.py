"""Money back: once, in full, under one number, and never more than was paid."""

import dataclasses
import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from pytest_django.fixtures import Settings

from hospital.billing import actions as billing
from hospital.billing.states import BillStatus
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import NotFound
from hospital.kernel.states import IllegalMove, history, move
from hospital.messaging.models import Message
from hospital.payments import actions, gateway, jobs, queries, schedule
from hospital.payments.actions.orders import lock_with_bills
from hospital.payments.actions.refunds import make_refund
from hospital.payments.models import Payment, PaymentCase, Refund
from hospital.payments.states import CaseKind, NoticeOutcome, PaymentStatus, RefundStatus
from hospital.payments.tests.world import (
    a_bill,
    a_notice,
    a_paid_payment,
    a_pending_payment,
    a_reversed_payment,
    bill_of,
    later_on,
    money,
    reverse,
)
from hospital.testing.jobs import due_jobs, run_jobs
from hospital.testing.wechat import StandIn
from hospital.wechat.outcomes import RefundProgress, RefundState

pytestmark = pytest.mark.django_db


def word(refund: Refund, progress: RefundProgress, **changes: object) -> RefundState:
    state = RefundState(
        mchid=refund.payment.mchid,
        out_trade_no=refund.payment.out_trade_no,
        out_refund_no=refund.out_refund_no,
        refund_id="50000000000000000001",
        progress=progress,
        refund_fen=refund.amount_fen,
        total_fen=refund.payment.received_fen or 0,
        received_account="支付用户零钱",
        succeeded_at=clock.now() if progress is RefundProgress.SUCCESS else None,
    )
    return dataclasses.replace(state, **changes)  # type: ignore[arg-type]


def apply(refund: Refund, progress: RefundProgress, **changes: object) -> NoticeOutcome:
    return actions.record_refund_result(
        state=word(refund, progress, **changes), by=SYSTEM, at=clock.now()
    )


def request(payment: Payment, fen: int, *, at: dt.datetime | None = None) -> Refund:
    """One part of what is owed, by this payment."""
    with transaction.atomic():
        return make_refund(
            lock_with_bills(payment.pk),
            bill_id=bill_of(payment).pk,
            amount_fen=fen,
            reason="测试",
            by=SYSTEM,
            at=at or clock.now(),
        )


def statuses(refund: Refund) -> list[str]:
    return [one.to_status for one in history(refund)]


def test_reversed_charges_go_back_to_the_payer(wechat: StandIn) -> None:
    payment = a_paid_payment(wechat)
    reverse(bill_of(payment))
    assert money(bill_of(payment)) == (2500, 0, 2500)
    run_jobs(only="payments")
    refund = Refund.objects.get()
    assert refund.status == RefundStatus.PROCESSING
    assert refund.out_refund_no == f"{payment.out_trade_no}R01"
    wechat.refund_state(refund.out_refund_no, "SUCCESS")
    with later_on(wechat, dt.timedelta(seconds=61)):
        run_jobs(only="payments.jobs.ask_refund")
    refund.refresh_from_db()
    payment.refresh_from_db()
    assert statuses(refund) == ["submitted", "processing", "succeeded"]
    assert payment.status == PaymentStatus.FULLY_REFUNDED
    assert bill_of(payment).status == BillStatus.REFUNDED
    assert money(bill_of(payment)) == (0, 0, 0)
    message = Message.objects.get(kind="N26")
    assert message.wechat_user_id == payment.payer_id
    assert message.fields["amount"] == "¥25.00"
    assert message.path == f"/m/pay/{bill_of(payment).token}/", "where the refund is listed"


def test_asking_for_what_is_due_twice_refunds_once(wechat: StandIn) -> None:
    payment, refund = a_reversed_payment(wechat)
    for _ in range(3):
        jobs.refund_reversed(bill_id=bill_of(payment).pk)
    assert Refund.objects.get() == refund


def test_an_empty_balance_is_retried_with_the_same_number(wechat: StandIn) -> None:
    payment, refund = a_reversed_payment(wechat)
    wechat.fault("refund_not_enough", times=2)
    jobs.send_refund(refund_id=refund.pk)
    refund.refresh_from_db()
    assert (refund.status, refund.failure) == (RefundStatus.FAILED, "NOT_ENOUGH")
    assert PaymentCase.objects.get().kind == CaseKind.REFUND_STUCK
    assert wechat.state()["refunds"] == []
    for minutes in (1.1, 6.2):
        with later_on(wechat, dt.timedelta(minutes=minutes)):
            run_jobs(only="payments.jobs.send_refund")
    refund.refresh_from_db()
    assert refund.status == RefundStatus.PROCESSING
    (sent,) = wechat.state()["refunds"]
    assert sent["out_refund_no"] == refund.out_refund_no
    wechat.refund_state(refund.out_refund_no, "SUCCESS")
    jobs.ask_refund(refund_id=refund.pk)
    assert PaymentCase.objects.get().closed_at is not None
    assert money(bill_of(payment)) == (0, 0, 0)


def test_a_lost_answer_is_asked_about_not_sent_anew(wechat: StandIn) -> None:
    _, refund = a_reversed_payment(wechat)
    wechat.fault("timeout_after_success", times=2, match="refunds")
    jobs.send_refund(refund_id=refund.pk)
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUBMITTED
    with later_on(wechat, dt.timedelta(seconds=6)):
        run_jobs(only="payments.jobs.ask_refund")
    refund.refresh_from_db()
    assert refund.status == RefundStatus.PROCESSING
    assert len(wechat.state()["refunds"]) == 1


def test_a_refund_that_never_arrived_is_sent_again(wechat: StandIn, settings: Settings) -> None:
    _, refund = a_reversed_payment(wechat)
    connected = settings.WECHAT
    settings.WECHAT = dataclasses.replace(connected, pay_base="http://127.0.0.1:9")
    jobs.send_refund(refund_id=refund.pk)
    settings.WECHAT = connected
    with later_on(wechat, dt.timedelta(seconds=6)):
        run_jobs(only="payments.jobs.ask_refund")
    refund.refresh_from_db()
    assert refund.status == RefundStatus.PROCESSING


@pytest.mark.parametrize(
    ("progress", "status"),
    [
        (RefundProgress.ABNORMAL, RefundStatus.ABNORMAL),
        (RefundProgress.CLOSED, RefundStatus.CLOSED),
    ],
)
def test_a_refund_that_goes_wrong_asks_for_a_person(
    wechat: StandIn, progress: RefundProgress, status: RefundStatus
) -> None:
    payment, refund = a_reversed_payment(wechat)
    jobs.send_refund(refund_id=refund.pk)
    wechat.refund_state(refund.out_refund_no, progress.value)
    jobs.ask_refund(refund_id=refund.pk)
    refund.refresh_from_db()
    assert refund.status == status
    kinds = {"ABNORMAL": CaseKind.REFUND_ABNORMAL, "CLOSED": CaseKind.REFUND_CLOSED}
    assert PaymentCase.objects.get().kind == kinds[progress.value]
    assert money(bill_of(payment)) == (2500, 0, 2500)
    assert "医院正在处理" in Message.objects.get(kind="N26").fields["state"]
    jobs.refund_reversed(bill_id=bill_of(payment).pk)
    again = Refund.objects.exclude(pk=refund.pk)
    # Closed means that nothing went; abnormal money may still arrive, so nothing is sent anew.
    assert again.count() == (1 if progress is RefundProgress.CLOSED else 0)


def test_abnormal_money_may_arrive_after_all(wechat: StandIn) -> None:
    payment, refund = a_reversed_payment(wechat)
    jobs.send_refund(refund_id=refund.pk)
    apply(refund, RefundProgress.ABNORMAL, refund_id=Refund.objects.get().refund_id)
    apply(refund, RefundProgress.SUCCESS, refund_id=Refund.objects.get().refund_id)
    assert money(bill_of(payment)) == (0, 0, 0)
    assert PaymentCase.objects.get().closed_at is not None
    assert Message.objects.filter(kind="N26").count() == 2


def test_staff_find_abnormal_money_that_arrived_without_a_notice(wechat: StandIn) -> None:
    payment, refund = a_reversed_payment(wechat)
    jobs.send_refund(refund_id=refund.pk)
    apply(refund, RefundProgress.ABNORMAL, refund_id=Refund.objects.get().refund_id)
    wechat.refund_state(refund.out_refund_no, "SUCCESS")
    pressed = gateway.press_refund(refund_id=refund.pk, by=SYSTEM, at=clock.now())
    assert pressed.status == RefundStatus.SUCCEEDED
    assert money(bill_of(payment)) == (0, 0, 0)


def test_staff_send_what_a_closed_refund_still_owes_under_a_new_number(wechat: StandIn) -> None:
    payment, refund = a_reversed_payment(wechat)
    jobs.send_refund(refund_id=refund.pk)
    apply(refund, RefundProgress.CLOSED, refund_id=Refund.objects.get().refund_id)
    pressed = gateway.press_refund(refund_id=refund.pk, by=SYSTEM, at=clock.now())
    assert (pressed.status, pressed.amount_fen) == (RefundStatus.REQUESTED, 2500)
    assert pressed.out_refund_no != refund.out_refund_no
    assert gateway.press_refund(refund_id=refund.pk, by=SYSTEM, at=clock.now()).pk == refund.pk
    assert payment.refunds.count() == 2


def test_older_news_changes_nothing(wechat: StandIn) -> None:
    _, refund = a_reversed_payment(wechat)
    jobs.send_refund(refund_id=refund.pk)
    known = Refund.objects.get().refund_id
    assert apply(refund, RefundProgress.SUCCESS, refund_id=known) is NoticeOutcome.APPLIED
    for progress in (RefundProgress.SUCCESS, RefundProgress.PROCESSING):
        assert apply(refund, progress, refund_id=known) is NoticeOutcome.REPEATED
    assert apply(refund, RefundProgress.CLOSED, refund_id=known) is NoticeOutcome.PARKED
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED
    assert Message.objects.filter(kind="N26").count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"refund_fen": 1},
        {"total_fen": 1},
        {"mchid": "1900000000"},
        {"out_trade_no": "other"},
        {"refund_id": "5999"},
    ],
)
def test_a_refund_that_does_not_fit_is_parked(wechat: StandIn, changes: dict[str, object]) -> None:
    payment, refund = a_reversed_payment(wechat)
    jobs.send_refund(refund_id=refund.pk)
    known = {"refund_id": Refund.objects.get().refund_id}
    outcome = apply(refund, RefundProgress.SUCCESS, **{**known, **changes})
    assert outcome is NoticeOutcome.PARKED
    refund.refresh_from_db()
    assert refund.status == RefundStatus.PROCESSING
    assert money(bill_of(payment)) == (2500, 0, 2500)
    assert PaymentCase.objects.get().kind == CaseKind.REFUND_MISMATCH


def test_limits(wechat: StandIn) -> None:
    payment = a_paid_payment(wechat)
    nothing = actions.refund_due(
        bill_id=bill_of(payment).pk, reason="测试", by=SYSTEM, at=clock.now()
    )
    assert nothing == [], "nothing was reversed: the ledger owes nobody"
    reverse(bill_of(payment))
    for fen in (0, -1, 2501):
        with pytest.raises(actions.RefundTooMuch):
            request(payment, fen)
    request(payment, 1000)
    with pytest.raises(actions.RefundInProgress):
        request(payment, 500)
    assert Refund.objects.count() == 1


def test_nothing_to_refund_before_it_is_paid(wechat: StandIn) -> None:
    with pytest.raises(actions.NothingToRefund):
        request(a_pending_payment(), 100)
    assert not Refund.objects.exists()


def test_after_a_year_it_cannot_go_back_this_way(wechat: StandIn) -> None:
    payment = a_paid_payment(wechat)
    reverse(bill_of(payment))
    late = clock.now() + dt.timedelta(days=366)
    with pytest.raises(actions.RefundNotPossible):
        request(payment, 2500, at=late)
    made = actions.refund_due(bill_id=bill_of(payment).pk, reason="测试", by=SYSTEM, at=late)
    assert made == []
    assert PaymentCase.objects.get().kind == CaseKind.REFUND_IMPOSSIBLE


def test_parts_follow_each_other_a_minute_apart(wechat: StandIn) -> None:
    payment = a_paid_payment(wechat)
    reverse(bill_of(payment))
    first = request(payment, 1000)
    jobs.send_refund(refund_id=first.pk)
    assert (
        actions.refund_due(bill_id=bill_of(payment).pk, reason="测试", by=SYSTEM, at=clock.now())
        == []
    )
    assert due_jobs().count("payments.jobs.refund_reversed") == 2
    wechat.refund_state(first.out_refund_no, "SUCCESS")
    jobs.ask_refund(refund_id=first.pk)
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.PARTIALLY_REFUNDED
    (second,) = actions.refund_due(
        bill_id=bill_of(payment).pk, reason="测试", by=SYSTEM, at=clock.now()
    )
    assert (second.amount_fen, second.out_refund_no[-3:]) == (1500, "R02")
    run_jobs(only="payments.jobs.send_refund")
    second.refresh_from_db()
    assert second.status == RefundStatus.REQUESTED
    with later_on(wechat, schedule.SECOND_REFUND_AFTER + dt.timedelta(seconds=2)):
        run_jobs(only="payments.jobs.send_refund")
    second.refresh_from_db()
    assert second.status == RefundStatus.PROCESSING


def test_fifty_refunds_are_the_most(wechat: StandIn) -> None:
    payment = a_paid_payment(wechat)
    for number in range(50):
        Refund.objects.create(
            status=RefundStatus.CLOSED,
            out_refund_no=f"{payment.out_trade_no}R{number + 1:02d}",
            payment=payment,
            amount_fen=1,
            reason="",
            requested_at=clock.now(),
        )
    with pytest.raises(actions.RefundNotPossible):
        request(payment, 100)


def test_money_owed_that_no_payment_holds_asks_for_a_person(wechat: StandIn) -> None:
    bill = a_bill()
    with transaction.atomic():
        billing.settle_bill(
            bill_id=bill.pk,
            method="wechat",
            amount_fen=2500,
            reference="elsewhere",
            by=SYSTEM,
            at=clock.now(),
        )
    reverse(bill)
    jobs.refund_reversed(bill_id=bill.pk)
    case = PaymentCase.objects.get()
    assert (case.kind, case.expected_fen) == (CaseKind.REFUND_IMPOSSIBLE, 2500)


def test_another_refusal_is_tried_once_more_then_left_to_staff(wechat: StandIn) -> None:
    _, refund = a_reversed_payment(wechat)
    for attempt in range(2):
        actions.submit_refund(refund_id=refund.pk, by=SYSTEM, at=clock.now())
        actions.record_refund_refused(
            refund_id=refund.pk,
            code="USER_ACCOUNT_ABNORMAL",
            attempt=attempt,
            by=SYSTEM,
            at=clock.now(),
        )
    assert due_jobs().count("payments.jobs.send_refund") == 2
    refund = gateway.press_refund(refund_id=refund.pk, by=Actor("staff", 1), at=clock.now())
    assert refund.status == RefundStatus.PROCESSING


def test_a_refund_nobody_answers_for_a_week_asks_for_a_person(wechat: StandIn) -> None:
    _, refund = a_reversed_payment(wechat)
    actions.submit_refund(refund_id=refund.pk, by=SYSTEM, at=clock.now())
    actions.ask_refund_again(
        refund_id=refund.pk,
        attempt=500,
        reason="no_answer",
        by=SYSTEM,
        at=clock.now() + dt.timedelta(days=8),
    )
    assert PaymentCase.objects.get().kind == CaseKind.REFUND_STUCK


def test_the_database_keeps_refunds_straight(wechat: StandIn) -> None:
    payment, refund = a_reversed_payment(wechat)
    with pytest.raises(IntegrityError, match="refund_one_open"), transaction.atomic():
        Refund.objects.create(
            out_refund_no="x", payment=payment, amount_fen=1, reason="", requested_at=clock.now()
        )
    for sql in (
        "UPDATE payments_refund SET status = 'succeeded' WHERE id = %s",
        "UPDATE payments_refund SET amount_fen = 0 WHERE id = %s",
        "DELETE FROM payments_refund WHERE id = %s",
    ):
        with (
            pytest.raises(DatabaseError),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql, [refund.pk])


def test_cases_are_closed_once_by_a_person(wechat: StandIn) -> None:
    _, refund = a_reversed_payment(wechat)
    apply(refund, RefundProgress.SUCCESS, out_refund_no="madeinconsole")
    case = PaymentCase.objects.get()
    assert case.kind == CaseKind.UNKNOWN_REFUND
    finance = Actor("staff", 7)
    done = actions.close_case(case_id=case.pk, note="线下退款", by=finance, at=clock.now())
    assert done.closed_by == "staff:7"
    with pytest.raises(actions.CaseAlreadyClosed):
        actions.close_case(case_id=case.pk, note="", by=finance, at=clock.now())
    with pytest.raises(NotFound):
        actions.close_case(case_id=0, note="", by=finance, at=clock.now())


def test_moves_not_in_the_lifecycle_are_bugs(wechat: StandIn) -> None:
    _, refund = a_reversed_payment(wechat)
    with pytest.raises(IllegalMove):
        move(refund, RefundStatus.SUCCEEDED, by=SYSTEM, at=clock.now())


def test_timers_of_an_ended_refund_do_nothing(wechat: StandIn) -> None:
    _, refund = a_reversed_payment(wechat)
    jobs.send_refund(refund_id=refund.pk)
    wechat.refund_state(refund.out_refund_no, "SUCCESS")
    jobs.ask_refund(refund_id=refund.pk)
    before = len(due_jobs())
    jobs.send_refund(refund_id=refund.pk)
    jobs.ask_refund(refund_id=refund.pk)
    actions.record_refund_refused(
        refund_id=refund.pk, code="NOT_ENOUGH", attempt=0, by=SYSTEM, at=clock.now()
    )
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED
    assert len(due_jobs()) == before
    assert len(wechat.state()["refunds"]) == 1


def test_actions_on_no_refund_find_nothing() -> None:
    with pytest.raises(NotFound):
        actions.submit_refund(refund_id=0, by=SYSTEM, at=clock.now())
    with pytest.raises(NotFound):
        queries.refund(refund_id=0)


def test_a_false_notice_after_the_end_is_asked_about_and_cleared(wechat: StandIn) -> None:
    payment, refund = a_reversed_payment(wechat)
    jobs.send_refund(refund_id=refund.pk)
    wechat.refund_state(refund.out_refund_no, "SUCCESS")
    jobs.ask_refund(refund_id=refund.pk)

    outcome = actions.record_refund_result(
        state=word(refund, RefundProgress.SUCCESS, refund_fen=9),
        received=a_notice(1),
        by=SYSTEM,
        at=clock.now(),
    )
    case = PaymentCase.objects.get(kind=CaseKind.REFUND_MISMATCH)
    assert (outcome, case.closed_at) == (NoticeOutcome.PARKED, None)
    run_jobs()

    case.refresh_from_db()
    refund.refresh_from_db()
    assert case.closed_at is not None
    assert refund.status == RefundStatus.SUCCEEDED
    assert money(bill_of(payment)) == (0, 0, 0)
