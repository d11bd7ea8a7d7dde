"""Breaking good bytes: the same way for the same random numbers."""

import random
from collections.abc import Callable, Sequence

# What has broken parsers before: of numbers, of text, of structure.
TOKENS: Sequence[bytes] = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\\u0000",
    b"null",
    b"true",
    b"NaN",
    b"-0",
    b"1e999",
    b"9" * 400,
    b"9" * 5000,
    b"-1",
    b"0.001",
    b"0001-01-01T00:00:00+23:59",
    b"0001-01-01 00:00:00",
    b"00010101000000",
    b"9999-12-31T23:59:59-23:59",
    b"{",
    b"[" * 20_000,
    b'{"a":' * 20_000,
    b"]]>",
    b"<![CDATA[",
    b"<a>" * 3000,
    b"</xml>",
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>",
    b"&a;",
    b"&#0;",
    b"&#xD800;",
    b"<?x ?>",
    b"`",
    b",`",
    b"\r\n",
    b"\n`",
    b"\x1f\x8b",
    "药".encode(),
    "１".encode(),
    "（元）".encode(),
)
MOST_CHANGES = 4


def mutated(rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds with one to four things wrong with it."""
    body = rng.choice(seeds)
    for _ in range(rng.randint(1, MOST_CHANGES)):
        body = rng.choice(_CHANGES)(rng, body, seeds)
    return body


def _flip(rng: random.Random, body: bytes, _seeds: Sequence[bytes]) -> bytes:
    if not body:
        return b"\x01"
    place = rng.randrange(len(body))
    return body[:place] + bytes([body[place] ^ 1 << rng.randrange(8)]) + body[place + 1 :]


def _cut(rng: random.Random, body: bytes, _seeds: Sequence[bytes]) -> bytes:
    start, end = _span(rng, body)
    return body[:start] + body[end:]


def _end(rng: random.Random, body: bytes, _seeds: Sequence[bytes]) -> bytes:
    return body[: rng.randint(0, len(body))]


def _repeat(rng: random.Random, body: bytes, _seeds: Sequence[bytes]) -> bytes:
    start, end = _span(rng, body)
    return body[:start] + body[start:end] * rng.choice((2, 3, 50)) + body[end:]


def _insert(rng: random.Random, body: bytes, _seeds: Sequence[bytes]) -> bytes:
    place = rng.randint(0, len(body))
    return body[:place] + rng.choice(TOKENS) + body[place:]


def _replace(rng: random.Random, body: bytes, _seeds: Sequence[bytes]) -> bytes:
    start, end = _span(rng, body)
    return body[:start] + rng.choice(TOKENS) + body[end:]


def _value(rng: random.Random, body: bytes, _seeds: Sequence[bytes]) -> bytes:
    """Put a token where a value stands, whatever encloses it."""
    marks = [place for place, byte in enumerate(body) if byte in b'":`>']
    if not marks:
        return body
    start = rng.choice(marks) + 1
    ends = [place for place in (body.find(mark, start) for mark in (b'"', b",", b"<")) if place > 0]
    return body[:start] + rng.choice(TOKENS) + body[min(ends, default=start) :]


def _splice(rng: random.Random, body: bytes, seeds: Sequence[bytes]) -> bytes:
    other = rng.choice(seeds)
    return body[: rng.randint(0, len(body))] + other[rng.randint(0, len(other)) :]


def _span(rng: random.Random, body: bytes) -> tuple[int, int]:
    start = rng.randint(0, len(body))
    return start, min(len(body), start + rng.choice((1, 2, 8, 64)))


Change = Callable[[random.Random, bytes, Sequence[bytes]], bytes]
_CHANGES: Sequence[Change] = (
    _flip,
    _cut,
    _end,
    _repeat,
    _insert,
    _replace,
    _value,
    _value,
    _splice,
)
