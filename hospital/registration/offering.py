"""How long a number from the waiting list is kept for the patient it is offered to. Pure."""

import datetime as dt
from typing import Final

from hospital.kernel import clock

LEAST: Final = dt.timedelta(minutes=15)


def offer_until(
    *, at: dt.datetime, closes_at: dt.datetime, longest: dt.timedelta, morning: dt.time
) -> dt.datetime:
    """The end of an offer made at `at`: half the time left to the session's closing, so that the
    next in line have a chance too, never more than `longest`.

    Nobody is woken for it: what would end in the night waits until `morning`, on the hospital's
    wall clock. It never goes past the closing.
    """
    end = at + max(min(longest, (closes_at - at) / 2), LEAST)
    wall = clock.local(end)
    if wall.time() < morning:
        end = clock.at_local(wall.date(), morning)
    return min(end, closes_at)
