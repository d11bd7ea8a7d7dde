"""The nested XML of the account's messages and events: written with CDATA, read without surprises.

A document type is refused, so that nothing in a merchant server's answer can unfold.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Tree

Leaf = str | int
Field = tuple[str, "Leaf | Sequence[Field]"]


class Unreadable(Exception):
    """The text is not the XML of a message."""


def written(fields: Sequence[Field], root: str = "xml") -> str:
    """`<xml><Name><![CDATA[…]]></Name>…</xml>`; numbers stay bare, lists nest."""
    return f"<{root}>{''.join(_element(name, value) for name, value in fields)}</{root}>"


def read(body: bytes) -> Tree.Element:
    """The root element, which must be `xml`; raises Unreadable."""
    if b"<!" in body.replace(b"<![CDATA[", b"").replace(b"<!--", b""):
        raise Unreadable("it declares a document type")
    try:
        root = Tree.fromstring(body)  # noqa: S314 - declarations were refused above
    except (Tree.ParseError, ValueError, LookupError) as bad:
        raise Unreadable("it is no XML") from bad
    if root.tag != "xml":
        raise Unreadable("its root is not <xml>")
    return root


def text(element: Tree.Element, path: str) -> str:
    """The text of a child, without the spaces around it; empty when there is none."""
    return (element.findtext(path) or "").strip()


def _element(name: str, value: Leaf | Sequence[Field]) -> str:
    if isinstance(value, int):
        return f"<{name}>{value}</{name}>"
    if isinstance(value, str):
        safe = value.replace("]]>", "]]]]><![CDATA[>")
        return f"<{name}><![CDATA[{safe}]]></{name}>"
    return written(value, name)
