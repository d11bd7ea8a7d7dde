"""Holidays, leave, the doctor's own page and a proposed roster, in Chromium; pictures land in
test-artifacts/planning/."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from hospital.identity.models import StaffAccount
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.organisation.models import Practitioner
from hospital.scheduling import actions, jobs
from hospital.scheduling.models import CalendarDay, Leave, RosterEntry, RosterProposal
from hospital.scheduling.states import LeaveStatus
from hospital.testing.browser import Watch
from hospital.testing.organisation import a_department, a_practitioner, a_room, a_service_type
from hospital.testing.people import a_staff
from hospital.testing.schedules import a_released_schedule, a_template
from tests.browser.looking import Check
from tests.browser.windows import a_desk, without_live

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("planning")
PHONE = {"width": 375, "height": 812}


def at_desk(browser: Browser, server: LiveServer, watched: Watch, account: StaffAccount) -> Page:
    context = a_desk(browser, server, account)
    without_live(context)
    return watched(context.new_page())


def a_doctor(*, name: str = "欧阳上官婉儿") -> Practitioner:
    """With a session in three days."""
    department = a_department()
    doctor = a_practitioner(department, name=name)
    now = clock.now()
    day = clock.hospital_day(now) + dt.timedelta(days=3)
    a_released_schedule(department=department, practitioner=doctor, day=day, at=now)
    a_practitioner(department, name="何远")
    return doctor


@pytest.mark.thorough
def test_a_doctor_asks_on_the_phone_and_the_office_approves(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    doctor = a_doctor()
    own = at_desk(browser, live_server, watched, a_staff(Role.DOCTOR, practitioner=doctor))
    own.set_viewport_size(PHONE)  # type: ignore[arg-type]
    own.goto("/staff/my-sessions/")
    check(own, "own-phone")
    own.get_by_role("link", name="申请停诊").click()
    own.get_by_text("会议", exact=True).click()
    own.get_by_role("button", name="提交").click()
    expect(own.get_by_text("待审批")).to_be_visible()
    leave = Leave.objects.get()

    office = at_desk(browser, live_server, watched, a_staff(Role.OUTPATIENT_OFFICE))
    office.goto("/staff/leaves/")
    office.get_by_role("link", name="审批").click()
    check(office, "leave")
    office.get_by_role("combobox").select_option(label="替诊：何远 主任医师")
    office.get_by_role("button", name="批准并处理").click()
    expect(office.get_by_role("cell", name="替诊：何远")).to_be_visible()

    leave.refresh_from_db()
    assert leave.status == LeaveStatus.APPROVED
    own.goto("/staff/my-sessions/")
    expect(own.get_by_text("由 何远 替诊")).to_be_visible()


def test_the_office_keeps_a_holiday_after_a_look_at_what_it_changes(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    a_doctor()
    day = clock.today() + dt.timedelta(days=3)
    page = at_desk(browser, live_server, watched, a_staff(Role.OUTPATIENT_OFFICE))
    page.goto(f"/staff/holidays/?year={day.year}&day={day.isoformat()}")
    page.get_by_text("放假", exact=True).click()
    page.get_by_label("名称（平日不填）").fill("院庆")
    page.get_by_role("button", name="看看影响").click()
    check(page, "holiday")
    expect(page.get_by_text("1 个出诊已放号或在排班表里")).to_be_visible()
    page.get_by_role("button", name="确认保存").click()
    expect(page.get_by_text("现在是放假：院庆")).to_be_visible()
    assert CalendarDay.objects.get().date == day


@pytest.mark.thorough
def test_a_proposal_is_watched_looked_at_and_taken_over(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    department = a_department()
    service = a_service_type()
    for number, name in enumerate(("欧阳上官婉儿", "何远", "陈知行"), start=1):
        a_template(
            department=department,
            practitioner=a_practitioner(department, name=name),
            service_type=service,
            room=a_room(department=department),
            weekday=number,
        )
    actions.needs_from_templates(department_id=department.pk, by=SYSTEM, at=clock.now())
    page = at_desk(browser, live_server, watched, a_staff(Role.OUTPATIENT_OFFICE))
    page.goto(f"/staff/proposals/{department.code}/needs/")
    check(page, "needs")
    page.get_by_role("link", name="智能排班").click()
    page.get_by_role("button", name="开始排班").click()
    expect(page.get_by_text("排队中").first).to_be_visible()
    proposal = RosterProposal.objects.get()
    actions.begin_proposal(proposal_id=proposal.pk, by=SYSTEM, at=clock.now())
    expect(page.get_by_text("计算中")).to_be_visible()
    check(page, "running", is_deep=False)
    RosterProposal.objects.update(seconds=1)

    jobs.propose_roster(proposal_id=proposal.pk)

    expect(page.get_by_role("button", name="采用为草稿")).to_be_visible()
    check(page, "proposal")
    page.get_by_role("button", name="采用为草稿").click()
    page.get_by_role("button", name="采用", exact=True).click()
    expect(page.get_by_text("可以在排班表里继续改")).to_be_visible()
    assert RosterEntry.objects.filter(is_removed=False).exists()
