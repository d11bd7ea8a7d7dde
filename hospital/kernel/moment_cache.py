"""Values a rush reads, kept for at most a second (law 13): in this process and, where a cache has a
name, for all processes of this machine, so that what is asked of each is worked out once.

What comes from here may be shown, or may describe what hardly changes; a write never relies on it
for a decision that a row in the database must make. Tests set SECONDS to nought and forget.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from django.core.cache import caches

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

SECONDS = 1.0
#: The cache of settings.CACHES that all processes of a machine have in common.
MACHINE = "machine"
_caches: "list[MomentCache[Any, Any]]" = []
logger = logging.getLogger(__name__)


class MomentCache(Generic[Key, Value]):
    """`get` loads a value unless one younger than a second is at hand; holds at most `most`.

    With a `name` other processes' values are taken too: they are pickled, and a key is its repr.
    """

    def __init__(self, *, most: int = 1000, name: str = "") -> None:
        self._most = most
        self._name = name
        self._values: dict[Key, tuple[float, Value]] = {}
        _caches.append(self)

    def get(self, key: Key, load: Callable[[], Value]) -> Value:
        """The value of a key; what `load` raises passes through."""
        asked = time.monotonic()
        found = self._values.get(key)
        if found is not None and _is_young(found[0], asked):
            return found[1]
        if not SECONDS:
            return load()
        found = self._from_others(key, asked)
        if found is None:
            found = asked, load()  # its age counts from before the reading
            self._to_others(key, found)
        if len(self._values) >= self._most:
            self._values.clear()
        self._values[key] = found
        return found[1]

    def kept(self, key: Key) -> Value | None:
        """A value of this process younger than a second, None when there is none."""
        found = self._values.get(key)
        is_young = found is not None and _is_young(found[0], time.monotonic())
        return found[1] if found is not None and is_young else None

    def forget(self) -> None:
        """Drop every value of this process."""
        self._values.clear()

    def _from_others(self, key: Key, asked: float) -> tuple[float, Value] | None:
        if not self._name:
            return None
        try:
            found = caches[MACHINE].get(self._address(key))
        except OSError:  # each process then works for itself, until somebody mends it
            logger.exception("values of other processes cannot be read")
            return None
        return found if found is not None and _is_young(found[0], asked) else None

    def _to_others(self, key: Key, found: tuple[float, Value]) -> None:
        if not self._name or not _is_young(found[0], time.monotonic()):
            return
        try:
            caches[MACHINE].set(self._address(key), found, timeout=SECONDS)
        except OSError:
            logger.exception("values cannot be written for other processes")

    def _address(self, key: Key) -> str:
        return f"{self._name}.{hashlib.sha256(repr(key).encode()).hexdigest()}"


def forget_all() -> None:
    """Drop every value of every cache, and what the processes of this machine have in common."""
    for cache in _caches:
        cache.forget()
    caches[MACHINE].clear()


def _is_young(moment: float, now: float) -> bool:
    # The clock is the machine's, not the process's; after a restart of the machine it begins anew.
    return 0 <= now - moment < SECONDS
