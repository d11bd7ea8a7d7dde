"""A browser and a phone over real HTTP: pages that are reloaded until they come, buttons tapped
twice, WeChat's payment sheet and its payment code. Nothing is remembered that a person would not
see on the screen."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from tests.chaos.world import Person
from tests.journeys.pages import Page, read

PATIENCE_SECONDS: Final = 20.0
#: How often somebody reloads before giving up.
RELOADS: Final = 30
RELOAD_SECONDS: Final = 0.4
IN_WECHAT: Final = "Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.50"
#: A page that says with a 503 that WeChat cannot be reached is an answer; other 5xx are broken.
_AN_ANSWER: Final = 'id="collect-state"'
_CODE: Final = re.compile(r'data-copy="(\d{18})"')
_ON_SHOW: Final = re.compile(r'data-scan-code="(weixin:[^"]+)"')
Typed = str | Sequence[str]


class GaveUp(Exception):
    """The page did not come however often it was reloaded."""


class Browser:
    """Pages of the hospital, as one person sees them."""

    def __init__(self, web: str, cookies: Mapping[str, str], *, agent: str = "Mozilla/5.0") -> None:
        self.web = web
        self.reloads = 0
        self._csrf = cookies.get("xinglin_csrf", "")
        self._pages = httpx.AsyncClient(
            base_url=web,
            cookies=dict(cookies),
            timeout=PATIENCE_SECONDS,
            trust_env=False,
            headers={"Accept": "text/html", "User-Agent": agent},
        )

    async def close(self) -> None:
        await self._pages.aclose()

    @property
    def cookies(self) -> dict[str, str]:
        """What the browser keeps when it is closed."""
        return dict(self._pages.cookies)

    async def open(self, path: str) -> Page:
        """A page, reloaded until it comes. Raises GaveUp."""
        answer = await self._until_answered("GET", path)
        return read(path, answer.status_code, answer.text)

    async def led_to(self, path: str) -> str:
        """Where an address leads on to; empty when it stays. Raises GaveUp."""
        answer = await self._until_answered("GET", path)
        return str(answer.headers.get("Location", ""))

    async def tap(
        self,
        page: Page,
        button: str,
        *,
        taps: int = 1,
        accept: str = "text/html",
        typed: Mapping[str, Typed] | None = None,
    ) -> list[httpx.Response]:
        """Send the form with this button so many times at once, with what was typed; each is sent
        again until it is answered, as a browser asked to send the form again does. Raises
        GaveUp."""
        form = page.form(button)
        path = form.action or page.path
        fields = {**form.fields, **(typed or {})}
        sent = (
            self._until_answered("POST", path, fields=fields, accept=accept) for _ in range(taps)
        )
        return list(await asyncio.gather(*sent))

    async def post(self, path: str) -> httpx.Response:
        """What a script of the page sends. Raises GaveUp."""
        return await self._until_answered("POST", path)

    async def _until_answered(
        self,
        method: str,
        path: str,
        *,
        fields: Mapping[str, Typed] | None = None,
        accept: str = "text/html",
    ) -> httpx.Response:
        headers = {"Accept": accept} | ({"X-CSRFToken": self._csrf} if self._csrf else {})
        for _ in range(RELOADS):
            try:
                answer = await self._pages.request(method, path, data=fields, headers=headers)
                if answer.status_code < 500 or _is_an_answer(answer):
                    return answer
            except httpx.TransportError:
                self.reloads += 1
            await asyncio.sleep(RELOAD_SECONDS)
        raise GaveUp(f"{method} {path}")


class Handset(Browser):
    """One person's phone."""

    def __init__(self, person: Person, web: str, wechat: str) -> None:
        super().__init__(web, person.cookies, agent=IN_WECHAT)
        self.person = person
        self._sheet = httpx.AsyncClient(
            base_url=wechat,
            cookies={"phone": person.openid},
            timeout=PATIENCE_SECONDS,
            trust_env=False,
            headers={"X-Phone": "1"},
        )

    async def close(self) -> None:
        await super().close()
        await self._sheet.aclose()

    async def door(self, name: str, **said: object) -> dict[str, Any]:
        """A button of WeChat itself, until it answers. Raises GaveUp."""
        document: dict[str, Any] = (await self._wechat("POST", name, said)).json()
        return document

    async def pay_code(self) -> str:
        """The digits under 收付款, fresh. Raises GaveUp."""
        found = _CODE.search((await self._wechat("GET", "paycode")).text)
        assert found, "no payment code on the phone"
        return found[1]

    async def asked_for(self) -> str:
        """The charge that wants the password on this phone now; empty when none does."""
        return str((await self._wechat("GET", "paycode/waiting")).json()["out_trade_no"])

    async def codes_on_show(self) -> list[str]:
        """What the QR codes around here hold that somebody pays by."""
        return _ON_SHOW.findall((await self._wechat("GET", "scan")).text)

    async def _wechat(self, method: str, name: str, said: object = None) -> httpx.Response:
        for _ in range(RELOADS):
            try:
                answer = await self._sheet.request(method, f"/phone/{name}", json=said)
                if answer.is_success:
                    return answer
            except httpx.TransportError:
                self.reloads += 1
            await asyncio.sleep(RELOAD_SECONDS)
        raise GaveUp(name)


def has(page: Page, button: str) -> bool:
    """Whether this button is on the page."""
    return any(button in form.buttons for form in page.forms)


def button_like(page: Page, words: str) -> str:
    """The first button whose words begin so, whole; empty when there is none."""
    buttons = (button for form in page.forms for button in form.buttons)
    return next((button for button in buttons if button.startswith(words)), "")


def _is_an_answer(answer: httpx.Response) -> bool:
    kind = str(answer.headers.get("content-type", ""))
    return "application/json" in kind or _AN_ANSWER in answer.text
