"""Buttons of the desk, and the rows its pages show."""

import datetime as dt

import pytest
from django.urls import reverse

from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.payments import jobs, queries
from hospital.payments.models import Refund
from hospital.payments.states import PaymentStatus, RefundStatus
from hospital.payments.tests.world import a_pending_payment, a_reversed_payment, bill_of
from hospital.testing.people import staff_client
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db


def test_finance_asks_wechat_again(wechat: StandIn) -> None:
    payment = a_pending_payment()
    wechat.pay(payment.out_trade_no)
    answer = staff_client(Role.FINANCE).post(
        reverse("payments-ask-again", args=[payment.pk]), {"next": "/staff/payments/"}
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, "/staff/payments/")
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED


def test_others_may_not(wechat: StandIn) -> None:
    payment = a_pending_payment()
    wechat.pay(payment.out_trade_no)
    url = reverse("payments-ask-again", args=[payment.pk])
    assert staff_client(Role.REGISTRATION_CLERK).post(url).status_code == 403
    assert staff_client(Role.FINANCE).get(url).status_code == 405
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.PENDING


def test_the_way_back_stays_in_the_house(wechat: StandIn) -> None:
    payment = a_pending_payment()
    answer = staff_client(Role.CASHIER).post(
        reverse("payments-ask-again", args=[payment.pk]), {"next": "https://evil.example/"}
    )
    assert answer.headers["Location"] == "/staff/"
    missing = staff_client(Role.CASHIER).post(reverse("payments-ask-again", args=[0]))
    assert missing.status_code == 404


def test_finance_sends_a_refund_again(wechat: StandIn) -> None:
    _, refund = a_reversed_payment(wechat)
    wechat.fault("refund_not_enough")
    jobs.send_refund(refund_id=refund.pk)
    client, url = (
        staff_client(Role.FINANCE),
        reverse("payments-refund-again", args=[refund.pk]),
    )
    client.post(url)
    assert Refund.objects.get().status == RefundStatus.PROCESSING
    wechat.refund_state(refund.out_refund_no, "SUCCESS")
    client.post(url)
    assert Refund.objects.get().status == RefundStatus.SUCCEEDED


def test_search_finds_by_every_number(wechat: StandIn) -> None:
    payment, refund = a_reversed_payment(wechat)
    today = clock.today()
    for text in (
        payment.out_trade_no,
        payment.transaction_id,
        refund.out_refund_no,
        bill_of(payment).number,
        bill_of(payment).receipt_no,
    ):
        assert queries.search_payments(text=f" {text} ", start=today, end=today) == [payment]
    assert queries.search_payments(text="nothing", start=today, end=today) == []


def test_search_by_day_and_status(wechat: StandIn) -> None:
    payment = a_pending_payment()
    today, yesterday = clock.today(), clock.today() - dt.timedelta(days=1)
    assert queries.search_payments(start=yesterday, end=today) == [payment]
    assert queries.search_payments(start=yesterday, end=yesterday) == []
    closed = PaymentStatus.CLOSED.value
    assert queries.search_payments(status=closed, start=today, end=today) == []


def test_the_story_of_a_payment(wechat: StandIn) -> None:
    payment, refund = a_reversed_payment(wechat)
    jobs.send_refund(refund_id=refund.pk)
    story = queries.payment_story(payment_id=payment.pk)
    assert [move.to_status for move in story.moves] == [
        "pending",
        "succeeded",
        "submitted",
        "processing",
    ]
    assert (story.refunds, story.cases, story.refundable_fen) == ([refund], [], 0)
    assert queries.payments_of(bill_id=bill_of(payment).pk) == [payment]


def test_lists_and_figures(wechat: StandIn) -> None:
    payment, refund = a_reversed_payment(wechat)
    today = clock.today()
    assert queries.list_refunds(start=today, end=today) == [refund]
    assert queries.list_refunds(status=RefundStatus.SUCCEEDED, start=today, end=today) == []
    assert queries.case_rows(at=clock.now()) == []
    figures = queries.totals(day=today)
    assert (figures.received_count, figures.received_fen) == (1, payment.amount_fen)
    assert (figures.live_count, figures.open_refund_count, figures.open_case_count) == (0, 1, 0)


def test_lists_read_in_a_fixed_number_of_statements(
    wechat: StandIn, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    for _ in range(3):
        a_pending_payment()
    today = clock.today()
    with django_assert_num_queries(2):  # type: ignore[operator]
        rows = queries.search_payments(start=today, end=today)
        assert [queries.patient_names(row) for row in rows] == [["陈晓宁"]] * 3
