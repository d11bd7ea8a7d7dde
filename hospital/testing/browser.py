"""Browser tests use the Chromium of the machine, the same way everywhere.

`tools/browser.py` sees to it that there is one; `CHROME_PATH` chooses another. A `watched` page
fails its test when a script failed or the console complained.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

# Two pages of its own, for an address bar nobody sees, open in every window: they cost more than
# many a page of ours.
_NOT_NEEDED = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup")
# The last list counts, so what Playwright turns off stands here again.
_PLAYWRIGHTS = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join((*_NOT_NEEDED, *_PLAYWRIGHTS))}",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """pytest-playwright starts the browser with these."""
    found = os.environ.get("CHROME_PATH") or next(filter(None, map(shutil.which, NAMES)), None)
    return {**browser_type_launch_args, "executable_path": found, "args": FLAGS}


@pytest.fixture(autouse=True)
def _windows_closed(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test's own windows close with it: pages left open go on drawing and slow all the rest."""
    if "browser" not in request.fixturenames:
        yield
        return
    browser: Browser = request.getfixturevalue("browser")
    before = set(browser.contexts)
    yield
    for context in set(browser.contexts) - before:
        context.close()


class Watch(Protocol):
    """Give a page in, get it back watched; lines with the words `but` are meant to be there."""

    def __call__(self, page: Page, *, but: str = ...) -> Page: ...


@pytest.fixture
def watched() -> Iterator[Watch]:
    """Give a page in, get it back watched: errors in it fail the test when it ends."""
    complaints: list[str] = []

    def watch(page: Page, *, but: str = "") -> Page:
        def note(said: ConsoleMessage) -> None:
            if said.type == "error" and not (but and but in said.text):
                complaints.append(said.text)

        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", note)
        return page

    yield watch
    assert complaints == []
