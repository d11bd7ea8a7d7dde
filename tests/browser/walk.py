"""The steps of a patient and of the staff that browser tests share, worked as hands would.

`Inside` is the hospital's page: in the phone the frame of the in-app browser, else the tab itself.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

Inside = Page | FrameLocator

PHONE: dict[str, Any] = {
    "viewport": {"width": 375, "height": 812},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
    "locale": "zh-CN",
    # A page that still slides in is hit beside its button.
    "reduced_motion": "reduce",
}
DESK: dict[str, Any] = {
    "viewport": {"width": 1440, "height": 900},
    "locale": "zh-CN",
    "reduced_motion": "reduce",
}
#: How a patient page may look; the first one always, the others with `make test-all`.
LOOKS = ["light", *(pytest.param(one, marks=pytest.mark.thorough) for one in ("dark", "large"))]
_THERE = "() => document.readyState === 'complete' || new Promise(r => addEventListener('load', r))"
_SMS_SECONDS = 20
DEPARTMENT = "肺病科"
INITIALS = "fbk"


@dataclass
class Album:
    """Pictures of a walk, numbered in the order they were taken."""

    folder: Path
    taken: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in self.folder.glob("*.png"):
            old.unlink()

    def keep(self, page: Page, name: str) -> None:
        self.taken += 1
        page.screenshot(path=self.folder / f"{self.taken:02d}-{name}.png")


def fill_patient(
    inside: Inside, *, name: str, document_no: str, phone: str = "13800138000"
) -> None:
    """Fill in the form for an adult."""
    inside.get_by_label("姓名").fill(name)
    inside.get_by_label("证件号码").fill(document_no)
    inside.get_by_label("手机号").fill(phone)
    inside.get_by_text("本人", exact=True).click()
    inside.get_by_label("我已阅读并同意").check()


def save_patient(inside: Inside, sandbox_url: str, *, phone: str = "13800138000") -> None:
    """Ask for the code, wait for its SMS at the stand-in, and save."""

    def texts() -> list[str]:
        answer = httpx.get(f"{sandbox_url}/_ctl/sms", params={"to": phone}, trust_env=False)
        return [one["text"] for one in answer.json()["sms"]]

    before = len(texts())
    inside.get_by_role("button", name="获取短信验证码").click()
    expect(inside.get_by_label("短信验证码")).to_be_visible()
    deadline = time.monotonic() + _SMS_SECONDS
    while len(texts()) == before:
        assert time.monotonic() < deadline, "no SMS came"
        time.sleep(0.1)
    code = re.search(r"验证码(\d{6})", texts()[-1])
    assert code is not None
    inside.get_by_label("短信验证码").fill(code[1])
    inside.get_by_role("button", name="保存就诊人").click()


def find_department(inside: Inside) -> None:
    """Search by pinyin initials and open the department."""
    box = inside.get_by_role("searchbox")
    box.evaluate(_THERE)  # what is typed before the page listens is never searched for
    box.press_sequentially(INITIALS)
    expect(inside.get_by_role("heading", name=f"“{INITIALS}”相关科室")).to_be_visible()


def choose_day(inside: Inside) -> str:
    """Choose the third day with numbers, so that no rule about today or tomorrow meddles.

    Returns the address of that day.
    """
    day = inside.get_by_role("link").filter(has_text="有号").nth(2)
    address = day.get_attribute("href") or ""
    day.click()
    expect(inside.locator("a.x-day[aria-current=date]")).to_have_attribute("href", address)
    return address


def choose_band(inside: Inside) -> Locator:
    """Open the times of the first session that has numbers; the sheet."""
    inside.locator("a.x-session").first.click()
    sheet = inside.get_by_role("dialog", name="选择就诊时段")
    expect(sheet).to_be_visible()
    return sheet


def enter_password(page: Page, password: str = "123456") -> None:
    """Six digits on WeChat's key pad."""
    expect(page.get_by_role("heading", name="请输入支付密码")).to_be_visible()
    for digit in password:
        page.get_by_role("button", name=digit, exact=True).click()


def log_in(page: Page, username: str) -> None:
    """The demo's log-ins, with the second step where one is asked; ends on a first page."""
    page.goto("/staff/")
    page.get_by_label("用户名").fill(username)
    page.get_by_label("密码").fill(f"{username}-demo-2026")
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(lambda url: "/staff/login/?" not in url and not url.endswith("/login/"))
    while "/login/code/" in page.url:
        shown = page.locator("[data-shown-code]")
        if shown.count() == 0:  # the codes of these 30 seconds have been used: the next comes soon
            page.wait_for_timeout(1000)
            page.reload()
            continue
        page.get_by_label("动态口令").fill(shown.inner_text())
        with page.expect_navigation():
            page.get_by_role("button", name="登录").click()
    expect(page).not_to_have_url(re.compile("/login/"))
