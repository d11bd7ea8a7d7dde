"""The personal centre on the phone: family, card, records, privacy, large type, each looked at.

Pages hold the longest name and a full list; pictures land in test-artifacts/centre/.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from hospital.identity import actions as identity
from hospital.identity.models import WeChatUser
from hospital.identity.states import Role
from hospital.kernel import clock, whereabouts
from hospital.kernel.actors import Actor
from hospital.patients import actions as patients
from hospital.patients.models import Patient, PatientPass
from hospital.patients.states import CodePurpose, Relationship
from hospital.testing.bookings import a_paid_booking
from hospital.testing.jobs import run_jobs
from hospital.testing.people import (
    a_code,
    a_patient,
    a_resident_id,
    a_staff,
    a_wechat_user,
)
from tests.browser.looking import Check
from tests.browser.windows import a_phone

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("centre")
# Pages that large type makes other pages of; size alone is judged by width here.
OTHER_WHEN_LARGE = ("home", "more", "family", "records")
LONG = "阿卜杜热合曼·买买提明"
Watch = Callable[[Page], Page]


@pytest.fixture
def user() -> WeChatUser:
    return a_wechat_user()


@pytest.fixture
def phone(browser: Browser, live_server: LiveServer, watched: Watch, user: WeChatUser) -> Page:
    return watched(a_phone(browser, live_server, user).new_page())


def look_at_all(page: Page, patient: Patient, look: str) -> None:
    number = patient.outpatient_no
    for address, name in (
        ("/m/", "home"),
        ("/m/more/", "more"),
        ("/m/patients/", "family"),
        ("/m/patients/add/", "add"),
        (f"/m/patients/{number}/bound/", "bound"),
        (f"/m/patients/{number}/phone/", "phone"),
        (f"/m/patients/{number}/card/", "card"),
        (f"/m/people/{number}/unbind/", "unbind"),
        ("/m/records/", "records"),
        ("/m/privacy/", "privacy"),
        (f"/m/privacy/{number}/seen/", "seen"),
        (f"/m/privacy/{number}/copies/", "copies"),
        ("/m/appointments/", "appointments"),
        ("/m/departments/", "departments"),
        ("/m/messages/", "messages"),
        ("/m/messages/settings/", "message-settings"),
    ):
        page.goto(address)
        check(page, f"{look}-{name}", is_deep=look == "usual" or name in OTHER_WHEN_LARGE)


def a_family(user: WeChatUser) -> Patient:
    number = a_resident_id()
    patient = a_patient(user, name=LONG, document_no=number)
    a_patient(user, name="欧阳上官婉儿", relationship=Relationship.PARENT)
    other = a_wechat_user()
    a_patient(other)
    a_patient(other, name=LONG, document_no=number, relationship=Relationship.SPOUSE)
    a_paid_booking(user=user, patient=patient)
    clerk = Actor("staff", a_staff(Role.REGISTRATION_CLERK).pk)
    with whereabouts.bound(address="192.0.2.1"):
        whereabouts.take_roles([Role.REGISTRATION_CLERK])
        patients.record_view(patient_id=patient.pk, what="档案", by=clerk, at=clock.now())
    return patient


@pytest.mark.thorough
def test_every_page_of_the_centre_in_both_sizes(
    phone: Page, user: WeChatUser, settings: Settings
) -> None:
    settings.HOSPITAL_PHONE = "0750-8888888"
    phone.goto("/m/records/")
    check(phone, "usual-records-nobody")
    phone.goto("/m/privacy/")
    check(phone, "usual-privacy-nobody")
    patient = a_family(user)

    look_at_all(phone, patient, "usual")
    phone.goto("/m/")
    phone.get_by_role("button", name="切换长辈版（大字）").click()
    expect(phone.locator("html")).to_have_attribute("data-care", "")
    expect(phone.locator(".x-choice-big")).to_have_count(3)
    expect(phone.get_by_role("link", name="电话帮助")).to_be_visible()
    look_at_all(phone, patient, "large")
    user.refresh_from_db()
    assert user.care_mode


@pytest.mark.thorough
def test_phone_and_copy_by_thumb(phone: Page, user: WeChatUser) -> None:
    patient = a_family(user)
    number = patient.outpatient_no
    phone.goto(f"/m/patients/{number}/phone/")
    phone.get_by_label("新手机号").fill("13900139000")
    phone.get_by_role("button", name="获取短信验证码").click()
    phone.get_by_label("新手机号收到的验证码").fill(a_code(user, CodePurpose.NEW_PHONE))
    phone.get_by_label("原手机号收到的验证码").fill(a_code(user, CodePurpose.OLD_PHONE))
    check(phone, "phone-codes")
    phone.get_by_role("button", name="确定更换").click()
    expect(phone.get_by_text("139****9000")).to_be_visible()
    before = phone.get_by_label("就诊二维码").locator("path").get_attribute("d")
    phone.get_by_role("button", name="刷新二维码").click()
    expect(phone.get_by_label("就诊二维码").locator("path")).not_to_have_attribute(
        "d", before or ""
    )
    assert PatientPass.objects.filter(patient=patient).count() == 2

    phone.goto(f"/m/privacy/{number}/copies/")
    phone.get_by_role("button", name="申请数据副本").click()
    expect(phone.get_by_text("正在生成，请稍后刷新")).to_be_visible()
    check(phone, "copy-under-way")
    assert run_jobs(only="portal.jobs.make_copy") == []
    phone.get_by_role("link", name="刷新").click()
    phone.get_by_role("link", name="打开查看").click()
    expect(phone.get_by_text("13900139000")).to_be_visible()
    check(phone, "copy")

    phone.goto(f"/m/patients/{number}/bound/")
    phone.get_by_role("button", name="解除对方的绑定").click()
    check(phone, "end-other")
    phone.get_by_role("button", name="确定解除").click()
    expect(phone.get_by_text("只有您绑定了这位就诊人。")).to_be_visible()
    identity.set_display(wechat_user_id=user.pk, care_mode=True, by=Actor("patient", user.pk))
    phone.reload()
    check(phone, "large-alone")
