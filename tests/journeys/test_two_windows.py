"""The same bill in two places at once: cancelled while the sheet is open, paid in two windows."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from hospital.payments.models import Payment, Refund
from hospital.scheduling.states import SlotStatus
from tests.journeys.endings import books_balance, nothing_is_stuck
from tests.journeys.phone import Phone
from tests.journeys.story import Story, moves


@pytest.fixture
def phone(story: Story) -> Phone:
    """Somebody on the pay page."""
    payer = story.patient()
    payer.books(story.schedule)
    return payer


class TestCancelledWhileTheSheetIsOpen:
    def test_the_order_is_closed_behind_it(self, story: Story, phone: Phone) -> None:
        """The password comes too late: WeChat says that the order is closed."""
        prepay_id = phone.opens_sheet()
        phone.cancels()
        assert phone.appointment.slot.status == SlotStatus.FREE
        story.time.work()

        assert phone.enters_password(prepay_id) == "fail"

        assert moves(Payment.objects.get()) == ["pending", "closed"]
        assert moves(phone.appointment) == ["cancelled"]
        assert moves(phone.appointment.bill) == ["paying", "issued", "cancelled"]
        assert phone.told() == []
        assert "没有扣款" in phone.opens_pay_page().text
        nothing_is_stuck(story)
        books_balance(story, kept_fen=0)

    @pytest.mark.parametrize("mode", ["success", "late"])
    def test_and_paid_anyway_the_money_goes_back(
        self, story: Story, phone: Phone, mode: str
    ) -> None:
        """Paid before the order could be closed, or while it was being closed."""
        prepay_id = phone.opens_sheet()
        number = Payment.objects.get().out_trade_no
        phone.cancels()
        if mode == "late":
            story.time.work()
            story.wechat.pay(number, mode="late")
        else:
            assert phone.enters_password(prepay_id) == "paid"
        story.deliver()

        assert Refund.objects.get().out_refund_no == f"{number}R01"
        assert phone.appointment.slot.status == SlotStatus.FREE
        story.refund_arrives()
        assert moves(phone.appointment) == ["cancelled"]
        assert moves(phone.appointment.bill)[-2:] == ["settled", "refunded"]
        assert phone.told() == ["N26"]
        nothing_is_stuck(story)
        books_balance(story, kept_fen=0)


class TestTwoWindows:
    def test_the_second_sheet_is_of_the_same_order(self, story: Story, phone: Phone) -> None:
        window = copy.copy(phone)
        first, second = phone.opens_sheet(), window.opens_sheet()
        assert first != second

        assert phone.enters_password(first) == "paid"
        assert window.enters_password(second) == "fail"

        story.deliver()
        assert "支付成功" in window.opens_pay_page().text
        paid_once(story, phone)

    def test_both_buttons_at_the_same_moment(
        self, story: Story, phone: Phone, live_server: LiveServer, settings: Settings
    ) -> None:
        settings.PUBLIC_URL = live_server.url
        phone.opens_pay_page()
        windows = [copy.copy(phone) for _ in range(4)]
        with ThreadPoolExecutor(max_workers=len(windows)) as thumbs:
            sheets = list(thumbs.map(_opens_sheet, windows))
            outcomes = list(thumbs.map(phone.enters_password, sheets))

        assert sorted(outcomes) == ["fail", "fail", "fail", "paid"]
        story.wechat.until(lambda: len(story.wechat.deliveries()) == 1)
        story.time.work()
        paid_once(story, phone)


def paid_once(story: Story, phone: Phone) -> None:
    (order,) = story.wechat.state()["orders"]
    assert order["out_trade_no"] == Payment.objects.get().out_trade_no
    assert moves(phone.appointment) == ["booked"]
    assert moves(phone.appointment.bill) == ["paying", "settled"]
    assert phone.told() == ["N01"]
    nothing_is_stuck(story)
    books_balance(story, kept_fen=2500)


def _opens_sheet(window: Phone) -> str:
    """In a thread with a database connection of its own."""
    try:
        return window.opens_sheet()
    finally:
        connections.close_all()
