"""Appeals, restrictions, add-ons, emergencies and arrears in Chromium, on the phone and the desk.

Pictures land in test-artifacts/visits/.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from hospital.catalogue.states import ServiceKind
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.patients.models import Patient
from hospital.registration import actions
from hospital.registration.models import Appointment
from hospital.registration.states import Acuity
from hospital.scheduling.models import Schedule
from hospital.scheduling.states import Pool
from hospital.testing.bookings import a_paid_booking
from hospital.testing.organisation import a_department, a_service_type
from hospital.testing.people import a_patient, a_staff, a_wechat_user
from hospital.testing.schedules import a_released_schedule, band_of, moment
from tests.browser.looking import Check
from tests.browser.windows import SMALL, a_desk, a_phone, without_live

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("visits")


def missed(patient: Patient, ago: int) -> Appointment:
    """A session so many days ago, to which nobody came."""
    now = clock.now()
    day = clock.hospital_day(now) - dt.timedelta(days=ago)
    morning = moment(day, 7)
    schedule = a_released_schedule(
        department=a_department(name="风湿免疫与康复医学综合门诊"), day=day, at=morning
    )
    row = a_paid_booking(patient=patient, schedule=schedule, at=morning)
    actions.end_visit(appointment_id=row.pk, by=SYSTEM, at=moment(day, 13))
    return row


def restricted() -> tuple[Patient, list[Appointment]]:
    patient = a_patient(a_wechat_user(), name="欧阳上官婉儿", at=clock.now())
    return patient, [missed(patient, ago) for ago in (20, 9, 2)]


def an_emergency_session() -> Schedule:
    now = clock.now()
    return a_released_schedule(
        department=a_department(name="急诊科", is_bookable=False, walk_in_only=True),
        service_type=a_service_type(name="急诊", kind=ServiceKind.EMERGENCY),
        day=clock.hospital_day(now),
        starts=dt.time(0, 0),
        ends=dt.time(23, 59),
        band_minutes=240,
        capacity=6,
        shares={Pool.WINDOW: 6},
        at=now,
    )


@pytest.mark.thorough
def test_a_restricted_patient_appeals_and_the_office_answers(
    browser: Browser, live_server: LiveServer
) -> None:
    patient, rows = restricted()
    phone = a_phone(browser, live_server, patient.bindings.get().wechat_user)
    without_live(phone)
    page = phone.new_page()
    page.goto(reverse("registration-standing", args=[patient.outpatient_no]))
    expect(page.get_by_text("线上预约已暂停至")).to_be_visible()
    check(page, "phone-standing")
    page.get_by_role("link", name="申诉").first.click()
    check(page, "phone-appeal")
    page.get_by_label("请写明情况").fill("当天八点已到三楼候诊，护士站没有给我签到，医生也看过我。")
    page.get_by_role("button", name="提交申诉").click()
    expect(page.get_by_text("待处理")).to_be_visible()
    check(page, "phone-appealed")

    office = a_desk(browser, live_server, a_staff(Role.OUTPATIENT_OFFICE), SMALL)
    without_live(office)
    desk = office.new_page()
    desk.goto(reverse("registration-appeals"))
    check(desk, "desk-appeals")
    desk.get_by_role("link", name="处理", exact=True).click()
    check(desk, "desk-appeal")
    desk.get_by_label("当时已到诊").check()
    desk.get_by_label("给患者的答复").fill("已核实，您当天已就诊，爽约记录已更正。")
    desk.get_by_role("button", name="保存并答复").click()
    expect(desk.get_by_text("没有待处理的申诉")).to_be_visible()
    desk.goto(reverse("registration-restrictions"))
    expect(desk.get_by_text("次数更正后不再达到暂停标准")).to_be_visible()
    check(desk, "desk-restrictions-lifted")
    desk.goto(reverse("desk-appointment", args=[rows[0].number]))
    check(desk, "desk-noshow")
    page.reload()
    expect(page.get_by_text("已采纳，不再计入")).to_be_visible()
    check(page, "phone-answered", is_deep=False)


@pytest.mark.thorough
def test_the_doctor_adds_and_the_emergency_room_registers(
    browser: Browser, live_server: LiveServer
) -> None:
    now = clock.now()
    tomorrow = clock.hospital_day(now) + dt.timedelta(days=1)
    schedule = a_released_schedule(day=tomorrow, at=now)
    patient = a_patient(a_wechat_user(), name="欧阳上官婉儿", at=now)
    doctor = a_staff(Role.DOCTOR, practitioner=schedule.practitioner)
    window = a_desk(browser, live_server, doctor, SMALL)
    without_live(window)
    page = window.new_page()
    page.goto(reverse("registration-add-on", args=[schedule.pk]))
    check(page, "desk-add-on-empty", is_deep=False)
    _find(page, patient)
    check(page, "desk-add-on")
    page.get_by_role("button", name="加号").click()
    expect(page.get_by_role("cell", name="A01")).to_be_visible()
    check(page, "desk-add-on-done")

    row = Appointment.objects.get(booking_kind="add_on")
    phone = a_phone(browser, live_server, patient.bindings.get().wechat_user)
    without_live(phone)
    detail = phone.new_page()
    detail.goto(reverse("registration-appointment", args=[row.number]))
    expect(detail.get_by_role("link", name="去支付")).to_be_visible()
    check(detail, "phone-add-on")

    room = a_desk(browser, live_server, a_staff(Role.TRIAGE_NURSE), SMALL)
    without_live(room)
    nurse = room.new_page()
    nurse.goto(reverse("registration-emergency"))
    check(nurse, "desk-emergency-none", is_deep=False)
    emergency = an_emergency_session()
    nurse.reload()
    _find(nurse, patient)
    nurse.get_by_label("Ⅱ级 危重").check()
    check(nurse, "desk-emergency")
    nurse.get_by_role("button", name="登记急诊").click()
    expect(nurse.get_by_role("cell", name="Ⅱ级 危重")).to_be_visible()
    for acuity in (Acuity.LIFE_THREATENED, Acuity.LESS_URGENT):
        actions.register_emergency(
            patient_id=a_patient(a_wechat_user(), at=now).pk,
            schedule_id=emergency.pk,
            acuity=acuity,
            key=f"look-{acuity}",
            by=Actor("staff", doctor.pk),
            at=clock.now(),
        )
    nurse.reload()
    check(nurse, "desk-emergency-list")

    till = a_desk(browser, live_server, a_staff(Role.FINANCE), SMALL)
    without_live(till)
    finance = till.new_page()
    finance.goto(reverse("desk-arrears"))
    expect(finance.get_by_text("¥75.00")).to_be_visible()
    check(finance, "desk-arrears")


@pytest.mark.thorough
def test_a_continuation_says_that_it_is_free(browser: Browser, live_server: LiveServer) -> None:
    now = clock.now()
    today = clock.hospital_day(now)
    service = a_service_type(name="普通门诊", kind=ServiceKind.GENERAL)
    department = a_department()
    first_session = a_released_schedule(
        department=department, service_type=service, day=today + dt.timedelta(days=1), at=now
    )
    patient = a_patient(a_wechat_user(), at=now)
    first = a_paid_booking(
        patient=patient, schedule=first_session, band=band_of(first_session), at=now
    )
    seen_at = first_session.starts_at + dt.timedelta(minutes=10)
    actions.start_visit(number=first.number, by=SYSTEM, at=seen_at)
    later = a_released_schedule(
        department=department, service_type=service, day=today + dt.timedelta(days=2), at=now
    )
    row = actions.continue_visit(
        first_number=first.number, schedule_id=later.pk, key="look", by=SYSTEM, at=seen_at
    )
    phone = a_phone(browser, live_server, patient.bindings.get().wechat_user)
    without_live(phone)
    page = phone.new_page()
    page.goto(reverse("registration-appointment", args=[row.number]))
    expect(page.get_by_text("续诊号，免收挂号费")).to_be_visible()
    check(page, "phone-continuation")


def _find(page: Page, patient: Patient) -> None:
    page.get_by_label("患者", exact=True).fill(patient.outpatient_no)
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_text(patient.outpatient_no).first).to_be_visible()
