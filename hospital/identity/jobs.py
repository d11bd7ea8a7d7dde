"""Jobs of the identity area: sweeping out sessions that have ended."""

from __future__ import annotations

from hospital.identity import actions
from hospital.kernel import clock
from hospital.kernel.jobs import job, periodic


@periodic("40 18 * * *")  # 02:40 hospital time
@job()
def clear_sessions(*, timestamp: int = 0, **_: object) -> None:
    """Delete expired sessions; the scheduler passes the moment it meant, which does not matter."""
    actions.clear_sessions(at=clock.now())
