"""The kiosk in Chromium, upright at 1080 x 1920: touched, read into, left alone.

Pictures land in test-artifacts/kiosk/ and are looked at.
"""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from hospital.identity import actions as identity
from hospital.identity.access import KIOSK_COOKIE
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.payments import gateway
from hospital.payments.models import Payment
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus
from hospital.scheduling.states import Pool
from hospital.testing.browser import Watch
from hospital.testing.organisation import a_department, a_practitioner
from hospital.testing.people import a_patient, a_resident_id
from hospital.testing.schedules import a_released_schedule
from hospital.testing.wechat import StandIn
from hospital.window import thresholds
from tests.browser.looking import ARTIFACTS, Check
from tests.browser.windows import Device

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("kiosk", is_whole=False, is_quiet=True)
UPRIGHT: Device = {
    "viewport": {"width": 1080, "height": 1920},
    "has_touch": True,
    "locale": "zh-CN",
    "reduced_motion": "reduce",
}


def a_kiosk(browser: Browser, server: LiveServer) -> Page:
    """A machine that was paired."""
    at = clock.now()
    _, code = identity.add_device(name="门诊大厅1号机", place="1楼", by=SYSTEM, at=at)
    _, secret = identity.pair_device(code=code, at=at)
    context = browser.new_context(**UPRIGHT, base_url=server.url)
    cookie = {"name": KIOSK_COOKIE, "value": secret, "url": f"{server.url}/kiosk/"}
    context.add_cookies([cookie])  # type: ignore[list-item]
    context.add_init_script("window.printed = 0; window.print = () => { window.printed += 1; }")
    return context.new_page()


def read(page: Page, text: str) -> None:
    """The scanner types, with an Enter behind it."""
    expect(page.get_by_label("读卡器和扫码口")).to_be_focused()
    page.keyboard.insert_text(text)
    page.keyboard.press("Enter")


def test_h3_a_kiosk_registers_takes_money_prints_and_forgets(
    browser: Browser, live_server: LiveServer, watched: Watch, wechat: StandIn
) -> None:
    """H3: from the card to the slip by thumb; a minute without a touch leaves nothing behind."""
    number = a_resident_id()
    a_patient(document_no=number)
    for name in ("肺病科", "脾胃病科", "骨伤科", "针灸推拿科"):
        department = a_department(name=name)
        a_released_schedule(
            day=clock.today(),
            starts=dt.time(0, 0),
            ends=dt.time(23, 59),
            capacity=24,
            band_minutes=240,
            shares={Pool.WECHAT: 4, Pool.KIOSK: 20},
            department=department,
            practitioner=a_practitioner(department, name="陈知行"),
            at=clock.now(),
        )
    page = watched(a_kiosk(browser, live_server), but="422")
    page.goto("/kiosk/")
    check(page, "1-start")
    read(page, a_resident_id())
    expect(page.get_by_text("没有找到您的档案")).to_be_visible()
    check(page, "2-nobody")
    read(page, number)
    expect(page.get_by_text("挂今天的号")).to_be_visible()
    check(page, "3-visit")
    page.get_by_text("挂今天的号").tap()
    expect(page.get_by_role("heading", name="选择科室")).to_be_visible()
    check(page, "4-departments")
    page.get_by_text("针灸推拿科").tap()
    expect(page.get_by_text("陈知行")).to_be_visible()
    check(page, "5-numbers")
    page.get_by_text("陈知行").tap()
    expect(page.get_by_text("微信扫码支付")).to_be_visible()
    check(page, "6-to-pay")
    page.get_by_text("微信扫码支付").tap()
    expect(page.get_by_text("请用微信扫一扫付 ¥25.00")).to_be_visible()
    check(page, "7-code")
    wechat.pay(Payment.objects.get().out_trade_no)
    gateway.ask(payment_id=Payment.objects.get().pk, by=SYSTEM, at=clock.now())
    expect(page.get_by_role("heading", name="取号成功")).to_be_visible()
    page.wait_for_function("window.printed === 1")
    check(page, "8-slip")
    page.pdf(path=ARTIFACTS / "kiosk" / "slip.pdf", prefer_css_page_size=True)
    page.get_by_text("现在签到").tap()
    expect(page.get_by_text("已签到，请候诊")).to_be_visible()
    check(page, "9-checked-in")
    assert Appointment.objects.get().status == AppointmentStatus.CHECKED_IN
    left, idle = page.url, thresholds.KIOSK_IDLE_SECONDS.value()
    page.get_by_text("返回").tap()
    expect(page.get_by_role("heading", name="请选择")).to_be_visible()
    page.clock.install()
    page.reload()
    page.clock.fast_forward((idle - 10) * 1000)
    expect(page.get_by_text("还需要继续吗？")).to_be_visible()
    check(page, "10-still-there")
    page.clock.fast_forward(11_000)
    page.wait_for_url("**/kiosk/")
    page.go_back()
    page.goto(left)
    expect(page.get_by_text("请读证件或扫码")).to_be_visible()
    expect(page.get_by_text("陈*宁")).to_have_count(0)
