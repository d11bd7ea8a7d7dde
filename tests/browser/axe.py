"""axe-core in a page: the accessibility rules of WCAG 2.2 AA and the best practices beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_SCRIPT = Path(__file__).parent / "vendor/axe-core-4.14.1/axe.min.js"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Only violations are told of node by node: telling of everything that passes takes far longer.
_RUN = "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})"


def set_large(page: Page, *, is_large: bool) -> None:
    """Large type is a mark on a patient page, whoever set it."""
    page.evaluate("on => document.documentElement.toggleAttribute('data-care', on)", is_large)


def violations(page: Page) -> list[str]:
    """Return one line a violation: rule, element, what to do. An empty list is what we want."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_SCRIPT.read_text("utf-8"))
    found: dict[str, Any] = page.evaluate(_RUN, _TAGS)
    assert len(found["passes"]) > 10, "axe looked at next to nothing"
    return [
        f"{rule['id']}: {node['html'][:200]} — {' '.join(node['failureSummary'].split())}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
