"""The flat XML of WeChat's older products: `<xml><name><![CDATA[value]]></name>…</xml>`.

Reading is hardened: a document type, an entity or a body beyond the cap is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.parsers import expat

MOST_BYTES = 256 * 1024
_NAME = re.compile(r"[A-Za-z_][\w.-]*")


class BadXml(Exception):
    """Not a document of this form."""


def read(body: bytes) -> dict[str, str]:
    """The children of the root by name, their text; deeper elements are left out."""
    if len(body) > MOST_BYTES:
        raise BadXml("too long")
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse
    try:
        parser.Parse(body, True)  # noqa: FBT003 - expat takes no name
    except expat.ExpatError as bad:
        raise BadXml(str(bad)) from bad
    return reader.found


def write(values: Mapping[str, str]) -> bytes:
    """The document; ValueError for a name XML does not allow."""
    parts = ["<xml>"]
    for name, value in values.items():
        if not _NAME.fullmatch(name):
            raise ValueError(name)
        safe = value.replace("]]>", "]]]]><![CDATA[>")
        parts.append(f"<{name}><![CDATA[{safe}]]></{name}>")
    return "".join([*parts, "</xml>"]).encode()


class _Reader:
    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._path: list[str] = []
        self._parts: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        del attributes
        self._path.append(name)
        self._parts = []

    def end(self, name: str) -> None:
        if len(self._path) == 2:
            self.found[name] = "".join(self._parts).strip()
        self._path.pop()

    def text(self, data: str) -> None:
        if len(self._path) == 2:
            self._parts.append(data)

    def refuse(self, *declaration: object) -> None:
        del declaration
        raise BadXml("a document type is not allowed")
