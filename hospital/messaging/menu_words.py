"""A menu in words: what each button does, as a picture of the phone, and what differs in two.

The pages of ours a button may open are named here by their URL names; nobody is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.urls import reverse

from hospital.messaging.menu_faults import place_name
from hospital.wechat.menus import CLICK, GROUP, MINI, VIEW, Button, Menu

#: URL name and what it is called on the menu page.
PAGES: Final = (
    ("portal-home", "医院首页"),
    ("scheduling-departments", "预约挂号"),
    ("registration-appointments", "我的预约"),
    ("patients-list", "就诊人"),
    ("messaging-inbox", "我的消息"),
)
NOTHING: Final = "—"


@dataclass(frozen=True, slots=True)
class Entry:
    """A button as the picture shows it."""

    name: str
    does: str
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two menus differ; "—" stands for nothing there."""

    place: str
    before: str
    after: str


def page_url(url_name: str) -> str:
    """The full address of a page of ours."""
    return settings.PUBLIC_URL + reverse(url_name)


def entries(menu: Menu, *, replies: Mapping[str, str]) -> list[Entry]:
    """The picture of a menu; `replies` names the rules by their keys."""
    return [
        Entry(
            button.name,
            does(button, replies=replies),
            tuple(Entry(child.name, does(child, replies=replies)) for child in button.children),
        )
        for button in menu.buttons
    ]


def does(button: Button, *, replies: Mapping[str, str]) -> str:
    """What a tap does, in words."""
    if button.kind == GROUP:
        return "展开子菜单"
    if button.kind == CLICK:
        return f"回复“{replies.get(button.key, '已删除的回复')}”"
    if button.kind == VIEW:
        own = next((label for name, label in PAGES if page_url(name) == button.url), "")
        return f"打开“{own}”" if own else f"打开 {button.url}"
    if button.kind == MINI:
        return f"小程序 {button.appid} {button.page_path}"
    return f"微信后台设置的功能（{button.kind}）"


def differences(before: Menu, after: Menu, *, replies: Mapping[str, str]) -> list[Difference]:
    """Place by place what is another in `after`."""
    old, new = _places(before, replies), _places(after, replies)
    return [
        Difference(place_name(place), old.get(place, NOTHING), new.get(place, NOTHING))
        for place in sorted({*old, *new})
        if old.get(place) != new.get(place)
    ]


def _places(menu: Menu, replies: Mapping[str, str]) -> dict[tuple[int, ...], str]:
    found: dict[tuple[int, ...], str] = {}
    for number, button in enumerate(menu.buttons):
        found[number,] = f"{button.name}：{does(button, replies=replies)}"
        for row, child in enumerate(button.children):
            found[number, row] = f"{child.name}：{does(child, replies=replies)}"
    return found
