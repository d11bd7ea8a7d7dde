"""WeChat's XML, of the account's callbacks and of the older payment products alike:
`<xml><Name><![CDATA[…]]></Name>…</xml>`.

Reading is hardened: a document type, and so every entity, or a body beyond the cap is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

MOST_BYTES = 256 * 1024
_NAME = re.compile(r"[A-Za-z_][\w.-]*")

Leaf = str | int
Field = tuple[str, "Leaf | Sequence[Field]"]


class BadXml(Exception):
    """Not a document of this form."""


def read(body: bytes) -> Element:
    """The root element; raises BadXml."""
    if len(body) > MOST_BYTES:
        raise BadXml("it is too long")
    tree = TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.data
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(body, True)  # noqa: FBT003 - expat takes no name
    except (expat.ExpatError, ValueError, LookupError) as bad:
        raise BadXml("it is no XML") from bad
    return tree.close()


def read_flat(body: bytes) -> dict[str, str]:
    """The children of the root by name, their text; deeper elements are left out. Raises BadXml."""
    return {child.tag: (child.text or "").strip() for child in read(body)}


def text(element: Element, path: str) -> str:
    """The text of a child, without the spaces around it; empty when there is none."""
    return (element.findtext(path) or "").strip()


def write(fields: Mapping[str, str] | Iterable[Field], root: str = "xml") -> bytes:
    """The document: texts as CDATA, numbers bare, lists nested; ValueError for a name XML does not
    allow."""
    pairs = fields.items() if isinstance(fields, Mapping) else fields
    return _element(root, list(pairs)).encode()


def _element(name: str, value: Leaf | Sequence[Field]) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(name)
    if isinstance(value, int):
        return f"<{name}>{value}</{name}>"
    if isinstance(value, str):
        safe = value.replace("]]>", "]]]]><![CDATA[>")
        return f"<{name}><![CDATA[{safe}]]></{name}>"
    return f"<{name}>{''.join(_element(*pair) for pair in value)}</{name}>"


def _refuse(*declaration: object) -> None:
    del declaration
    raise BadXml("it declares a document type")
