"""Shares lose no number and leave nobody with only late ones (M2.2)."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital.scheduling.quotas import deal, share
from hospital.scheduling.states import Pool

_DEFAULT = {Pool.WECHAT: 60, Pool.KIOSK: 10, Pool.RESERVED: 10}
_percents = st.fixed_dictionaries(
    {pool: st.integers(0, 100) for pool in (Pool.WECHAT, Pool.KIOSK, Pool.RESERVED)}
)


@pytest.mark.parametrize(
    ("capacity", "expected"),
    [
        (0, {}),
        (1, {Pool.WINDOW: 1}),
        (9, {Pool.WECHAT: 5, Pool.WINDOW: 4}),
        (10, {Pool.WECHAT: 6, Pool.KIOSK: 1, Pool.RESERVED: 1, Pool.WINDOW: 2}),
        (40, {Pool.WECHAT: 24, Pool.KIOSK: 4, Pool.RESERVED: 4, Pool.WINDOW: 8}),
    ],
)
def test_m2_02_percentages_round_down_and_the_rest_is_the_windows(
    capacity: int, expected: dict[Pool, int]
) -> None:
    assert share(capacity, _DEFAULT) == expected


@given(st.integers(0, 500), _percents)
def test_m2_02_no_number_is_lost_whatever_the_percentages(
    capacity: int, percents: dict[Pool, int]
) -> None:
    shares = share(capacity, percents)

    assert sum(shares.values()) == capacity
    assert all(count > 0 for count in shares.values())
    for pool, percent in percents.items():
        assert shares.get(pool, 0) <= capacity * percent // 100
    if sum(percents.values()) <= 100:
        assert all(shares.get(pool, 0) == capacity * percents[pool] // 100 for pool in percents)


@given(st.integers(0, 300), _percents)
def test_m2_02_every_pool_has_early_and_late_numbers(
    capacity: int, percents: dict[Pool, int]
) -> None:
    shares = share(capacity, percents)
    order = deal(shares)

    assert len(order) == capacity
    for pool, count in shares.items():
        places = [place for place, dealt in enumerate(order, start=1) if dealt == pool]
        assert len(places) == count
        for before, place in enumerate(places):
            # Never more than one number ahead of or two behind an even pace.
            assert abs(place * count / capacity - before) <= 2
        gaps = [later - sooner for sooner, later in itertools.pairwise(places)]
        assert all(gap <= 3 * capacity / count for gap in gaps)
