"""The probes as Prometheus figures: read when somebody asks for /metrics, by whichever process."""

from __future__ import annotations

from typing import Final

from django.db import DatabaseError
from prometheus_client import Gauge

from hospital.kernel import clock
from hospital.monitoring import queries
from hospital.monitoring.states import ProbeState

_STATE = Gauge("xinglin_probe_state", "0 well, 1 warning, 2 severe, -1 unknown", ["probe"])
_VALUE = Gauge("xinglin_probe_value", "What the probe measured, in its own unit", ["probe"])
_ALERTS = Gauge("xinglin_open_alerts", "Alerts that are not over", ["level"])
_READ = Gauge("xinglin_probes_read", "Whether the probes could be read now: 1 or 0")
_NUMBERS: Final = {
    ProbeState.OK: 0,
    ProbeState.WARN: 1,
    ProbeState.BAD: 2,
    ProbeState.UNKNOWN: -1,
}


def publish() -> None:
    """Put what the probes find now into the gauges; without a database say just that."""
    _STATE.clear()
    _VALUE.clear()
    try:
        readings = queries.measure(at=clock.now())
        levels = [row.alert.level for row in queries.open_alerts()]
    except DatabaseError:
        _READ.set(0)
        return
    _READ.set(1)
    for reading in readings:
        _STATE.labels(probe=reading.probe.key).set(_NUMBERS[reading.state])
        if reading.value is not None:
            _VALUE.labels(probe=reading.probe.key).set(reading.value)
    for level in ("warn", "bad"):
        _ALERTS.labels(level=level).set(levels.count(level))
