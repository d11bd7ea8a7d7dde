"""The clockwork of sessions: every sweep is idempotent, so a missed or doubled run does no harm.

Cron times are UTC; 17:30 UTC is 01:30 at the hospital.
"""

import datetime as dt
import logging

from hospital.kernel import clock, events
from hospital.kernel.actors import SYSTEM
from hospital.kernel.jobs import job, periodic
from hospital.scheduling import actions, queries
from hospital.scheduling.proposal import apart

logger = logging.getLogger(__name__)


@periodic("30 17 * * *")
@job()
def generate_schedules(**_: object) -> None:
    """Make the sessions of the coming days from the templates, every night (M15.1)."""
    actions.make_missing(by=SYSTEM, at=clock.now())


@periodic("* * * * *")
@job()
def release_schedules(**_: object) -> None:
    """Put out the numbers whose release moment has come (M1.1)."""
    actions.release_due(by=SYSTEM, at=clock.now())


@periodic("* * * * *")
@job()
def start_sessions(**_: object) -> None:
    """Start sessions by the clock (SM1)."""
    actions.start_sessions(by=SYSTEM, at=clock.now())


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


@job()
def propose_roster(*, proposal_id: int, **_: object) -> None:
    """Compute one proposed roster in a process of its own; later, while another one is at it."""
    at = clock.now()
    if not actions.begin_proposal(proposal_id=proposal_id, by=SYSTEM, at=at):
        again = at + dt.timedelta(seconds=5)
        events.later("scheduling.jobs.propose_roster", at=again, proposal_id=proposal_id)
        return
    problem, seconds = queries.problem_of_proposal(proposal_id=proposal_id)
    try:
        found = apart.propose_apart(problem, seconds=seconds)
    except apart.SolvingFailed:
        logger.warning("no roster was proposed", exc_info=True, extra={"proposal": proposal_id})
        found = None
    actions.finish_proposal(proposal_id=proposal_id, result=found, by=SYSTEM, at=clock.now())
