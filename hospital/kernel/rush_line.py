"""The line before a rush: who comes is numbered, and the house lets in by that number (M1.16).

A sequence gives the numbers; one row says up to which number the house serves by now. It moves on
by so many a second and is never further ahead of the last number given than a few seconds' worth:
while there is room nobody waits, and when there is none nobody passes anybody.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db import connection

from hospital.kernel import moment_cache
from hospital.kernel.moment_cache import MomentCache
from hospital.kernel.settings_rows import Setting

RUSH_PER_SECOND: Final = Setting(
    key="kernel.rush_per_second",
    label="放号高峰每秒放行人数，超出的排队进入",
    default=25,
    unit="人",
    minimum=1,
    maximum=100000,
    rule="M1.16",
)
#: So many seconds' worth may come at once after a lull.
BURST_SECONDS: Final = 3
_TAKE: Final = "SELECT nextval('kernel_rushline_number')"
# Whoever asks first moves the line on for everybody; the others of that moment read it.
_MOVE: Final = """
    WITH allowed AS (SELECT last_value + %(burst)s AS most FROM kernel_rushline_number),
    moved AS (
        INSERT INTO kernel_rushline AS line (id, served, moved_at)
        SELECT 1, most, %(at)s FROM allowed
        ON CONFLICT (id) DO UPDATE SET moved_at = excluded.moved_at, served = least(
            line.served + %(rate)s * extract(epoch FROM excluded.moved_at - line.moved_at)::float8,
            excluded.served
        )
        WHERE line.moved_at < excluded.moved_at
        RETURNING served, moved_at
    ),
    now AS (
        SELECT served, moved_at FROM moved UNION ALL
        SELECT served, moved_at FROM kernel_rushline WHERE NOT EXISTS (SELECT FROM moved)
    )
    SELECT served, moved_at, most FROM now, allowed
"""


@dataclass(frozen=True, slots=True)
class _Line:
    """The line as it was read: served up to a number at a moment, and to no more than `most`."""

    served: float
    moved_at: dt.datetime
    most: float

    def served_at(self, moment: dt.datetime) -> float:
        """How far it is since then: every process reckons on from the same moment, so that none
        lets in later than another."""
        passed = min(max((moment - self.moved_at).total_seconds(), 0.0), moment_cache.SECONDS)
        return max(self.served, min(self.served + passed * RUSH_PER_SECOND.value(), self.most))


_seen: MomentCache[str, _Line] = MomentCache()


def take_number() -> int:
    """The next number of the line."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE)
        return int(cursor.fetchone()[0])


def ahead_of(number: int, *, at: dt.datetime) -> float:
    """How many numbers are to be let in before this one, the part of a person whose turn is half
    come included; 0 when its turn has come.

    The line is read, and moved on, once a second by every process, and reckoned on in between.
    """
    return max(0.0, number - _seen.get("line", lambda: _moved(at)).served_at(at))


def seconds_until(ahead: float) -> float:
    """How long so many take to be let in."""
    return ahead / RUSH_PER_SECOND.value()


def _moved(at: dt.datetime) -> _Line:
    rate = RUSH_PER_SECOND.value()
    values: dict[str, float | dt.datetime] = {
        "burst": BURST_SECONDS * rate,
        "rate": float(rate),
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, values)
        row = cursor.fetchone()
        if row is None:  # the very first row was made by another process beside this statement
            cursor.execute(_MOVE, values)
            row = cursor.fetchone()
    served, moved_at, most = row
    return _Line(float(served), moved_at, float(most))
