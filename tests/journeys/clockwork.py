"""Time in a journey: one clock for hospital, WeChat and worker, moved by the story.

Moving it does not jump over anything: every job that falls due on the way runs at its own moment,
and the sweeps that the worker makes every minute are made every minute.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import time_machine
from django.db import connection
from procrastinate.contrib.django import app

from hospital.kernel import clock
from hospital.testing.jobs import run_jobs
from hospital.testing.wechat import StandIn

EVERY_MINUTE: Final = "* * * * *"
#: They look after the house, not after the people of a story, and would double what it costs.
HOUSEKEEPING: Final = {"monitoring.jobs.watch", "kernel.jobs.seal_audit"}
_NEXT: Final = """
    SELECT min(scheduled_at) FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at > %s
"""


class Clockwork:
    """The clock of a story; runs on by itself in between, as clocks do."""

    def __init__(self, wechat: StandIn, start: dt.datetime) -> None:
        self._wechat = wechat
        self._machine = time_machine.travel(start, tick=True)
        self._hands = self._machine.start()
        self._swept_at = start
        self._show(start)

    def stop(self) -> None:
        """Back to the time outside."""
        self._machine.stop()

    def work(self) -> None:
        """The worker does what is due now; a job that raises fails the story."""
        assert run_jobs() == []

    def passes(self, *, minutes: float = 0, seconds: float = 0, sweep: float = 1) -> None:
        """Let time pass with the worker at work; it sweeps every `sweep` minutes."""
        end = clock.now() + dt.timedelta(minutes=minutes, seconds=seconds)
        pause = dt.timedelta(minutes=sweep)
        self.work()
        while (moment := self._next_stop(end, pause)) < end:
            self._go_on(moment, pause)
        self._go_on(end, pause)

    def sleeps(self, *, minutes: float = 0, seconds: float = 0) -> None:
        """Let time pass with the worker stopped; what fell due waits for it."""
        self._show(clock.now() + dt.timedelta(minutes=minutes, seconds=seconds))

    def _next_stop(self, end: dt.datetime, pause: dt.timedelta) -> dt.datetime:
        """The next moment at which a job or a sweep is due, the end at the latest."""
        return max(clock.now(), min(self._next_job(end), self._swept_at + pause))

    def _go_on(self, moment: dt.datetime, pause: dt.timedelta) -> None:
        self._show(moment)
        if moment >= self._swept_at + pause:
            self._swept_at = moment
            for known in app.periodic_registry.periodic_tasks.values():
                if known.cron == EVERY_MINUTE and known.task.name not in HOUSEKEEPING:
                    known.task.defer()
        self.work()

    def _show(self, moment: dt.datetime) -> None:
        self._hands.move_to(moment)
        outside = dt.datetime.fromtimestamp(time_machine.escape_hatch.time.time(), dt.UTC)
        self._wechat.clock((moment - outside).total_seconds(), wire=True)

    def _next_job(self, end: dt.datetime) -> dt.datetime:
        """When the next job falls due, at the end at the latest."""
        with connection.cursor() as cursor:
            cursor.execute(_NEXT, [clock.now()])
            moment: dt.datetime | None = cursor.fetchone()[0]
        return end if moment is None else min(moment, end)
