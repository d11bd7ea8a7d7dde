"""Cutting a session into time bands and estimating when a number's turn comes (M2.1). Pure."""

import datetime as dt
import itertools
from dataclasses import dataclass

from hospital.kernel import clock, money


@dataclass(frozen=True, slots=True)
class Band:
    """One interval (UTC) with its run of numbers `first_sequence_no` …, `capacity` of them."""

    first_sequence_no: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    capacity: int


def session_bounds(day: dt.date, starts: dt.time, ends: dt.time) -> tuple[dt.datetime, dt.datetime]:
    """Start and end of a session in UTC; an end not after the start is the next morning's."""
    end_day = day if ends > starts else day + dt.timedelta(days=1)
    return clock.at_local(day, starts), clock.at_local(end_day, ends)


def cut(
    *, starts_at: dt.datetime, ends_at: dt.datetime, band_minutes: int, capacity: int
) -> list[Band]:
    """Bands of `band_minutes` from the start (the last may be shorter), places by their length.

    The capacities add up to `capacity` and the numbers run 1..capacity without a gap; a band too
    short for a place of its own is left out.
    """
    step = dt.timedelta(minutes=band_minutes)
    edges = [starts_at]
    while edges[-1] + step < ends_at:
        edges.append(edges[-1] + step)
    edges.append(ends_at)
    pairs = list(itertools.pairwise(edges))
    shares = money.split(capacity, [int((end - start).total_seconds()) for start, end in pairs])
    bands: list[Band] = []
    number = 1
    for (start, end), places in zip(pairs, shares, strict=True):
        if places:
            bands.append(Band(number, start, end, places))
            number += places
    return bands


def expected_at(
    *, band_starts_at: dt.datetime, band_ends_at: dt.datetime, position: int, capacity: int
) -> dt.datetime:
    """When the turn of the number at `position` (from 0) in its band is estimated to come."""
    return band_starts_at + (band_ends_at - band_starts_at) * position / capacity
