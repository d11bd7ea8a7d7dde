"""Reading and writing the small XML of WeChat: v2 pay answers, callbacks of the Official Account.

Expat is driven directly, and the parts of XML that hurt do not exist here: no document type, so no
entities, no external files; UTF-8 only; limits on size, depth and number of elements. Attributes,
comments and processing instructions carry nothing in these messages: the last are refused, the
others are ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

MOST_BYTES = 64 * 1024
MOST_DEPTH = 8
MOST_ELEMENTS = 2000


class BadXml(Exception):
    """Not XML we read. `reason` is a slug for logs and never quotes the message."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Element:
    """An element with its own text, not stripped, and the elements in it, in order."""

    name: str
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def child(self, name: str) -> "Element | None":
        """The first element of this name in this one."""
        return next((each for each in self.children if each.name == name), None)

    def value(self, name: str) -> str:
        """The text of the first element of this name, stripped; empty when there is none."""
        found = self.child(name)
        return found.text.strip() if found else ""

    def values(self, *, exactly: bool = False) -> dict[str, str]:
        """Name and text of every element that holds text alone: stripped, unless `exactly` as it
        was written, which is what signatures are over.

        Raises BadXml when a name comes twice: a signature over such a message would not say which
        of the two it covers.
        """
        flat: dict[str, str] = {}
        for each in self.children:
            if each.children:
                continue
            if each.name in flat:
                raise BadXml("repeated_element")
            flat[each.name] = each.text if exactly else each.text.strip()
        return flat


class _Builder:
    """Collects one document from expat's calls."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._count = 0

    def start(self, name: str, _attributes: Mapping[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS:
            raise BadXml("too_many_elements")
        if len(self._open) >= MOST_DEPTH:
            raise BadXml("too_deep")
        element = Element(name)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)
        self._texts.append([])

    def end(self, _name: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())

    def text(self, piece: str) -> None:
        if self._texts:
            self._texts[-1].append(piece)


def read_xml(body: bytes, *, most_bytes: int = MOST_BYTES) -> Element:
    """The root element of a document. Raises BadXml and nothing else, whatever the bytes are."""
    if len(body) > most_bytes:
        raise BadXml("too_big")
    if not _is_utf8(body):
        # Asked first, because expat follows the byte order mark of another encoding.
        raise BadXml("not_utf8")
    builder = _Builder()
    # The encoding given here overrides the one a document declares.
    parser = expat.ParserCreate(encoding="utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.ProcessingInstructionHandler = _refuse_instruction
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    try:
        parser.Parse(body, True)  # noqa: FBT003 - expat takes it by position only
    except expat.ExpatError as error:
        raise BadXml("not_well_formed") from error
    if builder.root is None:
        raise BadXml("empty")
    return builder.root


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in body


def _refuse_doctype(*_declaration: object) -> None:
    raise BadXml("document_type")


def _refuse_instruction(_target: str, _data: str) -> None:
    raise BadXml("processing_instruction")


def write_xml(fields: Mapping[str, str], *, root: str = "xml") -> bytes:
    """A flat document, every value in CDATA; a value that XML cannot hold is the caller's mistake.

    Raises ValueError.
    """
    return "".join(
        [f"<{root}>", *(_written(name, text) for name, text in fields.items()), f"</{root}>"]
    ).encode()


def _written(name: str, text: str) -> str:
    if text != clean(text):
        raise ValueError(f"{name} holds characters that XML cannot")
    return f"<{name}><![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]></{name}>"


def clean(text: str) -> str:
    """Without the characters XML cannot hold: controls but tab and line feed, lone surrogates.

    A carriage return goes too, because reading XML turns it into a line feed.
    """
    return "".join(character for character in text if _is_allowed(ord(character)))


def _is_allowed(point: int) -> bool:
    if point < 0x20:
        return point in (0x09, 0x0A)
    return not (0xD800 <= point <= 0xDFFF or point in (0xFFFE, 0xFFFF))
