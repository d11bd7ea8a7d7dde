"""The Official Account's menu as the phone shows it.

Entries that lead nowhere on this phone (no address of their own and none below) are not shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wechat_sandbox import menu
from wechat_sandbox.sandbox import Sandbox


@dataclass(frozen=True)
class Entry:
    """A button: opens `url`, or shows the entries below it."""

    name: str
    url: str = ""
    sub_button: list[Entry] = field(default_factory=list)


def entries(sandbox: Sandbox) -> list[Entry]:
    """The buttons to show, left to right."""
    listed = [_entry(button) for button in menu.current(sandbox)["button"]]
    return [entry for entry in listed if entry.url or entry.sub_button]


def addresses(sandbox: Sandbox) -> list[str]:
    """Every address the menu leads to."""
    return [
        item.url for entry in entries(sandbox) for item in (entry, *entry.sub_button) if item.url
    ]


def _entry(button: dict[str, Any]) -> Entry:
    below = [_entry(item) for item in button.get("sub_button") or []]
    return Entry(
        name=str(button.get("name", "")),
        url=str(button.get("url", "")),
        sub_button=[item for item in below if item.url],
    )
