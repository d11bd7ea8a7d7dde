"""Every probe, group by group. A new one is a small function in its group's module and a line in
that module's PROBES; page, alerts, history and measurements follow from it."""

from hospital.monitoring.probes import (
    backups,
    callbacks,
    certificates,
    database,
    disk,
    messages,
    processes,
    queue,
)
from hospital.monitoring.reading import Probe

ALL: tuple[Probe, ...] = (
    *processes.PROBES,
    *queue.PROBES,
    *callbacks.PROBES,
    *messages.PROBES,
    *database.PROBES,
    *disk.PROBES,
    *certificates.PROBES,
    *backups.PROBES,
)
BY_KEY = {probe.key: probe for probe in ALL}
