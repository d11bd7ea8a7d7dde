"""Writing down what others found: the backup script, the certificate job; and forgetting."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction

from hospital.kernel import audit, heartbeats
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid
from hospital.monitoring.models import BackupRun, CertificateCheck, DaySize
from hospital.monitoring.states import BackupKind

_SIGNS_KEPT: Final = dt.timedelta(days=7)
_SIZES_KEPT: Final = dt.timedelta(days=400)


def note_backup(
    *,
    kind: BackupKind,
    is_good: bool,
    size_bytes: int | None,
    note: str,
    by: Actor,
    at: dt.datetime,
) -> BackupRun:
    """Keep what the backup script says it did; `note` is the place, or why it failed.

    Raises Invalid when a failure does not say why.
    """
    note = note.strip()[:200]
    if not is_good and not note:
        raise Invalid({"note": ["失败要写明原因。"]})
    with transaction.atomic():
        run = BackupRun.objects.create(
            kind=kind, is_good=is_good, size_bytes=size_bytes, note=note, noted_at=at
        )
        after = {"kind": kind.value, "is_good": is_good, "size_bytes": size_bytes}
        audit.record(act="monitoring.note_backup", subject=run, by=by, at=at, after=after)
    return run


def note_certificate(
    *, host: str, expires_at: dt.datetime | None, problem: str, at: dt.datetime
) -> CertificateCheck:
    """Keep what one of our addresses showed: until when its certificate holds, or what is wrong."""
    facts = {"checked_at": at, "expires_at": expires_at, "problem": problem[:200]}
    row, _ = CertificateCheck.objects.update_or_create(host=host, defaults=facts)
    return row


def forget_old(*, at: dt.datetime) -> None:
    """Forget machines silent for a week and the database's sizes of more than a year ago."""
    heartbeats.forget_silent(before=at - _SIGNS_KEPT)
    DaySize.objects.filter(day__lt=(at - _SIZES_KEPT).date()).delete()
