"""The Official Account's menu as the chat shows it, in the form of WeChat's `menu/create`."""

from __future__ import annotations

import json
from typing import Any

from wechat_sandbox.sandbox import Sandbox

MOST_BUTTONS = 3
MOST_IN_A_COLUMN = 5
MOST_ENTRIES = MOST_BUTTONS - 1 + MOST_IN_A_COLUMN


def current(sandbox: Sandbox) -> dict[str, Any]:
    """`{"button": [{"type": "view", "name": …, "url": …}, …]}`, empty when there is none."""
    document: dict[str, Any] = json.loads(sandbox.store.meta("menu", "") or '{"button": []}')
    return document


def replace(sandbox: Sandbox, document: dict[str, Any]) -> None:
    """Set the menu and tell open chats; ValueError when it is not a menu."""
    buttons = document["button"]
    if not isinstance(buttons, list) or len(buttons) > MOST_BUTTONS:
        raise ValueError(f"a menu has at most {MOST_BUTTONS} buttons")
    for button in buttons:
        column = button.get("sub_button") or []
        if not button.get("name") or len(column) > MOST_IN_A_COLUMN:
            raise ValueError(f"a button needs a name and at most {MOST_IN_A_COLUMN} below it")
    sandbox.store.set_meta("menu", json.dumps({"button": buttons}, ensure_ascii=False))
    sandbox.hub.publish("", "menu")


def seed(sandbox: Sandbox) -> None:
    """The menu named at the start: up to three entries are buttons, more go into columns."""
    entries = [{"type": "view", "name": name, "url": url} for name, url in sandbox.settings.entries]
    if not entries:
        return
    buttons: list[dict[str, Any]] = list(entries)
    if len(entries) > MOST_BUTTONS:
        single = MOST_BUTTONS - 1
        buttons[single:] = [{"name": "更多服务", "sub_button": entries[single:]}]
    replace(sandbox, {"button": buttons})
