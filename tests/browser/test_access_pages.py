"""People, roles and who may do what, in Chromium: an account is made, its role asked for, approved
and explained; a role is redrawn; permissions are lent; a patient is opened in an emergency.
Pictures land in test-artifacts/access/."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from hospital.identity.models import StaffAccount
from hospital.identity.states import Role
from hospital.testing.bookings import a_booking
from hospital.testing.browser import Watch
from hospital.testing.organisation import a_department
from hospital.testing.people import a_staff
from tests.browser.looking import Check
from tests.browser.windows import a_desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("access")
LONG = "欧阳上官婉儿"


def desk_of(
    account: StaffAccount, browser: Browser, live_server: LiveServer, watched: Watch
) -> Page:
    return watched(a_desk(browser, live_server, account).new_page(), but="422")


def test_somebody_new_gets_a_role_from_two_administrators(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    department = a_department(name="针灸推拿与康复医学科（治未病中心）")
    admin = a_staff(Role.SYSTEM_ADMIN, display_name="周砚")
    guard = a_staff(Role.SECURITY_ADMIN, display_name="沈安衡")
    a_staff(Role.DOCTOR, display_name="单知行", department=department)
    page = desk_of(admin, browser, live_server, watched)

    page.goto("/staff/people/")
    page.keyboard.press("F3")
    page.keyboard.type("szx")
    expect(page.get_by_role("row")).to_have_count(2)
    check(page, "people")
    page.keyboard.press("F4")
    page.get_by_label("登录名").fill("ouyang")
    page.get_by_label("姓名").fill(LONG)
    check(page, "new")
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".i-password")).to_be_visible()
    check(page, "password")
    page.get_by_role("link", name="下一步：提出岗位").click()
    page.get_by_label("第 1 行岗位").select_option(label="科主任")
    page.get_by_label("第 1 行科室").select_option(label=department.name)
    page.get_by_label("理由").fill("接替退休的主任")
    check(page, "roles-of-one")
    page.keyboard.press("F8")
    expect(page.get_by_text("等待安全管理员处理")).to_be_visible()
    check(page, "asked")
    address = page.url

    other = desk_of(guard, browser, live_server, watched)
    other.goto("/staff/access/")
    check(other, "requests")
    other.get_by_role("link", name="处理").click()
    assert other.url == address
    check(other, "request")
    other.keyboard.press("F8")
    expect(other.get_by_text("没有等待批准的申请")).to_be_visible()
    other.goto("/staff/people/?q=oysg")
    other.get_by_role("link", name="能做什么").click()
    expect(other.get_by_role("cell", name=department.name).first).to_be_visible()
    check(other, "viewer")
    other.get_by_role("link", name="查询预约挂号").click()
    expect(other.get_by_role("link", name=LONG)).to_be_visible()
    check(other, "who-may")


@pytest.mark.thorough
def test_a_role_is_redrawn_after_a_look_at_the_difference(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    admin = a_staff(Role.SYSTEM_ADMIN, display_name="周砚")
    page = desk_of(admin, browser, live_server, watched)

    page.goto("/staff/roles/")
    check(page, "roles")
    page.get_by_role("link", name="医生", exact=True).click()
    check(page, "role")
    page.get_by_label("查询预约挂号").select_option(label="仅本人")
    page.get_by_label("查找患者").select_option(label="没有")
    page.keyboard.press("F8")
    expect(page.get_by_role("table", name="权限的改动").get_by_role("row")).to_have_count(3)
    check(page, "difference")
    page.get_by_role("button", name="返回修改").click()
    expect(page.get_by_label("查询预约挂号")).to_have_value("own")
    page.keyboard.press("F8")
    page.get_by_label("理由").fill("试点：只看自己的门诊")
    page.keyboard.press("F8")
    expect(page.get_by_text("待批准")).to_be_visible()
    page.goto("/staff/roles/new/?copy_of=cashier")
    check(page, "new-role")


@pytest.mark.thorough
def test_a_doctor_lends_and_opens_in_an_emergency(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    booked = a_booking()
    doctor = a_staff(Role.DOCTOR, display_name=LONG, department=a_department(name="骨伤科"))
    a_staff(Role.DOCTOR, display_name="关鹤年")
    page = desk_of(doctor, browser, live_server, watched)

    page.goto("/staff/loans/")
    page.get_by_role("combobox", name="给谁").fill("ghn")
    page.get_by_role("option", name="关鹤年").click()
    page.get_by_label("到（最长").fill("2099-01-01T08:00")
    page.get_by_label("查找患者").check()
    page.get_by_label("理由").fill("外出会诊")
    page.keyboard.press("F8")
    expect(page.get_by_text("最长只能授权 30 天。")).to_be_visible()
    check(page, "loans")

    page.goto("/staff/emergencies/")
    page.get_by_label("门诊号、就诊卡号").fill(booked.patient.outpatient_no)
    page.get_by_label("原因").fill("急诊会诊，患者胸痛，需要看今天的就诊情况")
    page.keyboard.press("F8")
    expect(page.get_by_role("link", name="查看")).to_be_visible()
    check(page, "emergency")
    page.goto("/staff/emergencies/")
    check(page, "emergencies")

    affairs = a_staff(Role.MEDICAL_AFFAIRS, display_name="陆怀仁")
    review = desk_of(affairs, browser, live_server, watched)
    review.goto("/staff/emergency-reviews/")
    check(review, "review")
    review.get_by_label("理由成立").check()
    review.get_by_label("审核意见").fill("会诊记录属实")
    review.get_by_role("button", name="保存意见").click()
    expect(review.get_by_role("table", name="已审核")).to_contain_text("会诊记录属实")
    check(review, "reviewed")
