"""Do web, worker and live live, and does this monitoring itself still look."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection
from django.db.models import Max

from hospital.kernel import heartbeats
from hospital.monitoring.models import ProbeStanding
from hospital.monitoring.reading import Finding, Probe, lasting
from hospital.monitoring.states import Group, ProbeState
from hospital.monitoring.thresholds import ROUND_AGE

#: Four signs are missing. procrastinate's workers give one every ten seconds.
SILENCE: Final = dt.timedelta(minutes=1)
#: Who has been silent for so long was taken out of service.
WITHDRAWN: Final = dt.timedelta(days=1)
_JUST_NOW: Final = 10
_WORKERS: Final = """
    SELECT count(*) FILTER (WHERE last_heartbeat >= %s), max(last_heartbeat)
    FROM procrastinate_workers
"""


def web(at: dt.datetime) -> Finding:
    """Machines on which a web process lives; silent ones were killed or lost their database."""
    return _by_signs("web", "网页服务", at)


def live(at: dt.datetime) -> Finding:
    """Machines on which a live process lives and listens."""
    return _by_signs("live", "实时服务", at)


def worker(at: dt.datetime) -> Finding:
    """Workers that gave a sign lately. Without any, nothing is sent, asked or refunded."""
    alive, latest = workers(at)
    if alive:
        return Finding(f"{alive} 个后台任务进程在运行。", alive)
    if latest is None:
        return Finding("没有后台任务进程在运行。", 0, ProbeState.BAD)
    silent = lasting((at - latest).total_seconds())
    return Finding(f"后台任务进程已 {silent}没有动静。", 0, ProbeState.BAD)


def workers(at: dt.datetime) -> tuple[int, dt.datetime | None]:
    """How many workers live at a moment (UTC), and the latest sign of any."""
    with connection.cursor() as cursor:
        cursor.execute(_WORKERS, [at - SILENCE])
        alive, latest = cursor.fetchone()
    return alive, latest


def rounds(at: dt.datetime) -> Finding:
    """How long ago the last round was: alerts are only sent by rounds."""
    latest = ProbeStanding.objects.aggregate(latest=Max("measured_at"))["latest"]
    if latest is None:
        return Finding("还没有检查过，启动后一分钟内开始。", state=ProbeState.UNKNOWN)
    seconds = max(0.0, (at - latest).total_seconds())
    ago = f"{lasting(seconds)}前" if seconds >= _JUST_NOW else "刚刚"
    return Finding(f"{ago}检查过一次。", round(seconds))


def _by_signs(kind: str, name: str, at: dt.datetime) -> Finding:
    signs = [sign for sign in heartbeats.signs() if sign.kind == kind]
    alive = [sign for sign in signs if at - sign.seen_at < SILENCE]
    silent = [sign for sign in signs if SILENCE <= at - sign.seen_at < WITHDRAWN]
    said = [
        f"{sign.host} 已 {lasting((at - sign.seen_at).total_seconds())}没有动静" for sign in silent
    ]
    if not alive:
        text = "，".join(said) or "没有在运行的记录"
        return Finding(f"{name}没有运行：{text}。", 0, ProbeState.BAD)
    if silent:
        text = f"{len(alive)} 台机器上在运行；{'，'.join(said)}。"
        return Finding(text, len(alive), ProbeState.WARN)
    return Finding(f"{len(alive)} 台机器上在运行。", len(alive))


PROBES: Final = (
    Probe(key="web", group=Group.PROCESSES, label="网页服务", unit="台", read=web),
    Probe(key="worker", group=Group.PROCESSES, label="后台任务进程", unit="个", read=worker),
    Probe(key="live", group=Group.PROCESSES, label="实时服务", unit="台", read=live),
    Probe(
        key="rounds",
        group=Group.PROCESSES,
        label="监控本身",
        unit="秒",
        read=rounds,
        limits=ROUND_AGE,
    ),
)
