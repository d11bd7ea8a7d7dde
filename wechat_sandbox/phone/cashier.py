"""The payment sheet's server side: which pages may ask, what the key pad hears.

`checkout` checks the merchant's signature and moves the money; here are the things only a phone
has: the list of pages allowed to pay, a bank card that may refuse, and the lock after five wrong
passwords. Nothing is paid by any refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from wechat_sandbox import checkout, messages, orders, paycodes, wallet
from wechat_sandbox.checkout import Outcome, Result, Sheet
from wechat_sandbox.phone import account_menu
from wechat_sandbox.phone.chats import CARD_NAME
from wechat_sandbox.phone.looks import yuan
from wechat_sandbox.records import User
from wechat_sandbox.sandbox import Sandbox

FIELDS = ("appId", "timeStamp", "nonceStr", "package", "signType", "paySign")
TRIES = 5
LOCK_S = 600
LOCKED_SAYS = "支付密码输入错误次数过多，账户已被锁定，请点击忘记密码进行找回或10分钟后重试"
CARD_SAYS = "银行卡可用余额不足，请核实后再试"


@dataclass(frozen=True)
class Refused:
    """The sheet does not open; `says` is the sentence of WeChat's dialog."""

    says: str


@dataclass(frozen=True)
class Answer:
    """What the key pad hears: `paid`, `wrong_password`, `locked`, `not_enough`, `card_refused`
    or `fail`, and the sentence to show."""

    result: str
    says: str


def open_sheet(
    sandbox: Sandbox, user: User, fields: Mapping[str, str], origin: str
) -> Sheet | Refused:
    """Check everything WeChat checks before it shows a sheet to the holder.

    `origin` is the page's, as the browser told it (never what the page says of itself).
    """
    for name in FIELDS:
        if not fields.get(name):
            return Refused(f"调用支付JSAPI缺少参数：{name}")
    if origin not in paying_origins(sandbox, user, fields["package"]):
        return Refused(f"当前页面的URL未注册：{origin}")
    opened = checkout.open_sheet(sandbox, user.openid, fields)
    return opened if isinstance(opened, Sheet) else Refused(opened.says)


def described(sandbox: Sandbox, sheet: Sheet) -> dict[str, object]:
    """What the sheet on the screen needs to know."""
    enough = sheet.balance_fen >= sheet.order.total_fen
    left = f"剩余 ¥{yuan(sheet.balance_fen)}"
    return {
        "prepay_id": sheet.prepay_id,
        "merchant": sheet.merchant,
        "description": sheet.order.description,
        "amount": yuan(sheet.order.total_fen),
        "methods": [
            {
                "name": wallet.CHANGE,
                "icon": "change",
                "label": "零钱",
                "note": left if enough else f"余额不足，{left}",
                "enough": enough,
            },
            {"name": wallet.CARD, "icon": "card", "label": CARD_NAME, "note": "", "enough": True},
        ],
    }


def pay(sandbox: Sandbox, user: User, *, prepay_id: str, password: str, method: str) -> Answer:
    """Try to pay with a password from change or card."""
    if _locked(sandbox, user):
        return Answer("locked", LOCKED_SAYS)
    if method == wallet.CARD and password == user.password and not card_works(sandbox, user):
        opened = checkout.sheet(sandbox, prepay_id, user.openid)
        return Answer("card_refused", CARD_SAYS) if isinstance(opened, Sheet) else _said(opened)
    outcome = checkout.pay(
        sandbox, prepay_id=prepay_id, openid=user.openid, password=password, method=method
    )
    if outcome.result is Result.WRONG_PASSWORD:
        return _count_wrong(sandbox, user, outcome)
    _forget_tries(sandbox, user)
    return _said(outcome)


def enter_for_scan(sandbox: Sandbox, user: User, out_trade_no: str, password: str | None) -> Answer:
    """Answer the password question of a scanned charge; None gives up, and it fails."""
    if password is not None and _locked(sandbox, user):
        return Answer("locked", LOCKED_SAYS)
    outcome = paycodes.enter(sandbox, out_trade_no, password)
    if outcome.result is Result.WRONG_PASSWORD:
        return _count_wrong(sandbox, user, outcome)
    _forget_tries(sandbox, user)
    return _said(outcome)


def remind_password(sandbox: Sandbox, user: User) -> str:
    """The way out of a forgotten password: the lock ends and the password is told."""
    _forget_tries(sandbox, user)
    return user.password


def card_works(sandbox: Sandbox, user: User) -> bool:
    """Whether the bank lets the card pay."""
    return sandbox.store.meta(f"phone:card:{user.openid}", "1") == "1"


def set_card(sandbox: Sandbox, user: User, *, works: bool) -> None:
    """Let the bank accept or refuse the card from now on."""
    sandbox.store.set_meta(f"phone:card:{user.openid}", "1" if works else "0")
    sandbox.hub.publish(user.openid, "wallet")


def paying_origins(sandbox: Sandbox, user: User, package: str) -> set[str]:
    """Origins whose pages may ask for money: the merchant's registered payment directories.

    They are derived, not configured: where the menu and the messages lead, and where the merchant
    wants the notice of this very order.
    """
    addresses = account_menu.addresses(sandbox)
    addresses += [card.url for card in messages.received(sandbox, user.openid)]
    found = orders.find_by_prepay(sandbox, package.removeprefix("prepay_id="))
    if found is not None:
        addresses.append(found[0].notify_url)
    return {origin_of(address) for address in addresses if address}


def origin_of(address: str) -> str:
    """`http://host:port` of an address, empty when it has none."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""


def _said(outcome: Outcome) -> Answer:
    kept = {Result.PAID, Result.WRONG_PASSWORD, Result.NOT_ENOUGH}
    return Answer(str(outcome.result) if outcome.result in kept else "fail", outcome.says)


def _locked(sandbox: Sandbox, user: User) -> bool:
    return sandbox.clock.now() < float(sandbox.store.meta(f"phone:locked:{user.openid}", "0"))


def _count_wrong(sandbox: Sandbox, user: User, outcome: Outcome) -> Answer:
    tries = int(sandbox.store.meta(f"phone:tries:{user.openid}", "0")) + 1
    if tries < TRIES:
        sandbox.store.set_meta(f"phone:tries:{user.openid}", str(tries))
        return _said(outcome)
    sandbox.store.set_meta(f"phone:tries:{user.openid}", "0")
    sandbox.store.set_meta(f"phone:locked:{user.openid}", str(sandbox.clock.now() + LOCK_S))
    return Answer("locked", LOCKED_SAYS)


def _forget_tries(sandbox: Sandbox, user: User) -> None:
    sandbox.store.set_meta(f"phone:tries:{user.openid}", "0")
    sandbox.store.set_meta(f"phone:locked:{user.openid}", "0")
