"""N38: telling those who keep the system running, by SMS, until somebody takes the alert on.

A severe alert is told at once, a warning when it is not night.
"""

from __future__ import annotations

import datetime as dt

from hospital.identity import queries as identity
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.messaging import actions as messaging
from hospital.messaging import queries as messages
from hospital.monitoring import queries
from hospital.monitoring.models import Alert
from hospital.monitoring.permissions import RECEIVE_ALERTS
from hospital.monitoring.states import AlertLevel, AlertStatus
from hospital.monitoring.thresholds import REPEAT_HOURS


def tell_if_due(alert: Alert, *, at: dt.datetime) -> None:
    """Tell of an open alert: the first time, when it has become severe, and every few hours."""
    if alert.status != AlertStatus.OPEN or not _is_due(alert, at):
        return
    if alert.level != AlertLevel.BAD and messages.is_night(at=at):
        return
    alert.told_count += 1
    alert.told_at, alert.told_level = at, alert.level
    alert.save(update_fields=["told_count", "told_at", "told_level"])
    level = str(AlertLevel(alert.level).label)
    _send(alert, f"alert:{alert.pk}:{alert.told_count}", level, alert.text, at)


def tell_over(alert: Alert, *, at: dt.datetime) -> None:
    """Tell that an alert is over, if anybody was told that it began."""
    if alert.told_count:
        _send(alert, f"alert:{alert.pk}:over", "已恢复", "恢复正常。", at)


def _is_due(alert: Alert, at: dt.datetime) -> bool:
    if alert.told_at is None or alert.told_level != alert.level:
        return True
    return at - alert.told_at >= dt.timedelta(hours=REPEAT_HOURS.value())


def _send(alert: Alert, event_key: str, level: str, text: str, at: dt.datetime) -> None:
    to = [holder.account.pk for holder in identity.who_may(permission=RECEIVE_ALERTS)]
    messaging.send_to_staff(
        kind="N38",
        to=to,
        event_key=event_key,
        subject=alert,
        fields={
            "service": queries.label_of(alert.probe),
            "level": level,
            "text": text,
            "time": f"{clock.local(alert.opened_at):%m-%d %H:%M}",
        },
        path=f"/staff/monitoring/alerts/{alert.pk}/",
        by=SYSTEM,
        at=at,
    )
