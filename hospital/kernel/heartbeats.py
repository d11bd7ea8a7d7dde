"""Signs of life of the web and live processes, one row a kind and machine.

A process writes its own row, at most every fifteen seconds, over the very database it works with:
nobody can say that it lives but itself. The worker's signs are procrastinate's.
"""

import datetime as dt
import logging
import socket
import threading
import time
from typing import Final

from django.db import DatabaseError, connection

from hospital.kernel import clock
from hospital.kernel.models import Heartbeat

logger = logging.getLogger(__name__)
EVERY_SECONDS: Final = 15.0
#: Kind, machine, moment; the live process has a connection of its own to say it through.
BEAT: Final = """
    INSERT INTO kernel_heartbeat (kind, host, seen_at) VALUES (%s, %s, %s)
    ON CONFLICT (kind, host) DO UPDATE
    SET seen_at = greatest(kernel_heartbeat.seen_at, excluded.seen_at)
"""


def host() -> str:
    """This machine's name, as far as the column holds it."""
    return socket.gethostname()[:80]


def beat(*, kind: str, at: dt.datetime) -> None:
    """Say that a process of this kind lives on this machine."""
    with connection.cursor() as cursor:
        cursor.execute(BEAT, [kind, host(), at])


def signs() -> list[Heartbeat]:
    """The latest sign of every kind and machine, the latest machine first."""
    return list(Heartbeat.objects.order_by("kind", "-seen_at"))


def forget_silent(*, before: dt.datetime) -> int:
    """Forget machines that have not been heard of since a moment (UTC); how many."""
    deleted, _ = Heartbeat.objects.filter(seen_at__lt=before).delete()
    return deleted


def keep_beating(kind: str) -> None:
    """Go on saying so in a thread of this process for as long as it runs."""
    threading.Thread(target=_beat_on, args=(kind,), name="heartbeat", daemon=True).start()


def _beat_on(kind: str) -> None:
    while True:
        try:
            beat(kind=kind, at=clock.now())
        except DatabaseError as problem:
            logger.warning("no sign of life written", extra={"error": type(problem).__name__})
        finally:
            connection.close()  # a thread that sleeps holds no connection
        time.sleep(EVERY_SECONDS)
