"""Cutting a session into bands never loses or invents a number (M2.1)."""

import datetime as dt
import itertools

from hypothesis import given
from hypothesis import strategies as st

from hospital.scheduling import bands

START = dt.datetime(2026, 11, 24, 0, 0, tzinfo=dt.UTC)


@given(
    minutes=st.integers(min_value=10, max_value=12 * 60),
    band_minutes=st.integers(min_value=5, max_value=240),
    capacity=st.integers(min_value=1, max_value=300),
)
def test_m2_01_capacity_is_the_sum_of_bands_and_numbers_run_from_1(
    minutes: int, band_minutes: int, capacity: int
) -> None:
    end = START + dt.timedelta(minutes=minutes)

    cut = bands.cut(starts_at=START, ends_at=end, band_minutes=band_minutes, capacity=capacity)

    assert sum(band.capacity for band in cut) == capacity
    numbers = [
        number
        for band in cut
        for number in range(band.first_sequence_no, band.first_sequence_no + band.capacity)
    ]
    assert numbers == list(range(1, capacity + 1))
    assert all(START <= band.starts_at < band.ends_at <= end for band in cut)
    assert all(earlier.ends_at <= later.starts_at for earlier, later in itertools.pairwise(cut))


def test_m2_01_a_short_last_band_gets_its_share() -> None:
    end = START + dt.timedelta(minutes=100)

    cut = bands.cut(starts_at=START, ends_at=end, band_minutes=30, capacity=20)

    assert [band.capacity for band in cut] == [6, 6, 6, 2]
    assert (cut[-1].ends_at - cut[-1].starts_at) == dt.timedelta(minutes=10)


def test_m2_01_the_estimated_time_is_band_start_plus_position() -> None:
    at = bands.expected_at(
        band_starts_at=START, band_ends_at=START + dt.timedelta(minutes=60), position=2, capacity=4
    )

    assert at == START + dt.timedelta(minutes=30)


def test_a_session_that_ends_after_midnight_belongs_to_the_day_it_starts() -> None:
    starts_at, ends_at = bands.session_bounds(dt.date(2026, 11, 24), dt.time(20, 0), dt.time(0, 30))

    assert starts_at == dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
    assert ends_at == dt.datetime(2026, 11, 24, 16, 30, tzinfo=dt.UTC)
