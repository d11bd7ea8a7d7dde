"""Master data in Chromium, worked by keys; pictures land in test-artifacts/master/."""

from __future__ import annotations

import datetime as dt
import io
import re

import pytest
from openpyxl import load_workbook
from PIL import Image
from playwright.sync_api import Browser, Dialog, expect
from pytest_django.live_server_helper import LiveServer

from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.organisation.models import Department, Practitioner
from hospital.testing.browser import Watch
from hospital.testing.organisation import a_department, a_practitioner, a_room
from hospital.testing.people import a_staff, a_wechat_user
from hospital.testing.schedules import a_released_schedule
from tests.browser.looking import Check
from tests.browser.windows import SMALL, a_desk, a_phone

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("master")


def a_hospital() -> None:
    medicine = a_department(code="NK", name="内科", is_bookable=False)
    stomach = a_department(code="PWB", name="脾胃病科", parent=medicine, hint="胃痛、腹胀")
    lungs = a_department(code="FBK", name="肺病科", parent=medicine)
    doctor = a_practitioner(stomach, code="0101", name="陈知行")
    a_practitioner(lungs, code="0102", name="欧阳上官婉儿", specialty="久咳、哮喘")
    now = clock.now()
    day = clock.hospital_day(now) + dt.timedelta(days=1)
    room = a_room(code="M201", department=stomach)
    a_released_schedule(department=stomach, practitioner=doctor, room=room, day=day, at=now)


def a_portrait() -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").resize((500, 700)).convert("RGB").save(out, "PNG")
    return out.getvalue()


def test_the_steward_keeps_the_data_by_keys(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    a_hospital()
    steward = a_staff(Role.SYSTEM_ADMIN, display_name="周慎行")
    page = watched(a_desk(browser, live_server, steward, SMALL).new_page(), but="422")

    page.goto("/staff/master/departments/")
    check(page, "list")
    page.keyboard.press("/")
    page.keyboard.type("pwbk")
    expect(page.locator("[data-row]")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_label("科室名称")).to_have_value("脾胃病科")

    page.get_by_label("科室名称").fill("脾胃肝病科")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
    page.get_by_label("楼层").fill("顶楼")
    page.keyboard.press("Escape")
    expect(page.get_by_label("楼层")).to_have_value("顶楼")
    assert asked == ["beforeunload"]
    page.keyboard.press("Control+s")
    expect(page.get_by_label("楼层")).to_be_focused()
    expect(page.get_by_text("应填楼层，如 3楼、负1楼。")).to_be_visible()
    check(page, "form_errors")
    page.get_by_label("楼层").fill("3F")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("第 2 版")).to_be_visible()
    expect(page.get_by_label("楼层")).to_have_value("3楼")
    page.get_by_role("link", name="修改记录").click()
    expect(page.locator("del").first).to_have_text("脾胃病科")
    check(page, "history")

    page.goto("/staff/master/departments/row/NK/")
    page.get_by_role("button", name="停用…").click()
    page.get_by_role("button", name="停用", exact=True).click()
    expect(page.get_by_text("下级科室 2 个：肺病科、脾胃肝病科")).to_be_visible()
    check(page, "needed")
    assert Department.objects.get(code="NK").is_active

    page.goto("/staff/master/practitioners/row/0101/")
    page.get_by_role("combobox", name="所属科室：再加一个").press_sequentially("fbk")
    expect(page.locator(".x-option[aria-selected=true]")).to_have_text(re.compile("肺病科"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("checkbox", name="肺病科")).to_be_checked()
    page.keyboard.press("Control+s")
    expect(page.get_by_text("已保存")).to_be_visible()
    assert {role.department.code for role in Practitioner.objects.get(code="0101").roles.all()} == {
        "PWB",
        "FBK",
    }
    picture = {"name": "陈知行.png", "mimeType": "image/png", "buffer": a_portrait()}
    page.get_by_label(re.compile("上传照片")).set_input_files(picture)  # type: ignore[arg-type]
    page.get_by_role("button", name="上传", exact=True).click()
    expect(page.get_by_role("button", name="移除照片")).to_be_visible()
    page.set_viewport_size({"width": 1024, "height": 768})
    check(page, "practitioner_1024")
    page.goto("/staff/master/templates/")
    check(page, "templates_1024", is_deep=False)
    page.goto("/staff/master/locations/new/")
    check(page, "new_location_1024")

    phone = watched(a_phone(browser, live_server, a_wechat_user()).new_page())
    for address, shot in (("/m/doctors/0101/", "doctor"), ("/m/departments/PWB/", "doctors")):
        phone.goto(address)
        image = phone.locator(".x-avatar img").first
        expect(image).to_be_visible()
        assert image.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") == 400
        check(phone, f"phone_{shot}", is_deep=False)


@pytest.mark.thorough
def test_a_workbook_goes_out_and_comes_in(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    a_hospital()
    steward = a_staff(Role.SYSTEM_ADMIN, display_name="周慎行")
    page = watched(a_desk(browser, live_server, steward, SMALL).new_page(), but="422")
    page.goto("/staff/master/workbook/")
    with page.expect_download() as download:
        page.get_by_role("link", name="整本导出").click()
    workbook = load_workbook(io.BytesIO(download.value.path().read_bytes()))

    def upload() -> None:
        packed = io.BytesIO()
        workbook.save(packed)
        file = {"name": "基础数据.xlsx", "mimeType": "", "buffer": packed.getvalue()}
        page.goto("/staff/master/workbook/")
        page.get_by_label("工作簿（.xlsx").set_input_files(file)  # type: ignore[arg-type]
        page.get_by_role("button", name="上传并预览").click()

    departments = workbook["科室"]
    departments["B2"], departments["C3"] = "肺病与呼吸科", "骨伤科"
    workbook["医生"]["E3"] = "脾胃病、肺病科"
    upload()
    expect(page.get_by_text("没有导入任何数据")).to_be_visible()
    check(page, "import_problems")

    departments["C3"] = None
    workbook["医生"]["E3"] = "FBK"
    workbook["医生"]["I3"] = "否"
    workbook["院区"].append(["NQ", "南院区"])
    upload()
    expect(page.get_by_text("这是预览，还没有导入")).to_be_visible()
    check(page, "import_preview")
    page.set_viewport_size({"width": 1024, "height": 768})
    check(page, "import_preview_1024", is_deep=False)
    page.get_by_role("button", name="确认导入").click()
    expect(page.locator(".x-banner")).to_contain_text("已于")
    assert Department.objects.get(code="FBK").name == "肺病与呼吸科"
    page.goto("/staff/master/workbook/")
    check(page, "workbook")
