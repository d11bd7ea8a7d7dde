"""Behind the windows: refunds asked for and decided by a second person, and finance's cases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tests.chaos.handset import Browser, GaveUp, button_like, has
from tests.chaos.promises import Promises
from tests.chaos.staff import Staff
from tests.journeys.pages import Page

ASK_BACK: Final = "提交退款申请"
YES: Final = ("批准退款", "确认退回", "与银行流水一致，确认")
NO: Final = "驳回"
PROPOSE, TRANSFER, CLOSE = "提出退回，交另一人复核", "登记转账，交另一人复核", "关闭这个异常"
PRESS: Final = ("向微信查询", "重新提交退款")
_BILL: Final = re.compile(r"/staff/bills/(B\w+)/refund/")
_PAYMENT: Final = re.compile(r'href="(/staff/payments/\d+/)"')
_LINE: Final = re.compile(r'name="charges"\s+value="(\d+)"')
_SUM: Final = re.compile(r'name="shown_fen"\s+value="(\d+)"')
_REQUEST: Final = re.compile(r"/staff/refund-requests/(\d+)/")
_CASE: Final = re.compile(r'href="(/staff/cases/\d+/)"')
_STANDS: Final = re.compile(r'class="x-status[^"]*">(待审批|已批准|已驳回)<')


async def paid_bill(asker: Browser, appointment: str) -> str | None:
    """The number of a booking's paid bill, over the booking and its payment."""
    page = await asker.open(f"/staff/appointments/{appointment}/")
    for path in _PAYMENT.findall(page.html):
        found = _BILL.search((await asker.open(path)).html)
        if found:
            return found[1]
    return None


async def ask_back(
    asker: Browser, staff: Staff, number: str, *, whole: bool, agrees: bool, promises: Promises
) -> None:
    """Ask that a bill's lines be given back, all or the first; more than a small sum waits for the
    second person, who says yes or no."""
    page = await asker.open(f"/staff/bills/{number}/refund/")
    lines = _LINE.findall(page.html)
    if not has(page, ASK_BACK) or not lines:
        promises.told["nothing to ask back"] += 1
        return
    chosen: Sequence[str] = lines if whole else lines[:1]
    query = "&".join(f"charges={line}" for line in chosen)
    shown = _SUM.search((await asker.open(f"/staff/bills/{number}/refund/sum/?{query}")).html)
    assert shown, f"no sum for lines of {number}"
    typed = {"charges": chosen, "shown_fen": shown[1], "reason": "多收，患者要求退回"}
    answers = await asker.tap(page, ASK_BACK, taps=2, typed=typed)
    places = {answer.headers["Location"] for answer in answers if answer.status_code == 302}
    if not places:
        promises.told[f"refund refused {answers[0].status_code}"] += 1
        return
    assert len(places) == 1, f"two taps, two requests: {places}"
    (path,) = places
    if await _stands(asker, path, promises) == "待审批":
        own = await asker.open(path)
        assert not button_like(own, YES[0]), f"{path} may be approved by whoever asked"
        await _decide(staff.supervisor, path, agrees=agrees)
        await _stands(asker, path, promises)


async def look_through(staff: Staff, *, agrees: bool, promises: Promises) -> int:
    """Finance does the one right thing about every open case, then the second person answers all
    that waits; how many things there were to do."""
    cases = _CASE.findall((await staff.finance.open("/staff/cases/")).html)
    for path in dict.fromkeys(cases):
        try:
            promises.told[await _work(staff.finance, path)] += 1
        except GaveUp:
            promises.told["gave up a case"] += 1
    page = await staff.supervisor.open("/staff/approvals/")
    waiting = dict.fromkeys([*_CASE.findall(page.html), *_requests(page)])
    for path in waiting:
        said = await _decide(staff.supervisor, path, agrees=agrees)
        promises.told[f"second person: {said}"] += 1
        if _REQUEST.search(path):
            await _stands(staff.finance, path, promises)
    return len(cases) + len(waiting)


async def _stands(browser: Browser, path: str, promises: Promises) -> str:
    """What a request's page says of it now, remembered.

    Read from its status alone: people share a browser here, and the sentence about one request
    may be told on the page of the next.
    """
    page, found = await browser.open(path), _REQUEST.search(path)
    assert found, path
    said: list[str] = _STANDS.findall(page.html)
    assert len(said) == 1, f"{path} says {said}"
    promises.requests[int(found[1])] = said[0]
    return said[0]


async def _decide(second: Browser, path: str, *, agrees: bool) -> str:
    """Open what waits and answer it; somebody else may have."""
    page = await second.open(path)
    yes = next(filter(None, (button_like(page, words) for words in YES)), "")
    if not yes:
        return "nothing"
    if agrees:
        await second.tap(page, yes, taps=2, typed={"answer": "yes"})
        return "yes"
    await second.tap(page, NO, taps=2, typed={"answer": "no", "note": "与凭证不符"})
    return "no"


async def _work(finance: Browser, path: str) -> str:
    """The one action of a case's page; what was done."""
    page = await finance.open(path)
    press = next((words for words in PRESS if has(page, words)), "")
    if press:
        await finance.tap(page, press)
        return f"case: {press}"
    if has(page, PROPOSE):
        await finance.tap(page, PROPOSE, taps=2, typed={"note": "查不到订单，退回付款人"})
        return "case: proposed"
    if has(page, TRANSFER):
        slip = path.strip("/").rpartition("/")[2]
        typed = {
            "way": "bank",
            "payee": "陈晓宁",
            "payee_account": "6222020000000000000",
            "proof": f"HD{slip}",
        }
        await finance.tap(page, TRANSFER, taps=2, typed=typed)
        return "case: transfer entered"
    if has(page, CLOSE):
        await finance.tap(page, CLOSE, typed={"note": "已与微信核对"})
        return "case: closed"
    return "case: waits"


def _requests(page: Page) -> list[str]:
    return [f"/staff/refund-requests/{found}/" for found in _REQUEST.findall(page.html)]
