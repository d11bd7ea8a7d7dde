"""The phone in a real Chromium: hands, pages, payments, live messages.

The hospital is `clinic`: a few pages under a strict policy that know nothing but WeChat's script.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.clinic import Clinic, pay_fields
from tests.sandbox.merchant import Merchant, number
from tests.sandbox.phone_client import send_message
from tests.sandbox.test_phone_cashier import js_config

pytestmark = pytest.mark.browser

# A page that still slides in is hit beside its button: tests ask for less motion.
CALM: dict[str, Any] = {"reduced_motion": "reduce"}
PHONE: dict[str, Any] = {
    "viewport": {"width": 375, "height": 812},
    "is_mobile": True,
    "has_touch": True,
    **CALM,
}
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, **CALM}
AXE = Path(__file__).parents[1] / "browser/vendor/axe-core-4.14.1/axe.min.js"
OWNER = "陈桂芳"


@pytest.fixture
def clinic(control: SandboxControl) -> Iterator[Clinic]:
    pages = Clinic(control.base)
    entries = [("在线服务", "/"), ("去缴费", "/pay"), ("开发缴费", "/sdk")]
    control.post(
        "menu",
        button=[
            {"type": "view", "name": name, "url": pages.origin + path} for name, path in entries
        ],
    )
    yield pages
    pages.close()


@pytest.fixture
def page(
    browser: Browser, watched: Callable[[Page], Page], control: SandboxControl
) -> Iterator[Page]:
    """The phone at its own size, in the hands of the first named person."""
    context = browser.new_context(**PHONE)
    page = watched(context.new_page())
    page.goto(control.base)
    page.get_by_role("button", name=OWNER).click()
    expect(page.get_by_role("heading", name="微信")).to_be_visible()
    yield page
    context.close()


def holder(page: Page) -> str:
    """The openid of whoever holds the phone."""
    cookies: list[Any] = page.context.cookies()
    return str(next(cookie["value"] for cookie in cookies if cookie["name"] == "phone"))


def open_entry(page: Page, name: str) -> FrameLocator:
    """Open a menu entry of the account; the page inside the in-app browser."""
    page.get_by_role("button", name="杏林中医医院").first.click()
    page.get_by_role("link", name=name).click()
    return page.frame_locator("iframe")


def order_for(page: Page, clinic: Clinic, merchant: Merchant) -> str:
    """An unpaid order of ¥25.00 for the holder, put into the clinic's next pages."""
    out_trade_no = number()
    answer = merchant.prepay(merchant.order(out_trade_no, holder(page)))
    clinic.fields = pay_fields(merchant, answer.json()["prepay_id"])
    return out_trade_no


def enter(page: Page, password: str) -> None:
    """Tap six digits on the key pad."""
    for digit in password:
        page.get_by_role("button", name=digit, exact=True).tap()


def swipe(page: Page) -> None:
    """A finger from the left edge across the phone."""
    page.mouse.move(4, 400)
    page.mouse.down()
    page.mouse.move(120, 400, steps=4)
    page.mouse.move(300, 400, steps=4)
    page.mouse.up()


def state_of(control: SandboxControl, out_trade_no: str) -> str:
    return str(control.state(out_trade_no)["orders"][0]["state"])


class TestPaying:
    def test_a_wrong_password_then_the_right_one_then_the_receipt(
        self, page: Page, clinic: Clinic, control: SandboxControl, merchant: Merchant
    ) -> None:
        out_trade_no = order_for(page, clinic, merchant)
        inside = open_entry(page, "去缴费")
        expect(page.get_by_role("heading", name="门诊缴费")).to_be_visible()
        inside.get_by_role("button", name="微信支付").tap()
        sheet = page.get_by_role("dialog", name="请输入支付密码")
        expect(sheet).to_contain_text("杏林中医医院")
        expect(sheet).to_contain_text("25.00")
        enter(page, "111111")
        expect(page.get_by_role("alertdialog")).to_contain_text("支付密码错误，请重试")
        page.get_by_role("button", name="重试").tap()
        assert state_of(control, out_trade_no) == "NOTPAY"
        enter(page, "123456")

        expect(page.get_by_role("heading", name="支付成功")).to_be_visible()
        expect(inside.locator("output")).to_have_text("")
        page.get_by_role("button", name="完成").tap()
        expect(inside.locator("output")).to_have_text("get_brand_wcpay_request:ok")
        assert state_of(control, out_trade_no) == "SUCCESS"
        page.get_by_role("button", name="关闭", exact=True).tap()
        page.get_by_role("button", name="返回").tap()
        page.get_by_role("button", name="微信支付").tap()
        receipt = page.get_by_role("log", name="微信支付")
        expect(receipt).to_contain_text("微信支付凭证")
        expect(receipt).to_contain_text("25.00")
        page.get_by_role("button", name="查看账单详情").tap()
        expect(page.locator(".bill-detail")).to_contain_text(out_trade_no)

    @pytest.mark.thorough
    def test_giving_up_is_a_cancel(
        self, page: Page, clinic: Clinic, control: SandboxControl, merchant: Merchant
    ) -> None:
        out_trade_no = order_for(page, clinic, merchant)
        inside = open_entry(page, "去缴费")
        inside.get_by_role("button", name="微信支付").tap()
        page.get_by_role("button", name="取消付款").tap()

        expect(inside.locator("output")).to_have_text("get_brand_wcpay_request:cancel")
        assert state_of(control, out_trade_no) == "NOTPAY"

    @pytest.mark.thorough
    def test_too_little_change_leads_to_the_card(
        self, page: Page, clinic: Clinic, control: SandboxControl, merchant: Merchant
    ) -> None:
        out_trade_no = order_for(page, clinic, merchant)
        page.request.post(
            f"{control.base}/phone/balance", data={"yuan": "1"}, headers={"X-Phone": "1"}
        )
        inside = open_entry(page, "去缴费")
        inside.get_by_role("button", name="微信支付").tap()
        enter(page, "123456")
        expect(page.get_by_role("alertdialog")).to_contain_text("零钱余额不足")
        page.get_by_role("button", name="更换付款方式").tap()
        page.get_by_role("dialog", name="选择付款方式").get_by_text("招商银行储蓄卡").tap()
        enter(page, "123456")
        page.get_by_role("button", name="完成").tap()

        expect(inside.locator("output")).to_have_text("get_brand_wcpay_request:ok")
        assert control.state(out_trade_no)["orders"][0]["bank_type"] == "CMB_DEBIT"

    @pytest.mark.thorough
    def test_a_signature_of_other_fields_opens_no_sheet(
        self, page: Page, clinic: Clinic, merchant: Merchant
    ) -> None:
        order_for(page, clinic, merchant)
        clinic.fields["timeStamp"] = "1795400009"
        inside = open_entry(page, "去缴费")
        inside.get_by_role("button", name="微信支付").tap()
        page.get_by_role("button", name="确定").tap()

        expect(inside.locator("output")).to_have_text(
            "get_brand_wcpay_request:fail | 支付验证签名失败"
        )

    @pytest.mark.thorough
    def test_the_js_sdk_pays_after_config(
        self, page: Page, clinic: Clinic, control: SandboxControl, merchant: Merchant
    ) -> None:
        order_for(page, clinic, merchant)
        clinic.config = {
            **js_config(control, merchant, f"{clinic.origin}/sdk"),
            "jsApiList": ["chooseWXPay"],
        }
        inside = open_entry(page, "开发缴费")
        expect(inside.locator("output")).to_have_text("config:ok")
        inside.get_by_role("button", name="微信支付").tap()
        enter(page, "123456")
        page.get_by_role("button", name="完成").tap()

        expect(inside.locator("output")).to_have_text("chooseWXPay:ok")

    def test_a_config_signed_for_another_page_is_refused(
        self, page: Page, clinic: Clinic, control: SandboxControl, merchant: Merchant
    ) -> None:
        clinic.config = {
            **js_config(control, merchant, f"{clinic.origin}/pay"),
            "jsApiList": ["chooseWXPay"],
        }
        inside = open_entry(page, "开发缴费")

        expect(inside.locator("output")).to_have_text("config:invalid signature")

    @pytest.mark.thorough
    def test_a_tab_without_a_phone_pays_at_the_cashier_and_comes_back(
        self, page: Page, clinic: Clinic, control: SandboxControl, merchant: Merchant
    ) -> None:
        out_trade_no = order_for(page, clinic, merchant)
        tab = page.context.new_page()
        tab.goto(f"{clinic.origin}/pay")
        tab.get_by_role("button", name="微信支付").tap()
        enter(tab, "123456")
        tab.get_by_role("button", name="完成").tap()

        expect(tab).to_have_url(f"{clinic.origin}/pay")
        expect(tab.locator("output")).to_have_text("return:ok")
        assert state_of(control, out_trade_no) == "SUCCESS"


class TestPages:
    def test_title_and_back_follow_the_page(self, page: Page, clinic: Clinic) -> None:
        inside = open_entry(page, "在线服务")
        view = page.get_by_role("region", name="网页")
        expect(view.get_by_role("heading")).to_have_text("在线服务")
        expect(view.get_by_role("button", name="返回")).to_be_hidden()
        inside.get_by_role("link", name="我的挂号").tap()  # a link with target=_blank
        expect(view.get_by_role("heading")).to_have_text("我的挂号")
        inside.get_by_role("button", name="改标题").tap()
        expect(view.get_by_role("heading")).to_have_text("改了标题")
        view.get_by_role("button", name="返回").tap()

        expect(view.get_by_role("heading")).to_have_text("在线服务")
        expect(view.get_by_role("button", name="返回")).to_be_hidden()
        assert len(page.context.pages) == 1

    @pytest.mark.thorough
    def test_a_page_may_close_itself(
        self, page: Page, clinic: Clinic, control: SandboxControl, merchant: Merchant
    ) -> None:
        send_message(control, merchant, holder(page), f"{clinic.origin}/done")
        page.get_by_role("button", name="杏林中医医院").first.click()
        page.get_by_role("link", name="查看详情").click()
        page.frame_locator("iframe").get_by_role("link", name="关闭页面").tap()

        expect(page.locator("iframe")).to_have_count(0)
        expect(page.get_by_role("log")).to_be_visible()

    @pytest.mark.thorough
    def test_a_swipe_from_the_edge_goes_back(self, page: Page, clinic: Clinic) -> None:
        inside = open_entry(page, "在线服务")
        inside.get_by_role("link", name="我的挂号").tap()
        view = page.get_by_role("region", name="网页")
        expect(view.get_by_role("heading")).to_have_text("我的挂号")
        swipe(page)
        expect(view.get_by_role("heading")).to_have_text("在线服务")
        swipe(page)
        expect(page.locator("iframe")).to_have_count(0)
        swipe(page)

        expect(page.get_by_role("heading", name="微信")).to_be_visible()


class TestMessages:
    def test_a_message_appears_at_the_top_in_the_list_and_in_the_chat(
        self, page: Page, clinic: Clinic, control: SandboxControl, merchant: Merchant
    ) -> None:
        send_message(control, merchant, holder(page), f"{clinic.origin}/second")

        expect(page.get_by_label("1 条未读")).to_be_visible()
        page.locator("#banner").get_by_role("button", name="杏林中医医院").tap()
        chat = page.get_by_role("log")
        expect(chat.get_by_text("针灸推拿科")).to_have_count(1)
        send_message(control, merchant, holder(page), f"{clinic.origin}/second")
        expect(chat.get_by_text("针灸推拿科")).to_have_count(2)
        page.get_by_role("button", name="返回").tap()
        expect(page.get_by_label("条未读")).to_have_count(0)

    def test_words_to_the_account_stand_in_the_chat(self, page: Page, clinic: Clinic) -> None:
        page.get_by_role("button", name="杏林中医医院").first.click()
        page.get_by_role("button", name="切换菜单和输入框").tap()
        page.get_by_label("消息", exact=True).fill("周末上班吗？")
        page.get_by_role("button", name="发送").tap()

        expect(page.get_by_role("log")).to_contain_text("周末上班吗？")


class TestHands:
    def test_a_new_person_takes_the_phone_and_gives_it_back(self, page: Page) -> None:
        former = holder(page)
        page.get_by_role("button", name="我", exact=True).tap()
        page.get_by_role("button", name="切换账号").tap()
        page.get_by_role("button", name="新的人").tap()
        page.get_by_label("名字").fill("莫小兰")
        page.get_by_role("button", name="确定").tap()
        page.get_by_role("button", name="我", exact=True).tap()
        expect(page.get_by_role("button", name=re.compile("莫小兰"))).to_be_visible()
        assert holder(page) != former
        page.get_by_role("button", name="切换账号").tap()
        page.get_by_role("button", name=OWNER).tap()
        page.get_by_role("button", name="我", exact=True).tap()

        expect(page.get_by_role("button", name=re.compile(OWNER))).to_be_visible()
        assert holder(page) == former

    @pytest.mark.thorough
    def test_a_second_tab_becomes_another_persons_phone_and_the_first_stays(
        self, page: Page, clinic: Clinic, control: SandboxControl
    ) -> None:
        other = page.context.new_page()
        other.goto(control.base)
        other.get_by_role("button", name="我", exact=True).tap()
        other.get_by_role("button", name="切换账号").tap()
        other.get_by_role("button", name="李建国").tap()
        expect(other).to_have_title(re.compile("李建国的手机"))
        expect(other).to_have_url(re.compile(r"/\?as=o"))
        inside = open_entry(other, "在线服务")
        expect(inside.get_by_role("heading", name="在线服务")).to_be_visible()
        page.reload()

        expect(page).to_have_title(re.compile(f"{OWNER}的手机"))
        cookies: list[Any] = page.context.cookies()
        held = {str(cookie["value"]) for cookie in cookies if cookie["name"] == "phone"}
        people = {person["nickname"]: person["openid"] for person in control.state()["users"]}
        assert held == {people[OWNER], people["李建国"]}

    def test_the_drawer_beside_the_phone_changes_hands_and_pockets(
        self, browser: Browser, watched: Callable[[Page], Page], control: SandboxControl
    ) -> None:
        context = browser.new_context(**DESK)
        page = watched(context.new_page())
        page.goto(control.base)
        drawer = page.get_by_role("complementary")
        drawer.get_by_role("button", name=re.compile("^李建国")).click()
        expect(drawer.get_by_text("¥10,000.00")).to_be_visible()
        drawer.get_by_role("button", name="零钱清空").click()

        expect(drawer.get_by_text("¥0.00")).to_be_visible()
        context.close()


@pytest.mark.thorough
def test_screens_can_be_read_aloud(
    page: Page, clinic: Clinic, control: SandboxControl, merchant: Merchant
) -> None:
    """axe without the contrast rule: the colours are WeChat's."""
    send_message(control, merchant, holder(page), f"{clinic.origin}/second")
    order_for(page, clinic, merchant)
    problems = axe(page)
    inside = open_entry(page, "去缴费")
    inside.get_by_role("button", name="微信支付").tap()
    expect(page.get_by_role("dialog", name="请输入支付密码")).to_be_visible()
    problems += axe(page)
    page.get_by_role("button", name="取消付款").tap()
    page.get_by_role("button", name="关闭", exact=True).tap()
    problems += axe(page)

    assert problems == []


def axe(page: Page) -> list[str]:
    """What axe finds in the phone's own markup."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(
        """() => axe.run({exclude: [["iframe"]]}, {rules: {"color-contrast": {enabled: false}}})"""
    )
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found["violations"]]
