"""Every read of monitoring: what the probes find now, alerts, jobs by name, the pages' banner."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction
from django.db.models import Max

from hospital.kernel.errors import NotFound
from hospital.kernel.models import Transition
from hospital.kernel.states import history
from hospital.monitoring import probes
from hospital.monitoring.models import Alert, BackupRun, ProbeStanding
from hospital.monitoring.probes.processes import workers
from hospital.monitoring.reading import Probe, Reading, amount, lasting
from hospital.monitoring.states import (
    TROUBLE,
    WORST_FIRST,
    AlertStatus,
    BackupKind,
    Group,
    ProbeState,
)
from hospital.monitoring.thresholds import ROUND_AGE

logger = logging.getLogger(__name__)
#: The page of past alerts goes back so far, and shows no more of them.
SHOWN_FOR: Final = dt.timedelta(days=30)
SHOWN_AT_MOST: Final = 200
_JOBS: Final = """
    SELECT task_name, count(*) FILTER (WHERE status = 'todo'),
        count(*) FILTER (WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now()),
        count(*) FILTER (WHERE status = 'doing'), count(*) FILTER (WHERE status = 'failed'),
        max(attempts) FILTER (WHERE status = 'todo')
    FROM procrastinate_jobs GROUP BY task_name
    ORDER BY count(*) FILTER (WHERE status = 'failed') DESC, task_name
"""


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One probe on the status board; `since` is when it came to stand so, None: just now."""

    label: str
    state: ProbeState
    text: str
    value: str
    limits: str
    since: dt.datetime | None
    alert_id: int | None


@dataclass(frozen=True, slots=True)
class BoardGroup:
    """One group of the board, its worst row first; `state` is that row's."""

    label: str
    state: ProbeState
    rows: tuple[BoardRow, ...]


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert with its probe's words; the probe may be one we no longer have."""

    alert: Alert
    label: str


@dataclass(frozen=True, slots=True)
class JobRow:
    """The job queue by name: waiting, of these due now, running, given up, most attempts."""

    name: str
    waiting: int
    due: int
    running: int
    failed: int
    attempts: int | None


@dataclass(frozen=True, slots=True)
class Banner:
    """What a receiver of alerts reads above every page: open alerts, and a silent monitor."""

    severe: int
    warnings: int
    silent_for: str


def measure(*, at: dt.datetime) -> list[Reading]:
    """Read every probe now (UTC). One that cannot be read is a warning and stops no other."""
    return [_measure(probe, at) for probe in probes.ALL]


def board(*, at: dt.datetime) -> list[BoardGroup]:
    """The status board: the group with the worst probe first, and in it that probe."""
    standings = {row.probe: row for row in ProbeStanding.objects.all()}
    alerts = {alert.probe: alert.pk for alert in Alert.objects.exclude(status=AlertStatus.OVER)}
    rows: dict[Group, list[BoardRow]] = {group: [] for group in Group}
    for reading in measure(at=at):
        standing = standings.get(reading.probe.key)
        rows[reading.probe.group].append(
            BoardRow(
                label=reading.probe.label,
                state=reading.state,
                text=reading.text,
                value="" if reading.value is None else amount(reading.value, reading.probe.unit),
                limits=reading.probe.limits.text() if reading.probe.limits else "",
                since=standing.since if standing and standing.state == reading.state else None,
                alert_id=alerts.get(reading.probe.key),
            )
        )
    groups = [_group(group, found) for group, found in rows.items()]
    return sorted(groups, key=lambda one: WORST_FIRST.index(one.state))


def open_alerts() -> list[AlertRow]:
    """Alerts that are not over: nobody's first, then the worst, then the oldest."""
    found = Alert.objects.exclude(status=AlertStatus.OVER).order_by("opened_at", "pk")
    rows = sorted(found, key=lambda one: (one.status != AlertStatus.OPEN, one.level != "bad"))
    return [AlertRow(alert, label_of(alert.probe)) for alert in rows]


def past_alerts(*, at: dt.datetime) -> list[AlertRow]:
    """Alerts of the last thirty days that are over, the latest first."""
    rows = Alert.objects.filter(status=AlertStatus.OVER, over_at__gte=at - SHOWN_FOR)
    found = rows.order_by("-over_at", "-pk")[:SHOWN_AT_MOST]
    return [AlertRow(alert, label_of(alert.probe)) for alert in found]


def alert(*, alert_id: int) -> tuple[AlertRow, list[Transition]]:
    """One alert with its moves. Raises NotFound."""
    found = Alert.objects.filter(pk=alert_id).first()
    if found is None:
        raise NotFound("没有找到这条告警。")
    return AlertRow(found, label_of(found.probe)), history(found)


def jobs() -> list[JobRow]:
    """The job queue by name, names with failed jobs first."""
    with connection.cursor() as cursor:
        cursor.execute(_JOBS)
        return [JobRow(*row) for row in cursor.fetchall()]


def backups() -> dict[BackupKind, list[BackupRun]]:
    """The latest backups and trial restores that were reported."""
    return {
        kind: list(BackupRun.objects.filter(kind=kind).order_by("-noted_at", "-pk")[:10])
        for kind in BackupKind
    }


def banner(*, at: dt.datetime) -> Banner | None:
    """What to show above the pages of who receives alerts; None when all is well.

    A monitor that has stopped looking says so itself, as its alerts cannot.
    """
    levels = list(Alert.objects.filter(status=AlertStatus.OPEN).values_list("level", flat=True))
    latest = ProbeStanding.objects.aggregate(latest=Max("measured_at"))["latest"]
    seconds = (at - latest).total_seconds() if latest else 0.0
    silent_for = lasting(seconds) if seconds >= ROUND_AGE.warn.value() else ""
    if not levels and not silent_for:
        return None
    severe = sum(level == ProbeState.BAD for level in levels)
    return Banner(severe, len(levels) - severe, silent_for)


def workers_alive(*, at: dt.datetime) -> int:
    """How many workers live at a moment (UTC), for machines that ask."""
    return workers(at)[0]


def label_of(key: str) -> str:
    """A probe by its key, in Chinese."""
    probe = probes.BY_KEY.get(key)
    return f"{probe.group.label}：{probe.label}" if probe else key


def _measure(probe: Probe, at: dt.datetime) -> Reading:
    try:
        with transaction.atomic():
            finding = probe.read(at)
    except Exception as problem:  # noqa: BLE001 - what cannot be read is what the monitor reports
        name = type(problem).__name__
        logger.warning("probe failed", extra={"probe": probe.key, "error": name})
        return Reading(probe, ProbeState.WARN, f"检查时出错（{name}），详见日志。", None)
    return Reading(probe, probe.judge(finding), finding.text, finding.value)


def _group(group: Group, rows: list[BoardRow]) -> BoardGroup:
    ordered = tuple(sorted(rows, key=lambda row: WORST_FIRST.index(row.state)))
    return BoardGroup(str(group.label), ordered[0].state, ordered)


def is_trouble(state: str) -> bool:
    """Whether a state is one that alerts are about."""
    return state in TROUBLE
