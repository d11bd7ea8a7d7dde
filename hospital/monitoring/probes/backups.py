"""Is there a backup, was one ever restored, and is the audit trail whole."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.conf import settings

from hospital.kernel import audit
from hospital.monitoring.models import BackupRun
from hospital.monitoring.reading import Finding, Probe, lasting, size
from hospital.monitoring.states import BackupKind, Group, ProbeState
from hospital.monitoring.thresholds import BACKUP_AGE, RESTORE_TEST_AGE, VERIFICATION_AGE

_HOUR: Final = 3600
_DAY: Final = 86400


def backup(at: dt.datetime) -> Finding:
    """How old the latest good backup is; severe at once when the latest one failed."""
    return _latest(BackupKind.BACKUP, at, unit=_HOUR)


def restore_test(at: dt.datetime) -> Finding:
    """How long ago a backup was restored on trial."""
    return _latest(BackupKind.RESTORE_TEST, at, unit=_DAY)


def verification(at: dt.datetime) -> Finding:
    """Whether the latest walk through the audit trail found it whole, and how long ago it was."""
    row = audit.latest_verification()
    if row is None:
        return Finding("还没有核对过，每天核对一次。", state=ProbeState.UNKNOWN)
    seconds = max(0.0, (at - row.at).total_seconds())
    if not row.is_sound:
        text = f"{lasting(seconds)}前核对审计记录发现问题，请马上通知审计管理员。"
        return Finding(text, int(seconds // _HOUR), ProbeState.BAD)
    text = f"{lasting(seconds)}前核对了 {row.entries} 条审计记录，没有问题。"
    return Finding(text, int(seconds // _HOUR))


def _latest(kind: BackupKind, at: dt.datetime, *, unit: int) -> Finding:
    rows = BackupRun.objects.filter(kind=kind).order_by("-noted_at", "-pk")
    latest = rows.first()
    if latest is None:
        # A demonstration has none; a hospital without one may lose everything tonight.
        state = ProbeState.BAD if settings.PRODUCTION else ProbeState.WARN
        return Finding(f"从来没有登记过{kind.label}。", state=state)
    if not latest.is_good:
        text = f"最近一次{kind.label}失败：{latest.note}"
        return Finding(text, state=ProbeState.BAD)
    seconds = max(0.0, (at - latest.noted_at).total_seconds())
    large = f"，{size(latest.size_bytes)}" if latest.size_bytes is not None else ""
    where = f"，{latest.note}" if latest.note else ""
    return Finding(f"{lasting(seconds)}前完成{large}{where}。", int(seconds // unit))


PROBES: Final = (
    Probe(
        key="backup",
        group=Group.BACKUPS,
        label="数据库备份",
        unit="小时",
        read=backup,
        limits=BACKUP_AGE,
    ),
    Probe(
        key="restore_test",
        group=Group.BACKUPS,
        label="恢复测试",
        unit="天",
        read=restore_test,
        limits=RESTORE_TEST_AGE,
    ),
    Probe(
        key="audit",
        group=Group.BACKUPS,
        label="审计记录核对",
        unit="小时",
        read=verification,
        limits=VERIFICATION_AGE,
    ),
)
