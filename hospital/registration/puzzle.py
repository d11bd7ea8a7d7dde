"""The picture somebody must understand who books very fast (M1.15): drag below the named shape.

The token in the page is signed and says whose it is and when it was drawn; where the shape lies
follows from it by a keyed hash, so the answer stands nowhere but in the picture. Whoever cannot
see or drag waits instead, which costs a program as much as a person.
"""

import datetime as dt
import hmac
import io
import math
import random
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.core.signing import BadSignature, Signer
from PIL import Image, ImageDraw

from hospital.kernel import serials

WIDTH: Final = 640
_HEIGHT: Final = 200
_SIZE: Final = 38
_DECOYS: Final = 4
_NEAR: Final = 5
_LONGEST: Final = dt.timedelta(minutes=5)
SHAPES: Final = {"star": "五角星", "circle": "圆形", "triangle": "三角形", "square": "正方形"}


@dataclass(frozen=True, slots=True)
class Puzzle:
    """One picture: `place` is where its shape lies, 0 to 100 from the left."""

    nonce: str
    shape: str
    place: int
    drawn_at: dt.datetime

    @property
    def shape_label(self) -> str:
        return SHAPES[self.shape]

    def is_solved_by(self, place: int) -> bool:
        return abs(place - self.place) <= _NEAR


def new_token(*, user_id: int, at: dt.datetime) -> str:
    """A picture for one user, to be solved within minutes."""
    return _signer(user_id).sign(f"{int(at.timestamp())}.{serials.opaque()}")


def puzzle_of(token: str, *, user_id: int, at: dt.datetime) -> Puzzle | None:
    """The picture behind a token; None when it is somebody else's, made up, or too old."""
    try:
        drawn, nonce = _signer(user_id).unsign(token).split(".")
    except (BadSignature, ValueError):  # nobody's token: there is no picture
        return None
    drawn_at = dt.datetime.fromtimestamp(int(drawn), dt.UTC)
    if not dt.timedelta(0) <= at - drawn_at <= _LONGEST:
        return None
    luck = _luck(nonce)
    return Puzzle(nonce, luck.choice(sorted(SHAPES)), luck.randint(5, 95), drawn_at)


def picture(puzzle: Puzzle) -> bytes:
    """The PNG: its shape once, some others, and scratches over all."""
    luck = _luck(f"{puzzle.nonce}.picture")
    image = Image.new("RGB", (WIDTH, _HEIGHT), _tint(luck, 225, 250))
    pen = ImageDraw.Draw(image)
    for _ in range(60):
        x, y, radius = luck.randint(0, WIDTH), luck.randint(0, _HEIGHT), luck.randint(6, 30)
        box = (x - radius, y - radius, x + radius, y + radius)
        pen.ellipse(box, fill=_tint(luck, 195, 245))
    centre = puzzle.place * WIDTH // 100
    others = [shape for shape in sorted(SHAPES) if shape != puzzle.shape]
    for x in _apart(luck, centre):
        _shape(pen, luck.choice(others), x, luck)
    _shape(pen, puzzle.shape, centre, luck)
    for _ in range(14):
        line = [(luck.randint(0, WIDTH), luck.randint(0, _HEIGHT)) for _ in range(2)]
        pen.line(line, fill=_tint(luck, 120, 200), width=2)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _apart(luck: random.Random, centre: int) -> list[int]:
    """Where the other shapes go: never over the one that is asked for."""
    room = [x for x in range(_SIZE, WIDTH - _SIZE, 2 * _SIZE) if abs(x - centre) > 2 * _SIZE]
    return luck.sample(room, min(_DECOYS, len(room)))


def _shape(pen: ImageDraw.ImageDraw, shape: str, x: int, luck: random.Random) -> None:
    y, turn = luck.randint(_SIZE + 10, _HEIGHT - _SIZE - 10), luck.uniform(-0.3, 0.3)
    ink = _tint(luck, 20, 110)
    if shape == "circle":
        pen.ellipse((x - _SIZE, y - _SIZE, x + _SIZE, y + _SIZE), fill=ink)
        return
    corners = {"triangle": 3, "square": 4, "star": 10}[shape]
    points = [
        _point(x, y, turn + math.pi * 2 * step / corners, is_inner=shape == "star" and step % 2)
        for step in range(corners)
    ]
    pen.polygon(points, fill=ink)


def _point(x: int, y: int, angle: float, *, is_inner: bool | int) -> tuple[float, float]:
    radius = _SIZE * (0.42 if is_inner else 1.05)
    return x + radius * math.sin(angle), y - radius * math.cos(angle)


def _tint(luck: random.Random, least: int, most: int) -> tuple[int, int, int]:
    return luck.randint(least, most), luck.randint(least, most), luck.randint(least, most)


def _luck(nonce: str) -> random.Random:
    key = f"puzzle\0{settings.BLIND_INDEX_KEY}".encode()
    return random.Random(hmac.digest(key, nonce.encode(), "sha256"))  # noqa: S311 - keyed


def _signer(user_id: int) -> Signer:
    return Signer(salt=f"registration.puzzle.{user_id}")
