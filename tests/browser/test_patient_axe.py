"""Every page of the journey under axe-core: patients' at 375x812, the staff's at 1440x900.

The pages are those of the running demo hospital, reached as a person reaches them. Pictures of each
look land in test-artifacts/pages/.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from hospital.testing.people import a_resident_id
from tests.browser.axe import set_large
from tests.browser.looking import Check, problems
from tests.browser.walk import (
    DEPARTMENT,
    DESK,
    PHONE,
    choose_band,
    choose_day,
    enter_password,
    fill_patient,
    find_department,
    log_in,
    save_patient,
)
from tools.demo_place import Place

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.thorough]

check = Check("pages", is_whole=False)
WAIT_MS = 20_000


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    expect.set_options(timeout=WAIT_MS)
    yield
    expect.set_options(timeout=None)


PHONE_LOOKS = (("usual", "light"), ("usual", "dark"), ("large", "light"))
DESK_LOOKS = (("desk", "light"), ("desk", "dark"))


@dataclass
class Looker:
    """Looks at a page in all its looks, and remembers what is wrong with it."""

    page: Page
    looks: tuple[tuple[str, str], ...]
    sandbox_url: str = ""

    def __post_init__(self) -> None:
        self.wrong: list[str] = []

    def look(self, name: str) -> None:
        for size, theme in self.looks:
            self._turn(size, theme)
            where = f"{name} {size} {theme}"
            self.wrong += [f"{where}: {problem}" for problem in problems(self.page)]
            check.keep(self.page, f"{size}-{name}-{theme}")
        self._turn(*self.looks[0])

    def _turn(self, size: str, theme: str) -> None:
        """The desk's theme, too, is a mark on the page."""
        self.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        if size == "desk":
            self.page.evaluate(
                "theme => { document.documentElement.dataset.bsTheme = theme }", theme
            )
        else:
            set_large(self.page, is_large=size == "large")


class Hurried(Looker):
    """Walks the same way without looking."""

    def look(self, name: str) -> None:
        """On to the next page."""


def test_patient_pages(browser: Browser, hospital: Place) -> None:
    """From home to the refund; a tab of its own, since axe cannot look into a foreign frame."""
    page = tab(browser, hospital, openid="oAxe")
    looker = Looker(page, PHONE_LOOKS, hospital.sandbox_url)
    page.goto("/m/")
    looker.look("home-nobody")
    for address, name in (
        ("/m/patients/", "patients-none"),
        ("/m/appointments/", "appointments-none"),
        ("/m/messages/", "inbox-empty"),
        ("/m/appointments/20261122000000/", "refusal-not-found"),
    ):
        page.goto(address)
        looker.look(name)
    add(looker, "欧阳上官婉儿")
    to_confirm(looker)
    confirm_address = page.url
    book_and_pay(looker)
    refused(looker, confirm_address)
    around(looker)
    page.goto("/m/")
    page.get_by_role("button", name="切换长辈版（大字）").click()
    expect(page.locator("html")).to_have_attribute("data-care", "")
    expect(page.get_by_role("button", name="返回标准版")).to_be_visible()
    assert looker.wrong == []
    page.context.close()


def tab(browser: Browser, hospital: Place, *, openid: str) -> Page:
    """A tab of the phone's size whose holder WeChat knows as `openid`."""
    context = browser.new_context(**PHONE, base_url=hospital.url)
    holder = {"name": "phone", "value": openid, "url": hospital.sandbox_url}
    context.add_cookies([holder])  # type: ignore[list-item]
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    return page


def add(looker: Looker, name: str) -> None:
    page = looker.page
    page.goto("/m/patients/add/?next=/m/patients/")
    looker.look("add")
    page.get_by_role("button", name="获取短信验证码").click()
    expect(page.get_by_label("证件号码")).to_have_attribute("aria-invalid", "true")
    looker.look("add-errors")
    fill_patient(page, name=name, document_no=a_resident_id())
    save_patient(page, looker.sandbox_url)
    expect(page.get_by_text("就诊人 1 / 5")).to_be_visible()
    looker.look("patients")


def to_confirm(looker: Looker) -> None:
    page = looker.page
    page.goto("/m/departments/")
    looker.look("departments")
    find_department(page)
    looker.look("departments-found")
    page.get_by_role("link", name=DEPARTMENT).click()
    choose_day(page)
    looker.look("sessions")
    page.locator("article h2 a").first.click()
    expect(page.get_by_role("heading", name="近期出诊")).to_be_visible()
    looker.look("doctor")
    page.go_back()
    expect(page.locator("a.x-session").first).to_be_visible()
    sheet = choose_band(page)
    looker.look("times")
    sheet.get_by_role("link").first.click()
    expect(page.get_by_role("button", name="提交并支付")).to_be_visible()
    looker.look("confirm")


def book_and_pay(looker: Looker) -> None:
    page = looker.page
    page.get_by_role("button", name="提交并支付").click()
    expect(page.get_by_role("timer")).to_be_visible()
    looker.look("pay")
    pay_address = page.url
    page.goto("/m/")
    looker.look("home-to-pay")
    page.goto("/m/appointments/")
    page.get_by_role("link", name="待支付").click()
    expect(page.get_by_role("button", name="取消预约")).to_be_visible()
    looker.look("appointment-to-pay")
    page.goto(pay_address)
    page.get_by_role("button", name="微信支付").click()
    enter_password(page)  # a tab outside WeChat pays at the cashier's page and comes back
    page.get_by_role("button", name="完成").click()
    expect(page.get_by_role("heading", name="支付成功")).to_be_visible()
    looker.look("paid")
    page.get_by_role("link", name="查看详情").click()
    expect(page.get_by_role("heading", name="挂号成功")).to_be_visible()
    looker.look("result")


def refused(looker: Looker, confirm_address: str) -> None:
    """The same doctor twice on one day is refused by a rule (M1.4)."""
    page = looker.page
    page.goto(confirm_address)
    page.get_by_role("button", name="提交并支付").click()
    expect(page.get_by_role("link", name="返回首页")).to_be_visible()
    looker.look("refusal")


def around(looker: Looker) -> None:
    page = looker.page
    page.goto("/m/")
    expect(page.get_by_role("link", name="已预约")).to_be_visible()
    looker.look("home")
    page.goto("/m/messages/")
    expect(page.get_by_role("heading", name="挂号成功")).to_be_visible()
    looker.look("inbox")
    page.goto("/m/patients/")
    page.get_by_role("link", name="解除绑定").click()
    looker.look("unbind-refused")
    page.goto("/m/appointments/")
    looker.look("appointments")
    page.get_by_role("link", name="已预约").click()
    expect(page.get_by_role("heading", name="报到条码")).to_be_visible()
    looker.look("appointment")
    page.get_by_role("button", name="申请退号").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    looker.look("cancel")
    page.get_by_role("button", name="确定退号").click()
    expect(page.get_by_text("已退回付款账户")).to_be_visible()
    looker.look("appointment-cancelled")


def test_staff_pages(browser: Browser, hospital: Place) -> None:
    """Each page as the role sees it whose work it is, with one paid appointment to see."""
    patient = Hurried(tab(browser, hospital, openid="oAxe-staff"), (), hospital.sandbox_url)
    add(patient, "李晓芸")
    to_confirm(patient)
    book_and_pay(patient)
    wrong: list[str] = []
    for username, pages in STAFF.items():
        page = browser.new_context(**DESK, base_url=hospital.url).new_page()
        page.set_default_timeout(WAIT_MS)
        looker = Looker(page, DESK_LOOKS)
        page.goto("/staff/")
        if username == "menzhenban":
            looker.look("login")
        log_in(page, username)
        for name, address in pages.items():
            page.goto(address)
            if not name.startswith("one-"):
                looker.look(name)
                continue
            page.get_by_role("link", name="查看").first.click()
            expect(page.locator(".x-timeline")).to_be_visible()
            looker.look(name)
        wrong += looker.wrong
        page.context.close()
    assert wrong == []


# What is called one-… is the first row of the list at that address.
STAFF: dict[str, dict[str, str]] = {
    "menzhenban": {"home": "/staff/", "board": "/staff/board/"},
    "admin": {"system": "/staff/system/"},
    "caiwu": {
        "refunds": "/staff/refunds/",
        "payments": "/staff/payments/",
        "one-payment": "/staff/payments/",
    },
    "guahao": {
        "search-nothing": "/staff/appointments/",
        "search": "/staff/appointments/?q=lxy",
        "one-appointment": "/staff/appointments/?q=lxy",
    },
}
