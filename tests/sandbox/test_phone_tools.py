"""Scanning, payment codes, talk and the panel in a real Chromium, on one desk for the whole module.

Every screen is looked at with axe and leaves a picture in test-artifacts/phone/.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.clinic import Clinic
from tests.sandbox.merchant import Merchant, number
from tests.sandbox.phone_client import send_message
from tests.sandbox.test_phone_browser import AXE, DESK, OWNER, state_of
from tests.sandbox.test_phone_cashier import js_config
from wechat_sandbox.pictures import qr_png

pytestmark = pytest.mark.browser
PICTURES = Path("test-artifacts/phone")
# WeChat's own colours; the clock above them is decoration and hidden from readers.
RULES = "{exclude: [['iframe'], ['.statusbar']]}"


@pytest.fixture(scope="module")
def page_of_all(browser: Browser, program: SandboxControl) -> Iterator[Page]:
    """The phone of the first named person and the panel beside it; any error in it fails."""
    program.reset()
    complaints: list[str] = []

    def note(said: ConsoleMessage) -> None:
        if said.type == "error":
            complaints.append(said.text)

    context = browser.new_context(**DESK)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", note)
    page.goto(program.base)
    page.get_by_role("complementary").get_by_role("button", name=re.compile(f"^{OWNER}")).click()
    expect(page.get_by_role("heading", name="微信")).to_be_visible()
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def desk(page_of_all: Page, program: SandboxControl) -> Page:
    """That page with nothing open, and no fault waiting."""
    program.calm()
    page_of_all.goto(program.base)
    expect(page_of_all.get_by_role("heading", name="微信")).to_be_visible()
    return page_of_all


@pytest.fixture(scope="module")
def merchant(program: SandboxControl) -> Iterator[Merchant]:
    client = Merchant(program.facts)
    yield client
    client.http.close()


def seen(page: Page, name: str) -> None:
    """Keep a picture and let axe look."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png")
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(f"() => axe.run({RULES}, {{resultTypes: ['violations']}})")
    assert [f"{one['id']}: {one['nodes'][0]['html']}" for one in found["violations"]] == []


def owner(program: SandboxControl) -> str:
    people = program.state()["users"]
    return str(next(person["openid"] for person in people if person["nickname"] == OWNER))


def from_plus(page: Page, name: str) -> None:
    """Choose from the menu below the plus sign."""
    page.get_by_role("button", name="更多功能").click()
    page.get_by_role("dialog").get_by_role("button", name=name).click()


def native(merchant: Merchant, total: int) -> tuple[str, str]:
    out_trade_no = number()
    answer = merchant.native(merchant.order(out_trade_no, "", total))
    return out_trade_no, str(answer.json()["code_url"])


def pay_sheet(page: Page) -> None:
    """Enter the password with real keys and close the receipt."""
    expect(page.get_by_role("dialog", name="请输入支付密码")).to_be_visible()
    page.keyboard.type("123456")
    page.get_by_role("button", name="完成").click()
    expect(page.locator("#overlays > *")).to_have_count(0)


@pytest.mark.thorough
def test_a_merchants_qr_from_the_list_and_from_a_picture(
    desk: Page, program: SandboxControl, merchant: Merchant
) -> None:
    first, _ = native(merchant, 12_850)
    second, code_url = native(merchant, 500)
    from_plus(desk, "扫一扫")
    expect(desk.get_by_role("button", name=re.compile("¥128.50"))).to_be_visible()
    seen(desk, "scan")
    desk.get_by_role("button", name=re.compile("¥128.50")).click()
    pay_sheet(desk)
    from_plus(desk, "扫一扫")
    picture = {"name": "qr.png", "mimeType": "image/png", "buffer": qr_png(code_url)}
    desk.locator("[data-scan-file]").set_input_files(picture)  # type: ignore[arg-type]
    pay_sheet(desk)

    assert [state_of(program, one) for one in (first, second)] == ["SUCCESS", "SUCCESS"]


@pytest.mark.thorough
def test_a_picture_without_a_code_says_so_and_a_pasted_link_opens(
    desk: Page, program: SandboxControl
) -> None:
    clinic = Clinic(program.base)
    blank = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=")
    from_plus(desk, "扫一扫")
    picture = {"name": "blank.gif", "mimeType": "image/gif", "buffer": blank}
    desk.locator("[data-scan-file]").set_input_files(picture)  # type: ignore[arg-type]
    expect(desk.get_by_role("alertdialog")).to_contain_text("没有识别到二维码")
    desk.get_by_role("button", name="确定").click()
    desk.get_by_role("button", name="输入内容").click()
    typed = desk.get_by_role("alertdialog", name="输入二维码内容")
    typed.get_by_role("textbox").fill(f"{clinic.origin}/second")
    typed.get_by_role("button", name="确定").click()
    view = desk.get_by_role("region", name="网页")
    expect(view.get_by_role("heading")).to_have_text("我的挂号")
    view.get_by_role("button", name="关闭", exact=True).click()

    expect(desk.locator("iframe")).to_have_count(0)
    expect(desk.get_by_role("heading", name="微信")).to_be_visible()
    clinic.close()


def test_a_cashier_charges_the_payment_code_small_and_large(
    desk: Page, program: SandboxControl, merchant: Merchant
) -> None:
    from_plus(desk, "收付款")
    code = desk.locator(".paycode-digits [data-copy]")
    first = str(code.get_attribute("data-copy"))
    seen(desk, "payment-code")
    assert merchant.codepay(number(), first).status_code == 200
    expect(desk.get_by_role("dialog", name="支付成功")).to_contain_text("25.00")
    desk.get_by_role("button", name="完成").click()
    expect(code).not_to_have_attribute("data-copy", first)
    large = number()
    fresh = str(code.get_attribute("data-copy"))
    assert merchant.codepay(large, fresh, 150_000).status_code == 202
    expect(desk.get_by_role("dialog", name="请输入支付密码")).to_contain_text("1,500.00")
    seen(desk, "payment-code-password")
    pay_sheet(desk)
    assert state_of(program, large) == "SUCCESS"
    given_up = number()
    merchant.codepay(given_up, program.scan_code(owner(program)), 150_000)
    desk.get_by_role("button", name="取消付款").click()
    expect(desk.locator("#overlays > *")).to_have_count(0)
    program.until(lambda: state_of(program, given_up) == "PAYERROR")
    desk.get_by_role("button", name="返回").click()


@pytest.mark.thorough
def test_text_messages_and_mini_programs_have_their_places(
    desk: Page, program: SandboxControl, merchant: Merchant
) -> None:
    desk.get_by_role("button", name="发现", exact=True).click()
    desk.get_by_role("button", name="小程序").click()
    expect(desk.get_by_text("没有小程序")).to_be_visible()
    seen(desk, "mini-programs")
    desk.get_by_role("button", name="返回").click()
    desk.get_by_role("button", name="回到手机桌面").click()
    expect(desk.get_by_role("navigation", name="应用")).to_be_visible()
    seen(desk, "start-screen")
    desk.get_by_role("button", name="信息").click()
    mine = str(desk.locator("[data-number]").first.get_attribute("data-number"))
    answer = merchant.http.post(
        str(program.facts["sms_url"]),
        json={"to": mine, "text": "【杏林中医医院】明天上午停诊", "reference": number()},
        headers={"Authorization": f"Bearer {program.facts['sms_key']}"},
    )
    assert answer.is_success
    expect(desk.get_by_role("log", name="短信")).to_contain_text("明天上午停诊")
    seen(desk, "text-messages")
    desk.get_by_role("button", name="返回").click()
    desk.get_by_role("navigation", name="应用").get_by_role("button", name="微信").click()
    desk.get_by_role("button", name="微信", exact=True).click()
    expect(desk.get_by_role("heading", name="微信")).to_be_visible()


@pytest.mark.thorough
def test_the_account_is_written_to_and_asks_for_consent(
    desk: Page, program: SandboxControl, merchant: Merchant
) -> None:
    program.template("T_BOOKED", {"thing1": "科室", "time2": "时间"}, title="预约成功提醒")
    program.template("S_VISIT", {"thing1": "科室"}, title="复诊提醒", product="subscription")
    program.post("menu", button=[{"type": "click", "name": "问一问", "key": "ASK"}])
    send_message(program, merchant, owner(program), "")
    expect(desk.locator(".chat-title").first).to_have_text("杏林中医医院")
    desk.get_by_role("button", name="杏林中医医院").first.click()
    desk.get_by_role("button", name="问一问").click()
    desk.get_by_role("button", name="切换菜单和输入框").click()
    desk.get_by_label("消息", exact=True).fill("周末上班吗？")
    desk.get_by_role("button", name="发送").click()
    expect(desk.get_by_role("log")).to_contain_text("周末上班吗？")
    seen(desk, "chat")
    desk.get_by_role("tab", name="手机").click()
    desk.get_by_role("button", name=re.compile("弹出订阅授权")).click()
    expect(desk.get_by_role("dialog")).to_contain_text("复诊提醒")
    seen(desk, "consent")
    desk.get_by_role("button", name="允许").click()

    expect(desk.get_by_role("complementary")).to_contain_text("复诊提醒还可发 1 条")
    desk.get_by_role("button", name="返回").click()


def test_a_page_asks_for_consent_through_the_open_tag(
    desk: Page, program: SandboxControl, merchant: Merchant
) -> None:
    clinic = Clinic(program.base)
    program.template("S_QUEUE", {"thing1": "科室"}, title="候诊提醒", product="subscription")
    signed = js_config(program, merchant, f"{clinic.origin}/subscribe")
    clinic.config = {**signed, "jsApiList": [], "openTagList": ["wx-open-subscribe"]}
    from_plus(desk, "扫一扫")
    desk.get_by_role("button", name="输入内容").click()
    desk.get_by_role("alertdialog").get_by_role("textbox").fill(f"{clinic.origin}/subscribe")
    desk.get_by_role("alertdialog").get_by_role("button", name="确定").click()
    inside = desk.frame_locator("iframe")
    expect(inside.locator("output")).to_have_text("config:ok")
    inside.get_by_role("button", name="开启提醒").click()
    desk.get_by_role("dialog").get_by_label("候诊提醒").uncheck()
    desk.get_by_role("button", name="允许").click()

    expect(inside.locator("output")).to_have_text('{"S_QUEUE":"{\\"status\\":\\"reject\\"}"}')
    expect(desk.locator("#overlays > *")).to_have_count(0)
    inside.get_by_role("button", name="开启提醒").click()
    desk.get_by_role("button", name="允许").click()
    expect(inside.locator("output")).to_have_text('{"S_QUEUE":"{\\"status\\":\\"accept\\"}"}')
    clinic.close()


@pytest.mark.thorough
def test_a_fault_is_chosen_strikes_and_is_watched_on_the_panel(
    desk: Page, program: SandboxControl, merchant: Merchant
) -> None:
    panel = desk.get_by_role("complementary")
    panel.get_by_role("tab", name=re.compile("故障")).click()
    out_trade_no = number()
    panel.get_by_label("只对含这段文字的").fill(out_trade_no)
    panel.get_by_label("找").fill("notify_dup")
    panel.get_by_label("次数或份数").fill("3")
    panel.get_by_role("button", name=re.compile("notify_dup")).click()
    expect(panel.get_by_role("button", name="取消 notify_dup")).to_be_visible()
    seen(desk, "panel-faults")
    merchant.prepay(merchant.order(out_trade_no, owner(program)))
    panel.get_by_role("tab", name=re.compile("订单")).click()
    row = panel.locator(f'[data-key="order-{out_trade_no}"]')
    row.locator("summary").click()
    row.get_by_role("button", name="付款").click()

    expect(row).to_contain_text("第 3 份")
    expect(row).to_contain_text("没有回答")
    seen(desk, "panel-orders")
    panel.get_by_role("tab", name=re.compile("通知")).click()
    expect(panel.get_by_role("tabpanel", name=re.compile("通知"))).to_contain_text("付款成功")
    panel.get_by_role("tab", name=re.compile("故障")).click()
    expect(panel.get_by_text("已经发生 1")).to_be_visible()


def test_the_clock_is_moved_and_set_right_again(desk: Page, program: SandboxControl) -> None:
    panel = desk.get_by_role("complementary")
    panel.get_by_role("button", name="+1 天").click()
    expect(panel.get_by_text("快 1 天")).to_be_visible()
    panel.get_by_role("button", name="+1 小时").click()
    expect(panel.get_by_text("快 1 天 1 小时")).to_be_visible()
    assert program.state()["offset_s"] == 90_000
    panel.get_by_role("button", name="复原").click()

    expect(panel.get_by_text("与本机一致")).to_be_visible()
    assert program.state()["offset_s"] == 0
