"""The clockwork of sessions: every sweep is idempotent, so a missed or doubled run does no harm.

Cron times are UTC; 17:30 UTC is 01:30 at the hospital.
"""

import datetime as dt

from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.jobs import job, periodic
from hospital.scheduling import actions, thresholds


@periodic("30 17 * * *")
@job()
def generate_schedules(**_: object) -> None:
    """Make the sessions of the coming days from the templates, every night (M15.1)."""
    through = clock.today() + dt.timedelta(days=thresholds.GENERATE_DAYS.value())
    actions.generate_schedules(through=through, by=SYSTEM, at=clock.now())


@periodic("* * * * *")
@job()
def release_schedules(**_: object) -> None:
    """Put out the numbers whose release moment has come (M1.1)."""
    actions.release_due(by=SYSTEM, at=clock.now())


@periodic("* * * * *")
@job()
def advance_sessions(**_: object) -> None:
    """Start and close sessions by the clock (SM1)."""
    actions.advance_sessions(by=SYSTEM, at=clock.now())


@periodic("* * * * *")
@job()
def reclaim_slots(**_: object) -> None:
    """Give cancelled numbers back after their random wait (M1.15)."""
    actions.reclaim_due(by=SYSTEM, at=clock.now())


@periodic("* * * * *")
@job()
def expire_slots(**_: object) -> None:
    """Expire the free numbers of bands that are over (SM2)."""
    actions.expire_due(at=clock.now())


@periodic("* * * * *")
@job()
def merge_quotas(**_: object) -> None:
    """Make the day's unused quota public (M2.2)."""
    actions.merge_due(today=clock.today(), at=clock.now())
