"""Browser tests use the Chromium of the machine, the same way everywhere.

`tools/browser.py` sees to it that there is one; `CHROME_PATH` chooses another. A `watched` page
fails its test when a script failed or the console complained.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """pytest-playwright starts the browser with these."""
    found = os.environ.get("CHROME_PATH") or next(filter(None, map(shutil.which, NAMES)), None)
    return {**browser_type_launch_args, "executable_path": found, "args": FLAGS}


@pytest.fixture
def watched() -> Iterator[Callable[[Page], Page]]:
    """Give a page in, get it back watched: errors in it fail the test when it ends."""
    complaints: list[str] = []

    def watch(page: Page) -> Page:
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type == "error" else None,
        )
        return page

    yield watch
    assert complaints == []
