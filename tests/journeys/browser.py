"""A browser without a screen: opens pages, follows links by their words, sends forms as they stand.

What is not on the page cannot be tapped, hidden fields and CSRF tokens travel as in any browser,
and redirects are followed through WeChat's log-in and back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from hospital.testing.wechat import StandIn

_MOST_REDIRECTS: Final = 8
_SPACES: Final = re.compile(r"\s+")
_TOKEN: Final = re.compile(r'<meta name="csrf-token" content="([^"]+)"')
_SILENT: Final = {"script", "style"}
_REDIRECTS: Final = {301, 302, 303}


@dataclass
class Link:
    """An address and the words on it."""

    href: str
    words: str = ""


@dataclass
class Form:
    """A form as it would be sent now: names and values; `names` are those of all its controls,
    `extras` its attributes."""

    method: str
    action: str
    extras: dict[str, str]
    names: set[str] = field(default_factory=set)
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


@dataclass
class Page:
    """What came back for an address after all redirects."""

    path: str
    status: int
    html: str
    title: str = ""
    text: str = ""
    links: list[Link] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)

    def link(self, words: str) -> Link:
        """The first link with these words on it; AssertionError when there is none."""
        found = next((link for link in self.links if words in link.words), None)
        assert found is not None, f"no link {words!r} on {self.path}: {self.text}"
        return found

    def form(self, button: str) -> Form:
        """The form with this button; AssertionError when there is none."""
        found = next((form for form in self.forms if button in form.buttons), None)
        assert found is not None, f"no button {button!r} on {self.path}: {self.text}"
        return found


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
        self.page = read(path, answer)
        token = _TOKEN.search(self.page.html)
        self._token = token[1] if token else self._token
        assert answer.status_code == status, f"{answer.status_code} {path}: {self.page.text}"
        return self.page

    def _destination(self, address: str) -> str:
        """Where a redirect ends: WeChat sends the browser back to us, with a code."""
        if address.startswith(self._wechat.base):
            address = self._wechat.authorize(address, phone=self.openid)
        return _own(address)


def read(path: str, answer: HttpResponse) -> Page:
    """The page of an answer."""
    html = answer.content.decode()
    reader = _Reader()
    reader.feed(html)
    return Page(
        path=path,
        status=answer.status_code,
        html=html,
        title=_tidy(reader.title),
        text=_tidy(reader.text),
        links=[Link(link.href, _tidy(link.words)) for link in reader.links],
        forms=reader.forms,
    )


def _own(address: str) -> str:
    """The path of an address of ours; anything else is nowhere a patient should land."""
    parts = urlsplit(address)
    origin = f"{parts.scheme}://{parts.netloc}"
    assert not parts.netloc or origin == settings.PUBLIC_URL, f"led away to {origin}"
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _tidy(text: str) -> str:
    return _SPACES.sub(" ", text).strip()


class _Reader(HTMLParser):
    """Collects text, links and forms."""

    def __init__(self) -> None:
        super().__init__()
        self.title = self.text = ""
        self.links: list[Link] = []
        self.forms: list[Form] = []
        self._open: list[str] = []
        self._link: Link | None = None
        self._form: Form | None = None
        self._select = self._button = self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "a" and said.get("href"):
            self._link = Link(said["href"])
            self.links.append(self._link)
        elif tag == "form":
            method = said.get("method", "get").lower()
            self._form = Form(method, said.get("action", ""), said)
            self.forms.append(self._form)
        elif self._form is not None:
            self._control(self._form, tag, said)
        if tag in _SILENT | {"title", "textarea", "button"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._link = None
        elif tag == "button" and self._form is not None:
            self._form.buttons.append(_tidy(self._button))
            self._button = ""
        elif tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        if tag in self._open:
            self._open.remove(tag)

    def handle_data(self, data: str) -> None:
        if _SILENT & set(self._open):
            return
        if "title" in self._open:
            self.title += data
            return
        self.text += f" {data}"
        if self._link is not None:
            self._link.words += f" {data}"
        if "button" in self._open:
            self._button += data

    def _control(self, form: Form, tag: str, said: dict[str, str]) -> None:
        """Note what a form control would send."""
        if tag in {"input", "select", "textarea"} and said.get("name"):
            form.names.add(said["name"])
        if tag == "select":
            self._select = said.get("name", "")
        elif tag == "option" and self._select:
            if "selected" in said or self._select not in form.fields:
                form.fields[self._select] = said.get("value", "")
        elif tag == "input" and said.get("name") and "disabled" not in said:
            chosen = said.get("type") not in {"radio", "checkbox"} or "checked" in said
            if chosen:
                form.fields[said["name"]] = said.get("value", "")
