"""Are jobs done in time, and did any give up."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection

from hospital.monitoring.reading import Finding, Probe, lasting
from hospital.monitoring.states import Group
from hospital.monitoring.thresholds import DUE_AGE, FAILED_JOBS

# A retried job waits from its new moment on, one without a moment since it was deferred.
_DUE: Final = """
    SELECT count(*), min(coalesce(job.scheduled_at, (
        SELECT min(event.at) FROM procrastinate_events event
        WHERE event.job_id = job.id AND event.type = 'deferred'
    )))
    FROM procrastinate_jobs job
    WHERE job.status = 'todo' AND (job.scheduled_at IS NULL OR job.scheduled_at <= %s)
"""
_FAILED: Final = """
    SELECT task_name, count(*) FROM procrastinate_jobs WHERE status = 'failed'
    GROUP BY task_name ORDER BY count(*) DESC, task_name
"""
_NAMED: Final = 3


def oldest_due(at: dt.datetime) -> Finding:
    """How long the job has waited that should have run first."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [at])
        count, since = cursor.fetchone()
    if not count:
        return Finding("没有到期未执行的任务。", 0)
    seconds = max(0.0, (at - since).total_seconds()) if since else 0.0
    return Finding(f"{count} 个任务到期未执行，最早的等了 {lasting(seconds)}。", round(seconds))


def failed(at: dt.datetime) -> Finding:
    """Jobs that were given up: somebody has to mend the cause and run them again."""
    with connection.cursor() as cursor:
        cursor.execute(_FAILED)
        rows = cursor.fetchall()
    if not rows:
        return Finding("没有重试后仍失败的任务。", 0)
    named = "，".join(f"{name} {count} 个" for name, count in rows[:_NAMED])
    more = f"等 {len(rows)} 种任务" if len(rows) > _NAMED else ""
    return Finding(f"{named}{more}。请查明原因后重新执行。", sum(count for _, count in rows))


PROBES: Final = (
    Probe(
        key="due_age",
        group=Group.QUEUE,
        label="到期任务",
        unit="秒",
        read=oldest_due,
        limits=DUE_AGE,
    ),
    Probe(
        key="failed_jobs",
        group=Group.QUEUE,
        label="失败任务",
        unit="个",
        read=failed,
        limits=FAILED_JOBS,
    ),
)
