"""The staff's log-in in Chromium: both steps, log-ins, networks, and the lock over an idle page.

Pictures land in test-artifacts/log-in/. What matters most: nothing half filled in is ever lost.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from hospital.identity import actions
from hospital.identity import one_time_codes as codes
from hospital.identity.models import Delegation, StaffSession
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.testing.browser import Watch
from hospital.testing.people import PASSWORD, a_staff
from tests.browser.looking import Check
from tests.browser.windows import MOVING, SMALL, a_desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("log-in", is_whole=False)
DESK = SMALL | MOVING
REASON = "下周去进修，挂号查询请同事代办"
IDLE = "localStorage.setItem('staff-seen', Date.now() - 16 * 60 * 1000)"


def half_filled(context: BrowserContext, watched: Watch) -> Page:
    """The page of loans with a reason typed in."""
    page = watched(context.new_page(), but=" 4")
    page.goto("/staff/loans/")
    page.get_by_label("理由").fill(REASON)
    return page


def open_lock(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="继续工作").click()


def test_the_security_administrators_first_day(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    a_staff(Role.SECURITY_ADMIN, username="officer", display_name="欧阳上官婉儿")
    page = watched(browser.new_context(**DESK, base_url=live_server.url).new_page(), but=" 4")
    page.goto("/staff/")
    page.get_by_label("用户名").fill("officer")
    page.get_by_label("密码").fill(PASSWORD)
    check(page, "1-log-in")
    page.get_by_role("button", name="登录").click()

    expect(page.get_by_role("heading", name="绑定动态口令")).to_be_visible()
    check(page, "2-enrolment")
    secret = page.locator(".i-secret").inner_text().replace(" ", "")
    step = codes.step_at(clock.now())
    page.get_by_label("手机上显示的 6 位数字").fill(codes.code_of(secret, step))
    page.get_by_role("button", name="绑定并登录").click()
    expect(page.locator(".i-codes li")).to_have_count(10)
    check(page, "3-recovery-codes")
    recovery = page.locator(".i-codes li").first.inner_text()
    page.get_by_role("link", name="已保存，进入工作台").click()

    page.goto("/staff/sessions/")
    expect(page.get_by_text("就是这里")).to_be_visible()
    check(page, "4-own-log-ins")
    page.goto("/staff/second-factor/")
    check(page, "5-another-phone")
    page.goto("/staff/log-ins/")
    check(page, "6-all-log-ins")
    page.goto("/staff/log-ins/locked/")
    check(page, "7-locked")
    page.goto("/staff/log-ins/networks/")
    check(page, "8-networks")
    page.goto("/staff/log-ins/networks/cashier/")
    page.get_by_label("网络", exact=True).fill("10.1.2.0/24, 窗口")
    page.get_by_label("原因").fill("只在窗口收费")
    page.keyboard.press("F8")
    expect(page.get_by_text("网络要写成")).to_be_visible()
    check(page, "9-network")
    page.get_by_label("网络", exact=True).fill("10.1.2.0/24")
    page.keyboard.press("F8")
    expect(page.get_by_text("10.1.2.0/24")).to_be_visible()

    page.locator("[data-menu] summary").click()
    page.get_by_role("button", name="退出登录").click()
    page.get_by_label("用户名").fill("officer")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", name="输入动态口令")).to_be_visible()
    check(page, "10-second-step")
    page.get_by_label("动态口令").fill(recovery)
    page.get_by_role("button", name="登录").click()
    expect(page).to_have_url(re.compile(r"/staff/(?!login)"))


@pytest.mark.thorough
def test_a_newcomer_replaces_the_password_somebody_gave(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    account = a_staff(Role.CASHIER, username="newcomer", display_name="欧阳上官婉儿")
    given = actions.temporary_password()
    actions.reset_password(account_id=account.pk, password=given, by=SYSTEM, at=clock.now())
    page = watched(browser.new_context(**DESK, base_url=live_server.url).new_page(), but=" 4")
    page.goto("/staff/loans/")
    page.get_by_label("用户名").fill("newcomer")
    page.get_by_label("密码").fill(given)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", name="设置自己的密码")).to_be_visible()
    check(page, "15-given-password")

    page.locator("[name=current]").fill(given)
    page.locator("[name=new]").fill("newcomer")
    page.locator("[name=again]").fill("newcomer")
    page.get_by_role("button", name="保存并继续").click()
    expect(page.get_by_text("密码太短，至少要 10 个字符。")).to_be_visible()
    check(page, "16-given-password-again")
    page.goto("/staff/collect/")
    expect(page.get_by_role("heading", name="设置自己的密码")).to_be_visible()
    page.locator("[name=current]").fill(given)
    page.locator("[name=new]").fill("my-own-Choice-77")
    page.locator("[name=again]").fill("my-own-Choice-77")
    page.get_by_role("button", name="保存并继续").click()

    expect(page).to_have_url(re.compile("/staff/collect/$"))
    page.goto("/staff/password/")
    check(page, "17-own-password")


def test_an_idle_page_locks_in_every_window_and_keeps_what_is_typed(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    context = a_desk(browser, live_server, a_staff(Role.REGISTRATION_CLERK), DESK)
    first, second = half_filled(context, watched), half_filled(context, watched)

    first.evaluate(IDLE)
    first.keyboard.press("Shift")
    expect(first.get_by_role("dialog", name="已锁定")).to_be_visible()
    expect(second.get_by_role("dialog", name="已锁定")).to_be_visible()
    check(first, "11-lock")
    first.keyboard.press("Escape")
    first.keyboard.press("Escape")
    expect(first.get_by_role("dialog", name="已锁定")).to_be_visible()
    open_lock(first, "wrong")
    expect(first.get_by_role("alert")).to_have_text("密码不正确。")
    open_lock(first)

    for page in (first, second):
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_label("理由")).to_have_value(REASON)
    second.get_by_role("button", name="授权").click()
    expect(second.locator(".x-banner").first).to_be_visible()
    expect(second.get_by_label("理由")).to_have_value(REASON)


def test_a_form_sent_too_late_goes_on_after_the_password(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    page = half_filled(
        a_desk(browser, live_server, a_staff(Role.REGISTRATION_CLERK), DESK), watched
    )
    page.evaluate(
        "fetch('/staff/lock/', {method: 'POST', headers: {'X-CSRFToken':"
        " document.querySelector('meta[name=csrf-token]').content}})"
    )
    page.get_by_role("button", name="授权").click()

    expect(page.get_by_role("dialog", name="已锁定")).to_be_visible()
    open_lock(page)
    check(page, "12-held")
    assert not Delegation.objects.exists()
    page.get_by_role("button", name="以林若水的身份继续提交").click()

    expect(page).to_have_url(re.compile("/staff/loans/$"))
    expect(page.get_by_label("理由")).to_have_value(REASON)


@pytest.mark.thorough
def test_a_log_in_ended_elsewhere_leaves_the_page_as_it_is(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    context = a_desk(browser, live_server, a_staff(Role.REGISTRATION_CLERK), DESK)
    page = half_filled(context, watched)
    clerk = StaffSession.objects.get().account
    page.locator("#taker-text").press_sequentially("li")
    StaffSession.objects.update(ended_at=clock.now(), ended_by="system:0", how="forced")
    page.locator("#taker-text").press_sequentially("n")

    expect(page.get_by_role("dialog", name="登录已结束")).to_be_visible()
    check(page, "13-ended")
    with context.expect_page() as opened:
        page.get_by_role("link", name="在新窗口登录").click()
    opened.value.get_by_label("用户名").fill(clerk.username)
    opened.value.get_by_label("密码").fill(PASSWORD)
    opened.value.get_by_role("button", name="登录").click()
    opened.value.wait_for_url(re.compile(r"/staff/(?!login)"))
    page.bring_to_front()
    page.evaluate("window.dispatchEvent(new Event('focus'))")

    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="授权").click()
    expect(page.get_by_label("理由")).to_have_value(REASON)
