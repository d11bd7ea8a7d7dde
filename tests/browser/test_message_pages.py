"""The desk's message pages and the patient's settings in Chromium, in each look; pictures land in
test-artifacts/messages/."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from hospital.identity import actions as identity
from hospital.identity.states import Role, Theme
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.messaging import queries
from hospital.messaging.models import CallTask
from hospital.messaging.setting_up import set_up_account
from hospital.messaging.states import Channel, Reason, Switch
from hospital.messaging.tests.world import a_message, arrives, ends, fails
from hospital.testing.browser import Watch
from hospital.testing.people import (
    a_patient,
    a_staff,
    a_wechat_user,
)
from hospital.testing.wechat import StandIn
from tests.browser.looking import Check
from tests.browser.walk import PHONE
from tests.browser.windows import a_desk, a_phone

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("messages")
DEMO = Path(__file__).parents[2] / "demo"
READER = "oMenuReader00000000001"


@pytest.mark.thorough
def test_the_desk_follows_a_message_and_telephones(
    browser: Browser, live_server: LiveServer, watched: Watch, settings: Settings
) -> None:
    settings.WECHAT_TEMPLATES = json.loads((DEMO / "wechat_templates.json").read_text("utf-8"))
    now, user = clock.now(), a_wechat_user()
    patient = a_patient(user, name="欧阳上官婉儿", phone="13900139001", at=now)
    arrives(a_message("N01", user, patient=patient, at=now, answers=user.pk), Channel.TEMPLATE)
    suspended = a_message("N06", user, patient=patient, at=now)
    fails(suspended, Channel.TEMPLATE, Reason.NOT_FOLLOWING, at=now)
    fails(suspended, Channel.SMS, Reason.SMS_REFUSED, at=now)
    ends(suspended, at=now)
    clerk = a_staff(Role.OUTPATIENT_OFFICE)
    page = watched(a_desk(browser, live_server, clerk).new_page())

    page.goto("/staff/messages/")
    check(page, "log")
    page.get_by_role("row").filter(has_text="停诊通知").get_by_role("link", name="查看").click()
    expect(page.locator(".x-timeline")).to_contain_text("短信平台拒绝发送")
    check(page, "story")
    page.get_by_role("button", name="再次发送").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    check(page, "resend")
    page.get_by_role("button", name="再想想").click()
    page.get_by_role("link", name="消息样式").click()
    check(page, "kinds")
    page.get_by_role("link", name="电话通知 1").click()
    page.get_by_role("button", name="显示").click()
    expect(page.get_by_text("13900139001")).to_be_visible()
    check(page, "calls")
    page.get_by_label("通话情况").fill("已告知，患者改约周四")
    page.get_by_role("button", name="已通知").click()
    expect(page.get_by_text("没有需要打电话的患者")).to_be_visible()
    page.get_by_role("navigation", name="通话结果").get_by_role("link", name="已通知").click()
    check(page, "calls-done")

    task = CallTask.objects.get()
    assert (task.status, task.note) == ("done", "已告知，患者改约周四")


@pytest.mark.thorough
def test_the_account_gets_a_menu_that_the_phone_shows(
    browser: Browser, live_server: LiveServer, watched: Watch, wechat: StandIn
) -> None:
    wechat.user(openid=READER, subscribed=True)
    admin = a_staff(Role.SYSTEM_ADMIN, display_name="欧阳上官婉儿")
    page = watched(a_desk(browser, live_server, admin).new_page())
    page.goto("/staff/account/menu/")
    check(page, "menu-none")
    page.get_by_role("link", name="自动回复").click()
    check(page, "replies-none")
    document = json.loads((DEMO / "account.json").read_text("utf-8"))
    set_up_account(document=document, by=SYSTEM, at=clock.now())

    page.goto("/staff/account/menu/")
    check(page, "menu")
    page.get_by_role("button", name="修改菜单").click()
    page.get_by_label("按钮 2的名称").fill("我的医院")
    page.locator("[name=b2-4-name]").fill("怎样申请停诊后的退费和改约说明")
    page.locator("[name=b2-4-target]").select_option(label="其他网址（填在下面）")
    check(page, "menu-edit")
    page.locator("[name=b2-4-value]").fill("http//typo")
    page.get_by_role("button", name="保存草稿").click()
    expect(page.get_by_text("还不能发布")).to_be_visible()
    check(page, "menu-broken")
    page.get_by_role("link", name="继续修改").click()
    page.locator("[name=b2-4-value]").fill("https://hospital.example/refund")
    page.get_by_role("button", name="保存草稿").click()
    changed = page.get_by_role("table", name="差异").get_by_role("row")
    expect(changed).to_have_count(3)
    check(page, "menu-draft")
    page.get_by_role("button", name="发布…").click()
    expect(page.get_by_role("dialog", name="发布菜单")).to_be_visible()
    check(page, "menu-publish")
    page.get_by_role("button", name="确认发布").click()
    expect(page.get_by_text("菜单已发布")).to_be_visible()
    page.get_by_role("link", name="与微信核对").click()
    expect(page.get_by_text("微信上的菜单与这里发布的一致")).to_be_visible()
    check(page, "menu-published")

    holder = browser.new_context(**PHONE)
    holder.add_cookies([{"name": "phone", "value": READER, "url": wechat.base}])
    phone = watched(holder.new_page())
    phone.goto(wechat.base)
    phone.get_by_role("button", name="杏林中医医院").first.click()
    expect(phone.get_by_role("link", name="我的医院")).to_be_visible()
    phone.get_by_role("button", name="就医服务").click()
    expect(phone.get_by_text("怎样申请停诊后的退费和改约说明")).to_be_visible()
    check.keep(phone, "menu-on-the-phone")
    phone.close()


@pytest.mark.thorough
def test_the_account_answers_what_is_tried(
    browser: Browser, live_server: LiveServer, watched: Watch, wechat: StandIn
) -> None:
    document = json.loads((DEMO / "account.json").read_text("utf-8"))
    set_up_account(document=document, by=SYSTEM, at=clock.now())
    page = watched(a_desk(browser, live_server, a_staff(Role.SYSTEM_ADMIN)).new_page())
    page.goto("/staff/account/replies/")
    page.get_by_label("患者发来的文字").fill("你好，请问明天怎么挂号？我妈妈咳嗽好几天了")
    page.get_by_role("button", name="看看回复什么").click()
    expect(page.get_by_text("来自“怎么挂号”（关键词）")).to_be_visible()
    check(page, "replies-tried")
    page.get_by_role("row").filter(has_text="怎么退号").get_by_role("link", name="修改").click()
    page.get_by_label("回复内容").fill("请到一楼服务台办理。")
    check(page, "reply")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("自动回复已保存")).to_be_visible()
    page.get_by_label("患者发来的文字").fill("我要退号")
    page.get_by_role("button", name="看看回复什么").click()
    expect(page.locator(".x-chat-ours")).to_have_text("请到一楼服务台办理。")


@pytest.mark.parametrize("look", ["light", "dark", "large"])
def test_a_patient_turns_switches_with_a_thumb(
    browser: Browser, live_server: LiveServer, watched: Watch, look: str
) -> None:
    user = a_wechat_user()
    identity.set_display(
        wechat_user_id=user.pk,
        care_mode=look == "large",
        theme=Theme.DARK if look == "dark" else Theme.AUTO,
        by=Actor("patient", user.pk),
    )
    page = watched(a_phone(browser, live_server, user).new_page())
    page.goto("/m/messages/")
    page.get_by_role("link", name="消息设置").click()
    check(page, f"settings-{look}")

    page.get_by_text("挂号结果").click()
    page.get_by_text("夜间也接收").click()
    page.get_by_role("button", name="保存").click()

    expect(page.get_by_text("已保存")).to_be_visible()
    expect(page.get_by_role("switch", name="挂号结果")).not_to_be_checked()
    stand = {row.switch: row.is_on for row in queries.switches_of(wechat_user_id=user.pk)}
    assert stand == {Switch.BOOKING: False, Switch.TODO: True, Switch.ANYTIME: True}
