"""The audit search in Chromium at a small screen: long values, refused acts, one patient's record;
pictures land in test-artifacts/audit/."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from hospital.identity.states import Role
from hospital.kernel import audit, clock, whereabouts
from hospital.kernel.actors import SYSTEM, Actor
from hospital.testing.browser import Watch
from hospital.testing.people import a_patient, a_staff
from tests.browser.looking import Check
from tests.browser.windows import SMALL, a_desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("audit")


def fill_trail() -> str:
    """Some days' entries, short and long; returns an outpatient number."""
    nurse = a_staff(Role.TRIAGE_NURSE)
    person, at = a_patient(name="欧阳上官婉儿"), clock.now()
    by = Actor("staff", nurse.pk)
    with whereabouts.bound(address="2001:db8:85a3::8a2e:370:7334", device="Windows · Edge 126"):
        whereabouts.take_roles([Role.TRIAGE_NURSE, Role.REGISTRATION_CLERK, Role.CASHIER])
        for what in ("预约全程", "支付全程", "消息全程"):
            after = {"what": what}
            audit.record(
                act="patients.view", subject=None, by=by, at=at, after=after, person_id=person.pk
            )
        audit.record(
            act="patients.reveal",
            subject=None,
            by=by,
            at=at,
            after={"what": "phone"},
            reason="电话通知：停诊后患者三次无人接听，家属来院要求核对联系方式" * 3,
            person_id=person.pk,
        )
        audit.record(
            act="organisation.save_practitioner",
            subject=None,
            by=by,
            at=at,
            before={"name": "张三丰", "introduction": "擅长" + "针灸推拿与康复" * 40},
            after={"name": "张三丰", "introduction": "擅长" + "中风后遗症、" * 40},
        )
        audit.record(
            act="identity.refused",
            subject=None,
            by=by,
            at=at,
            after={"page": "payments-refund-request", "code": "PERMISSION_MISSING"},
            reason="您的岗位没有打开这个页面的权限。",
            result="refused",
        )
    audit.record(act="kernel.run_failed_again", subject=None, by=SYSTEM, at=at, after={"count": 12})
    audit.seal_entries(at=at)
    audit.keep(audit.verify(at=at), at=at)
    return person.outpatient_no


def test_who_saw_this_record_is_found_by_keyboard(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    number = fill_trail()
    auditor = a_staff(Role.AUDIT_ADMIN)
    page = watched(a_desk(browser, live_server, auditor, SMALL).new_page())

    page.goto("/staff/audit/")
    check(page, "trail")
    page.keyboard.press("F4")
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    expect(page.get_by_text("不限患者")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="查看患者资料")).to_have_count(3)
    check(page, "one-record")
    page.get_by_label("结果").select_option(label="被拒绝")
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_text("没有符合条件的记录")).to_be_visible()
    check(page, "nothing")

    page.goto("/staff/audit/?act=organisation.")
    page.get_by_role("link", name="查看", exact=False).last.click()
    expect(page.get_by_role("table", name="变更内容")).to_be_visible()
    check(page, "entry")

    page.goto("/staff/audit/")
    page.get_by_label("谁的资料被看过").fill("没有这个人")
    page.get_by_role("button", name="按患者查").click()
    check(page, "nobody")
    page.get_by_role("link", name="返回审计查询").click()
    page.get_by_label("导出的用途").fill("等级保护年度检查")
    with page.expect_download() as loading:
        page.get_by_role("button", name="导出 Excel").click()
    assert loading.value.suggested_filename.startswith("audit-")
