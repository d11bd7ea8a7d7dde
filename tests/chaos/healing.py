"""After the last kill: everybody is up, nothing goes wrong any more, and all timers fire.

Time is moved by moving the dates of everything that waits, in our tables and at WeChat alike: the
processes are real and have no other clock.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction
from procrastinate.contrib.django import app

from tests.chaos.wechat import Levers

EVERY_MINUTE: Final = "* * * * *"
STRIDE: Final = dt.timedelta(minutes=30)
ROUNDS: Final = 60
IDLE_SECONDS: Final = 25.0
TRIES: Final = 3
#: What waits for a moment: table, column, and which of its rows still wait.
WAITING: Final = (
    ("procrastinate_jobs", "scheduled_at", "status = 'todo'"),
    ("registration_appointment", "hold_until", "status = 'pending'"),
    ("billing_bill", "expires_at", "status IN ('issued', 'paying')"),
    ("payments_payment", "expires_at", "status IN ('created', 'pending', 'unknown')"),
    # A scanned code is taken back by its age, and not believed for a while after that.
    ("payments_payment", "created_at", "status IN ('created', 'pending', 'unknown')"),
    ("payments_payment", "taken_back_at", "taken_back_at IS NOT NULL AND succeeded_at IS NULL"),
    ("scheduling_slot", "held_until", "status = 'held'"),
    ("scheduling_slot", "free_at", "status = 'reclaim_wait'"),
)
# For one transaction a payment's dates are no longer fixed.
_MOVABLE: Final = """
    SELECT set_config('pgtrigger.ignore', array_agg(tgname)::text, true) FROM pg_trigger
    WHERE tgname LIKE 'pgtrigger_payment_fixed_%'
"""
_DUE: Final = """
    SELECT count(*) FROM procrastinate_jobs
    WHERE status = 'doing' OR status = 'todo' AND coalesce(scheduled_at, now()) <= now()
"""
_NEXT: Final = "SELECT min(scheduled_at) - now() FROM procrastinate_jobs WHERE status = 'todo'"
# The one worker that lives was the last to come.
_DEAD: Final = """
    UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 hour'
    WHERE id < (SELECT max(id) FROM procrastinate_workers)
"""
_STILL: Final = """
    SELECT (SELECT count(*) FROM scheduling_slot WHERE status IN ('held', 'reclaim_wait'))
        + (SELECT count(*) FROM registration_appointment WHERE status = 'pending')
        + (SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))
"""


@dataclass
class Healing:
    """How long the world went on after the last kill, on its own clock, and in how many steps."""

    levers: Levers
    say: Callable[[str], None]
    moved: dt.timedelta = dt.timedelta()
    rounds: int = 0

    def run(self) -> None:
        """Until nothing waits any more, or for ROUNDS steps: the verdict names what is left."""
        restless = 0
        for _ in range(ROUNDS):
            self.rounds += 1
            self._sweep()
            if not self._idle():
                # The last worker may have come after we looked for the dead: look again.
                restless += 1
                if restless < TRIES:
                    continue
                self.say("jobs do not come to rest; the verdict will name them")
                return
            if self._number(_STILL) == 0 and self._notices_done():
                return
            self._forward(max(self._next() + dt.timedelta(seconds=1), STRIDE))

    def _sweep(self) -> None:
        """What the worker does every minute; dead workers' jobs are found by it."""
        with connection.cursor() as cursor:
            cursor.execute(_DEAD)
        for known in app.periodic_registry.periodic_tasks.values():
            if known.cron == EVERY_MINUTE:
                known.task.defer()

    def _idle(self) -> bool:
        """Wait until no job is due or under way; False when that does not happen."""
        until = time.monotonic() + IDLE_SECONDS
        calm = 0
        while calm < 2:
            calm = calm + 1 if self._number(_DUE) == 0 else 0
            if time.monotonic() > until:
                return False
            time.sleep(0.1)
        return True

    def _notices_done(self) -> bool:
        open_notices = [
            row for row in self.levers.state()["notices"] if row["status"] in ("waiting", "sending")
        ]
        return not open_notices

    def _forward(self, step: dt.timedelta) -> None:
        self.moved += step
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_MOVABLE)
            for table, column, where in WAITING:
                cursor.execute(
                    f"UPDATE {table} SET {column} = {column} - make_interval(secs => %s)"
                    f" WHERE {where}",
                    [step.total_seconds()],
                )
        self.levers.clock(self.moved.total_seconds())

    def _next(self) -> dt.timedelta:
        with connection.cursor() as cursor:
            cursor.execute(_NEXT)
            found: dt.timedelta | None = cursor.fetchone()[0]
        return found or dt.timedelta()

    def _number(self, sql: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return int(cursor.fetchone()[0])
