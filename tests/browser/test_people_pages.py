"""Patients, inbox and staff log-in in Chromium: accessible, nothing sticking out, in every look.

The form for a new patient is walked as a thumb would; pictures land in test-artifacts/people/.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from hospital.identity import actions as identity
from hospital.identity.models import WeChatUser
from hospital.identity.states import Role, Theme
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.messaging import actions as messaging
from hospital.patients import queries
from hospital.patients.states import Relationship
from hospital.testing.people import (
    PASSWORD,
    a_code,
    a_patient,
    a_resident_id,
    a_staff,
    a_wechat_user,
)
from tests.browser.looking import Check
from tests.browser.walk import DESK, LOOKS, PHONE
from tests.browser.windows import MOVING, a_phone

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("people")
Scheme = Literal["light", "dark"]
Watch = Callable[[Page], Page]


def somebody_who_likes(look: str) -> WeChatUser:
    user = a_wechat_user()
    identity.set_display(
        wechat_user_id=user.pk,
        care_mode=look == "large",
        theme=Theme.DARK if look == "dark" else Theme.AUTO,
        by=Actor("patient", user.pk),
    )
    return user


def phone_of(user: WeChatUser, browser: Browser, server: LiveServer) -> Page:
    """The user's phone, logged in."""
    return a_phone(browser, server, user, PHONE | MOVING).new_page()


def tell(user: WeChatUser) -> None:
    messaging.send(
        kind="N01",
        to=[user.pk],
        event_key="appointment:1:booked",
        subject=user,
        fields={
            "patient": "欧**儿",
            "department": "针灸推拿科",
            "doctor": "林若水 主任医师",
            "time": "11月24日 周二 08:30-09:00",
            "number": "A012",
        },
        path="/m/patients/",
        by=SYSTEM,
        at=clock.now(),
    )


@pytest.mark.thorough
@pytest.mark.parametrize("look", LOOKS)
def test_the_pages_are_accessible_in_every_look(
    browser: Browser, live_server: LiveServer, watched: Watch, look: str
) -> None:
    user = somebody_who_likes(look)
    page = watched(phone_of(user, browser, live_server))
    for address, name in (("/m/patients/", "no_patients"), ("/m/messages/", "no_messages")):
        page.goto(address)
        check(page, f"{name}_{look}")
    a_patient(user, name="陈晓宁")
    a_patient(user, name="欧阳上官婉儿", relationship=Relationship.PARENT)
    tell(user)
    for address, name in (("/m/patients/", "patients"), ("/m/messages/", "messages")):
        page.goto(address)
        check(page, f"{name}_{look}")
    page.get_by_text("查看详情").click()
    expect(page).to_have_url(f"{live_server.url}/m/patients/")


@pytest.mark.parametrize("look", LOOKS)
def test_a_child_is_added_by_thumb(browser: Browser, live_server: LiveServer, look: str) -> None:
    user = somebody_who_likes(look)
    a_patient(user, name="陈晓宁")
    page = phone_of(user, browser, live_server)
    page.goto("/m/patients/")
    page.get_by_role("link", name="添加就诊人").click()
    check(page, f"add_{look}")

    page.get_by_label("姓名").fill("陈小满")
    page.get_by_label("证件类型").select_option("passport")
    expect(page.get_by_label("出生日期")).to_be_visible()
    page.get_by_label("证件类型").select_option("household_book")
    expect(page.get_by_label("出生日期")).to_have_count(0)
    born = clock.today() - dt.timedelta(days=4 * 365)
    page.get_by_label("证件号码").fill(a_resident_id(born=born)[:-1] + "#")
    page.get_by_label("手机号").fill("138001")
    expect(page.get_by_text("前 17 位是数字")).to_be_visible()
    page.get_by_role("button", name="获取短信验证码").click()
    expect(page.get_by_text("手机号应为 11 位数字")).to_be_visible()
    check(page, f"add_errors_{look}")

    page.get_by_label("证件号码").fill(a_resident_id(born=born))
    page.get_by_label("手机号").fill("13800138000")
    expect(page.get_by_text("已识别：女")).to_be_visible()
    page.get_by_text("女儿").click()
    page.get_by_label("监护人").check()
    page.get_by_label("我已阅读并同意").check()
    check(page, f"add_child_{look}")
    expect(page.get_by_label("姓名")).to_have_value("陈小满")
    page.get_by_role("button", name="获取短信验证码").click()
    expect(page.get_by_text("验证码已发到 138****8000")).to_be_visible()
    check(page, f"add_code_{look}")
    page.get_by_label("短信验证码").fill(a_code(user))
    page.get_by_role("button", name="保存就诊人").click()

    expect(page.get_by_text("就诊人 2 / 5")).to_be_visible()
    rows = queries.patients_for(wechat_user_id=user.pk)
    assert [(row.name, row.relationship) for row in rows] == [
        ("陈晓宁", Relationship.SELF),
        ("陈小满", Relationship.DAUGHTER),
    ]
    page.get_by_role("button", name="设为默认").click()
    expect(page.get_by_role("button", name="设为默认")).to_have_count(1)
    chosen = queries.default_patient_for(wechat_user_id=user.pk)
    assert chosen is not None
    assert chosen.name == "陈小满"


@pytest.mark.thorough
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("device", "name"), [(DESK | MOVING, "desk"), (PHONE | MOVING, "phone")])
def test_staff_logs_in(
    browser: Browser, live_server: LiveServer, device: dict[str, Any], name: str, scheme: Scheme
) -> None:
    a_staff(Role.REGISTRATION_CLERK, username="guahao")
    context = browser.new_context(**device, color_scheme=scheme, base_url=live_server.url)
    page = context.new_page()
    page.goto("/staff/")
    expect(page).to_have_url(f"{live_server.url}/staff/login/?next=%2Fstaff%2F")
    check(page, f"login_{name}_{scheme}")

    page.get_by_label("用户名").fill("guahao")
    page.get_by_label("密码").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_text("用户名或密码不正确。")).to_be_visible()
    check(page, f"login_refused_{name}_{scheme}")

    page.get_by_label("密码").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(re.compile("/login/"))
    page.context.close()
