"""Jobs of the portal: what needs all areas."""

from __future__ import annotations

from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.jobs import job
from hospital.patients import actions as patients_actions
from hospital.patients import queries as patients
from hospital.portal import copying


@job()
def make_copy(*, copy_id: int, **_: object) -> None:
    """Make the copy of somebody's data that is waited for; once made there is nothing to do."""
    at = clock.now()
    copy = patients.copy_to_make(copy_id=copy_id)
    if copy is None:
        return
    content = copying.archive(copy.patient, at=at)
    patients_actions.keep_copy(copy_id=copy.pk, content=content, by=SYSTEM, at=at)
