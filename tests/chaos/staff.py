"""Who works at the hospital in a run: the demo's own staff, logged in on the log-in page."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.chaos.handset import Browser
from tests.chaos.world import Account

LOGIN = "/staff/login/"


@dataclass(frozen=True)
class Staff:
    """Browsers of those who deal with money; each may have many tabs open at once."""

    windows: tuple[Browser, ...]
    cashier: Browser
    finance: Browser
    supervisor: Browser

    async def close(self) -> None:
        await asyncio.gather(*(browser.close() for browser in self._everybody()))

    def window(self, number: int) -> Browser:
        """One of the windows."""
        return self.windows[number % len(self.windows)]

    def _everybody(self) -> tuple[Browser, ...]:
        return (*self.windows, self.cashier, self.finance, self.supervisor)


async def come_to_work(
    web: str, accounts: dict[str, Account], sessions: dict[str, dict[str, str]]
) -> Staff:
    """Everybody opens a browser, and logs in when `sessions` has no cookies of an earlier time.
    Raises GaveUp."""
    names = ("guahao", "guahao2", "shoufei", "caiwu", "zhuguan")
    first, second, cashier, finance, supervisor = await asyncio.gather(
        *(_logged_in(web, accounts[name], sessions) for name in names)
    )
    return Staff((first, second), cashier, finance, supervisor)


async def _logged_in(web: str, account: Account, sessions: dict[str, dict[str, str]]) -> Browser:
    if account.username in sessions:
        return Browser(web, sessions[account.username])
    browser = Browser(web, {})
    page = await browser.open(LOGIN)
    typed = {"username": account.username, "password": account.password}
    (answer,) = await browser.tap(page, "登录", typed=typed)
    assert answer.status_code == 302, f"{account.username} cannot log in: {answer.status_code}"
    sessions[account.username] = browser.cookies
    return browser
