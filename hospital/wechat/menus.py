"""The account's menu, typed: three buttons in a row, up to five under each; and its three calls.

`Menu.document` and `read_menu` are the two directions between the types and WeChat's JSON, so that
a stored menu, a sent one and a fetched one are compared as the same thing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from hospital.wechat.api import Api
from hospital.wechat.outcomes import Refused, Unknown
from hospital.wechat.signing import Unreadable

MOST_BUTTONS: Final = 3
MOST_CHILDREN: Final = 5
NAME_BYTES: Final = 16
CHILD_NAME_BYTES: Final = 60
KEY_BYTES: Final = 128
URL_BYTES: Final = 1024
NO_MENU: Final = "46003"

CLICK, VIEW, MINI, GROUP = "click", "view", "miniprogram", ""


@dataclass(frozen=True, kw_only=True)
class Button:
    """What a tap does: `kind` "click" sends us `key`, "view" opens `url`, "miniprogram" opens a
    page of a mini program (`url` where that is not possible); "" opens its `children`. A menu made
    by hand at WeChat may hold other kinds, which are kept as they are named."""

    name: str
    kind: str = GROUP
    key: str = ""
    url: str = ""
    appid: str = ""
    page_path: str = ""
    children: tuple["Button", ...] = ()

    @property
    def document(self) -> dict[str, Any]:
        """As WeChat takes it."""
        if self.kind == GROUP:
            return {"name": self.name, "sub_button": [each.document for each in self.children]}
        values = {
            "key": self.key,
            "url": self.url,
            "appid": self.appid,
            "pagepath": self.page_path,
        }
        given = {name: value for name, value in values.items() if value}
        return {"name": self.name, "type": self.kind, **given}


@dataclass(frozen=True, kw_only=True)
class Menu:
    """The whole menu; no buttons at all means there is none."""

    buttons: tuple[Button, ...] = ()

    @property
    def document(self) -> dict[str, Any]:
        """As WeChat takes it, and as it is stored."""
        return {"button": [each.document for each in self.buttons]}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A limit the menu breaks: `place` is (button,) or (button, child), from 0; () the menu.

    `code`: no_buttons, too_many, no_name, name_too_long, no_children, no_key, key_too_long, no_url,
    url_too_long, bad_url, no_page.
    """

    place: tuple[int, ...]
    code: str


@dataclass(frozen=True, kw_only=True)
class Taken:
    """WeChat took the menu, or the removal of it; phones show it within minutes."""


MenuOutcome = Menu | Refused | Unknown
MenuChange = Taken | Refused | Unknown


def faults(menu: Menu) -> list[Fault]:
    """Every limit of WeChat's that a menu breaks, in order."""
    found: list[Fault] = []
    if not menu.buttons:
        found.append(Fault(place=(), code="no_buttons"))
    if len(menu.buttons) > MOST_BUTTONS:
        found.append(Fault(place=(), code="too_many"))
    for number, button in enumerate(menu.buttons):
        found += _named((number,), button, NAME_BYTES)
        if button.kind != GROUP:
            found += _aimed((number,), button)
            continue
        if not button.children:
            found.append(Fault(place=(number,), code="no_children"))
        if len(button.children) > MOST_CHILDREN:
            found.append(Fault(place=(number,), code="too_many"))
        for row, child in enumerate(button.children):
            found += _named((number, row), child, CHILD_NAME_BYTES)
            found += _aimed((number, row), child)
    return found


def _named(place: tuple[int, ...], button: Button, most_bytes: int) -> list[Fault]:
    if not button.name.strip():
        return [Fault(place=place, code="no_name")]
    if len(button.name.encode()) > most_bytes:
        return [Fault(place=place, code="name_too_long")]
    return []


def _aimed(place: tuple[int, ...], button: Button) -> list[Fault]:
    codes: list[str] = []
    if button.kind == CLICK:
        codes += [] if button.key else ["no_key"]
        codes += ["key_too_long"] if len(button.key.encode()) > KEY_BYTES else []
    elif button.kind in (VIEW, MINI):
        codes += _addressed(button.url)
        if button.kind == MINI and not (button.appid and button.page_path):
            codes.append("no_page")
    return [Fault(place=place, code=code) for code in codes]


def _addressed(url: str) -> list[str]:
    if not url:
        return ["no_url"]
    if len(url.encode()) > URL_BYTES:
        return ["url_too_long"]
    try:
        parts = urlsplit(url)
    except ValueError:
        return ["bad_url"]
    is_good = (
        parts.scheme in ("http", "https") and bool(parts.netloc) and not set(url) & set(" \t\n")
    )
    return [] if is_good else ["bad_url"]


def read_menu(document: object) -> Menu:
    """A stored or fetched `{"button": […]}`. Raises Unreadable."""
    buttons = document.get("button") if isinstance(document, Mapping) else None
    if not isinstance(buttons, list):
        raise Unreadable("button")
    return Menu(buttons=tuple(_read_button(each) for each in buttons))


def _read_button(facts: object) -> Button:
    if not isinstance(facts, Mapping) or not isinstance(facts.get("name"), str):
        raise Unreadable("button")
    children = facts.get("sub_button") or []
    if isinstance(children, Mapping):
        # menu/get of some accounts wraps the list once more.
        children = children.get("list") or []
    if not isinstance(children, list):
        raise Unreadable("sub_button")
    if children:
        return Button(name=facts["name"], children=tuple(_read_button(child) for child in children))
    return Button(
        name=facts["name"],
        kind=str(facts.get("type") or GROUP),
        key=str(facts.get("key") or facts.get("media_id") or facts.get("article_id") or ""),
        url=str(facts.get("url") or ""),
        appid=str(facts.get("appid") or ""),
        page_path=str(facts.get("pagepath") or ""),
    )


def get_menu(api: Api) -> MenuOutcome:
    """The menu WeChat shows now; an empty one when it has none."""
    said = api.call("menu_get", "GET", "/cgi-bin/menu/get", repeats=1)
    if isinstance(said, Refused) and said.code == NO_MENU:
        return Menu()
    if isinstance(said, Refused | Unknown):
        return said
    try:
        return read_menu(said.get("menu"))
    except Unreadable as error:
        return Unknown(reason=f"unreadable:{error}")


def create_menu(api: Api, menu: Menu) -> MenuChange:
    """Put this menu in the place of whatever is there; doing it again changes nothing."""
    said = api.call("menu_create", "POST", "/cgi-bin/menu/create", menu.document, repeats=1)
    return said if isinstance(said, Refused | Unknown) else Taken()


def delete_menu(api: Api) -> MenuChange:
    """Take the menu away."""
    said = api.call("menu_delete", "GET", "/cgi-bin/menu/delete", repeats=1)
    return said if isinstance(said, Refused | Unknown) else Taken()
