"""How often somebody did something lately, counted in this process's memory.

For limits that must cost a rush no statement. Every process counts for itself, so with several a
limit is reached so many times later; what must hold exactly belongs into the database. Tests
forget.
"""

import datetime as dt
import threading
from collections import OrderedDict, deque
from typing import Final

_paces: "list[Pace]" = []
_KEPT_PER_KEY: Final = 1000


class Pace:
    """`count` notes one more for a key; holds at most `most` keys, the longest idle go first."""

    def __init__(self, *, most: int = 50_000) -> None:
        self._most = most
        self._moments: OrderedDict[str, deque[dt.datetime]] = OrderedDict()
        self._lock = threading.Lock()
        _paces.append(self)

    def count(self, key: str, *, within: dt.timedelta, at: dt.datetime) -> int:
        """Note one more and say how many there were within a time, this one included."""
        with self._lock:
            moments = self._moments.setdefault(key, deque(maxlen=_KEPT_PER_KEY))
            self._moments.move_to_end(key)
            while moments and moments[0] <= at - within:
                moments.popleft()
            moments.append(at)
            while len(self._moments) > self._most:
                self._moments.popitem(last=False)
            return len(moments)

    def forget(self) -> None:
        """Drop every count."""
        with self._lock:
            self._moments.clear()


def forget_all() -> None:
    """Drop every count of this process."""
    for pace in _paces:
        pace.forget()
