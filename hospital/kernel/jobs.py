"""Declaring jobs. A job loads ids and makes one call; it may run twice and must not mind.

Names come from the place: hospital/registration/jobs.py release_unpaid is
"registration.jobs.release_unpaid". Unknown arguments are tolerated so that yesterday's rows still
run under today's code.
"""

import datetime as dt
import functools
import inspect
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction
from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.jobs import Job

from hospital.kernel import audit, clock, logs, metrics, whereabouts
from hospital.kernel.actors import Actor

Body = Callable[..., None]
logger = logging.getLogger(__name__)

_KEPT = dt.timedelta(days=30)
_FORGET = """
    DELETE FROM procrastinate_jobs job
    WHERE job.status = 'succeeded' AND NOT EXISTS (
        SELECT FROM procrastinate_events event WHERE event.job_id = job.id AND event.at > %s
    )
"""
# A worker says every ten seconds that it is alive.
_SILENCE = dt.timedelta(minutes=1)
_LOST = """
    SELECT job.id, job.task_name FROM procrastinate_jobs job
    LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
    WHERE job.status = 'doing' AND (worker.id IS NULL OR worker.last_heartbeat < %s)
    ORDER BY job.id
"""
_GIVEN_UP = """
    SELECT id FROM procrastinate_jobs WHERE status = 'failed' AND task_name = %s
    ORDER BY id FOR UPDATE SKIP LOCKED
"""


@dataclass(frozen=True)
class Retry(BaseRetryStrategy):
    """Wait `waits[n]` seconds after failure n, the last for ever, at most `attempts` times."""

    waits: tuple[int, ...] = (2, 10, 60, 300)
    attempts: int = 50

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if job.attempts >= self.attempts:
            return None
        return RetryDecision(retry_in={"seconds": self.wait_after(job.attempts)})

    def wait_after(self, attempts: int) -> int:
        return self.waits[min(attempts, len(self.waits) - 1)]


@dataclass(frozen=True)
class NamedJob:
    """What @job leaves behind: callable in tests and by name from anywhere below."""

    name: str
    run: Body

    def __call__(self, **ids: object) -> None:
        self.run(**ids)


def job(*, retry: Retry | None = None) -> Callable[[Body], NamedJob]:
    """Declare a job; failures are retried by `retry` (default: for about four hours)."""

    def declare(body: Body) -> NamedJob:
        name = f"{body.__module__.removeprefix('hospital.')}.{body.__name__}"
        run = _tolerant(body, name)
        app.task(name=name, retry=retry or Retry(), pass_context=False)(run)
        return NamedJob(name, run)

    return declare


def periodic(cron: str) -> Callable[[NamedJob], NamedJob]:
    """Run a declared job on a schedule (cron text, UTC)."""

    def declare(declared: NamedJob) -> NamedJob:
        app.periodic(cron=cron)(app.tasks[declared.name])
        return declared

    return declare


def _tolerant(body: Body, name: str) -> Body:
    known = {
        parameter.name
        for parameter in inspect.signature(body).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }

    @functools.wraps(body)
    def run(**arguments: object) -> None:
        started = time.monotonic()
        request_id = str(arguments.get("request_id", "")) or logs.new_request_id()
        with logs.bound(request_id=request_id), whereabouts.bound(device=name):
            try:
                body(**{key: value for key, value in arguments.items() if key in known})
            except Exception as problem:
                metrics.JOBS.labels(job=name, outcome="failed").inc()
                logger.warning("job failed", extra={"job": name, "error": type(problem).__name__})
                raise
            metrics.JOBS.labels(job=name, outcome="done").inc()
            metrics.JOB_SECONDS.labels(job=name).observe(time.monotonic() - started)

    return run


def run_failed_again(*, name: str, by: Actor, at: dt.datetime) -> int:
    """Put every job of a name that was given up back into the queue, once more each; how many.

    A person does this after mending the cause. Jobs are idempotent, so a doubt costs nothing.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_GIVEN_UP, [name])
        job_ids = [job_id for (job_id,) in cursor.fetchall()]
        for job_id in job_ids:
            app.job_manager.retry_job_by_id(job_id=job_id, retry_at=at)
        if job_ids:
            after = {"job": name, "count": len(job_ids)}
            audit.record(act="kernel.run_failed_again", subject=None, by=by, at=at, after=after)
    return len(job_ids)


@periodic("* * * * *")
@job()
def restart_lost(**_: object) -> None:
    """Put back what a killed worker was doing: its jobs would be "running" for ever (law 12)."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(_LOST, [now - _SILENCE])
        lost = cursor.fetchall()
    for job_id, name in lost:
        logger.warning("job lost with its worker", extra={"job": name, "job_id": job_id})
        app.job_manager.retry_job_by_id(job_id=job_id, retry_at=now)


@periodic("15 19 * * *")  # 03:15 hospital time
@job()
def forget_done(**_: object) -> None:
    """Delete jobs done more than thirty days ago; failed ones stay for somebody to look at."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [clock.now() - _KEPT])
        logger.info("done jobs forgotten", extra={"jobs": cursor.rowcount})


@periodic("* * * * *")
@job()
def seal_audit(**_: object) -> None:
    """Seal what the audit trail gained in the latest minute (X13)."""
    audit.seal_entries(at=clock.now())


@periodic("45 19 * * *")  # 03:45 hospital time
@job()
def verify_audit(**_: object) -> None:
    """Go through the whole audit trail and keep what was found; a fault is for monitoring."""
    at = clock.now()
    found = audit.verify(at=at)
    audit.keep(found, at=at)
    logger.log(
        logging.INFO if found.is_sound else logging.ERROR,
        "audit verified",
        extra={"entries": found.entries, "faults": found.faults},
    )
