"""What the clerk typed about the account's menu and answers, as values. Saves nothing.

The menu's form is a grid: a button with a name and what it does, and five rows below it. A row
without a name is not there; a button with named rows below it opens them and does nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from hospital.kernel.errors import Invalid
from hospital.messaging.menu_words import PAGES, page_url
from hospital.messaging.models import ReplyRule
from hospital.messaging.states import Match, RuleKind
from hospital.wechat.menus import (
    CLICK,
    GROUP,
    MINI,
    MOST_BUTTONS,
    MOST_CHILDREN,
    VIEW,
    Button,
    Menu,
)

_LONGEST_NAME: Final = 60
_LONGEST_VALUE: Final = 1100
URL, MINI_TARGET, PAGE_PREFIX = "url", "mini", "page:"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the grid: field prefix, label, name, what it does, address or mini program."""

    prefix: str
    label: str
    name: str
    target: str
    value: str


@dataclass(frozen=True, slots=True)
class Column:
    """A button and the rows below it."""

    button: Row
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Target:
    """Something a button can do, as the list offers it."""

    value: str
    label: str
    group: str


@dataclass(frozen=True, slots=True)
class TypedRule:
    """A reply rule as typed."""

    name: str
    words: list[str]
    match: Match
    priority: int
    text: str
    is_on: bool


def targets(rules: Iterable[ReplyRule]) -> list[Target]:
    """Everything a button can do, for the list."""
    return [
        *(Target(f"{PAGE_PREFIX}{name}", label, "打开本院页面") for name, label in PAGES),
        *(Target(rule.key, rule.name, "自动回复") for rule in rules if rule.kind == RuleKind.MENU),
        Target(URL, "其他网址（填在下面）", "其他"),
        Target(MINI_TARGET, "小程序（填 AppID 和页面路径）", "其他"),
    ]


def columns(menu: Menu) -> list[Column]:
    """The grid that shows a menu."""
    made = []
    for number in range(MOST_BUTTONS):
        button = menu.buttons[number] if number < len(menu.buttons) else Button(name="")
        rows = [
            _row(
                f"b{number}-{row}",
                f"子菜单 {row + 1}",
                button.children[row] if row < len(button.children) else Button(name=""),
            )
            for row in range(MOST_CHILDREN)
        ]
        made.append(Column(_row(f"b{number}", f"按钮 {number + 1}", button), rows))
    return made


def typed_menu(data: Mapping[str, str]) -> Menu:
    """The menu that was typed; its limits are checked when it is published."""
    buttons = []
    for number in range(MOST_BUTTONS):
        children = [_button(data, f"b{number}-{row}") for row in range(MOST_CHILDREN)]
        named = tuple(child for child in children if child is not None)
        button = _button(data, f"b{number}")
        if named:
            name = button.name if button else ""
            buttons.append(Button(name=name, children=named))
        elif button is not None:
            buttons.append(button)
    return Menu(buttons=tuple(buttons))


def typed_rule(data: Mapping[str, str]) -> TypedRule:
    """A rule that was typed; `words` come one a line or with commas. Raises Invalid."""
    try:
        priority = int(data.get("priority", "") or 100)
    except ValueError:
        raise Invalid({"priority": ["优先级请填整数。"]}) from None
    words = data.get("words", "").replace("，", "\n").replace(",", "\n").replace("、", "\n")
    match = Match.CONTAINS if data.get("match") == Match.CONTAINS else Match.EXACT
    return TypedRule(
        name=_text(data, "name", most=200),
        words=words[:5000].splitlines(),
        match=match,
        priority=priority,
        text=data.get("text", "")[:10000],
        is_on=data.get("is_on") == "on",
    )


def _button(data: Mapping[str, str], prefix: str) -> Button | None:
    name = _text(data, f"{prefix}-name", most=_LONGEST_NAME)
    target, value = data.get(f"{prefix}-target", ""), _text(data, f"{prefix}-value")
    if not name:
        return None
    if target.startswith(PAGE_PREFIX) and target.removeprefix(PAGE_PREFIX) in dict(PAGES):
        return Button(name=name, kind=VIEW, url=page_url(target.removeprefix(PAGE_PREFIX)))
    if target.startswith("reply:"):
        return Button(name=name, kind=CLICK, key=target[:128])
    if target == URL:
        return Button(name=name, kind=VIEW, url=value)
    if target == MINI_TARGET:
        appid, _, page = value.partition(" ")
        home = page_url(PAGES[0][0])
        return Button(name=name, kind=MINI, appid=appid, page_path=page.strip(), url=home)
    return Button(name=name)


def _row(prefix: str, label: str, button: Button) -> Row:
    target, value = "", ""
    if button.kind == CLICK:
        target = button.key
    elif button.kind == MINI:
        target, value = MINI_TARGET, f"{button.appid} {button.page_path}".strip()
    elif button.kind != GROUP:
        own = next((name for name, _ in PAGES if page_url(name) == button.url), "")
        target, value = (f"{PAGE_PREFIX}{own}", "") if own else (URL, button.url)
    return Row(prefix, label, button.name, target, value)


def _text(data: Mapping[str, str], name: str, *, most: int = _LONGEST_VALUE) -> str:
    """One line without control characters, cut at a length nobody needs."""
    plain = "".join(letter if letter.isprintable() else " " for letter in data.get(name, ""))
    return plain.strip()[:most]
