"""Jobs of the messaging area: delivering one message."""

from __future__ import annotations

from hospital.kernel import clock
from hospital.kernel.jobs import job
from hospital.messaging import gateway


@job()
def deliver(*, message_id: int, **_: object) -> None:
    """Try to send one message through WeChat; tries after this one are deferred by the gateway."""
    gateway.deliver(message_id=message_id, at=clock.now())
