"""Outside platforms in Chromium: taken in, given a secret, watched; pictures land in
test-artifacts/partners/."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from hospital.identity.states import Role
from hospital.interop.models import Partner
from hospital.kernel import clock
from hospital.testing.browser import Watch
from hospital.testing.partners import Program, a_partner
from hospital.testing.people import a_staff
from tests.browser.looking import Check
from tests.browser.windows import SMALL, a_desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("partners")


def test_a_platform_is_taken_in_gets_a_secret_and_is_watched(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    busy = Program(
        a_partner(code="long-platform-name-of-30-signs", name="岭南互联网医院预约挂号统一服务平台"),
        at=clock.now(),
    )
    queries: list[dict[str, str]] = [{}, {"status": "free"}, {"_count": "0"}]
    for query in queries:
        busy.get("/Slot", query)
    context = a_desk(browser, live_server, a_staff(Role.SYSTEM_ADMIN), SMALL)
    page = watched(context.new_page(), but="422")

    page.goto("/staff/partners/new/")
    page.get_by_label("平台名称").fill("健康之路")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("请填写客户端编号。").first).to_be_visible()
    check(page, "new_wrong")
    page.get_by_label("客户端编号").fill("jkzl")
    page.get_by_label("查看号源").check()
    page.get_by_label("预约和退号").check()
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("还没有密钥，对方不能调用。")).to_be_visible()
    check(page, "without_secret")
    for _ in range(2):
        page.get_by_role("button", name="发放密钥").click()
        expect(page.get_by_text("只显示这一次")).to_be_visible()
        check(page, "secret", is_deep=False)
        page.get_by_role("link", name="已经交付，返回").click()
    expect(page.get_by_text("已有两个有效密钥。")).to_be_visible()
    page.get_by_role("button", name="作废…").first.click()
    page.get_by_role("button", name="作废", exact=True).click()
    expect(page.get_by_text("密钥已作废，用它取得的访问令牌同时失效。")).to_be_visible()
    check(page, "partner")

    page.goto("/staff/partners/")
    check(page, "partners")
    page.get_by_role("link", name="岭南互联网医院预约挂号统一服务平台").click()
    page.get_by_role("link", name="今天的调用").click()
    page.get_by_label("范围").select_option("refused")
    expect(page.get_by_text("BAD_PARAMETER")).to_be_visible()
    expect(page.get_by_text("共 1 次")).to_be_visible()
    check(page, "calls")
    assert Partner.objects.get(code="jkzl").secrets.filter(ended_at=None).count() == 1
    context.close()
