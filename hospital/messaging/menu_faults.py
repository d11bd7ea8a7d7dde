"""WeChat's limits on a menu as sentences for the clerk who edits it."""

from __future__ import annotations

from typing import Final

from hospital.kernel.errors import Invalid
from hospital.wechat import menus
from hospital.wechat.menus import Fault, Menu

_SENTENCES: Final = {
    "no_buttons": "至少要有一个按钮。",
    "too_many": "按钮太多：一级最多 3 个，每个下面最多 5 个。",
    "no_name": "请填写按钮名称。",
    "name_too_long": "名称太长：一级按钮最多 5 个汉字，子按钮最多 20 个汉字。",
    "no_children": "请选择点击后做什么，或在下面填写子按钮。",
    "no_key": "请选择要回复的内容。",
    "key_too_long": "回复编号太长。",
    "no_url": "请填写网址。",
    "url_too_long": "网址太长。",
    "bad_url": "网址不正确，应以 https:// 开头。",
    "no_page": "请填写小程序的 AppID 和页面路径。",
}


def place_name(place: tuple[int, ...]) -> str:
    """Where in the menu, in words."""
    if not place:
        return "菜单"
    if len(place) == 1:
        return f"第 {place[0] + 1} 个按钮"
    return f"第 {place[0] + 1} 个按钮的第 {place[1] + 1} 项"


def sentence(fault: Fault) -> str:
    """A limit the menu breaks, in words."""
    return f"{place_name(fault.place)}：{_SENTENCES[fault.code]}"


def broken_limits(menu: Menu) -> list[str]:
    """Why WeChat would refuse a menu, sentence by sentence; none when it would not."""
    return [sentence(fault) for fault in menus.faults(menu)]


def check_menu(menu: Menu) -> None:
    """Raises Invalid when WeChat would refuse the menu."""
    if broken := broken_limits(menu):
        raise Invalid({"": broken}, "这份菜单微信不会接受，请先修改：")
