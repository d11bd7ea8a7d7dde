"""What staff typed, as values. Saves nothing."""

from __future__ import annotations

from collections.abc import Mapping


def text(data: Mapping[str, str], name: str, *, most: int) -> str:
    """A line of text without what no database column holds."""
    return data.get(name, "").replace("\x00", "").strip()[:most]
