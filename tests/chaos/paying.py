"""Paying in WeChat's sheet: from the bill's own page, or from the page behind the hospital's QR."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from tests.chaos.handset import Handset, has
from tests.chaos.promises import Promises

PAY: Final = ("微信支付", "继续支付")
PASSWORD: Final = "123456"
PAID: Final = ("支付成功", "已支付")
#: Nothing can be paid here any more, whoever asks.
OVER: Final = (*PAID, "支付时间已过", "已取消", "已过期", "已作废", "收款码已停用")
#: How often the pay button is pressed when the hospital says that WeChat cannot be reached.
PRESSES: Final = 12
LOOKS: Final = 4
_ASK: Final = re.compile(r'data-ask="([^"]+)"')


async def pay(phone: Handset, path: str, taps: int, promises: Promises) -> bool:
    """Until the money is gone and the page says so, or nothing can be paid any more."""
    prepay_id = await sheet(phone, path, taps)
    if prepay_id is None:
        promises.told["no sheet"] += 1
        return False
    if not await enter(phone, prepay_id, promises):
        return False
    for _ in range(LOOKS):
        page = await phone.open(path)
        if any(words in page.text for words in PAID):
            promises.told["saw it paid"] += 1
            break
        if asking := _ASK.search(page.html):
            await phone.post(asking[1])
        await asyncio.sleep(0.5)
    return True


async def enter(phone: Handset, prepay_id: str, promises: Promises) -> bool:
    """Six digits; whether the money left."""
    said = await phone.door("pay", prepay_id=prepay_id, password=PASSWORD, method="change")
    promises.told[f"sheet: {said['result']}"] += 1
    return bool(said["result"] == "paid")


async def sheet(phone: Handset, path: str, taps: int) -> str | None:
    """The pay button until WeChat's sheet is open; None when nothing can be paid any more."""
    for _ in range(PRESSES):
        page = await phone.open(path)
        button = next((words for words in PAY if has(page, words)), "")
        if button:
            answers = await phone.tap(page, button, taps=taps, accept="application/json")
            sheets = [answer.json()["sheet"] for answer in answers if _is_sheet(answer.text)]
            if sheets:
                opened = await phone.door("pay/open", fields=sheets[-1], origin=phone.web)
                if "sheet" in opened:
                    return str(opened["sheet"]["prepay_id"])
        elif asking := _ASK.search(page.html):
            if any(words in page.text for words in OVER):
                return None
            await phone.post(asking[1])
        await asyncio.sleep(0.7)
    return None


def _is_sheet(text: str) -> bool:
    return text.startswith('{"sheet"')
