"""A job survives the worker that ran it (law 12: a stopped worker delays, it never loses)."""

import datetime as dt

import pytest
from django.db import connection

from hospital.kernel import clock, jobs
from hospital.kernel.events import later
from hospital.testing.jobs import due_jobs

pytestmark = pytest.mark.django_db
NAME = "identity.jobs.clear_sessions"


def a_running_job(*, silent_for: dt.timedelta | None) -> None:
    """A job some worker has taken; None: that worker has been forgotten altogether."""
    later(NAME)
    with connection.cursor() as cursor:
        worker_id = None
        if silent_for is not None:
            cursor.execute(
                "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s) RETURNING id",
                [clock.now() - silent_for],
            )
            (worker_id,) = cursor.fetchone()
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE task_name = %s",
            [worker_id, NAME],
        )


@pytest.mark.parametrize("silent_for", [dt.timedelta(minutes=2), None])
def test_the_job_of_a_killed_worker_is_done_again(silent_for: dt.timedelta | None) -> None:
    a_running_job(silent_for=silent_for)
    jobs.restart_lost()
    assert due_jobs() == [NAME]


def test_the_job_of_a_worker_at_work_is_left_alone() -> None:
    a_running_job(silent_for=dt.timedelta(seconds=20))
    jobs.restart_lost()
    assert due_jobs() == []


@pytest.mark.django_db
def test_done_jobs_are_forgotten_after_thirty_days_and_failed_ones_kept() -> None:
    with connection.cursor() as cursor:
        for name, end in (("old", "succeeded"), ("new", "succeeded"), ("bad", "failed")):
            cursor.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('default', %s)",
                [name],
            )
            for status in ("doing", end):
                cursor.execute(
                    "UPDATE procrastinate_jobs SET status = %s WHERE task_name = %s", [status, name]
                )
        cursor.execute(
            "UPDATE procrastinate_events SET at = %s WHERE job_id IN"
            " (SELECT id FROM procrastinate_jobs WHERE task_name IN ('old', 'bad'))",
            [clock.now() - dt.timedelta(days=31)],
        )
        jobs.forget_done()
        cursor.execute("SELECT task_name FROM procrastinate_jobs ORDER BY id")
        assert [name for (name,) in cursor.fetchall()] == ["new", "bad"]
