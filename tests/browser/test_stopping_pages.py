"""停诊 and 替诊 as the office and the patient see them, in Chromium; pictures land in
test-artifacts/stopping/."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.organisation.states import Title
from hospital.registration import actions as registration
from hospital.registration.models import Appointment
from hospital.scheduling.models import Schedule
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.browser import Watch
from hospital.testing.jobs import run_jobs
from hospital.testing.organisation import a_department, a_practitioner, a_service_type
from hospital.testing.people import a_patient, a_staff, a_wechat_user
from hospital.testing.schedules import a_released_schedule
from tests.browser.looking import Check
from tests.browser.windows import a_desk, a_phone, without_live

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("stopping")


def sessions() -> list[Schedule]:
    """An associate chief's mornings of the next two days, 25 yuan and 40."""
    now = clock.now()
    department = a_department(name="针灸推拿科")
    doctor = a_practitioner(department, name="陈知行", title=Title.ASSOCIATE_CHIEF)
    a_practitioner(department, name="欧阳上官若谷", title=Title.CHIEF)
    a_practitioner(department, name="何远", title=Title.ATTENDING)
    return [
        a_released_schedule(
            department=department,
            practitioner=doctor,
            service_type=a_service_type(
                fee_fen=fee_fen, fees=[(Title.ATTENDING, 1200), (Title.CHIEF, 6000)]
            ),
            day=clock.hospital_day(now) + dt.timedelta(days=ahead),
            at=now,
        )
        for ahead, fee_fen in ((1, 2500), (2, 4000))
    ]


def booked(schedule: Schedule, name: str) -> Appointment:
    user, now = a_wechat_user(), clock.now()
    patient = a_patient(user, name=name, at=now)
    return a_paid_booking(patient=patient, user=user, schedule=schedule, at=now)


def phone(browser: Browser, server: LiveServer, watched: Watch, row: Appointment) -> Page:
    assert row.wechat_user is not None
    context = a_phone(browser, server, row.wechat_user)
    without_live(context)
    page = watched(context.new_page())
    page.goto(f"/m/appointments/{row.number}/")
    return page


def office(browser: Browser, server: LiveServer, watched: Watch) -> Page:
    context = a_desk(browser, server, a_staff(Role.OUTPATIENT_OFFICE))
    without_live(context)
    return watched(context.new_page())


def test_the_office_calls_a_session_off_and_the_patient_chooses(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    first, second = sessions()
    row = booked(first, "欧阳上官婉儿")
    booked(first, "陈晓宁")
    a_booking(schedule=first, at=clock.now())
    page = office(browser, live_server, watched)

    page.goto(f"/staff/sessions/{first.pk}/stop/")
    check(page, "stop")
    page.get_by_label("病假").check()
    page.get_by_role("button", name="确认停诊，通知 3 位患者").click()
    expect(page.get_by_text("正在处理")).to_be_visible()
    assert run_jobs(only="registration.") == []
    expect(page.get_by_text("3 / 3")).to_be_visible()
    check(page, "stopped")

    mine = phone(browser, live_server, watched, row)
    expect(mine.get_by_text("同一医生的下一次出诊")).to_be_visible()
    check(mine, "choice")
    mine.get_by_role("button", name="都不需要").click()
    expect(mine.get_by_text("不再为您安排")).to_be_visible()

    page.get_by_label("恢复原因").fill("医生已到")
    page.get_by_role("button", name="恢复出诊").click()
    expect(page.get_by_text("已恢复出诊")).to_be_visible()
    first.refresh_from_db()
    assert (first.status, second.status) == ("released", "released")


@pytest.mark.thorough
def test_another_doctor_is_put_there_and_the_patient_agrees_or_goes_elsewhere(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    first, second = sessions()
    row, other = booked(first, "欧阳上官婉儿"), booked(first, "陈晓宁")
    page = office(browser, live_server, watched)

    page.goto(f"/staff/sessions/{first.pk}/substitute/")
    check(page, "substitute")
    page.get_by_label("何远").check()
    page.get_by_label("会议").check()
    page.get_by_role("button", name="确认并通知 2 位患者").click()
    expect(page.get_by_text("已办理替诊")).to_be_visible()
    assert run_jobs(only="registration.") == []
    page.reload()

    expect(page.get_by_text("还有 2 位患者没有答复")).to_be_visible()
    check(page, "asked")

    mine = phone(browser, live_server, watched, row)
    check(mine, "consent")
    mine.get_by_role("button", name="同意由 何远 接诊").click()
    expect(mine.get_by_text("就诊前可随时免费退号").first).to_be_visible()
    mine.wait_for_load_state("load")
    mine.get_by_role("button", name="申请退号").click()
    expect(mine.get_by_role("dialog")).to_be_visible()
    check(mine, "cancel")
    mine.get_by_role("button", name="再想想").click()

    registration.answer_substitution(number=other.number, agrees=True, by=SYSTEM, at=clock.now())
    theirs = phone(browser, live_server, watched, other)
    theirs.get_by_role("link", name="改约时间").click()
    check(theirs, "exchange")
    theirs.goto(f"/m/appointments/{other.number}/exchange/{second.pk}/{second.bands.all()[0].pk}/")
    check(theirs, "exchange-for")
    theirs.get_by_role("button", name="改约并支付差价").click()
    expect(theirs.get_by_text("¥28.00").first).to_be_visible()
    theirs.goto(f"/m/appointments/{other.number}/")
    expect(theirs.get_by_text("正在改约")).to_be_visible()
    check(theirs, "exchanging")
    other.refresh_from_db()
    row.refresh_from_db()
    assert (row.consent, other.status) == ("agreed", "booked")
