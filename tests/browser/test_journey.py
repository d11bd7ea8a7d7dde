"""The whole journey in Chromium, through the phone: from the chat to the money coming back.

Everything is real: web, worker, live channel and the stand-in for WeChat run as `make demo` runs
them. Every step leaves a picture in test-artifacts/journey/.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from hospital.patients.states import Sex
from hospital.testing.browser import Watch
from hospital.testing.people import a_resident_id
from tests.browser.walk import (
    DEPARTMENT,
    DESK,
    PHONE,
    Album,
    choose_band,
    choose_day,
    enter_password,
    fill_patient,
    find_department,
    log_in,
    save_patient,
)
from tools.demo_place import HOSPITAL_NAME, Place

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HOLDER = "李建国"
WAIT_MS = 20_000
# The browser itself writes a refused form to its console; the sentence on the page is our answer.
REFUSED_FORM = "status of 422"


@dataclass
class Walk:
    """One patient's way through the hospital, and the staff who look on."""

    phone: Page
    desk: Page
    finance: Page
    album: Album
    sandbox_url: str
    price: str = ""
    sold: int = 0
    held: int = 0

    @property
    def inside(self) -> FrameLocator:
        """The hospital's page in the phone's in-app browser."""
        return self.phone.frame_locator("iframe")

    def shot(self, name: str, page: Page | None = None) -> None:
        self.album.keep(page or self.phone, name)


@pytest.fixture
def walk(browser: Browser, hospital: Place, watched: Watch) -> Iterator[Walk]:
    expect.set_options(timeout=WAIT_MS)
    phone = watched(browser.new_context(**PHONE).new_page(), but=REFUSED_FORM)
    desk, finance = (
        watched(browser.new_context(**DESK, base_url=hospital.url).new_page()) for _ in range(2)
    )
    for page in (phone, desk, finance):
        page.set_default_timeout(WAIT_MS)
    phone.goto(hospital.sandbox_url)
    yield Walk(phone, desk, finance, Album(Path("test-artifacts/journey")), hospital.sandbox_url)
    for page in (phone, desk, finance):
        page.context.close()
    expect.set_options(timeout=None)


def test_from_the_chat_to_the_money_coming_back(walk: Walk) -> None:
    take_the_phone(walk)
    add_a_patient(walk)
    session = choose_a_time(walk)
    watch_the_session(walk, session)
    pay(walk)
    sold_without_reload(walk)
    open_the_message(walk)
    staff_find_it(walk)
    finance_finds_it(walk)
    cancel(walk)
    money_is_back(walk)
    large_type(walk)


def take_the_phone(walk: Walk) -> None:
    """Choose the holder, open the chat, and the hospital's home from its menu (OAuth)."""
    phone = walk.phone
    expect(phone.get_by_role("button", name=HOLDER)).to_be_visible()
    walk.shot("holders")
    phone.get_by_role("button", name=HOLDER).click()
    expect(phone.get_by_role("heading", name="微信")).to_be_visible()
    walk.shot("wechat")
    open_chat(walk)
    expect(phone.get_by_role("link", name="预约挂号")).to_be_visible()
    walk.shot("chat")
    open_entry(walk, "掌上医院")
    expect(walk.inside.get_by_role("link", name="添加就诊人")).to_be_visible()
    expect(walk.inside.get_by_role("link", name="预约挂号", exact=True)).to_be_visible()
    walk.shot("home-nobody-yet")


def add_a_patient(walk: Walk) -> None:
    """A wrong ID number is told at its field and nothing typed is lost; then the right one."""
    inside, good = walk.inside, a_resident_id(sex=Sex.MALE)
    inside.get_by_role("link", name="添加就诊人").click()
    expect(inside.get_by_role("button", name="获取短信验证码")).to_be_visible()
    walk.shot("add-patient")
    wrong = good[:-1] + ("0" if good[-1] != "0" else "1")
    fill_patient(inside, name=HOLDER, document_no=wrong)
    sentence = inside.get_by_text("校验位不符")
    expect(sentence).to_be_visible()
    inside.get_by_role("button", name="获取短信验证码").click()
    field = inside.get_by_label("证件号码")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(sentence).to_have_count(1)
    expect(inside.get_by_label("姓名")).to_have_value(HOLDER)
    expect(inside.get_by_label("手机号")).to_have_value("13800138000")
    expect(inside.get_by_label("我已阅读并同意")).to_be_checked()
    walk.shot("add-patient-wrong-id")
    field.fill(good)
    inside.get_by_label("手机号").focus()
    expect(inside.get_by_text("已识别：男")).to_be_visible()
    walk.shot("add-patient-right-id")
    save_patient(inside, walk.sandbox_url)
    expect(inside.get_by_text("就诊人 1 / 5")).to_be_visible()
    expect(inside.locator("main")).not_to_contain_text(good)
    walk.shot("patients")


def choose_a_time(walk: Walk) -> dict[str, str]:
    """Department by initials, day, doctor, time: up to the page to confirm."""
    inside = walk.inside
    close_page(walk)
    open_entry(walk, "预约挂号")
    expect(inside.get_by_role("navigation", name="科室分类")).to_be_visible()
    walk.shot("departments")
    find_department(inside)
    walk.shot("departments-found")
    inside.get_by_role("link", name=DEPARTMENT).click()
    expect(inside.get_by_role("heading", name=DEPARTMENT, level=1)).to_be_visible()
    day = choose_day(inside)
    walk.shot("sessions")
    doctor = inside.locator("article", has=inside.locator("a.x-session")).first
    name = doctor.locator("h2 a").inner_text()
    doctor.locator("h2 a").click()
    expect(inside.get_by_role("heading", name="近期出诊")).to_be_visible()
    walk.shot("doctor")
    walk.phone.get_by_role("button", name="返回").last.click()
    expect(inside.locator("a.x-day[aria-current=date]")).to_have_attribute("href", day)
    period = doctor.locator("a.x-session").first.locator("span").first.inner_text()
    sheet = choose_band(inside)
    walk.shot("times")
    sheet.get_by_role("link").first.click()
    expect(inside.get_by_role("button", name="提交并支付")).to_be_visible()
    walk.shot("confirm")
    return {"day": day.partition("=")[2], "doctor": name, "period": period}


def watch_the_session(walk: Walk, session: dict[str, str]) -> None:
    """A clerk has the day's sessions open; the mark on the window proves that it never reloads."""
    log_in(walk.desk, "guahao")
    walk.desk.goto(f"/staff/board/?day={session['day']}&q={session['doctor']}")
    # Other walks through the same hospital may have booked here before.
    walk.sold, walk.held = (int(count.inner_text().split()[0]) for count in counts(walk.desk))
    walk.desk.evaluate("window.neverReloaded = true")
    walk.shot("desk-board-before", walk.desk)


def pay(walk: Walk) -> None:
    """A wrong password changes nothing; the right one turns the page by itself."""
    phone, inside = walk.phone, walk.inside
    inside.get_by_role("button", name="提交并支付").click()
    expect(inside.get_by_role("timer")).to_be_visible()
    walk.price = inside.locator(".x-bar-sum").inner_text().split()[-1].lstrip("¥")
    walk.shot("pay")
    expect(counts(walk.desk)[1]).to_have_text(f"{walk.held + 1} 个")
    inside.get_by_role("button", name="微信支付").click()
    enter_password(phone, "654321")
    expect(phone.get_by_role("alertdialog")).to_contain_text("支付密码错误")
    walk.shot("wrong-password")
    phone.get_by_role("button", name="重试").click()
    enter_password(phone)
    expect(phone.get_by_role("heading", name="支付成功")).to_be_visible()
    expect(phone.locator(".paid-tick path")).to_have_css("stroke-dashoffset", "0px")
    walk.shot("wechat-paid")
    phone.get_by_role("button", name="完成").click()
    expect(inside.get_by_role("heading", name="支付成功")).to_be_visible()
    walk.shot("pay-succeeded")
    inside.get_by_role("link", name="查看详情").click()
    expect(inside.get_by_role("heading", name="挂号成功")).to_be_visible()
    expect(inside.locator(".x-ticket-number")).to_have_text("1")
    expect(inside.locator("main")).to_contain_text("诊室")
    walk.shot("result")


def sold_without_reload(walk: Walk) -> None:
    sold, held = counts(walk.desk)
    expect(sold).to_have_text(f"{walk.sold + 1} 个")
    expect(held).to_have_text(f"{walk.held} 个")
    assert walk.desk.evaluate("window.neverReloaded")
    walk.shot("desk-board-after", walk.desk)


def open_the_message(walk: Walk) -> None:
    """N01 stands in the chat, and its card opens this very appointment."""
    close_page(walk)
    card = walk.phone.locator("article.card", has_text="挂号成功")
    expect(card).to_contain_text(DEPARTMENT)
    walk.shot("chat-booked")
    card.get_by_role("link", name="查看详情").click()
    expect(walk.inside.get_by_role("heading", name="报到条码")).to_be_visible()
    expect(walk.inside.locator("main")).to_contain_text(DEPARTMENT)
    walk.shot("appointment")


def staff_find_it(walk: Walk) -> None:
    """The clerk finds the appointment by the initials of the name and reads its whole story."""
    desk = walk.desk
    desk.get_by_role("searchbox", name="全局搜索").fill("ljg")
    desk.keyboard.press("Enter")
    row = desk.get_by_role("row").filter(has_text=DEPARTMENT)
    expect(row).to_have_count(1)
    walk.shot("desk-search", desk)
    row.get_by_role("link", name="查看").click()
    story = desk.locator(".x-timeline")
    for step in ("待支付", "已预约", "挂号成功"):
        expect(story).to_contain_text(step)
    walk.shot("desk-appointment", desk)


def finance_finds_it(walk: Walk) -> None:
    finance = walk.finance
    log_in(finance, "caiwu")
    finance.goto("/staff/payments/")
    row = finance.get_by_role("row").filter(has_text=walk.price)
    expect(row).to_have_count(1)
    expect(row).to_contain_text("支付成功")
    walk.shot("finance-payments", finance)
    row.get_by_role("link", name="查看").click()
    finance.get_by_role("button", name="向微信重新查询").click()
    expect(finance.locator("main")).to_contain_text("支付成功")
    walk.shot("finance-payment", finance)


def cancel(walk: Walk) -> None:
    """The patient gives the number back; the page itself says when the money has come."""
    inside = walk.inside
    inside.get_by_role("button", name="申请退号").click()
    sheet = inside.get_by_role("dialog", name="确定要退号吗？")
    expect(sheet).to_be_visible()
    walk.shot("cancel")
    sheet.get_by_role("button", name="确定退号").click()
    expect(inside.get_by_role("heading", name="取消说明")).to_be_visible()
    walk.shot("cancelled")
    expect(inside.get_by_text("已退回付款账户")).to_be_visible()
    walk.shot("refunded")
    expect(walk.desk.locator(".x-timeline")).to_contain_text("退款成功")
    walk.shot("desk-appointment-refunded", walk.desk)
    walk.finance.goto("/staff/refunds/")
    expect(walk.finance.get_by_role("row").filter(has_text=walk.price)).to_contain_text("退款成功")
    walk.shot("finance-refunds", walk.finance)


def money_is_back(walk: Walk) -> None:
    """N05 and N26 in the chat, the payment refunded in WeChat's bills, the purse full again."""
    phone = walk.phone
    close_page(walk)
    cards = phone.locator("article.card")
    expect(cards.filter(has_text="退号成功")).to_have_count(1)
    expect(cards.filter(has_text="退费结果通知")).to_have_count(1)
    walk.shot("chat-refunded")
    phone.get_by_role("button", name="返回").click()
    phone.get_by_role("button", name="我", exact=True).click()
    phone.get_by_role("button", name="服务", exact=True).click()
    expect(phone.get_by_role("button", name="钱包")).to_contain_text("10,000.00")
    phone.get_by_role("button", name="账单").click()
    phone.locator("button.bill", has_text=f"-{walk.price}").click()
    expect(phone.locator(".bill-detail")).to_contain_text("已全额退款")
    walk.shot("wechat-bill")
    for _ in range(3):
        phone.get_by_role("button", name="返回").last.click()


def large_type(walk: Walk) -> None:
    """The pages for older eyes: home and the page to confirm, nothing sticking out."""
    phone, inside = walk.phone, walk.inside
    phone.get_by_role("button", name="微信", exact=True).click()
    open_chat(walk)
    open_entry(walk, "掌上医院")
    inside.get_by_role("button", name="切换长辈版（大字）").click()
    expect(inside.get_by_role("button", name="返回标准版")).to_be_visible()
    fits(inside)
    walk.shot("home-large")
    inside.get_by_role("link", name="预约挂号", exact=True).click()
    find_department(inside)
    inside.get_by_role("link", name=DEPARTMENT).click()
    choose_day(inside)
    choose_band(inside).get_by_role("link").first.click()
    expect(inside.get_by_role("button", name="提交并支付")).to_be_visible()
    fits(inside)
    walk.shot("confirm-large")


def open_chat(walk: Walk) -> None:
    walk.phone.get_by_role("button", name=HOSPITAL_NAME).first.click()


def open_entry(walk: Walk, name: str) -> None:
    """Open a page from the account's menu."""
    walk.phone.get_by_role("link", name=name).click()


def close_page(walk: Walk) -> None:
    """Close the in-app browser; the chat is below it."""
    walk.phone.get_by_role("button", name="关闭", exact=True).click()
    expect(walk.phone.locator("iframe")).to_have_count(0)


def counts(board: Page) -> tuple[Locator, Locator]:
    """Sold and waiting for payment of the day the board shows."""
    stat = board.locator(".x-stats")
    return (
        stat.locator(".x-stat", has_text="已售").locator(".x-stat-value"),
        stat.locator(".x-stat", has_text="待支付").locator(".x-stat-value"),
    )


def fits(inside: FrameLocator) -> None:
    assert inside.locator("html").evaluate("page => page.scrollWidth <= innerWidth")
