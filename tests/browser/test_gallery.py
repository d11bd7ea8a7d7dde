"""Every component in every theme: no accessibility violation, nothing sticking out sideways.

The full-page pictures land in test-artifacts/gallery/ for people to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.looking import Check, problems

pytestmark = pytest.mark.browser

check = Check("gallery")
PHONE: dict[str, Any] = {
    "viewport": {"width": 375, "height": 812},
    "device_scale_factor": 1,  # pictures of the whole gallery are ten screens tall
    "is_mobile": True,
    "has_touch": True,
    "locale": "zh-CN",
}
DESK: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "locale": "zh-CN"}
SCREEN: dict[str, Any] = {"viewport": {"width": 1920, "height": 1080}, "locale": "zh-CN"}
Scheme = Literal["light", "dark"]

LOOKS = [
    pytest.param("audience=patient", PHONE, "light", id="phone-light"),
    pytest.param("audience=patient", PHONE, "dark", id="phone-dark"),
    pytest.param("audience=patient&care=1", PHONE, "light", id="phone-large"),
    pytest.param("audience=patient&care=1", PHONE, "dark", id="phone-large-dark"),
    pytest.param("audience=staff", DESK, "light", id="desk-light"),
    pytest.param("audience=staff", DESK, "dark", id="desk-dark"),
    pytest.param("audience=screen", SCREEN, "light", id="screen"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    """A server without a database: the gallery needs none, and no test here waits for a flush."""
    running = LiveServer("localhost")
    yield running
    running.stop()


@pytest.fixture
def open_gallery(
    browser: Browser, server: LiveServer, watched: Callable[[Page], Page]
) -> Callable[[str, dict[str, Any], Scheme], Page]:
    """Open the gallery on a device; its console must stay silent."""

    def opened(query: str, device: dict[str, Any], scheme: Scheme = "light") -> Page:
        page = watched(browser.new_context(**device, color_scheme=scheme).new_page())
        page.goto(f"{server.url}/staff/gallery/?{query}")
        page.wait_for_load_state("networkidle")
        return page

    return opened


@pytest.mark.thorough
@pytest.mark.parametrize(("query", "device", "scheme"), LOOKS)
def test_every_look_is_accessible_and_fits(
    open_gallery: Callable[[str, dict[str, Any], Scheme], Page],
    query: str,
    device: dict[str, Any],
    scheme: Scheme,
    request: pytest.FixtureRequest,
) -> None:
    page = open_gallery(query, device, scheme)
    check(page, request.node.callspec.id)


@pytest.mark.thorough
def test_a_chosen_theme_wins_over_the_systems(
    open_gallery: Callable[[str, dict[str, Any], Scheme], Page],
) -> None:
    dark, light = "rgb(17, 17, 17)", "rgb(242, 243, 245)"
    background = "getComputedStyle(document.body).backgroundColor"
    looks: list[tuple[str, Scheme, str]] = [("dark", "light", dark), ("light", "dark", light)]
    for theme, scheme, expected in looks:
        page = open_gallery(f"audience=patient&only=tag&theme={theme}", PHONE, scheme)
        assert page.evaluate(background) == expected


def test_even_larger_type_fits_the_phone(
    open_gallery: Callable[[str, dict[str, Any], Scheme], Page],
) -> None:
    page = open_gallery("audience=patient&care=1", PHONE, "light")
    page.evaluate("document.documentElement.style.setProperty('--fs', '1.6')")
    assert problems(page, is_deep=False) == []


@pytest.mark.thorough
def test_a_sheet_takes_the_focus_and_gives_it_back(
    open_gallery: Callable[[str, dict[str, Any], Scheme], Page],
) -> None:
    page = open_gallery("audience=patient&only=sheet", PHONE, "light")
    opener = page.get_by_role("link", name="打开半屏弹窗")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="选择就诊时段")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("heading")).to_be_focused()
    assert problems(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()
    opener.click()
    expect(dialog).to_be_visible()
    page.mouse.click(180, 40)
    expect(dialog).to_have_count(0)
    opener.click()
    dialog.get_by_role("button", name="关闭").click()
    expect(dialog).to_have_count(0)


def test_a_rules_no_is_shown_whatever_the_target(browser: Browser, server: LiveServer) -> None:
    # Not watched: the browser itself writes every 409 to its console.
    page = browser.new_context(**PHONE).new_page()
    page.goto(f"{server.url}/staff/gallery/?audience=patient&only=sheet")
    with page.expect_response("**/staff/gallery/?only=refusal") as answer:
        page.get_by_role("button", name="规则拒绝时").click()
    assert answer.value.status == 409
    notice = page.get_by_role("dialog", name="未能完成")
    expect(notice).to_contain_text("刚刚被约走")
    expect(page.locator("#sheet-answer")).to_be_empty()
    notice.get_by_role("button", name="知道了").click()
    expect(notice).to_have_count(0)


def test_confirming_posts_once(
    open_gallery: Callable[[str, dict[str, Any], Scheme], Page],
) -> None:
    page = open_gallery("audience=patient&only=confirm", PHONE, "light")
    posts: list[str | None] = []
    page.on("request", lambda sent: posts.append(sent.post_data) if sent.method == "POST" else None)
    page.get_by_role("button", name="提交预约").click()
    dialog = page.get_by_role("dialog", name="确认预约？")
    expect(dialog).to_be_visible()
    with page.expect_navigation():
        page.evaluate(
            """() => {
                const form = document.querySelector('#confirm-pay form');
                const button = form.querySelector('[type=submit]');
                form.requestSubmit(button);
                form.requestSubmit(button);
            }"""
        )
    assert len(posts) == 1
    assert posts[0] is not None
    assert "key=k1" in posts[0]


@pytest.mark.thorough
def test_the_combobox_is_worked_by_keys(
    open_gallery: Callable[[str, dict[str, Any], Scheme], Page],
) -> None:
    page = open_gallery("audience=staff&only=combobox", DESK, "light")
    box = page.get_by_role("combobox", name="科室")
    box.press_sequentially("zw")
    expect(page.get_by_role("option")).to_have_count(1)
    expect(box).to_have_attribute("aria-expanded", "true")
    assert problems(page) == []
    box.press("Enter")
    expect(box).to_have_value("治未病中心")
    expect(page.locator('[name="department"]')).to_have_value("ZWB")
    expect(box).to_have_attribute("aria-expanded", "false")
    box.fill("针")
    expect(page.locator('[name="department"]')).to_have_value("")
    expect(page.get_by_role("option")).to_contain_text("针灸推拿科")
    page.get_by_role("option").click()
    expect(box).to_have_value("针灸推拿科")


def test_keys_press_their_buttons_and_the_list_names_them(
    open_gallery: Callable[[str, dict[str, Any], Scheme], Page],
) -> None:
    page = open_gallery("audience=staff&only=key", DESK, "light")
    page.evaluate(
        "document.querySelector('[data-key=F2]').addEventListener('click', "
        "() => { document.title = 'pressed' })"
    )
    page.keyboard.press("F2")
    expect(page).to_have_title("pressed")
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="全部快捷键")
    expect(sheet).to_contain_text("叫号")
    assert problems(page) == []
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)


def test_the_desk_remembers_its_theme(
    open_gallery: Callable[[str, dict[str, Any], Scheme], Page],
) -> None:
    page = open_gallery("audience=staff&only=tag", DESK, "light")
    page.get_by_role("button", name="切换深色外观").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 20, 27)"


def test_the_countdown_runs_and_ends(
    open_gallery: Callable[[str, dict[str, Any], Scheme], Page],
) -> None:
    page = open_gallery("audience=patient&only=hold", PHONE, "light")
    bars = page.get_by_role("timer")
    expect(bars.nth(0)).to_contain_text("14:3")
    expect(bars.nth(1)).to_have_class("x-banner x-tone-warn x-hold is-short")
    expect(bars.nth(2)).to_contain_text("已过，请重新选号")
    first = bars.nth(0).locator("b").text_content()
    expect(bars.nth(0).locator("b")).not_to_have_text(str(first), timeout=3000)


def test_a_hint_fetches_what_it_names(browser: Browser, server: LiveServer) -> None:
    """The stream says "gallery"; the part that wears that topic asks for itself again."""
    page = browser.new_context(**PHONE).new_page()
    address = f"{server.url}/staff/gallery/?audience=patient&only=live"

    def with_stream(route: Route) -> None:
        answer = route.fetch()
        meta = '<meta name="live-stream" content="/live-of-the-test/"></head>'
        route.fulfill(response=answer, body=answer.text().replace("</head>", meta))

    page.route(address, with_stream)
    page.route(
        "**/live-of-the-test/",
        lambda route: route.fulfill(
            body='retry: 60000\n\ndata: "other"\n\ndata: "gallery"\n\n',
            content_type="text/event-stream",
        ),
    )
    with page.expect_response("**/staff/gallery/?only=now"):
        page.goto(address)
    expect(page.locator("#live-part b")).to_be_visible()
