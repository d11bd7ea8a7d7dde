"""Taking an alert on. That it is over only its probe can say."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.db import transaction

from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.kernel.states import move
from hospital.monitoring.models import Alert
from hospital.monitoring.states import AlertStatus


class AlertSettled(Refusal):
    """Somebody has taken it on already, or it is over."""

    code: ClassVar[str] = "ALERT_SETTLED"
    default_message: ClassVar[str] = "这条告警已经有人处理，或已经恢复。"


def acknowledge(*, alert_id: int, note: str, by: Actor, at: dt.datetime) -> Alert:
    """Take an open alert on, saying what is done about it; it is told no more while it lasts.

    Raises NotFound, AlertSettled, and Invalid without a note.
    """
    note = note.strip()[:200]
    if not note:
        raise Invalid({"note": ["请写明怎么处理，例如“已联系机房，今晚换盘”。"]})
    with transaction.atomic():
        alert = Alert.objects.select_for_update(no_key=True).filter(pk=alert_id).first()
        if alert is None:
            raise NotFound("没有找到这条告警。")
        if alert.status != AlertStatus.OPEN:
            raise AlertSettled
        move(
            alert,
            AlertStatus.ACKNOWLEDGED,
            by=by,
            at=at,
            reason=note,
            note=note,
            acknowledged_at=at,
            acknowledged_by=str(by),
        )
        after = {"probe": alert.probe, "level": alert.level}
        audit.record(
            act="monitoring.acknowledge_alert",
            subject=alert,
            by=by,
            at=at,
            after=after,
            reason=note,
        )
    return alert
