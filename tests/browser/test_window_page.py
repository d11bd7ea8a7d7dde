"""The registration window in Chromium, by keyboard alone: keys counted, time taken (H3.1).

Pictures land in test-artifacts/window/ and are looked at; slips are printed to PDF beside them.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.organisation.models import Department
from hospital.payments.models import CashEntry
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus
from hospital.scheduling.models import Schedule
from hospital.scheduling.states import Channel, Pool
from hospital.testing.browser import Watch
from hospital.testing.organisation import a_department, a_practitioner
from hospital.testing.people import a_patient, a_resident_id, a_staff
from hospital.testing.schedules import a_released_schedule
from hospital.window.models import SlipPrint
from tests.browser.looking import ARTIFACTS, Check
from tests.browser.windows import SMALL, a_desk, without_live

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("window")
MOST_KEYS = 12
MOST_SECONDS = 15


@dataclass
class Keys:
    """Hands on a keyboard, counted."""

    page: Page
    pressed: int = 0

    def press(self, *names: str) -> None:
        for name in names:
            self.pressed += 1
            self.page.keyboard.press(name)


def a_session(department: Department) -> Schedule:
    """A doctor who sits all day today; the window has most of the numbers."""
    return a_released_schedule(
        day=clock.today(),
        starts=dt.time(0, 0),
        ends=dt.time(23, 59),
        capacity=24,
        band_minutes=240,
        shares={Pool.WECHAT: 4, Pool.WINDOW: 20},
        at=clock.now(),
        department=department,
        practitioner=a_practitioner(department, name="陈知行"),
    )


def read_card(page: Page, number: str) -> None:
    """A scanner that types Enter twice."""
    page.keyboard.insert_text(number)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")


def print_to(page: Page, name: str) -> None:
    """What comes out of the printer."""
    page.pdf(path=ARTIFACTS / "window" / f"{name}.pdf", prefer_css_page_size=True)


def test_h3_01_a_registration_takes_twelve_keys_and_fifteen_seconds(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    """H3.1, H3.3: ID, department, doctor, cash with change, slip; then the next one."""
    number = a_resident_id()
    a_patient(document_no=number)
    a_department(name="肺病科")
    department = a_department(name="针灸推拿科")
    a_session(department)
    context = a_desk(browser, live_server, a_staff(Role.REGISTRATION_CLERK), SMALL)
    context.add_init_script("window.printed = 0; window.print = () => { window.printed += 1; }")
    without_live(context)
    page = watched(context.new_page())
    page.goto("/staff/")
    expect(page).to_have_url(f"{live_server.url}/staff/window/")
    check(page, "1-start")
    keys, since = Keys(page), time.monotonic()
    read_card(page, number)
    expect(page.get_by_label("科室拼音首字母")).to_be_focused()
    keys.press("z", "j", "t", "Enter")
    expect(page.get_by_role("button", name="陈知行")).to_be_visible()
    keys.press("1")
    expect(page.get_by_label("实收现金（元），或扫付款码")).to_be_focused()
    keys.press("5", "0", "Enter")
    expect(page.get_by_label("挂号小票")).to_be_visible()
    page.wait_for_function("window.printed === 1")
    print_to(page, "slip")
    keys.press("Enter")
    expect(page.get_by_label("读卡、扫码或输入患者")).to_be_focused()
    assert keys.pressed <= MOST_KEYS, keys.pressed
    assert time.monotonic() - since < MOST_SECONDS
    booked = Appointment.objects.get()
    assert (booked.channel, booked.status) == (Channel.WINDOW, AppointmentStatus.BOOKED)
    assert booked.collected_at is not None
    cash = CashEntry.objects.get()
    assert (cash.amount_fen, cash.change_fen) == (2500, 2500)
    assert SlipPrint.objects.get().copy_no == 1


@pytest.mark.thorough
def test_h3_02_every_step_is_fit_to_be_seen_and_undone(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    """H3.3: a reprint with its reason, a wrong registration given back in cash, the shift."""
    patient = a_patient()
    department = a_department(name="针灸推拿科")
    a_session(department)
    context = a_desk(browser, live_server, a_staff(Role.REGISTRATION_CLERK), SMALL)
    context.add_init_script("window.print = () => {}")
    without_live(context)
    page = watched(context.new_page(), but="422")
    page.goto("/staff/window/")
    page.keyboard.insert_text("44010119850312999X")
    page.keyboard.press("Enter")
    expect(page.get_by_text("没有档案")).to_be_visible()
    check(page, "2-nobody")
    page.goto(f"/staff/window/person/{patient.outpatient_no}/")
    page.keyboard.type("zjt")
    check(page, "3-department")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="陈知行")).to_be_visible()
    check(page, "4-numbers")
    page.keyboard.press("F6")
    expect(page.get_by_role("button", name="20:00–23:59")).to_be_visible()
    check(page, "5-bands")
    page.keyboard.press("1")
    page.get_by_label("实收现金（元），或扫付款码").fill("20")
    expect(page.get_by_text("还差 ¥5.00")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("实收金额少于应收金额")).to_be_visible()
    check(page, "6-too-little")
    page.keyboard.type("100")
    expect(page.get_by_text("找零 ¥75.00")).to_be_visible()
    check(page, "7-change")
    page.keyboard.press("Enter")
    expect(page.get_by_label("挂号小票")).to_be_visible()
    check(page, "8-slip")
    page.get_by_role("link", name="A5 纸").click()
    expect(page.locator(".w-slip-a5")).to_be_visible()
    print_to(page, "slip-a5")
    check(page, "9-slip-a5")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="补打：打印机卡纸").click()
    expect(page.get_by_text("补打第 1 次")).to_be_visible()
    page.keyboard.press("Escape")
    check(page, "10-done")
    page.keyboard.press("F10")
    page.get_by_role("button", name="挂错科室或医生").click()
    expect(page.get_by_text("请退现金")).to_be_visible()
    check(page, "11-cash-back")
    page.get_by_role("button", name="现金已退给患者").click()
    expect(page.get_by_text("已退 ¥25.00")).to_be_visible()
    check(page, "12-given-back")
    page.goto("/staff/window/shift/")
    check(page, "13-shift")
    assert [row.copy_no for row in SlipPrint.objects.order_by("pk")] == [1, 2]
    assert [row.kind for row in CashEntry.objects.order_by("pk")] == ["taken", "back"]
