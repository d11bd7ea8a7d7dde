"""Messages through the outbox end to end: told in a transaction, taken by the worker, at WeChat.

WeChat is the stand-in in a process of its own, on the same machine; the worker is the product's.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks import limits
from benchmarks.limits import Limit, Written
from benchmarks.world import ROOT

MESSAGES = 1500
READERS = 50
WARM = 20
ALONE = 60
CLIENTS = 16
LIMIT_SECONDS = 8
PATIENCE_SECONDS = 180
_DONE = "SELECT count(*) FROM messaging_message WHERE status = 'sent'"
_ALL = "SELECT count(*), count(*) FILTER (WHERE status <> 'sent') FROM messaging_message"
_TRIES = "SELECT sum(tries), count(*) FROM messaging_delivery"
# What the worker itself writes about a job: it takes it and ends it.
_WORKED = (
    "UPDATE procrastinate_jobs SET status = %s WHERE id = (SELECT max(id) FROM procrastinate_jobs)"
)
_SECTION = """## Messages

A message is one call of `messaging.send` in a transaction of its own; a worker takes the job, cuts
the message to its template, sends it to WeChat (the stand-in, another process of this machine) and
writes down that it was sent: five transactions and one HTTP call. The limit is the same rows
written by pgbench in one transaction, as above. Told one after another, each waited for before the
next is told, a message takes {alone_ms:.0f} ms to WeChat in the middle, {alone_worst_ms:.0f} ms at
worst.

| | messages/s | told/s | pgbench tps | ratio |
|---|---|---|---|---|
{row}

Each of {count} messages was tried once and reached the phone once. One message writes (+ inserted,
~ updated): {rows}.
"""


@dataclass(frozen=True)
class Messages:
    """What was measured, and what one message writes; `alone` in ms, in order of size."""

    count: int
    told_seconds: float
    seconds: float
    alone: list[float]
    limit: Limit
    written: list[Written]

    @property
    def per_second(self) -> float:
        return self.count / self.seconds


def measure(url: str, folder: Path) -> Messages:
    """Run it. Raises RuntimeError unless every message reached the phone once, at the first try.

    Jobs that other measurements left behind are dropped: the worker would do them first.
    """
    from hospital.testing.sandbox import SandboxControl

    with SandboxControl(folder / "messages") as wechat, psycopg.connect(url) as connection:
        connection.autocommit = True
        connection.execute("TRUNCATE procrastinate_jobs CASCADE")
        connection.execute("TRUNCATE messaging_delivery, messaging_message CASCADE")
        users = _readers(wechat)
        with _worker(wechat.export):
            for _ in range(WARM):
                _tell_one(connection, users)
            alone = sorted(_tell_one(connection, users) for _ in range(ALONE))
            before = _count(connection)
            started = time.perf_counter()
            for number in range(MESSAGES):
                _tell(users[number % len(users)], number)
            told_seconds = time.perf_counter() - started
            _wait(connection, before + MESSAGES)
            seconds = time.perf_counter() - started
        _check(connection, arrived=len(wechat.state()["messages"]))
        written = limits.rows_of(lambda: _whole_life(users[0]))
        limits.copy_tables(connection, written, MESSAGES)
        text = limits.script(connection, written, MESSAGES)
    limit = limits.run_pgbench(url, text, clients=CLIENTS, seconds=LIMIT_SECONDS, folder=folder)
    return Messages(
        count=MESSAGES,
        told_seconds=told_seconds,
        seconds=seconds,
        alone=alone,
        limit=limit,
        written=written,
    )


def section(messages: Messages) -> str:
    """The figures as a part of docs/benchmarks.md."""
    cells = [
        "one worker, all at once",
        f"{messages.per_second:.0f}",
        f"{messages.count / messages.told_seconds:.0f}",
        f"{messages.limit.per_second:.0f}",
        f"**{messages.per_second / messages.limit.per_second:.3f}**",
    ]
    return _SECTION.format(
        alone_ms=messages.alone[len(messages.alone) // 2],
        alone_worst_ms=messages.alone[-1],
        row=f"| {' | '.join(cells)} |",
        count=messages.count,
        rows=limits.described(messages.written),
    )


def _readers(wechat: object) -> list[int]:
    """Followers of the account, at WeChat and with us; our ids."""
    from hospital.testing.people import a_wechat_user
    from hospital.testing.sandbox import SandboxControl

    assert isinstance(wechat, SandboxControl)
    appid, made = str(wechat.facts["appid"]), []
    for number in range(READERS):
        openid = f"oReader{number:021d}"
        wechat.user(openid=openid, subscribed=True)
        made.append(a_wechat_user(openid=openid, appid=appid).pk)
    return made


@contextlib.contextmanager
def _worker(wechat_file: Path) -> Iterator[None]:
    """`manage.py worker` connected to the stand-in until the block ends."""
    ours = {
        "LOG_LEVEL": "ERROR",
        "WECHAT_CONFIG_FILE": str(wechat_file),
        "WECHAT_TEMPLATES_FILE": str(ROOT / "demo" / "wechat_templates.json"),
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker"], cwd=ROOT, env={**os.environ, **ours}
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _tell(user_id: int, number: int, *, key: str = "all") -> int:
    """One message of one's own transaction; its id."""
    from hospital.identity.models import WeChatUser
    from hospital.kernel import clock
    from hospital.kernel.actors import SYSTEM
    from hospital.messaging import actions
    from hospital.messaging.registry import KINDS

    (message_id,) = actions.send(
        kind="N01",
        to=[user_id],
        event_key=f"benchmark:{key}:{number}",
        subject=WeChatUser(pk=user_id),
        fields=KINDS["N01"].sample,
        path="/m/",
        by=SYSTEM,
        at=clock.now(),
        answers=user_id,
    )
    return message_id


def _tell_one(connection: psycopg.Connection[tuple[object, ...]], users: list[int]) -> float:
    """Tell one and wait until it is sent; how long that took, in ms."""
    before = _count(connection)
    started = time.perf_counter()
    _tell(users[before % len(users)], before, key="alone")
    _wait(connection, before + 1)
    return 1000 * (time.perf_counter() - started)


def _whole_life(user_id: int) -> None:
    """What telling, trying and the worker's own books write about one message."""
    from django.db import connection

    from hospital.kernel import clock
    from hospital.messaging import actions

    message_id = _tell(user_id, 0, key="rows")
    attempt = actions.begin_try(message_id=message_id, at=clock.now())
    assert attempt is not None
    actions.record_sent(attempt=attempt, provider_id="3000000000000000001", at=clock.now())
    with connection.cursor() as cursor:
        for status in ("doing", "succeeded"):
            cursor.execute(_WORKED, [status])


def _count(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    row = connection.execute(_DONE).fetchone()
    assert row is not None
    return int(str(row[0]))


def _wait(connection: psycopg.Connection[tuple[object, ...]], wanted: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _count(connection) < wanted:
        if time.monotonic() > deadline:
            raise RuntimeError(f"only {_count(connection)} of {wanted} messages were sent")
        time.sleep(0.005)


def _check(connection: psycopg.Connection[tuple[object, ...]], *, arrived: int) -> None:
    """Every message sent, at the first try, and on a phone once."""
    everything = connection.execute(_ALL).fetchone()
    tries = connection.execute(_TRIES).fetchone()
    count = WARM + ALONE + MESSAGES
    if everything != (count, 0) or tries != (count, count) or arrived != count:
        raise RuntimeError(f"{everything} messages, {tries} tries, {arrived} arrived")
