"""Which icons exist, read from the sprites themselves, so that a misspelt one fails loudly.

The vendored sprite holds Tabler's; our own drawings, for what it has no word for, lie beside it.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

VENDORED: Final = "vendor/tabler-icons-3.51.0/sprite.svg"
OWN: Final = "ui/img/icons.svg"
_STATIC: Final = Path(__file__).parent / "static"


@cache
def sprites() -> dict[str, str]:
    """Return each icon's name and the sprite it stands in, below `static`."""
    return {
        name: sprite
        for sprite in (VENDORED, OWN)
        for name in re.findall(r'<symbol id="([^"]+)"', (_STATIC / sprite).read_text("utf-8"))
    }


def names() -> frozenset[str]:
    """Return the names of all icons."""
    return frozenset(sprites())
