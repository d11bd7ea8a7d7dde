"""Running deferred jobs inside a test, in order, in the test's own transaction and time.

`run_jobs()` runs what is due at `clock.now()` until nothing due is left, as the worker would:
a failing job is retried after its wait (so it is not due again at once) or ends as failed.
"""

import datetime as dt
import json
from dataclasses import dataclass

from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.jobs import Job

from hospital.kernel import clock

_DUE = """
    SELECT id, task_name, args, attempts FROM procrastinate_jobs
    WHERE status = 'todo' AND coalesce(scheduled_at, %s) <= %s
    ORDER BY coalesce(scheduled_at, '-infinity'), id LIMIT 1
"""
_ENDED = "UPDATE procrastinate_jobs SET status = %s, attempts = attempts + 1 WHERE id = %s"
_AGAIN = "UPDATE procrastinate_jobs SET scheduled_at = %s, attempts = attempts + 1 WHERE id = %s"
_MOST = 2000


@dataclass(frozen=True)
class Failure:
    """A job that raised: its name and what it raised."""

    job: str
    problem: Exception


def run_jobs(*, only: str = "") -> list[Failure]:
    """Run all due jobs (or those whose name starts with `only`); returns those that raised."""
    failures: list[Failure] = []
    for _ in range(_MOST):
        row = _next(only)
        if row is None:
            return failures
        if problem := _run(*row):
            failures.append(Failure(row[1], problem))
    raise AssertionError(f"jobs keep deferring jobs: more than {_MOST}")


def due_jobs() -> list[str]:
    """Names of the jobs that wait, due or not, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id")
        return [name for (name,) in cursor.fetchall()]


def _next(only: str) -> tuple[int, str, dict[str, object], int] | None:
    sql = _DUE.replace("ORDER BY", "AND task_name LIKE %s ORDER BY")
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(sql, [now, now, only + "%"])
        row = cursor.fetchone()
    if row is None:
        return None
    arguments = row[2] if isinstance(row[2], dict) else json.loads(row[2])
    return row[0], row[1], arguments, row[3]


def _run(job_id: int, name: str, arguments: dict[str, object], attempts: int) -> Exception | None:
    problem: Exception | None = None
    try:
        app.tasks[name](**arguments)
    except Exception as raised:  # noqa: BLE001 - a worker survives any job
        problem = raised
    with connection.cursor() as cursor:
        if problem is None:
            cursor.execute(_ENDED, ["succeeded", job_id])
        elif (again_at := _again_at(job_id, name, attempts, problem)) is not None:
            cursor.execute(_AGAIN, [again_at, job_id])
        else:
            cursor.execute(_ENDED, ["failed", job_id])
    return problem


def _again_at(job_id: int, name: str, attempts: int, problem: Exception) -> dt.datetime | None:
    strategy = app.tasks[name].retry_strategy
    if strategy is None:
        return None
    job = Job(
        id=job_id, queue="default", lock=None, queueing_lock=None, task_name=name, attempts=attempts
    )
    decision = strategy.get_retry_decision(exception=problem, job=job)
    if decision is None or decision.retry_at is None:
        return None
    wait: dt.timedelta = decision.retry_at - dt.datetime.now(dt.UTC)
    return clock.now() + max(wait, dt.timedelta(seconds=1))
