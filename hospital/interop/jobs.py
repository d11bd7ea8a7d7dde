"""Jobs of interop: forgetting at night."""

from __future__ import annotations

from hospital.interop import actions
from hospital.kernel import clock
from hospital.kernel.jobs import job, periodic


@periodic("40 19 * * *")  # 03:40 hospital time
@job()
def forget_old(**_: object) -> None:
    """Delete calls beyond their days, tokens and counts that are over."""
    actions.forget_old(at=clock.now())
