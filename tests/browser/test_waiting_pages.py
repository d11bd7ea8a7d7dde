"""Waiting on the phone: the line for a full session, an offer, a release, a visit shared.

Each page is looked at; pictures land in test-artifacts/waiting/.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from hospital.identity.models import WeChatUser
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.registration import actions
from hospital.registration.puzzle import puzzle_of
from hospital.testing.bookings import a_paid_booking
from hospital.testing.browser import Watch
from hospital.testing.people import a_patient, a_staff, a_wechat_user
from hospital.testing.schedules import a_released_schedule, band_of
from hospital.testing.waiting import a_full_schedule, a_waiting
from tests.browser.axe import set_large
from tests.browser.looking import Check
from tests.browser.windows import a_desk, a_phone, without_live

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("waiting")
LONG = "阿卜杜热合曼·买买提明"


@pytest.fixture
def user() -> WeChatUser:
    return a_wechat_user()


@pytest.fixture
def phone(browser: Browser, live_server: LiveServer, watched: Watch, user: WeChatUser) -> Page:
    context = a_phone(browser, live_server, user)
    without_live(context)
    # What is refused is an answer too.
    return watched(context.new_page(), but="Failed to load resource")


def test_waiting_in_line_and_being_offered_a_number(phone: Page, user: WeChatUser) -> None:
    now = clock.now()
    day = clock.hospital_day(now) + dt.timedelta(days=3)
    patient = a_patient(user, name=LONG, at=now)
    schedule, (unpaid,) = a_full_schedule(paid=0, unpaid=1, day=day, at=now)
    a_waiting(schedule, at=now)
    page = f"/m/departments/{schedule.department.code}/?day={day}"

    phone.goto(page)
    check(phone, "01-department")
    phone.get_by_role("link", name="候补").click()
    check(phone, "02-sheet")
    phone.get_by_role("link", name="排队候补").click()
    check(phone, "03-join")
    phone.get_by_role("button", name="加入候补").click()
    expect(phone.get_by_text("前面还有")).to_be_visible()
    check(phone, "04-in-line")
    phone.get_by_role("button", name="退出候补").first.click()
    check(phone, "05-leave")
    phone.get_by_role("button", name="再想想").click()

    late = now + dt.timedelta(minutes=16)
    actions.release_unpaid(appointment_id=unpaid.pk, by=SYSTEM, at=late)
    assert actions.serve_waitlists(by=SYSTEM, at=late) == 1
    first = schedule.appointments.latest("pk")
    actions.cancel(number=first.number, by=SYSTEM, at=late)
    assert actions.serve_waitlists(by=SYSTEM, at=late) == 1
    phone.reload()
    check(phone, "06-offered")
    phone.get_by_role("link", name="已留号，去支付").click()
    check(phone, "07-offer")
    full, _ = a_full_schedule(day=day, at=now)
    beside = a_released_schedule(department=full.department, day=day, at=now)
    assert beside.pk != full.pk
    phone.goto(reverse("registration-confirm", args=[full.pk, band_of(full).pk]))
    a_patient(user, name="欧阳上官婉儿", at=now)
    phone.reload()
    phone.get_by_role("link", name="欧阳上官婉儿").click()
    phone.get_by_role("button", name="提交并支付").click()
    expect(phone.get_by_text("排队候补这次出诊")).to_be_visible()
    check(phone, "08-taken")
    assert patient.pk


@pytest.mark.thorough
def test_asking_for_a_release_and_sharing_a_visit(phone: Page, user: WeChatUser) -> None:
    now = clock.now()
    patient = a_patient(user, name=LONG, at=now)
    booking = a_paid_booking(user=user, patient=patient, at=now)
    later = a_released_schedule(day=clock.hospital_day(now) + dt.timedelta(days=8), at=now)

    phone.goto(f"/m/departments/{later.department.code}/")
    phone.get_by_role("link", name="放号前提醒我").click()
    check(phone, "11-watch")
    phone.get_by_role("button", name="提醒我").click()
    expect(phone.get_by_role("button", name="取消提醒")).to_be_visible()
    check(phone, "12-watching")

    phone.goto(reverse("registration-appointment", args=[booking.number]))
    check(phone, "13-booking")
    phone.get_by_role("button", name="加入日历、分享给家人").click()
    check(phone, "14-shared")
    with phone.expect_download() as download:
        phone.get_by_role("link", name="加入手机日历").click()
    assert download.value.suggested_filename == "visit.ics"
    phone.goto(reverse("registration-appointment", args=[booking.number]))
    check(phone, "15-booking-shared")
    phone.get_by_role("button", name="停止分享").click()
    expect(phone.get_by_text("已停止分享")).to_be_visible()


@pytest.mark.thorough
def test_a_picture_is_solved_with_the_keyboard(phone: Page, user: WeChatUser) -> None:
    now = clock.now()
    a_patient(user, name=LONG, at=now)
    full, _ = a_full_schedule(day=clock.hospital_day(now) + dt.timedelta(days=3), at=now)
    for _ in range(6):
        phone.goto(reverse("registration-confirm", args=[full.pk, band_of(full).pk]))
        phone.get_by_role("button", name="提交并支付").click()
    slider = phone.get_by_role("slider")
    expect(slider).to_be_visible()
    expect(phone.locator(".x-puzzle img")).to_have_js_property("naturalWidth", 640)
    check(phone, "21-puzzle")
    asked = puzzle_of(
        phone.locator("input[name=puzzle]").first.input_value(), user_id=user.pk, at=clock.now()
    )
    assert asked is not None
    slider.focus()
    for _ in range(asked.place):
        phone.keyboard.press("ArrowRight")
    check.keep(phone, "22-solved")
    phone.get_by_role("button", name="验证并继续挂号").click()
    expect(phone.get_by_text("这个时段刚刚约满")).to_be_visible()


@pytest.mark.thorough
def test_the_office_judges_an_account(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    now = clock.now()
    seller = a_wechat_user()
    for name in ("赵大", "钱二", "孙三", "李四"):
        a_paid_booking(user=seller, patient=a_patient(seller, name=name, at=now), at=now)
    actions.raise_alerts(by=SYSTEM, at=now)
    context = a_desk(browser, live_server, a_staff(Role.OUTPATIENT_OFFICE))
    without_live(context)
    page = watched(context.new_page())
    page.goto(reverse("registration-alerts"))
    check(page, "31-alerts")
    page.get_by_role("link", name="处理", exact=True).click()
    check(page, "32-alert")
    page.get_by_label("停用该微信用户").check()
    page.get_by_label("依据").fill("四个姓氏，号码转让帖")
    page.get_by_role("button", name="保存").click()
    page.get_by_role("link", name="最近 90 天已处理").click()
    check(page, "33-decided")


@pytest.mark.thorough
def test_large_type(phone: Page, user: WeChatUser) -> None:
    now = clock.now()
    day = clock.hospital_day(now) + dt.timedelta(days=3)
    patient = a_patient(user, name=LONG, at=now)
    schedule, _ = a_full_schedule(day=day, at=now)
    booking = a_paid_booking(user=user, patient=patient, at=now)
    later = a_released_schedule(day=clock.hospital_day(now) + dt.timedelta(days=8), at=now)
    for name, address in {
        "join": reverse("registration-wait", args=[schedule.pk]),
        "watch": reverse("registration-watch", args=[later.department.code]),
        "booking": reverse("registration-appointment", args=[booking.number]),
    }.items():
        phone.goto(address)
        set_large(phone, is_large=True)
        check(phone, f"large-{name}")
    a_waiting(schedule, user=user, patient=patient, at=now)
    phone.goto("/m/waitlist/")
    set_large(phone, is_large=True)
    check(phone, "large-line")
