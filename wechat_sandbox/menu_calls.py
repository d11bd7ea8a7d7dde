"""The Official Account's menu over the API: create with WeChat's limits, get, delete."""

from __future__ import annotations

from typing import Any

from wechat_sandbox import menu
from wechat_sandbox.official import ApiCall, Failed, require_token, route
from wechat_sandbox.sandbox import Sandbox

NAME_BYTES, SUB_NAME_BYTES = 16, 60
KEY_BYTES, URL_BYTES = 128, 1024
KEYED = (
    "click",
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
)
# What is wrong: the code for a button, the code for one in a column.
COUNT, KIND, NAME = (40016, 40023), (40017, 40024), (40018, 40025)
KEY, URL, DOMAIN = (40019, 40026), (40020, 40027), (40055, 40054)
WORDS = {
    COUNT: "invalid button size",
    KIND: "invalid button type",
    NAME: "invalid button name size",
    KEY: "invalid button key size",
    URL: "invalid button url size",
    DOMAIN: "invalid button url domain",
}


def create(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """POST /cgi-bin/menu/create: replaces the menu, or changes nothing."""
    require_token(sandbox, call)
    buttons = call.body.get("button")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= menu.MOST_BUTTONS:
        raise _wrong(COUNT, in_column=False)
    for button in buttons:
        column = _column(button)
        if column:
            _check_name(button, in_column=False)
            for entry in column:
                if isinstance(entry, dict) and entry.get("sub_button"):
                    raise Failed(40022, "invalid sub button level")
                _check(sandbox, entry, in_column=True)
        else:
            _check(sandbox, button, in_column=False)
    menu.replace(sandbox, {"button": buttons})
    return {"errcode": 0, "errmsg": "ok"}


def get(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """GET /cgi-bin/menu/get: every button with its column, which may be empty."""
    require_token(sandbox, call)
    buttons = menu.current(sandbox)["button"]
    if not buttons:
        raise Failed(46003, "menu no exist")
    return {"menu": {"button": [_shown(button) for button in buttons]}}


def delete(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """GET /cgi-bin/menu/delete"""
    require_token(sandbox, call)
    menu.replace(sandbox, {"button": []})
    return {"errcode": 0, "errmsg": "ok"}


def _column(button: object) -> list[Any]:
    if not isinstance(button, dict):
        raise Failed(47001, "data format error")
    column = button.get("sub_button") or []
    if not isinstance(column, list) or len(column) > menu.MOST_IN_A_COLUMN:
        raise _wrong(COUNT, in_column=True)
    return column


def _check(sandbox: Sandbox, button: object, *, in_column: bool) -> None:
    if not isinstance(button, dict):
        raise Failed(47001, "data format error")
    _check_name(button, in_column=in_column)
    kind = button.get("type")
    if kind in KEYED:
        _check_size(button.get("key"), KEY_BYTES, KEY, in_column=in_column)
    elif kind in ("view", "miniprogram"):
        _check_url(button.get("url"), in_column=in_column)
        if kind == "miniprogram":
            _check_program(sandbox, button)
    else:
        # media_id, article_id and the like need a material library, which is not imitated.
        raise _wrong(KIND, in_column=in_column)


def _check_name(button: dict[str, Any], *, in_column: bool) -> None:
    most = SUB_NAME_BYTES if in_column else NAME_BYTES
    _check_size(button.get("name"), most, NAME, in_column=in_column)


def _check_size(text: object, most: int, what: tuple[int, int], *, in_column: bool) -> None:
    if not isinstance(text, str) or not 1 <= len(text.encode()) <= most:
        raise _wrong(what, in_column=in_column)


def _check_url(url: object, *, in_column: bool) -> None:
    _check_size(url, URL_BYTES, URL, in_column=in_column)
    if not str(url).startswith(("http://", "https://")):
        raise _wrong(DOMAIN, in_column=in_column)


def _check_program(sandbox: Sandbox, button: dict[str, Any]) -> None:
    if button.get("appid") != sandbox.keys.mp_appid:
        raise Failed(45064, "no permission to use weapp in menu")
    if not button.get("pagepath"):
        raise Failed(40118, "invalid pagepath size")


def _wrong(what: tuple[int, int], *, in_column: bool) -> Failed:
    return Failed(what[in_column], WORDS[what])


def _shown(button: dict[str, Any]) -> dict[str, Any]:
    column = [_shown(entry) for entry in button.get("sub_button") or []]
    return {**button, "sub_button": column}


routes = [
    route("/cgi-bin/menu/create", create, method="POST"),
    route("/cgi-bin/menu/get", get, method="GET"),
    route("/cgi-bin/menu/delete", delete, method="GET"),
]
