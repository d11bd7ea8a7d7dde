"""How people, amounts and moments look on the phone. Amounts are fen, moments epoch seconds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from wechat_sandbox.clock import BEIJING
from wechat_sandbox.records import User

WEEKDAYS = ["星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"]


@dataclass(frozen=True)
class Look:
    """A face: one of the drawn pictures, or a letter on a colour."""

    picture: str = ""
    letter: str = ""
    colour: str = ""


@dataclass(frozen=True)
class Introduction:
    """Who one of the named people is, for whoever chooses."""

    picture: str
    says: str


ACCOUNT = Look(picture="account")
WECHAT_PAY = Look(picture="pay")
SMS = Look(picture="sms")
NAMED = {
    "陈桂芳": Introduction("lotus", "68 岁，退休教师"),
    "李建国": Introduction("mountain", "45 岁，货车司机"),
    "黄小敏": Introduction("cat", "29 岁，孩子两岁"),
    "林志强": Introduction("sea", "36 岁，渔民"),
}


def look_of(user: User) -> Look:
    """The face of a person: drawn for the named ones, the first letter for others."""
    known = NAMED.get(user.nickname)
    if known is not None:
        return Look(picture=known.picture)
    return Look(letter=user.nickname[:1].upper(), colour=user.colour)


def note_of(user: User) -> str:
    """A few words about a person, for the list of holders."""
    known = NAMED.get(user.nickname)
    return known.says if known is not None else f"openid …{user.openid[-6:]}"


def wechat_id(user: User) -> str:
    """A stable name in the shape of a WeChat id."""
    return "wxid_" + hashlib.sha256(user.openid.encode()).hexdigest()[:14]


def yuan(fen: int) -> str:
    """`1,234.50`, without a sign for the currency."""
    return f"{fen / 100:,.2f}"


def local(at: float) -> datetime:
    """The moment on a clock in China."""
    return datetime.fromtimestamp(at, BEIJING)


def chat_time(at: float, now: float) -> str:
    """`14:05`, `昨天 14:05`, `星期三 14:05`, `11月22日 14:05`, with the year when it is another."""
    then, today = local(at), local(now)
    clock = f"{then:%H:%M}"
    days = (today.date() - then.date()).days
    if days <= 0:
        return clock
    if days == 1:
        return f"昨天 {clock}"
    if days < 7:
        return f"{WEEKDAYS[then.weekday()]} {clock}"
    day = f"{then.month}月{then.day}日 {clock}"
    return day if then.year == today.year else f"{then.year}年{day}"


def list_time(at: float, now: float) -> str:
    """The shorter form in the list of chats: the time of day only for today."""
    then, today = local(at), local(now)
    if (today.date() - then.date()) > timedelta(days=6):
        return f"{then.month}月{then.day}日"
    return chat_time(at, now).split(" ")[0]


def full_time(at: float) -> str:
    """`2026-11-23 10:34:56`."""
    return f"{local(at):%Y-%m-%d %H:%M:%S}"


def bill_time(at: float) -> str:
    """`11月23日 10:34`."""
    then = local(at)
    return f"{then.month}月{then.day}日 {then:%H:%M}"
