"""Worlds for the probes: what is broken is broken in the database, not in the probe."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection

from hospital.kernel import heartbeats
from hospital.kernel.models import Heartbeat
from hospital.monitoring import probes
from hospital.monitoring.reading import Reading
from hospital.monitoring.states import ProbeState

#: Ten in the morning in the hospital.
AT = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)


def read(key: str, *, at: dt.datetime = AT) -> Reading:
    """What one probe says."""
    probe = probes.BY_KEY[key]
    finding = probe.read(at)
    return Reading(probe, probe.judge(finding), finding.text, finding.value)


def state(key: str, *, at: dt.datetime = AT) -> ProbeState:
    """How one probe judges."""
    return read(key, at=at).state


def a_worker(*, seen_at: dt.datetime = AT) -> None:
    """A worker of procrastinate that gave its latest sign then."""
    run("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s)", [seen_at])


def a_failed_job(name: str = "payments.jobs.look") -> None:
    """A job that was given up."""
    run(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, attempts)"
        " VALUES ('default', %s, '{}', 'failed', 50)",
        [name],
    )


def a_due_job(*, since: dt.datetime) -> None:
    """A job that should have run then."""
    run(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, scheduled_at)"
        " VALUES ('default', 'payments.jobs.look', '{}', 'todo', %s)",
        [since],
    )


def processes(at: dt.datetime) -> None:
    """Everything lives at a moment."""
    Heartbeat.objects.all().delete()
    for kind in ("web", "live"):
        heartbeats.beat(kind=kind, at=at)
    run("DELETE FROM procrastinate_workers", [])
    a_worker(seen_at=at)


def run(sql: str, values: Sequence[str | dt.datetime]) -> None:
    """One statement behind everybody's back."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
