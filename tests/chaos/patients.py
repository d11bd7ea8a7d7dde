"""What people do: book, pay, think again, cancel, leave; each by what is on the page.

Whatever a page says is taken as it is: full, refused, expired. Only what was promised in writing
is remembered, so that the verdict can ask for it.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.chaos.handset import GaveUp, Handset
from tests.chaos.plan import Script, Visit
from tests.chaos.world import Clinic
from tests.journeys.pages import Page

BOOK = "提交并支付"
PAY = ("微信支付", "继续支付")
CANCEL = ("确定退号", "确定取消")
PASSWORD = "123456"
#: How often the pay button is pressed when the hospital says that WeChat cannot be reached.
PRESSES = 12
LOOKS = 4
_ASK = re.compile(r'data-ask="([^"]+)"')
_ORDER = re.compile(r"/m/appointments/(\d+)/")


@dataclass
class Promises:
    """What the hospital has said to people: bills it led them to, and what happened how often."""

    bills: set[str] = field(default_factory=set)
    told: Counter[str] = field(default_factory=Counter)


async def live(
    phone: Handset, script: Script, clinics: Sequence[Clinic], promises: Promises
) -> None:
    """One patient's whole run."""
    await asyncio.sleep(script.starts_at)
    try:
        for visit in script.visits:
            await asyncio.sleep(visit.pause)
            try:
                await _visit(phone, visit, clinics[visit.session], promises)
            except GaveUp:
                promises.told["gave up"] += 1
    finally:
        await phone.close()


async def _visit(phone: Handset, visit: Visit, clinic: Clinic, promises: Promises) -> None:
    path = f"/m/book/{clinic.schedule_id}/{clinic.band_ids[visit.band]}/"
    confirm = await phone.open(path)
    if not _has(confirm, BOOK):
        promises.told["could not book"] += 1
        return
    answers = await phone.tap(confirm, BOOK, taps=visit.taps)
    places = {answer.headers["Location"] for answer in answers if answer.status_code == 302}
    if not places:
        promises.told[f"refused {answers[0].status_code}"] += 1
        return
    assert len(places) == 1, f"two taps, two bookings: {places}"
    (bill,) = places
    promises.bills.add(bill)
    promises.told["booked"] += 1
    await _ENDINGS[visit.ending](phone, bill, visit.taps, promises)


async def _pay(phone: Handset, bill: str, taps: int, promises: Promises) -> None:
    """Until the money is gone and the page says so, or nothing can be paid any more."""
    prepay_id = await _sheet(phone, bill, taps)
    if prepay_id is None:
        promises.told["no sheet"] += 1
        return
    said = await phone.door("pay", prepay_id=prepay_id, password=PASSWORD, method="change")
    promises.told[f"sheet: {said['result']}"] += 1
    if said["result"] != "paid":
        return
    for _ in range(LOOKS):
        page = await phone.open(bill)
        if "支付成功" in page.text:
            promises.told["saw it paid"] += 1
            return
        if asking := _ASK.search(page.html):
            await phone.post(asking[1])
        await asyncio.sleep(0.5)


async def _sheet(phone: Handset, bill: str, taps: int) -> str | None:
    """The pay button until WeChat's sheet is open; None when the bill cannot be paid any more."""
    for _ in range(PRESSES):
        page = await phone.open(bill)
        button = next((words for words in PAY if _has(page, words)), "")
        if button:
            answers = await phone.tap(page, button, taps=taps, accept="application/json")
            sheets = [answer.json()["sheet"] for answer in answers if _is_sheet(answer.text)]
            if sheets:
                opened = await phone.door("pay/open", fields=sheets[-1], origin=phone.web)
                if "sheet" in opened:
                    return str(opened["sheet"]["prepay_id"])
        elif asking := _ASK.search(page.html):
            if "支付时间已过" in page.text or "已取消" in page.text or "支付成功" in page.text:
                return None
            await phone.post(asking[1])
        await asyncio.sleep(0.7)
    return None


async def _cancel(phone: Handset, bill: str, taps: int, promises: Promises) -> None:
    number = await _number(phone, bill)
    if number is None:
        promises.told["nothing to cancel"] += 1
        return
    page = await phone.open(f"/m/appointments/{number}/")
    button = next((words for words in CANCEL if _has(page, words)), None)
    if button is None:
        promises.told["cannot cancel"] += 1
        return
    answers = await phone.tap(page, button, taps=taps)
    promises.told["cancelled" if any(a.status_code == 302 for a in answers) else "not c."] += 1


async def _number(phone: Handset, bill: str) -> str | None:
    """The appointment behind a bill: the latest in the list of what is to come."""
    page = await phone.open("/m/appointments/")
    found = _ORDER.search(page.html)
    return found[1] if found else None


async def _pay_and_cancel(phone: Handset, bill: str, taps: int, promises: Promises) -> None:
    await _pay(phone, bill, taps, promises)
    await asyncio.sleep(0.5)
    await _cancel(phone, bill, taps, promises)


async def _pay_and_cancel_at_once(phone: Handset, bill: str, taps: int, promises: Promises) -> None:
    await asyncio.gather(_pay(phone, bill, taps, promises), _cancel(phone, bill, taps, promises))


async def _leave(phone: Handset, bill: str, taps: int, promises: Promises) -> None:
    promises.told["left"] += 1


async def _leave_the_sheet(phone: Handset, bill: str, taps: int, promises: Promises) -> None:
    await _sheet(phone, bill, taps)
    promises.told["left the sheet"] += 1


async def _dismiss_and_pay(phone: Handset, bill: str, taps: int, promises: Promises) -> None:
    """A wrong password first."""
    prepay_id = await _sheet(phone, bill, taps)
    if prepay_id is not None:
        await phone.door("pay", prepay_id=prepay_id, password="000000", method="change")
    await _pay(phone, bill, taps, promises)


async def _cancel_the_sheet(phone: Handset, bill: str, taps: int, promises: Promises) -> None:
    await _sheet(phone, bill, taps)
    await _cancel(phone, bill, taps, promises)


_ENDINGS = {
    "pay": _pay,
    "pay_and_cancel": _pay_and_cancel,
    "cancel": _cancel,
    "leave": _leave,
    "leave_the_sheet": _leave_the_sheet,
    "dismiss_and_pay": _dismiss_and_pay,
    "cancel_the_sheet": _cancel_the_sheet,
    "pay_and_cancel_at_once": _pay_and_cancel_at_once,
}


def _has(page: Page, button: str) -> bool:
    return any(button in form.buttons for form in page.forms)


def _is_sheet(text: str) -> bool:
    return text.startswith('{"sheet"')
