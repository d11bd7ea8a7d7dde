"""The card desk in Chromium, by keyboard only: a card is read, a person found, made, judged.

Pictures land in test-artifacts/card-desk/ and are looked at.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from hospital.identity.states import Role
from hospital.patients.models import NewPersonDecision, Patient, PatientCard
from hospital.patients.states import Assurance, CardStatus, Sex
from hospital.testing.browser import Watch
from hospital.testing.people import a_patient, a_resident_id, a_staff
from tests.browser.looking import Check
from tests.browser.windows import MOVING, SMALL, a_desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("card-desk")
LONG = "阿卜杜热西提·努尔买买提江"


def desk_of(role: Role, browser: Browser, server: LiveServer) -> Page:
    return a_desk(browser, server, a_staff(role), SMALL | MOVING).new_page()


def reader_types(page: Page, *lines: str) -> None:
    """What a reader does: everything within milliseconds, Enter behind each line."""
    page.evaluate(
        """lines => lines.forEach((line) => {
            document.execCommand("insertText", false, line);
            const enter = { key: "Enter", bubbles: true, cancelable: true };
            document.activeElement.dispatchEvent(new KeyboardEvent("keydown", enter));
        })""",
        list(lines),
    )


def test_a_patient_is_made_found_and_judged_by_keyboard_alone(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    page = watched(desk_of(Role.REGISTRATION_CLERK, browser, live_server), but="422")
    number = a_resident_id(sex=Sex.MALE)
    page.goto("/staff/card-desk/")
    check(page, "empty")

    reader_types(
        page, f"姓名：{LONG}|性别：男|民族：维吾尔", f"住址：鹤山市沙坪街道|公民身份号码：{number}"
    )
    expect(page.get_by_label("手机号")).to_be_focused()
    expect(page.get_by_label("姓名")).to_have_value(LONG)
    check(page, "read")
    page.keyboard.type("1380013")
    page.keyboard.press("Enter")
    expect(page.get_by_text("手机号应为 11 位数字")).to_be_visible()
    expect(page.get_by_label("住址")).to_have_value("鹤山市沙坪街道")
    check(page, "wrong_phone")
    page.keyboard.press("Control+A")
    page.keyboard.type("13800138000")
    page.keyboard.press("Enter")
    expect(page.get_by_text("已建档。")).to_be_visible()
    made = Patient.objects.get()
    assert (made.assurance, made.ethnic_group) == (Assurance.VERIFIED, "05")
    page.reload()
    check(page, "record")

    page.keyboard.press("F2")
    page.keyboard.type("abd")
    page.keyboard.press("Enter")
    expect(page.locator("[data-row]").first).to_be_focused()
    check(page, "found")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="发卡")).to_be_visible()
    page.get_by_role("button", name="发卡").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("就诊卡已发出。")).to_be_visible()
    assert PatientCard.objects.get().status == CardStatus.ACTIVE


@pytest.mark.thorough
def test_look_alikes_are_put_side_by_side(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    for phone in ("13800138000", "13900139000", "13700137000"):
        a_patient(name="欧阳上官婉儿", phone=phone)
    page = watched(desk_of(Role.REGISTRATION_CLERK, browser, live_server), but="409")
    page.goto("/staff/card-desk/new/")
    expect(page.get_by_label("姓名")).to_be_focused()
    page.keyboard.type("欧阳上官婉儿")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type(a_resident_id())
    page.keyboard.press("Tab")
    page.keyboard.type("13800138000")
    page.keyboard.press("Enter")
    expect(page.get_by_text("可能已经建档", exact=False)).to_be_visible()
    expect(page.get_by_label("用这位").first).to_be_focused()
    check(page, "look_alikes")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("确实是新患者")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.get_by_text("请写明原因。", exact=True)).to_be_visible()
    page.keyboard.type("已核对证件照片，是另一个人")
    page.keyboard.press("Enter")
    expect(page.get_by_text("已建档。")).to_be_visible()
    assert NewPersonDecision.objects.get().reason == "已核对证件照片，是另一个人"
    assert Patient.objects.count() == 4


@pytest.mark.thorough
def test_the_rarer_pages_are_accessible(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    mother = a_patient(name="欧阳上官婉儿")
    page = watched(desk_of(Role.REGISTRATION_CLERK, browser, live_server))
    page.goto("/staff/card-desk/newborn/")
    expect(page.get_by_label("母亲的证件号")).to_be_focused()
    check(page, "newborn")
    page.keyboard.type(mother.outpatient_no)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("F8")
    expect(page.locator(".x-banner")).to_contain_text("出生后 60 天内补登证件")
    page.reload()  # without the notice that is fading away
    check(page, "child")
    page.keyboard.press("F7")
    expect(page.get_by_label("姓名", exact=False).first).to_be_focused()
    check(page, "prove")
    page.goto("/staff/card-desk/unidentified/")
    check(page, "unidentified")
    page.goto("/staff/card-desk/upgrades/")
    check(page, "upgrades")
