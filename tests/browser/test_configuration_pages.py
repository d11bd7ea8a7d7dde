"""The configuration pages in Chromium: found, looked at ahead, changed, taken back by keyboard and
mouse; pictures land in test-artifacts/configuration/."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from hospital.identity.states import Role
from hospital.registration import thresholds
from hospital.testing.browser import Watch
from hospital.testing.organisation import a_department
from hospital.testing.people import a_staff
from tests.browser.looking import Check
from tests.browser.windows import a_desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("configuration")
SCOPED = thresholds.LIMIT_DEPARTMENT_DAY


def test_a_setting_is_found_changed_and_taken_back(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    a_department(name="针灸推拿与康复医学科（治未病中心）")
    account = a_staff(Role.SYSTEM_ADMIN)
    page = watched(a_desk(browser, live_server, account).new_page(), but="422")

    page.goto("/staff/configuration/")
    check(page, "list")
    page.keyboard.press("/")
    page.keyboard.type("同一科室")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    check(page, "found")
    page.get_by_role("link", name="查看").click()
    check(page, "setting")

    page.get_by_label("范围").select_option(label="科室：针灸推拿与康复医学科（治未病中心）")
    page.get_by_label("改为").fill("三")
    page.get_by_label("原因").fill("门诊办第 12 号会议：康复疗程一天可分两次就诊，先试行一个月再定")
    page.get_by_role("button", name="查看变化").click()
    expect(page.get_by_text("请填写整数。")).to_be_visible()
    expect(page.get_by_label("改为")).to_have_value("三")
    check(page, "mistake")
    page.get_by_label("改为").fill("3")
    page.get_by_role("button", name="查看变化").click()
    expect(page.get_by_text("这样修改会怎样")).to_be_visible()
    check(page, "ahead")
    page.get_by_role("button", name="确认修改").click()
    expect(page.get_by_text("已修改")).to_be_visible()
    check(page, "changed")

    page.get_by_role("link", name="撤回").click()
    page.get_by_role("button", name="查看变化").click()
    page.get_by_role("button", name="确认修改").click()
    expect(page.get_by_role("table", name="历史").get_by_role("row")).to_have_count(3)
    check(page, "taken-back")
