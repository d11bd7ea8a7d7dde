"""The desk's money pages: search, one payment's story, refunds, and and the way to open cases."""

import re
from collections.abc import Iterator

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from hospital.desk.tests.world import (
    a_booking_paid_by_wechat,
    a_case,
    an_order,
    give_back,
    money_arrives,
    money_returns,
)
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.payments import actions, queries
from hospital.testing.bookings import a_booking
from hospital.testing.people import a_patient, staff_client
from hospital.testing.schedules import NOW, a_released_schedule

pytestmark = pytest.mark.django_db
PAYMENTS, REFUNDS = "/staff/payments/", "/staff/refunds/"
NO_PAYMENT, NO_REFUND = "没有符合条件的支付", "没有符合条件的退款"


@pytest.fixture(autouse=True)
def _monday_at_ten() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def client() -> Client:
    return staff_client(Role.FINANCE)


def text(answer: object) -> str:
    assert isinstance(answer, HttpResponse)
    return answer.content.decode()


def page(client: Client, address: str, **typed: str) -> str:
    answer = client.get(address, typed)
    assert answer.status_code == 200, answer.status_code
    return text(answer)


def one(payment_id: int) -> str:
    return reverse("desk-payment", args=[payment_id])


def test_payments_are_listed_with_masked_names_and_todays_figures(client: Client) -> None:
    booked, payment = a_booking_paid_by_wechat()
    waiting = an_order(a_booking(patient=a_patient(name="欧阳大安")).bill)

    shown = page(client, PAYMENTS)

    for words in (
        payment.out_trade_no,
        payment.transaction_id,
        waiting.out_trade_no,
        "陈*宁",
        "欧**安",
        "¥25.00",
        "支付成功",
        "待支付",
        f'href="{one(payment.pk)}"',
    ):
        assert words in shown, words
    assert "陈晓宁" not in shown
    assert "欧阳大安" not in shown
    assert booked.patient.outpatient_no not in shown


def test_a_payment_is_found_by_every_number_whatever_the_days(client: Client) -> None:
    booked, payment = a_booking_paid_by_wechat()
    refund = give_back(booked)
    booked.bill.refresh_from_db()

    for number in (
        payment.out_trade_no,
        f" {payment.transaction_id} ",
        refund.out_refund_no,
        booked.bill.number,
        booked.bill.receipt_no,
    ):
        found = page(client, PAYMENTS, q=number, start="2020-01-01", end="2020-01-02")
        assert f'href="{one(payment.pk)}"' in found, number
    for nothing in ("0", "没有", "\x00", "x" * 500):
        assert NO_PAYMENT in page(client, PAYMENTS, q=nothing) or not nothing.strip("\x00")


def test_payments_can_be_narrowed_by_state_and_day(client: Client) -> None:
    a_booking_paid_by_wechat()

    assert NO_PAYMENT not in page(client, PAYMENTS, status="succeeded")
    assert NO_PAYMENT in page(client, PAYMENTS, status="closed")
    assert NO_PAYMENT not in page(client, PAYMENTS, status="nonsense")
    assert NO_PAYMENT in page(client, PAYMENTS, start="2026-11-01", end="2026-11-22")
    assert NO_PAYMENT not in page(client, PAYMENTS, start="2026-11-23", end="2026-11-23")
    assert NO_PAYMENT not in page(client, PAYMENTS, start="2026-11-24", end="2026-11-20")


BAD_DAYS = ["", "nonsense", "2026-02-30", "0001-01-01", "9999-12-31", "1999-12-31", "\x00"]


@pytest.mark.parametrize("bad", BAD_DAYS)
@pytest.mark.parametrize("address", [PAYMENTS, REFUNDS])
def test_days_that_make_no_sense_are_the_latest_week(
    client: Client, address: str, bad: str
) -> None:
    for typed in ({"start": bad}, {"end": bad}, {"start": bad, "end": bad}):
        shown = page(client, address, **typed)
        assert 'value="2026-11-17"' in shown
        assert 'value="2026-11-23"' in shown


def test_a_payment_tells_its_story(client: Client) -> None:
    booked, payment = a_booking_paid_by_wechat()
    refund = money_returns(give_back(booked))
    a_case(payment)

    shown = page(client, one(payment.pk))

    for words in (
        payment.out_trade_no,
        payment.transaction_id,
        refund.out_refund_no,
        "已全额退款",
        "退款成功",
        refund.reason,
        "支付：创建订单",
        "支付：支付成功",
        "收到微信支付通知",
        "收到微信退款通知",
        "已处理",
        "异常：金额不一致",
        "金额少了一元",
        f'href="/staff/appointments/{booked.number}/"',
        reverse("payments-ask-again", args=[payment.pk]),
    ):
        assert words in shown, words
    assert "陈晓宁" not in shown


def test_links_and_buttons_are_for_those_who_may() -> None:
    booked, payment = a_booking_paid_by_wechat()
    ask = reverse("payments-ask-again", args=[payment.pk])
    appointment = f'href="/staff/appointments/{booked.number}/"'

    cashier = page(staff_client(Role.CASHIER), one(payment.pk))
    office = page(staff_client(Role.OUTPATIENT_OFFICE), one(payment.pk))

    assert (ask in cashier, appointment in cashier) == (True, False)
    assert (ask in office, appointment in office) == (False, True)


def test_refunds_are_listed_with_a_push_for_those_that_need_one(client: Client) -> None:
    booked, _ = a_booking_paid_by_wechat()
    refund = give_back(booked)
    push = reverse("payments-refund-again", args=[refund.pk])

    waiting = page(client, REFUNDS)
    office = page(staff_client(Role.OUTPATIENT_OFFICE), REFUNDS)
    money_returns(refund)
    done = page(client, REFUNDS)

    for words in (refund.out_refund_no, "陈*宁", refund.reason, "¥25.00", "待提交", push, "1 笔"):
        assert words in waiting, words
    assert push not in office
    assert refund.out_refund_no in office
    assert "退款成功" in done
    assert push not in done
    assert "陈晓宁" not in waiting + done


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("NOT_ENOUGH", "商户号余额不足"),
        ("USER_ACCOUNT_ABNORMAL", "付款人账户异常"),
        ("SOMETHING_NEW", "微信没有受理"),
    ],
)
def test_why_wechat_refused_a_refund_is_told_in_words(
    client: Client, code: str, words: str
) -> None:
    booked, _ = a_booking_paid_by_wechat()
    refund = give_back(booked)
    actions.submit_refund(refund_id=refund.pk, by=SYSTEM, at=clock.now())
    actions.record_refund_refused(
        refund_id=refund.pk, code=code, attempt=0, by=SYSTEM, at=clock.now()
    )

    listed, told = page(client, REFUNDS), page(client, one(refund.payment_id))

    assert re.search(rf"{words}\s*<small>{code}</small>", listed)
    assert f"{words}（{code}）" in told
    assert told.count(words) == 2, "the case that was opened says it too"


def test_refunds_can_be_narrowed(client: Client) -> None:
    give_back(a_booking_paid_by_wechat()[0])

    assert NO_REFUND not in page(client, REFUNDS, status="requested")
    assert NO_REFUND in page(client, REFUNDS, status="succeeded")
    assert NO_REFUND not in page(client, REFUNDS, status="nonsense")
    assert NO_REFUND in page(client, REFUNDS, start="2026-11-01", end="2026-11-22")


def test_lists_cost_the_same_with_three_and_with_thirty(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    schedule = a_released_schedule(capacity=60, band_minutes=240)

    def more(count: int) -> None:
        for _ in range(count):
            booked, payment = a_booking_paid_by_wechat(a_booking(schedule=schedule))
            give_back(booked)
            a_case(payment)

    more(3)
    page(client, PAYMENTS)
    # session, account, roles, payments with their bills, six figures
    with django_assert_num_queries(12):
        page(client, PAYMENTS)
    with django_assert_num_queries(5):  # session, account, roles and rights, refunds
        page(client, REFUNDS)
    more(27)
    with django_assert_num_queries(12):
        assert page(client, PAYMENTS).count("<tr>") == 31
    with django_assert_num_queries(5):
        assert page(client, REFUNDS).count("<tr>") == 31


def test_a_list_that_was_cut_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "SEARCH_LIMIT", 2)
    give_back(a_booking_paid_by_wechat()[0])
    assert "只显示最近的" not in page(client, PAYMENTS) + page(client, REFUNDS)
    give_back(a_booking_paid_by_wechat()[0])

    for address in (PAYMENTS, REFUNDS):
        assert "只显示最近的 2 条" in page(client, address)


def test_open_cases_are_counted_with_the_way_to_them(client: Client) -> None:
    payment = money_arrives(an_order(a_booking().bill))
    assert "件支付异常等待处理" not in page(client, PAYMENTS)
    case_id = a_case(payment)

    shown = page(client, PAYMENTS)

    assert "有 1 件支付异常等待处理" in shown
    assert 'href="/staff/cases/"' in shown
    assert f'href="/staff/cases/{case_id}/"' in page(client, one(payment.pk))


def test_a_refund_is_asked_for_from_the_payment() -> None:
    _, payment = a_booking_paid_by_wechat()
    number = payment.allocations.get().bill.number
    link = f'href="/staff/bills/{number}/refund/"'

    assert link in page(staff_client(Role.CASHIER), one(payment.pk))
    assert link in page(staff_client(Role.FINANCE), one(payment.pk))
    assert link not in page(staff_client(Role.OUTPATIENT_OFFICE), one(payment.pk))


def test_what_is_not_there_is_not_found(client: Client) -> None:
    assert client.get(one(0)).status_code == 404


def test_other_roles_are_refused_without_a_byte() -> None:
    _, payment = a_booking_paid_by_wechat()
    for role in (Role.REGISTRATION_CLERK, Role.DOCTOR, Role.TRIAGE_NURSE, Role.SYSTEM_ADMIN):
        client = staff_client(role)
        for address in (PAYMENTS, REFUNDS, one(payment.pk)):
            answer = client.get(address)
            assert answer.status_code == 403
            assert payment.out_trade_no not in text(answer)


def test_wrong_methods_are_refused(client: Client) -> None:
    for address in (PAYMENTS, REFUNDS, one(1)):
        assert client.post(address).status_code == 405


@pytest.mark.parametrize(
    "address", [PAYMENTS, REFUNDS, "/staff/payments/1/", "/staff/cases/1/close/"]
)
def test_without_a_log_in_everything_leads_to_it(address: str) -> None:
    for answer in (Client().get(address), Client().post(address)):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/staff/login/?next=")
