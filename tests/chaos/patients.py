"""What people do: book, pay in one of many ways, think again, cancel, ask their money back, leave;
each by what is on the page.

Whatever a page says is taken as it is: full, refused, expired. Only what was promised in writing
is remembered, so that the verdict can ask for it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from tests.chaos import offices, paying, window
from tests.chaos.handset import GaveUp, Handset, has
from tests.chaos.plan import Script, Visit
from tests.chaos.promises import Promises
from tests.chaos.staff import Staff
from tests.chaos.world import Clinic, Person

BOOK: Final = "提交并支付"
CANCEL: Final = ("确定退号", "确定取消")
_ORDER: Final = re.compile(r"/m/appointments/(\d+)/")


@dataclass(frozen=True)
class Place:
    """What a visit meets: the sessions, the staff, everybody else with a phone."""

    clinics: Sequence[Clinic]
    staff: Staff
    people: Sequence[Person]
    web: str
    wechat: str


@dataclass(frozen=True)
class Scene:
    """One booking that waits to be paid: whose phone it is on, and the address of its bill."""

    phone: Handset
    bill: str
    visit: Visit
    place: Place
    promises: Promises

    @property
    def taps(self) -> int:
        return self.visit.taps

    def tell(self, what: str) -> None:
        self.promises.told[what] += 1


async def live(person: Person, script: Script, place: Place, promises: Promises) -> None:
    """One patient's whole run."""
    await asyncio.sleep(script.starts_at)
    phone = Handset(person, place.web, place.wechat)
    try:
        for visit in script.visits:
            await asyncio.sleep(visit.pause)
            try:
                await _visit(phone, visit, place, promises)
            except GaveUp:
                promises.told["gave up"] += 1
    finally:
        await phone.close()


async def _visit(phone: Handset, visit: Visit, place: Place, promises: Promises) -> None:
    clinic = place.clinics[visit.session]
    confirm = await phone.open(f"/m/book/{clinic.schedule_id}/{clinic.band_ids[visit.band]}/")
    if not has(confirm, BOOK):
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
    await _end(Scene(phone, bill, visit, place, promises))


async def _end(scene: Scene) -> None:
    """The visit's ending: a way to pay, and what somebody thinks of it afterwards."""
    way, _, then = scene.visit.ending.partition("_and_")
    if then in ("cancel", "refund"):
        number = await _number(scene)
        await _WAYS[way](scene)
        await asyncio.sleep(0.5)
        if number is not None:
            await (_cancel if then == "cancel" else _ask_back)(scene, number)
    else:
        await _WAYS[scene.visit.ending](scene)


async def _number(scene: Scene) -> str | None:
    """The number of the booking behind the bill, which waits to be paid."""
    page = await scene.phone.open("/m/appointments/")
    for number in dict.fromkeys(_ORDER.findall(page.html)):
        if scene.bill in (await scene.phone.open(f"/m/appointments/{number}/")).html:
            return str(number)
    scene.tell("booking gone")
    return None


async def _cancel(scene: Scene, number: str) -> None:
    page = await scene.phone.open(f"/m/appointments/{number}/")
    button = next((words for words in CANCEL if has(page, words)), None)
    if button is None:
        scene.tell("cannot cancel")
        return
    answers = await scene.phone.tap(page, button, taps=scene.taps)
    scene.tell("cancelled" if any(a.status_code == 302 for a in answers) else "not cancelled")


async def _ask_back(scene: Scene, number: str) -> None:
    """The patient wants money back; the cashier or finance asks for it."""
    staff, desk = scene.place.staff, scene.visit.desk
    bill = await offices.paid_bill(staff.finance, number)
    if bill is None:
        scene.tell("nothing paid to ask back")
        return
    asker = staff.cashier if desk.window % 2 else staff.finance
    await offices.ask_back(
        asker, staff, bill, whole=desk.whole, agrees=desk.agrees, promises=scene.promises
    )


# ---------------------------------------------------------------------- on the own phone


async def _pay(scene: Scene) -> None:
    await paying.pay(scene.phone, scene.bill, scene.taps, scene.promises)


async def _cancel_now(scene: Scene) -> None:
    number = await _number(scene)
    if number is not None:
        await _cancel(scene, number)


async def _pay_and_cancel_at_once(scene: Scene) -> None:
    number = await _number(scene)
    if number is not None:
        await asyncio.gather(_pay(scene), _cancel(scene, number))


async def _leave(scene: Scene) -> None:
    scene.tell("left")


async def _leave_the_sheet(scene: Scene) -> None:
    await paying.sheet(scene.phone, scene.bill, scene.taps)
    scene.tell("left the sheet")


async def _dismiss_and_pay(scene: Scene) -> None:
    """A wrong password first."""
    prepay_id = await paying.sheet(scene.phone, scene.bill, scene.taps)
    if prepay_id is not None:
        await scene.phone.door("pay", prepay_id=prepay_id, password="000000", method="change")
    await _pay(scene)


async def _cancel_the_sheet(scene: Scene) -> None:
    number = await _number(scene)
    await paying.sheet(scene.phone, scene.bill, scene.taps)
    if number is not None:
        await _cancel(scene, number)


# ---------------------------------------------------------------------- at the window


async def _till(scene: Scene) -> window.Till | None:
    """The window with the bill on the screen; None when it is not to be collected any more."""
    clerk = scene.place.staff.window(scene.visit.desk.window)
    number = await _number(scene)
    bill = await window.bill_number(clerk, number) if number else None
    if bill is None:
        scene.tell("nothing to collect")
        return None
    return window.Till(clerk, scene.phone, bill, scene.taps, scene.promises)


async def _scan(scene: Scene, mood: str = "enter") -> None:
    at = await _till(scene)
    if at is not None and await window.scan(at, mood=mood):
        scene.tell("collected by scan")


async def _scan_wrong_password(scene: Scene) -> None:
    await _scan(scene, "wrong")


async def _scan_cancelled(scene: Scene) -> None:
    await _scan(scene, "cancel")


async def _scan_ignored(scene: Scene) -> None:
    await _scan(scene, "ignore")


async def _scan_and_phone_at_once(scene: Scene) -> None:
    await asyncio.gather(_scan(scene), _pay(scene))


async def _screen(scene: Scene, mood: str = "pay") -> None:
    at = await _till(scene)
    if at is None:
        return
    async with AsyncExitStack() as stack:
        if await window.screen(at, await _other_phone(scene, stack), mood=mood):
            scene.tell("collected on the screen")


async def _screen_given_up(scene: Scene) -> None:
    """The code is taken off the screen unpaid; the patient pays on the own phone after all."""
    await _screen(scene, "give_up")
    await _pay(scene)


async def _screen_given_up_and_paid_at_once(scene: Scene) -> None:
    await _screen(scene, "both")


async def _slip(scene: Scene, *, is_revoked: bool = False) -> None:
    at = await _till(scene)
    if at is None:
        return
    async with AsyncExitStack() as stack:
        if await window.slip(at, await _other_phone(scene, stack), is_revoked=is_revoked):
            scene.tell("collected by slip")


async def _slip_revoked_at_once(scene: Scene) -> None:
    await _slip(scene, is_revoked=True)


async def _slip_and_phone_at_once(scene: Scene) -> None:
    await asyncio.gather(_slip(scene), _pay(scene))


async def _other_phone(scene: Scene, stack: AsyncExitStack) -> Handset:
    """Somebody else's, with the pages of its own log-in."""
    people = scene.place.people
    others = [person for person in people if person is not scene.phone.person]
    phone = Handset(
        others[scene.visit.desk.payer % len(others)], scene.place.web, scene.place.wechat
    )
    stack.push_async_callback(phone.close)
    return phone


_WAYS = {
    "pay": _pay,
    "cancel": _cancel_now,
    "leave": _leave,
    "leave_the_sheet": _leave_the_sheet,
    "dismiss_and_pay": _dismiss_and_pay,
    "cancel_the_sheet": _cancel_the_sheet,
    "pay_and_cancel_at_once": _pay_and_cancel_at_once,
    "scan": _scan,
    "scan_wrong_password": _scan_wrong_password,
    "scan_cancelled": _scan_cancelled,
    "scan_ignored": _scan_ignored,
    "scan_and_phone_at_once": _scan_and_phone_at_once,
    "screen": _screen,
    "screen_given_up": _screen_given_up,
    "screen_given_up_and_paid_at_once": _screen_given_up_and_paid_at_once,
    "slip": _slip,
    "slip_revoked_at_once": _slip_revoked_at_once,
    "slip_and_phone_at_once": _slip_and_phone_at_once,
}
