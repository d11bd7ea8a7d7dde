"""At the window: a clerk finds the booking's bill and collects it in one of three ways.

Clerk, patient and whoever pays go by what their screens say; after a page that did not come they
look again, as the screen asks them to.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from hospital.ui.codes import qr_svg
from tests.chaos.handset import Browser, Handset, button_like, has
from tests.chaos.paying import PASSWORD, enter, pay
from tests.chaos.promises import Promises
from tests.journeys.pages import Page

CHARGE: Final = "收 "
SHOW, STOP = "在屏幕上显示二维码", "收回二维码"
MAKE_SLIP, REVOKE = "生成缴费单", "停用这个码"
ASK: Final = "立即向微信查询"
COLLECTED: Final = "钱已到账，已记账"
DECLINED: Final = "没有收款"
#: The clerk need not go on.
OVER: Final = ("账单已作废", "账单已过期", "没有记到这张账单")
QR_LABEL: Final = "微信支付二维码"
#: How often a clerk looks before the next patient is called.
LOOKS: Final = 10
#: … and how often when the patient has walked off with the phone.
LOOKS_ALONE: Final = 3
#: How many codes are scanned, or shown, for one bill.
TRIES: Final = 3
PAUSE_SECONDS: Final = 0.5
_COLLECT: Final = re.compile(r"/staff/collect/(B\w+)/")
_SLIP: Final = re.compile(r"https?://\S+/p/\S+")
Act = Callable[[Page], Awaitable[bool]]


@dataclass(frozen=True)
class Till:
    """One bill at the window: whose screen and whose phone, and how often buttons are tapped."""

    clerk: Browser
    phone: Handset
    number: str
    taps: int
    promises: Promises

    @property
    def path(self) -> str:
        return f"/staff/collect/{self.number}/"

    def tell(self, what: str) -> None:
        self.promises.told[what] += 1

    async def collect(self, act: Act, *, looks: int = LOOKS) -> bool:
        """Look until the page says that the money is in; `act` does what can be done on the page
        as it is, and answers False when there is no point in going on."""
        for _ in range(looks):
            page = await self.clerk.open(self.path)
            if COLLECTED in page.text:
                self.promises.collected.add(self.number)
                return True
            if any(words in page.text for words in OVER) or not await act(page):
                return False
            await asyncio.sleep(PAUSE_SECONDS)
        return False

    async def ask(self, page: Page) -> None:
        """The button that asks WeChat, where there is one."""
        if has(page, ASK):
            await self.clerk.tap(page, ASK)


async def bill_number(clerk: Browser, appointment: str) -> str | None:
    """The bill of a booking as the clerk finds it; None when there is nothing to collect."""
    page = await clerk.open(f"/staff/appointments/{appointment}/")
    found = _COLLECT.search(page.html)
    return found[1] if found else None


async def scan(at: Till, *, mood: str) -> bool:
    """The clerk scans the patient's payment code; `mood` is what the patient does when the phone
    asks for the password: `enter`, `wrong`, `cancel` or `ignore`."""
    left = 1 if mood == "ignore" else TRIES

    async def act(page: Page) -> bool:
        nonlocal left
        button = button_like(page, CHARGE)
        if not button or has(page, ASK):
            await at.ask(page)
            return True
        if DECLINED in page.text:
            at.tell("scan declined")
        if not left:
            return False
        left -= 1
        code = await at.phone.pay_code()
        answers = await at.clerk.tap(page, button, taps=at.taps, typed={"auth_code": code})
        at.tell(f"scan {answers[0].status_code}")
        return True

    watching = asyncio.create_task(_hold_the_phone(at, mood))
    try:
        return await at.collect(act, looks=LOOKS_ALONE if mood == "ignore" else LOOKS)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _hold_the_phone(at: Till, mood: str) -> None:
    """Answer the password question for as long as one stands at the window."""
    while True:
        number = await at.phone.asked_for()
        if number and mood != "ignore":
            if mood == "wrong":
                await at.phone.door("paycode/enter", out_trade_no=number, password="000000")
            entered = None if mood == "cancel" else PASSWORD
            said = await at.phone.door("paycode/enter", out_trade_no=number, password=entered)
            at.tell(f"password: {said['result']}")
        await asyncio.sleep(PAUSE_SECONDS)


async def screen(at: Till, payer: Handset, *, mood: str) -> bool:
    """The clerk shows a code and another phone pays it; `mood` says whether the clerk takes it off
    the screen instead (`give_up`), or just then (`both`)."""
    shown = 0

    async def act(page: Page) -> bool:
        nonlocal shown
        if has(page, STOP):
            doing = []
            if mood != "give_up":
                doing.append(_scan_the_screen(at, payer, page))
            if mood != "pay":
                doing.append(_take_off(at, page))
            await asyncio.gather(*doing)
            await at.ask(await at.clerk.open(at.path))
        elif has(page, SHOW) and not has(page, ASK):
            if shown == (1 if mood == "give_up" else TRIES):
                return False
            shown += 1
            await at.clerk.tap(page, SHOW, taps=at.taps)
        else:
            await at.ask(page)
        return True

    return await at.collect(act)


async def _scan_the_screen(at: Till, payer: Handset, page: Page) -> None:
    """The other phone reads the code that is on the clerk's screen, and pays."""
    for text in await payer.codes_on_show():
        if qr_svg(text, label=QR_LABEL) in page.html:
            read = await payer.door("scan/text", text=text)
            if read["do"] == "pay":
                await enter(payer, str(read["sheet"]["prepay_id"]), at.promises)
            at.tell(f"screen: {read['do']}")


async def _take_off(at: Till, page: Page) -> None:
    await at.clerk.tap(page, STOP, taps=at.taps)
    at.tell("code taken off the screen")


async def slip(at: Till, payer: Handset, *, is_revoked: bool = False) -> bool:
    """The clerk prints a slip; somebody else scans its code and pays at home, while the clerk may
    just be revoking it."""
    page = await at.clerk.open(at.path)
    if not has(page, MAKE_SLIP):
        return False
    await at.clerk.tap(page, MAKE_SLIP, taps=at.taps)
    printed = _SLIP.search((await at.clerk.open(f"{at.path}slip/")).text)
    assert printed, f"no address on the slip of {at.number}"
    doing: list[Awaitable[object]] = [_scan_the_slip(at, payer, printed[0])]
    if is_revoked:
        doing.append(_revoke(at))
    await asyncio.gather(*doing)

    async def act(page: Page) -> bool:
        await at.ask(page)
        return has(page, ASK)

    return await at.collect(act)


async def _scan_the_slip(at: Till, payer: Handset, link: str) -> None:
    read = await payer.door("scan/text", text=link)
    assert read["do"] == "browse", f"the slip's code leads nowhere: {read}"
    path = await payer.led_to(urlsplit(str(read["url"])).path)
    if await pay(payer, path, at.taps, at.promises):
        at.tell("slip paid")


async def _revoke(at: Till) -> None:
    page = await at.clerk.open(at.path)
    if has(page, REVOKE):
        await at.clerk.tap(page, REVOKE, taps=at.taps)
        at.tell("slip revoked")
