"""One round: read every probe, keep what it says, open, raise and end alerts, tell people.

An alert opens when its probe was in trouble for some rounds in a row and ends when it was well for
some more, so that a value at its limit does not ring every minute. Its level only rises.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection, transaction

from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.states import move
from hospital.monitoring import queries
from hospital.monitoring.actions.telling import tell_if_due, tell_over
from hospital.monitoring.models import Alert, DaySize, ProbeStanding
from hospital.monitoring.probes.database import size_now
from hospital.monitoring.reading import Reading
from hospital.monitoring.states import AlertLevel, AlertStatus, ProbeState
from hospital.monitoring.thresholds import ROUNDS_TO_END, ROUNDS_TO_OPEN

_TEXT: Final = 300
#: A round that a worker makes up for, or makes twice, counts as one with its neighbour.
_APART: Final = dt.timedelta(seconds=30)
_ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended('monitoring round', 10))"


def run_round(*, at: dt.datetime) -> list[Reading]:
    """Look at everything once (UTC); a round that follows another too closely changes nothing."""
    readings = queries.measure(at=at)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ONE_AT_A_TIME)
        standings = {row.probe: row for row in ProbeStanding.objects.all()}
        alerts = {one.probe: one for one in Alert.objects.exclude(status=AlertStatus.OVER)}
        for reading in readings:
            key = reading.probe.key
            known = standings.get(key)
            if known is not None and at - known.measured_at < _APART:
                continue
            standing = _keep(known, reading, at)
            _settle(alerts.get(key), standing, reading, at)
        day = clock.hospital_day(at)
        if not DaySize.objects.filter(day=day).exists():
            DaySize.objects.create(day=day, size_bytes=size_now())
    return readings


def _keep(known: ProbeStanding | None, reading: Reading, at: dt.datetime) -> ProbeStanding:
    row = known or ProbeStanding(
        probe=reading.probe.key, state="", rounds=0, trouble_rounds=0, well_rounds=0
    )
    is_same = row.state == reading.state
    row.rounds = row.rounds + 1 if is_same else 1
    row.since = row.since if is_same else at
    row.trouble_rounds = row.trouble_rounds + 1 if queries.is_trouble(reading.state) else 0
    row.well_rounds = row.well_rounds + 1 if reading.state is ProbeState.OK else 0
    row.state, row.value = reading.state.value, reading.value
    row.text, row.measured_at = reading.text[:_TEXT], at
    row.save()
    return row


def _settle(
    alert: Alert | None, standing: ProbeStanding, reading: Reading, at: dt.datetime
) -> None:
    if alert is None:
        if standing.trouble_rounds >= ROUNDS_TO_OPEN.value():
            tell_if_due(_open(reading, at), at=at)
    elif standing.well_rounds >= ROUNDS_TO_END.value():
        move(alert, AlertStatus.OVER, by=SYSTEM, at=at, reason=standing.text[:200], over_at=at)
        tell_over(alert, at=at)
    elif queries.is_trouble(reading.state):
        _update(alert, standing, reading, at)
        tell_if_due(alert, at=at)


def _open(reading: Reading, at: dt.datetime) -> Alert:
    return Alert.objects.create(
        probe=reading.probe.key,
        level=AlertLevel(reading.state.value),
        text=reading.text[:_TEXT],
        value=reading.value,
        opened_at=at,
    )


def _update(alert: Alert, standing: ProbeStanding, reading: Reading, at: dt.datetime) -> None:
    """Keep the latest words. A warning that has become severe is everybody's again."""
    alert.text, alert.value = standing.text, standing.value
    rises = (
        alert.level == AlertLevel.WARN
        and reading.state is ProbeState.BAD
        and standing.rounds >= ROUNDS_TO_OPEN.value()
    )
    if rises:
        alert.level = AlertLevel.BAD
    alert.save(update_fields=["text", "value", "level"])
    if rises and alert.status == AlertStatus.ACKNOWLEDGED:
        move(alert, AlertStatus.OPEN, by=SYSTEM, at=at, reason="级别升为严重")
