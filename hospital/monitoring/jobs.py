"""Jobs of monitoring: a round a minute, certificates every hour, forgetting at night."""

from __future__ import annotations

from hospital.kernel import clock
from hospital.kernel.jobs import job, periodic
from hospital.monitoring import actions, gateway


@periodic("* * * * *")
@job()
def watch(**_: object) -> None:
    """Look at everything once; open and end alerts."""
    actions.run_round(at=clock.now())


@periodic("23 * * * *")
@job()
def check_certificates(**_: object) -> None:
    """See until when the TLS certificates of our addresses hold."""
    gateway.check_certificates()


@periodic("30 19 * * *")  # 03:30 hospital time
@job()
def forget_old(**_: object) -> None:
    """Forget machines long silent and old sizes."""
    actions.forget_old(at=clock.now())
