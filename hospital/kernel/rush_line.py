"""The line before a rush: who comes is numbered, and the house lets in by that number (M1.16).

A sequence gives the numbers; one row says up to which number the house serves by now. It moves on
by so many a second and is never further ahead of the last number given than a few seconds' worth:
while there is room nobody waits, and when there is none nobody passes anybody.
"""

import datetime as dt
from typing import Final

from django.db import connection

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
_SERVED: Final = """
    WITH moved AS (
        INSERT INTO kernel_rushline AS line (id, served, moved_at)
        SELECT 1, last_value + %(burst)s, %(at)s FROM kernel_rushline_number
        ON CONFLICT (id) DO UPDATE SET moved_at = excluded.moved_at, served = least(
            line.served + %(rate)s * extract(epoch FROM excluded.moved_at - line.moved_at)::float8,
            excluded.served
        )
        WHERE line.moved_at < excluded.moved_at
        RETURNING served
    )
    SELECT served FROM moved UNION ALL
    SELECT served FROM kernel_rushline WHERE NOT EXISTS (SELECT FROM moved)
"""
_seen: MomentCache[str, float] = MomentCache()


def take_number() -> int:
    """The next number of the line."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE)
        return int(cursor.fetchone()[0])


def ahead_of(number: int, *, at: dt.datetime) -> int:
    """How many numbers are to be let in before this one; 0 when its turn has come.

    At most a second old: the line is read, and moved on, once a second by every process.
    """
    return max(0, number - int(_seen.get("served", lambda: _served(at))))


def seconds_until(ahead: int) -> float:
    """How long so many take to be let in."""
    return ahead / RUSH_PER_SECOND.value()


def _served(at: dt.datetime) -> float:
    rate = RUSH_PER_SECOND.value()
    values: dict[str, float | dt.datetime] = {
        "burst": BURST_SECONDS * rate,
        "rate": float(rate),
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SERVED, values)
        row = cursor.fetchone()
        if row is None:  # the very first row was made by another process beside this statement
            cursor.execute(_SERVED, values)
            row = cursor.fetchone()
    return float(row[0])
