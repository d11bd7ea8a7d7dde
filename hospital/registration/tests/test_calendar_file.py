"""The calendar file of a visit: RFC 5545 to the letter, whatever the names are."""

import datetime as dt

import pytest

from hospital.registration.calendar_file import Visit, calendar_file
from hospital.testing.schedules import NOW, TOMORROW, moment

HOSTILE = [
    "欧阳上官婉儿；二诊,复查\\n",
    "x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:假的",
    "a\u2028ATTACH:http://evil.example/\u2029b\x00\x07\x85c",
    "很长的名字" * 60,
    "👩‍👩‍👧‍👦" * 30,
    "",
]


def a_visit(text: str = "内科", **changes: object) -> Visit:
    facts: dict[str, object] = {
        "uid": "abc@hospital",
        "starts_at": moment(TOMORROW, 8),
        "ends_at": moment(TOMORROW, 9),
        "title": text,
        "place": text,
        "note": text,
        "url": "https://hospital.example/m/shared/x/",
    }
    return Visit(**{**facts, **changes})  # type: ignore[arg-type]


def unfolded(file: bytes) -> list[str]:
    """Its content lines, as a calendar reads them."""
    return file.decode().replace("\r\n ", "").removesuffix("\r\n").split("\r\n")


def test_the_file_says_when_and_where_in_utc() -> None:
    assert unfolded(calendar_file(a_visit("内科,陈知行"), at=NOW)) == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Xinglin//Registration//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        "UID:abc@hospital",
        "DTSTAMP:20261123T020000Z",
        "DTSTART:20261124T000000Z",
        "DTEND:20261124T010000Z",
        "SUMMARY:内科\\,陈知行",
        "LOCATION:内科\\,陈知行",
        "DESCRIPTION:内科\\,陈知行",
        "URL:https://hospital.example/m/shared/x/",
        "STATUS:CONFIRMED",
        "TRANSP:OPAQUE",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "DESCRIPTION:内科\\,陈知行",
        "TRIGGER:-PT1H",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]


def test_what_is_cancelled_says_so_and_rings_no_alarm() -> None:
    lines = unfolded(calendar_file(a_visit(is_cancelled=True), at=NOW + dt.timedelta(hours=1)))
    assert "STATUS:CANCELLED" in lines
    assert "BEGIN:VALARM" not in lines


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_breaks_out_of_its_line(text: str) -> None:
    file = calendar_file(a_visit(text), at=NOW)

    physical = file.split(b"\r\n")
    assert physical[-1] == b""
    assert all(len(line) <= 75 for line in physical)
    assert b"\n" not in file.replace(b"\r\n", b"")
    assert b"\r" not in file.replace(b"\r\n", b"")
    for line in physical:
        line.decode()  # no character is torn
    lines = unfolded(file)
    assert len(lines) == 23
    assert [line.partition(":")[0] for line in lines].count("BEGIN") == 3
    (summary,) = (line for line in lines if line.startswith("SUMMARY:"))
    read = summary.removeprefix("SUMMARY:").replace("\\\\", "\0")
    for sign, meant in (("\\n", "\n"), ("\\;", ";"), ("\\,", ",")):
        read = read.replace(sign, meant)
    kept = text.replace("\r\n", "\n").replace("\u2028", "").replace("\u2029", "")
    assert read.replace("\0", "\\") == kept.translate(dict.fromkeys((0, 7, 0x85)))
