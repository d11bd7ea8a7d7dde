"""Which icons exist, read from the vendored sprite itself, so that a misspelt one fails loudly."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

SPRITE = "vendor/tabler-icons-3.51.0/sprite.svg"
_STATIC = Path(__file__).parent / "static"


@cache
def names() -> frozenset[str]:
    """Return the names of all icons of the sprite."""
    return frozenset(re.findall(r'<symbol id="([^"]+)"', (_STATIC / SPRITE).read_text("utf-8")))
