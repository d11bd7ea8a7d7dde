"""Jobs of the patients area."""

from __future__ import annotations

from hospital.kernel import clock
from hospital.kernel.jobs import job, periodic
from hospital.patients import actions


@periodic("20 * * * *")
@job()
def forget(**_: object) -> None:
    """Delete what is over: QR codes of yesterday, SMS codes of last week, copies."""
    actions.forget(at=clock.now())
