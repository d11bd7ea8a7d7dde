"""A browser without a screen: opens pages, follows links by their words, sends forms as they stand.

What is not on the page cannot be tapped, hidden fields and CSRF tokens travel as in any browser,
and redirects are followed through WeChat's log-in and back.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from hospital.testing.wechat import StandIn
from tests.journeys.pages import Form, Page, read

_MOST_REDIRECTS: Final = 8
_TOKEN: Final = re.compile(r'<meta name="csrf-token" content="([^"]+)"')
_REDIRECTS: Final = {301, 302, 303}


class Browser:
    """The web view of one person's WeChat; `page` is what it shows."""

    def __init__(self, wechat: StandIn, openid: str) -> None:
        self.openid = openid
        self.page = Page(path="", status=0, html="")
        self._token = ""
        self._wechat = wechat
        self._client = Client(enforce_csrf_checks=True)

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies it holds, by name."""
        return {name: morsel.value for name, morsel in self._client.cookies.items()}

    def open(self, address: str, *, status: int = 200) -> Page:
        """Open an address of ours; the page reached must have this status."""
        return self._show(self._client.get(_own(address)), _own(address), status)

    def follow(self, words: str) -> Page:
        """Tap the link with these words."""
        return self.open(self.page.link(words).href)

    def send(self, button: str, *, status: int = 200, **filled: str) -> Page:
        """Fill in fields of the form with this button and press it."""
        form = self.page.form(button)
        answer = self._post(form, filled)
        return self._show(answer, form.action or self.page.path, status)

    def post(self, path: str, *, status: int = 200) -> Page:
        """Send what a script of the page sends, with the page's token in a header."""
        answer = self._client.post(path, headers={"X-CSRFToken": self._token})
        return self._show(answer, path, status)

    def fetch(self, button: str) -> HttpResponse:
        """Send the form as the page's script does, which wants JSON; the page stays."""
        return self._post(self.page.form(button), {}, accept="application/json")

    def _post(self, form: Form, filled: dict[str, str], *, accept: str = "") -> HttpResponse:
        assert form.method == "post", form
        assert filled.keys() <= form.names, f"not in the form: {filled.keys() - form.names}"
        answer = self._client.post(
            urljoin(self.page.path, form.action) if form.action else self.page.path,
            form.fields | filled,
            headers={"Accept": accept or "text/html,application/xhtml+xml,*/*;q=0.8"},
        )
        assert isinstance(answer, HttpResponse)
        return answer

    def _show(self, answer: object, path: str, status: int) -> Page:
        """Follow where the answer leads and read what is there."""
        for _ in range(_MOST_REDIRECTS):
            assert isinstance(answer, HttpResponse)
            if answer.status_code not in _REDIRECTS:
                break
            path = self._destination(urljoin(path, answer.headers["Location"]))
            answer = self._client.get(path)
        assert isinstance(answer, HttpResponse)
        self.page = read(path, answer.status_code, answer.content.decode())
        token = _TOKEN.search(self.page.html)
        self._token = token[1] if token else self._token
        assert answer.status_code == status, f"{answer.status_code} {path}: {self.page.text}"
        return self.page

    def _destination(self, address: str) -> str:
        """Where a redirect ends: WeChat sends the browser back to us, with a code."""
        if address.startswith(self._wechat.base):
            address = self._wechat.authorize(address, phone=self.openid)
        return _own(address)


def _own(address: str) -> str:
    """The path of an address of ours; anything else is nowhere a patient should land."""
    parts = urlsplit(address)
    origin = f"{parts.scheme}://{parts.netloc}"
    assert not parts.netloc or origin == settings.PUBLIC_URL, f"led away to {origin}"
    return parts.path + (f"?{parts.query}" if parts.query else "")
