"""How long an offer from the waiting list stands (N08)."""

import datetime as dt

import pytest

from hospital.registration.offering import offer_until
from hospital.testing.schedules import moment

MONDAY = dt.date(2026, 11, 23)
TUESDAY = dt.date(2026, 11, 24)
CLOSES = moment(TUESDAY, 11, 30)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (moment(dt.date(2026, 11, 18), 10), moment(dt.date(2026, 11, 19), 10)),
        (moment(MONDAY, 11, 30), moment(MONDAY, 23, 30)),
        (moment(MONDAY, 20), moment(TUESDAY, 7, 30)),
        (moment(TUESDAY, 0, 1), moment(TUESDAY, 7, 30)),
        (moment(TUESDAY, 9, 30), moment(TUESDAY, 10, 30)),
        (moment(TUESDAY, 11, 10), moment(TUESDAY, 11, 25)),
        (moment(TUESDAY, 11, 25), CLOSES),
    ],
)
def test_an_offer_leaves_time_for_the_next_and_wakes_nobody(
    at: dt.datetime, until: dt.datetime
) -> None:
    found = offer_until(
        at=at, closes_at=CLOSES, longest=dt.timedelta(hours=24), morning=dt.time(7, 30)
    )
    assert found == until
