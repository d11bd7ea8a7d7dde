"""What follows behind the window and the kiosk: each loads nothing and makes one call."""

from hospital.kernel import clock
from hospital.kernel.jobs import job
from hospital.window import actions


@job()
def release_left(*, visit_id: int, **_: object) -> None:
    """Somebody left a kiosk: free the number they did not pay for."""
    actions.release_left(visit_id=visit_id, at=clock.now())
