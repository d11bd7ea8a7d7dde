"""The Official Account's menu as the phone shows it.

Entries that do nothing on this phone (no address, no key, and nothing below) are not shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wechat_sandbox import menu
from wechat_sandbox.sandbox import Sandbox

# Entries of these types send their key; scanning and picture entries need hardware.
KEYED = ("click",)


@dataclass(frozen=True)
class Entry:
    """A button: opens `url`, tells the account `key`, or shows the entries below it."""

    name: str
    url: str = ""
    key: str = ""
    sub_button: list[Entry] = field(default_factory=list)


def entries(sandbox: Sandbox) -> list[Entry]:
    """The buttons to show, left to right."""
    listed = [_entry(button) for button in menu.current(sandbox)["button"]]
    return [entry for entry in listed if entry.url or entry.key or entry.sub_button]


def keys(sandbox: Sandbox) -> list[str]:
    """The key of every entry that tells the account something."""
    return [
        item.key for entry in entries(sandbox) for item in (entry, *entry.sub_button) if item.key
    ]


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
        key=str(button.get("key", "")) if button.get("type") in KEYED else "",
        sub_button=[item for item in below if item.url or item.key],
    )
