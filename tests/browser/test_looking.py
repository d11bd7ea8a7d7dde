"""The judge of pages, judged: it tells of what sticks out on any device, and of what axe finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import looking
from tests.browser.looking import Check, problems
from tests.browser.walk import DESK, PHONE

pytestmark = pytest.mark.browser

GOOD = """<!doctype html><html lang="zh-CN"><head>
<meta name="viewport" content="width=device-width,initial-scale=1"><title>门诊</title>
<style>@keyframes rise { from { opacity: 0.3 } }</style></head>
<body style="margin: 0"><main><h1>门诊</h1><p>今日出诊</p>%s</main></body></html>"""
WIDE = "<div style='width: 3000px'>针灸推拿与康复医学科</div>"


def shown(browser: Browser, device: dict[str, Any], more: str = "") -> Page:
    page = browser.new_context(**device).new_page()
    page.set_content(GOOD % more)
    return page


@pytest.mark.parametrize("device", [DESK, PHONE], ids=["desk", "phone"])
def test_what_sticks_out_is_told_of(browser: Browser, device: dict[str, Any]) -> None:
    too_wide = 3000 - device["viewport"]["width"]
    assert problems(shown(browser, device)) == []
    page = shown(browser, device, WIDE)
    assert problems(page) == [f"sticks out sideways by {too_wide} pixels"]
    assert problems(page, is_deep=False) == [f"sticks out sideways by {too_wide} pixels"]


@pytest.mark.thorough
def test_what_axe_finds_is_told_of_unless_only_the_width_is_asked(browser: Browser) -> None:
    page = shown(browser, PHONE, "<img src='data:,' width='20' height='20'>")
    (problem,) = problems(page)
    assert problem.startswith("image-alt: <img")
    assert problems(page, is_deep=False) == []


@pytest.mark.thorough
def test_what_fades_in_is_judged_when_it_is_there(browser: Browser) -> None:
    moving = PHONE | {"reduced_motion": "no-preference"}
    turning = "<p style='animation: rise 1s infinite alternate'></p>"
    coming = "<p style='animation: rise 3s step-end'>已保存</p>"
    page = shown(browser, moving, coming + turning)
    assert problems(page) == []


@pytest.mark.thorough
def test_the_picture_is_kept_of_a_page_with_problems_too(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "ARTIFACTS", tmp_path)
    check = Check("desk")
    check(shown(browser, DESK), "good")
    with pytest.raises(AssertionError, match="wide"):
        check(shown(browser, DESK, WIDE), "wide")
    assert sorted(one.name for one in (tmp_path / "desk").iterdir()) == ["good.png", "wide.png"]
