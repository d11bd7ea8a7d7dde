"""Values a rush reads, kept for at most a second in this process (law 13).

What comes from here may be shown, or may describe what hardly changes; a write never relies on it
for a decision that a row in the database must make. Tests set SECONDS to nought and forget.
"""

import time
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

SECONDS = 1.0
_caches: "list[MomentCache[Any, Any]]" = []


class MomentCache(Generic[Key, Value]):
    """`get` loads a value unless one younger than a second is at hand; holds at most `most`."""

    def __init__(self, *, most: int = 1000) -> None:
        self._most = most
        self._values: dict[Key, tuple[float, Value]] = {}
        _caches.append(self)

    def get(self, key: Key, load: Callable[[], Value]) -> Value:
        asked = time.monotonic()
        found = self._values.get(key)
        if found is not None and asked - found[0] < SECONDS:
            return found[1]
        value = load()
        if not SECONDS:
            return value
        if len(self._values) >= self._most:
            self._values.clear()
        self._values[key] = (asked, value)  # its age counts from before the reading
        return value

    def forget(self) -> None:
        """Drop every value."""
        self._values.clear()


def forget_all() -> None:
    """Drop every value of every cache of this process."""
    for cache in _caches:
        cache.forget()
