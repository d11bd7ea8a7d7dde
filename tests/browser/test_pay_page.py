"""The pay page in Chromium: the thumb on WeChat's sheet is ours, everything else is real.

Pictures of every state land in test-artifacts/pay/.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from hospital.billing import actions as billing
from hospital.billing.models import Bill
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.payments import actions, jobs
from hospital.payments.tests.world import (
    a_bill,
    a_pending_payment,
    a_reversed_payment,
    bill_of,
)
from hospital.testing.wechat import StandIn
from tests.browser.axe import set_large
from tests.browser.looking import Check
from tests.browser.windows import a_phone, without_live

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("pay", is_whole=False)
BRIDGE = """
window.WeixinJSBridge = {
  invoke: async (name, fields, told) =>
    told({ err_msg: `${name}:${await window.thumb(fields)}` }),
};
"""
Watch = Callable[[Page], Page]


@pytest.fixture
def phone_world(wechat: StandIn, settings: Settings) -> StandIn:
    """The stand-in without its own phone script: the bridge is the test's thumb."""
    settings.WECHAT = dataclasses.replace(settings.WECHAT, js_url="")
    return wechat


def open_page(
    bill: Bill, browser: Browser, server: LiveServer, thumb: Callable[[Any], str]
) -> Page:
    """The payer's phone with the pay page open."""
    assert bill.wechat_user is not None
    context = a_phone(browser, server, bill.wechat_user)
    context.add_init_script(BRIDGE)
    without_live(context)
    page = context.new_page()
    page.expose_function("thumb", thumb)
    page.goto(reverse("payments-pay", args=[bill.token]))
    return page


def state(page: Page, name: str) -> None:
    expect(page.locator("#pay-state")).to_have_attribute("data-state", name)


def pays(wechat: StandIn) -> Callable[[Any], str]:
    """The thumb enters the password: the order of the sheet is paid."""

    def thumb(fields: Any) -> str:
        assert fields["package"].startswith("prepay_id=wx")
        wechat.pay(wechat.state()["orders"][-1]["out_trade_no"])
        return "ok"

    return thumb


def test_paid_though_the_notice_is_lost(
    browser: Browser, live_server: LiveServer, phone_world: StandIn, watched: Watch
) -> None:
    phone_world.fault("notify_lost")
    page = watched(open_page(a_bill(), browser, live_server, pays(phone_world)))
    page.get_by_role("button", name="微信支付").click()
    state(page, "paid")
    expect(page.get_by_role("link", name="查看详情")).to_be_visible()
    expect(page.get_by_role("button", name="微信支付")).to_have_count(0)


def test_cancelled_then_continued(
    browser: Browser, live_server: LiveServer, phone_world: StandIn, watched: Watch
) -> None:
    answers = ["cancel", "ok"]

    def thumb(fields: Any) -> str:
        answer = answers.pop(0)
        return pays(phone_world)(fields) if answer == "ok" else answer

    page = watched(open_page(a_bill(), browser, live_server, thumb))
    page.get_by_role("button", name="微信支付").click()
    expect(page.get_by_text("支付未完成，可继续支付")).to_be_visible()
    state(page, "paying")
    page.reload()
    expect(page.get_by_text("有一次支付还没有完成")).to_be_visible()
    page.get_by_role("button", name="继续支付").click()
    state(page, "paid")
    assert len(phone_world.state()["orders"]) == 1


def test_the_sheet_lies_and_nothing_is_believed(
    browser: Browser, live_server: LiveServer, phone_world: StandIn, watched: Watch
) -> None:
    page = watched(open_page(a_bill(), browser, live_server, lambda _: "ok"))
    page.get_by_role("button", name="微信支付").click()
    state(page, "paying")
    page.wait_for_timeout(2500)
    state(page, "paying")


def test_wechat_out_of_reach(
    browser: Browser, live_server: LiveServer, phone_world: StandIn
) -> None:
    page = open_page(a_bill(), browser, live_server, pays(phone_world))
    phone_world.fault("http_500", times=4)
    page.get_by_role("button", name="微信支付").click()
    expect(page.get_by_text("没有扣款。号源仍为您保留")).to_be_visible()
    state(page, "confirming")
    page.get_by_role("button", name="再查一次").click()
    page.get_by_role("button", name="继续支付").click()
    state(page, "paid")


def test_a_tap_without_network_leaves_the_button_alive(
    browser: Browser, live_server: LiveServer, phone_world: StandIn
) -> None:
    page = open_page(a_bill(), browser, live_server, pays(phone_world))
    page.context.set_offline(True)
    page.get_by_role("button", name="微信支付").click()
    expect(page.get_by_text("网络不通，请检查后再试")).to_have_count(1)
    expect(page.get_by_role("button", name="微信支付")).to_be_enabled()
    state(page, "unpaid")
    assert phone_world.state()["orders"] == []
    page.context.set_offline(False)
    page.get_by_role("button", name="微信支付").click()
    state(page, "paid")


def in_every_state(wechat: StandIn) -> dict[str, Bill]:
    """One bill for each state of the page."""
    bills = {"unpaid": a_bill(fen=1234567)}
    bills["paying"] = bill_of(a_pending_payment(a_bill()))
    unknown = a_pending_payment(a_bill())
    actions.record_unanswered(
        payment_id=unknown.pk,
        job="payments.jobs.look",
        attempt=0,
        reason="test",
        by=SYSTEM,
        at=clock.now(),
    )
    bills["confirming"] = bill_of(unknown)
    bills["paid"] = a_bill(fen=0)
    bills["refunding"] = bill_of(a_reversed_payment(wechat, a_bill())[0])
    payment, refund = a_reversed_payment(wechat, a_bill())
    jobs.send_refund(refund_id=refund.pk)
    wechat.refund_state(refund.out_refund_no, "SUCCESS")
    jobs.ask_refund(refund_id=refund.pk)
    bills["refunded"] = bill_of(payment)
    bills["expired"] = a_bill(ends_in=dt.timedelta(seconds=-1))
    bills["cancelled"] = a_bill()
    with transaction.atomic():
        billing.cancel_bill(bill_id=bills["cancelled"].pk, by=SYSTEM, at=clock.now())
    wechat.fault("http_500", times=-1)  # pages that ask by themselves stay as they are
    return bills


@pytest.mark.thorough
def test_every_state_is_accessible_in_every_look(
    browser: Browser, live_server: LiveServer, phone_world: StandIn
) -> None:
    for name, bill in in_every_state(phone_world).items():
        page = open_page(bill, browser, live_server, lambda _: "cancel")
        page.wait_for_load_state("networkidle")
        state(page, name)
        for look in ("light", "dark", "large"):
            page.emulate_media(color_scheme="dark" if look == "dark" else "light")
            set_large(page, is_large=look == "large")
            check(page, f"{name}_{look}")
        page.context.close()
