"""A phone over real HTTP: pages that are reloaded until they come, buttons tapped twice, and
WeChat's payment sheet. Nothing is remembered that a person would not see on the screen."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos.world import Person
from tests.journeys.pages import Form, Page, read

PATIENCE_SECONDS = 20.0
#: How often somebody reloads before giving up.
RELOADS = 30
RELOAD_SECONDS = 0.4


class GaveUp(Exception):
    """The page did not come however often it was reloaded."""


@dataclass
class Handset:
    """One person's phone."""

    person: Person
    web: str
    wechat: str
    reloads: int = 0
    _pages: httpx.AsyncClient = field(init=False)
    _sheet: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self._pages = httpx.AsyncClient(
            base_url=self.web,
            cookies=self.person.cookies,
            timeout=PATIENCE_SECONDS,
            trust_env=False,
            headers={"Accept": "text/html"},
        )
        self._sheet = httpx.AsyncClient(
            base_url=self.wechat,
            cookies={"phone": self.person.openid},
            timeout=PATIENCE_SECONDS,
            trust_env=False,
            headers={"X-Phone": "1"},
        )

    async def close(self) -> None:
        await self._pages.aclose()
        await self._sheet.aclose()

    async def open(self, path: str) -> Page:
        """A page, reloaded until it comes. Raises GaveUp."""
        answer = await self._until_answered("GET", path)
        return read(path, answer.status_code, answer.text)

    async def tap(
        self, page: Page, button: str, *, taps: int = 1, accept: str = "text/html"
    ) -> list[httpx.Response]:
        """Send the form with this button so many times at once; each is sent again until it is
        answered, as a browser asked to send the form again does. Raises GaveUp."""
        form = page.form(button)
        path = form.action or page.path
        sent = (self._until_answered("POST", path, form=form, accept=accept) for _ in range(taps))
        return list(await asyncio.gather(*sent))

    async def post(self, path: str) -> httpx.Response:
        """What a script of the page sends. Raises GaveUp."""
        return await self._until_answered("POST", path)

    async def door(self, name: str, **said: object) -> dict[str, Any]:
        """A button of WeChat itself, until it answers. Raises GaveUp."""
        for _ in range(RELOADS):
            try:
                answer = await self._sheet.post(f"/phone/{name}", json=said)
                if answer.is_success:
                    document: dict[str, Any] = answer.json()
                    return document
            except httpx.TransportError:
                self.reloads += 1
            await asyncio.sleep(RELOAD_SECONDS)
        raise GaveUp(name)

    async def _until_answered(
        self, method: str, path: str, *, form: Form | None = None, accept: str = "text/html"
    ) -> httpx.Response:
        fields = form.fields if form else None
        headers = {"Accept": accept, "X-CSRFToken": self.person.cookies["xinglin_csrf"]}
        for _ in range(RELOADS):
            try:
                answer = await self._pages.request(method, path, data=fields, headers=headers)
                # 503 with a sentence is the hospital's own answer; other 5xx is a broken page.
                if answer.status_code < 500 or "application/json" in _kind(answer):
                    return answer
            except httpx.TransportError:
                self.reloads += 1
            await asyncio.sleep(RELOAD_SECONDS)
        raise GaveUp(f"{method} {path}")


def _kind(answer: httpx.Response) -> str:
    return str(answer.headers.get("content-type", ""))
