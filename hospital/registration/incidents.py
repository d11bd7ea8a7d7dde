"""How many no-shows or late cancellations are too many (M1.10). Pure.

An incident is one moment. A restriction begins with the incident that is one too many within the
days looked at, and each further one begins another.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from hospital.registration import thresholds
from hospital.registration.states import RestrictionCause


@dataclass(frozen=True, slots=True)
class Limit:
    """So many incidents within a time restrict for another time."""

    most: int
    within: dt.timedelta
    lasting: dt.timedelta


@dataclass(frozen=True, slots=True)
class Due:
    """A restriction the incidents call for: from the one too many on, and how many there were."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    count: int


def limit_of(cause: RestrictionCause) -> Limit:
    """The hospital's limit for a kind of incident."""
    if cause == RestrictionCause.NOSHOW:
        numbers = (
            thresholds.NOSHOWS,
            thresholds.NOSHOW_DAYS,
            thresholds.NOSHOW_RESTRICTION_DAYS,
        )
    else:
        numbers = (
            thresholds.LATE_CANCELS,
            thresholds.LATE_CANCEL_DAYS,
            thresholds.RESTRICTION_DAYS,
        )
    most, within, lasting = (number.value() for number in numbers)
    return Limit(most, dt.timedelta(days=within), dt.timedelta(days=lasting))


def count_to(moments: Iterable[dt.datetime], end: dt.datetime, limit: Limit) -> int:
    """How many incidents lie within the days looked at, up to and with a moment."""
    return sum(end - limit.within <= moment <= end for moment in moments)


def due(moments: Iterable[dt.datetime], limit: Limit) -> list[Due]:
    """Every restriction these incidents call for, the earliest first."""
    known = sorted(moments)
    found = []
    for moment in sorted(set(known)):
        count = count_to(known, moment, limit)
        if count >= limit.most:
            found.append(Due(moment, moment + limit.lasting, count))
    return found
