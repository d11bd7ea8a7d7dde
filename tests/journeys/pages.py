"""What is on a page: its text, its links, and its forms as they would be sent now."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

_SPACES: Final = re.compile(r"\s+")
_SILENT: Final = {"script", "style"}


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


def read(path: str, status: int, html: str) -> Page:
    """The page of an answer."""
    reader = _Reader()
    reader.feed(html)
    return Page(
        path=path,
        status=status,
        html=html,
        title=_tidy(reader.title),
        text=_tidy(reader.text),
        links=[Link(link.href, _tidy(link.words)) for link in reader.links],
        forms=reader.forms,
    )


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
