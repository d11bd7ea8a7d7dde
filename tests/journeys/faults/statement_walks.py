"""How the daily statements are reached: the morning after somebody paid and was paid back."""

from __future__ import annotations

import datetime as dt

from hospital.kernel import clock
from hospital.payments import jobs
from tests.journeys.faults.walk import Walk

DAY_MINUTES = 24 * 60
#: When the periodic job runs.
MORNING = dt.time(10, 15)
#: From then until a little after the last time that a statement is asked for.
ASKING_MINUTES = 230

#: This one has to be told which refund it means.
UNDER_WAY = "bill_refund_processing"


def statement(walk: Walk) -> None:
    """A payment and its refund yesterday; from now on it is a quarter past ten."""
    walk.is_booked()
    refund = walk.cancels()
    walk.bank_pays_back()
    walk.wait_for_notices(2)
    tomorrow = clock.today() + dt.timedelta(days=1)
    wait = clock.at_local(tomorrow, MORNING) - clock.now()
    walk.story.time.passes(seconds=wait.total_seconds(), sweep=DAY_MINUTES)
    if walk.row.fault == UNDER_WAY:
        walk.strike(value=refund.out_refund_no)
    else:
        walk.strike()
    jobs.expect_statements()
    walk.story.time.passes(minutes=ASKING_MINUTES, sweep=DAY_MINUTES)
