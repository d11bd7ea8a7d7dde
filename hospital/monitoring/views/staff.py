"""监控: how everything stands, alerts and who takes them on, jobs to run again, backups."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, staff_page
from hospital.kernel import clock
from hospital.kernel import jobs as queue
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid
from hospital.kernel.models import Transition
from hospital.messaging import queries as messaging
from hospital.monitoring import actions, queries
from hospital.monitoring.permissions import ACKNOWLEDGE, VIEW_MONITORING
from hospital.monitoring.queries import AlertRow
from hospital.monitoring.states import AlertLevel, AlertStatus, ProbeState
from hospital.ui.typed import typed

TONES: Final = {
    ProbeState.OK: "brand",
    ProbeState.WARN: "warn",
    ProbeState.BAD: "danger",
    ProbeState.UNKNOWN: "info",
}
_PLACES: Final = (
    ("monitoring-board", "运行状态"),
    ("monitoring-history", "告警记录"),
    ("monitoring-jobs", "后台任务"),
    ("monitoring-backups", "备份"),
)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an alert's story, for the kit's timeline."""

    at: dt.datetime
    title: str
    by: str = ""
    note: str = ""
    tone: str = ""


@staff_page(VIEW_MONITORING)
@require_safe
def board(request: StaffRequest) -> HttpResponse:
    """Everything that is watched, as it stands this moment; asks again by itself."""
    at = clock.now()
    groups = queries.board(at=at)
    states = [row.state for group in groups for row in group.rows]
    context = {
        "tabs": _tabs("monitoring-board"),
        "at": at,
        "alerts": _alerts(queries.open_alerts()),
        "counts": [
            (str(state.label), states.count(state), TONES[state])
            for state in (ProbeState.BAD, ProbeState.WARN, ProbeState.UNKNOWN, ProbeState.OK)
        ],
        "groups": [
            {"group": group, "rows": [(row, TONES[row.state]) for row in group.rows]}
            for group in groups
        ],
    }
    part = "#standing" if request.htmx else ""
    return render(request, f"monitoring/staff/board.html{part}", context)


@staff_page(VIEW_MONITORING)
@require_safe
def history(request: StaffRequest) -> HttpResponse:
    """Alerts of the last thirty days that are over."""
    rows = _alerts(queries.past_alerts(at=clock.now()))
    context = {
        "tabs": _tabs("monitoring-history"),
        "rows": rows,
        "is_cut": len(rows) >= queries.SHOWN_AT_MOST,
    }
    return render(request, "monitoring/staff/history.html", context)


@staff_page(VIEW_MONITORING)
@require_safe
def alert(request: StaffRequest, alert_id: int) -> HttpResponse:
    """One alert from its beginning, with the messages about it."""
    return _alert(request, alert_id)


@staff_page(ACKNOWLEDGE)
@require_POST
def acknowledge(request: StaffRequest, alert_id: int) -> HttpResponse:
    """Take an alert on: what is done about it is written down, and nobody is told again."""
    note = typed(request.POST, "note", most=200)
    try:
        actions.acknowledge(alert_id=alert_id, note=note, by=request.actor, at=clock.now())
    except Invalid as refusal:
        return _alert(request, alert_id, error=refusal.errors["note"][0])
    messages.success(request, "已记下，由您处理；不再重复发短信。")
    return redirect("monitoring-alert", alert_id=alert_id)


@staff_page(VIEW_MONITORING)
@require_safe
def jobs(request: StaffRequest) -> HttpResponse:
    """The job queue by name."""
    rows = queries.jobs()
    context = {
        "tabs": _tabs("monitoring-jobs"),
        "jobs": rows,
        "waiting": sum(row.waiting for row in rows),
        "due": sum(row.due for row in rows),
        "running": sum(row.running for row in rows),
        "failed": sum(row.failed for row in rows),
        "may_run": identity.may(request.user, ACKNOWLEDGE),
    }
    return render(request, "monitoring/staff/jobs.html", context)


@staff_page(ACKNOWLEDGE)
@require_POST
def run_again(request: StaffRequest) -> HttpResponse:
    """Put the failed jobs of one name back into the queue, after their cause was mended."""
    name = typed(request.POST, "name", most=100)
    count = queue.run_failed_again(name=name, by=request.actor, at=clock.now())
    if count:
        messages.success(request, f"已重新执行 {count} 个任务。")
    else:
        messages.info(request, "没有需要重新执行的任务。")
    return redirect("monitoring-jobs")


@staff_page(VIEW_MONITORING)
@require_safe
def backups(request: StaffRequest) -> HttpResponse:
    """What the backup script reported lately."""
    context = {
        "tabs": _tabs("monitoring-backups"),
        "kinds": [{"label": kind.label, "runs": runs} for kind, runs in queries.backups().items()],
    }
    return render(request, "monitoring/staff/backups.html", context)


def _alert(request: StaffRequest, alert_id: int, *, error: str = "") -> HttpResponse:
    row, moves = queries.alert(alert_id=alert_id)
    alert = row.alert
    context = {
        "tabs": _tabs(""),
        "row": row,
        "level": str(AlertLevel(alert.level).label),
        "tone": TONES[ProbeState(alert.level)],
        "status": str(AlertStatus(alert.status).label),
        "events": _events(row, moves),
        "may_acknowledge": alert.status == AlertStatus.OPEN
        and identity.may(request.user, ACKNOWLEDGE),
        "note": typed(request.POST, "note", most=200),
        "error": error,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return render(request, "monitoring/staff/alert.html", context, status=status)


def _events(row: AlertRow, moves: list[Transition]) -> list[Event]:
    """Opened, told, taken on, over: in the order it happened."""
    names = identity.staff_names(actors=[move.by for move in moves])
    events = [Event(row.alert.opened_at, "发现异常", "系统", tone="danger")]
    words = {
        AlertStatus.ACKNOWLEDGED: ("有人处理", ""),
        AlertStatus.OVER: ("恢复正常", "done"),
        AlertStatus.OPEN: ("重新告警", "danger"),
    }
    for move in moves:
        title, tone = words[AlertStatus(move.to_status)]
        events.append(Event(move.at, title, _person(move.by, names), move.reason, tone))
    for sent in messaging.messages_to_staff_about(subject=row.alert):
        note = f"{sent.status}{'，' + sent.reason if sent.reason else ''}"
        events.append(Event(sent.at, f"通知 {sent.reader}", "系统", note))
    return sorted(events, key=lambda event: event.at)


def _alerts(rows: list[AlertRow]) -> list[dict[str, object]]:
    names = identity.staff_names(actors=[row.alert.acknowledged_by for row in rows])
    return [
        {
            "alert": row.alert,
            "label": row.label,
            "level": str(AlertLevel(row.alert.level).label),
            "tone": TONES[ProbeState(row.alert.level)],
            "status": str(AlertStatus(row.alert.status).label),
            "by": _person(row.alert.acknowledged_by, names) if row.alert.acknowledged_by else "",
        }
        for row in rows
    ]


def _person(text: str, names: dict[str, str]) -> str:
    actor = Actor.parse(text)
    return names.get(text, str(actor.id)) if actor.kind == "staff" else "系统"


def _tabs(here: str) -> list[dict[str, object]]:
    return [
        {"label": label, "url": reverse(name), "active": name == here, "count": ""}
        for name, label in _PLACES
    ]
