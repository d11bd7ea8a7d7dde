"""Has PostgreSQL room, and does nobody stand in its way."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db import connection

from hospital.kernel import clock
from hospital.monitoring.models import DaySize
from hospital.monitoring.reading import Finding, Probe, lasting, size
from hospital.monitoring.states import Group, ProbeState
from hospital.monitoring.thresholds import (
    CONNECTIONS,
    DATABASE_GROWTH,
    DATABASE_SIZE,
    LOCK_WAIT,
    OLD_TRANSACTION,
)

_GB: Final = 1024**3
_DAYS: Final = 7
_CONNECTIONS: Final = """
    SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
        current_setting('max_connections')::int
"""
# Our own transaction is as young as this look.
_OLDEST: Final = """
    SELECT extract(epoch FROM clock_timestamp() - min(xact_start)) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
        AND pid <> pg_backend_pid()
"""
_LOCKS: Final = """
    SELECT count(*), extract(epoch FROM clock_timestamp() - min(waitstart))
    FROM pg_locks WHERE NOT granted AND waitstart IS NOT NULL
"""
_SIZE: Final = "SELECT pg_database_size(current_database())"


def connections(at: dt.datetime) -> Finding:
    """The share of PostgreSQL's connections that is taken."""
    used, most = _row(_CONNECTIONS)
    return Finding(f"{most} 个连接用了 {used} 个。", round(100 * used / most, 1))


def oldest_transaction(at: dt.datetime) -> Finding:
    """How long the oldest open transaction of this database has lasted."""
    (seconds,) = _row(_OLDEST)
    if seconds is None:
        return Finding("没有进行中的事务。", 0)
    return Finding(f"最久的事务进行了 {lasting(float(seconds))}。", int(seconds))


def lock_wait(at: dt.datetime) -> Finding:
    """How long somebody has waited for a lock."""
    count, seconds = _row(_LOCKS)
    if not count:
        return Finding("没有人在等锁。", 0)
    return Finding(f"{count} 个连接在等锁，最久 {lasting(float(seconds))}。", int(seconds))


def database_size(at: dt.datetime) -> Finding:
    """How large the database is."""
    now = size_now()
    return Finding(f"数据库共 {size(now)}。", round(now / _GB, 2))


def growth(at: dt.datetime) -> Finding:
    """How much larger it is than seven days ago, or than on the first day known since."""
    today = clock.hospital_day(at)
    days_before = DaySize.objects.filter(day__gte=today - dt.timedelta(days=_DAYS), day__lt=today)
    first = days_before.order_by("day").first()
    if first is None:
        return Finding("还没有可比较的大小。", state=ProbeState.UNKNOWN)
    more = size_now() - first.size_bytes
    days = (today - first.day).days
    text = f"{days} 天来增加了 {size(more)}。" if more > 0 else f"{days} 天来没有变大。"
    return Finding(text, round(max(0, more) / _GB, 2))


def size_now() -> int:
    """The database's size in bytes."""
    (count,) = _row(_SIZE)
    return int(count)


def _row(sql: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row: tuple[Any, ...] = cursor.fetchone()
    return row


PROBES: Final = (
    Probe(
        key="connections",
        group=Group.DATABASE,
        label="数据库连接",
        unit="%",
        read=connections,
        limits=CONNECTIONS,
    ),
    Probe(
        key="old_transaction",
        group=Group.DATABASE,
        label="最久的事务",
        unit="秒",
        read=oldest_transaction,
        limits=OLD_TRANSACTION,
    ),
    Probe(
        key="lock_wait",
        group=Group.DATABASE,
        label="等锁",
        unit="秒",
        read=lock_wait,
        limits=LOCK_WAIT,
    ),
    Probe(
        key="database_size",
        group=Group.DATABASE,
        label="数据库大小",
        unit="GB",
        read=database_size,
        limits=DATABASE_SIZE,
    ),
    Probe(
        key="database_growth",
        group=Group.DATABASE,
        label="数据库增长",
        unit="GB",
        read=growth,
        limits=DATABASE_GROWTH,
    ),
)
