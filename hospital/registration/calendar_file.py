"""A visit as a calendar file (RFC 5545), for whatever calendar a phone has. Pure.

Times are in UTC, so no zone has to be described; lines end with CRLF and are folded at 75 octets;
what people named themselves cannot end a line or begin another property.
"""

import datetime as dt
import unicodedata
from dataclasses import dataclass
from typing import Final

_FOLD: Final = 75
_ESCAPES: Final = {"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"}


@dataclass(frozen=True, slots=True)
class Visit:
    """What a calendar shows of a visit; `uid` is the same for every copy of the file."""

    uid: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    title: str
    place: str
    note: str
    url: str
    is_cancelled: bool = False


def calendar_file(visit: Visit, *, at: dt.datetime) -> bytes:
    """The file as a phone takes it in, with an alarm an hour before."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Xinglin//Registration//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{_text(visit.uid)}",
        f"DTSTAMP:{_moment(at)}",
        f"DTSTART:{_moment(visit.starts_at)}",
        f"DTEND:{_moment(visit.ends_at)}",
        f"SUMMARY:{_text(visit.title)}",
        f"LOCATION:{_text(visit.place)}",
        f"DESCRIPTION:{_text(visit.note)}",
        f"URL:{visit.url}",
        f"STATUS:{'CANCELLED' if visit.is_cancelled else 'CONFIRMED'}",
        "TRANSP:OPAQUE",
        *(() if visit.is_cancelled else _alarm(visit.title)),
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return b"".join(_folded(line) for line in lines)


def _alarm(title: str) -> tuple[str, ...]:
    return (
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_text(title)}",
        "TRIGGER:-PT1H",
        "END:VALARM",
    )


def _moment(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    """A TEXT value: line breaks and separators escaped, other control characters left out."""
    plain = value.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        _ESCAPES.get(sign, sign)
        for sign in plain
        if sign == "\n" or unicodedata.category(sign) not in {"Cc", "Zl", "Zp", "Cs"}
    )


def _folded(line: str) -> bytes:
    """The line in pieces of 75 octets at most, no character torn, CRLF after each."""
    pieces: list[bytes] = []
    piece = b""
    for sign in line:
        octets = sign.encode()
        if len(piece) + len(octets) > _FOLD:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
