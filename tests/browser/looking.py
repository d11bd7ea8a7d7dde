"""A page as it stands is judged (accessible, within its width) and kept as a picture.

`check = Check("money")` at the top of a file, `check(page, "cases")` at every page worth a look.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.axe import violations

ARTIFACTS = Path("test-artifacts")
# Words still half faded in are too pale for anybody; what turns for ever is not waited for.
_AT_REST = """() => Promise.allSettled(
    document.getAnimations()
        .filter((one) => one.effect.getComputedTiming().endTime !== Infinity)
        .map((one) => one.finished))"""
# Not innerWidth: a phone zooms out until all that sticks out is in its window.
_TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def problems(page: Page, *, is_deep: bool = True) -> list[str]:
    """Say what is wrong with a page; only its width where it is of a kind judged deeply before."""
    page.evaluate(_AT_REST)
    found = violations(page) if is_deep else []
    too_wide = page.evaluate(_TOO_WIDE)
    return [*found, f"sticks out sideways by {too_wide} pixels"] if too_wide > 0 else found


@dataclass(frozen=True, slots=True)
class Check:
    """Fails at a page with problems; its picture lies in test-artifacts/<folder>/ either way.

    The picture is of the whole page, or of the window where what stands at its edges matters;
    `is_quiet` waits for a page that fetches its parts by itself.
    """

    folder: str
    is_whole: bool = True
    is_quiet: bool = False

    def __call__(self, page: Page, name: str, *, is_deep: bool = True) -> None:
        if self.is_quiet:
            # Not "networkidle": that is half a second more at every look.
            page.wait_for_load_state("load")
            expect(page.locator(".htmx-request")).to_have_count(0)
        found = problems(page, is_deep=is_deep)
        self.keep(page, name)
        assert found == [], f"{name}: {found}"

    def keep(self, page: Page, name: str) -> None:
        """Only the picture."""
        page.screenshot(path=ARTIFACTS / self.folder / f"{name}.png", full_page=self.is_whole)
