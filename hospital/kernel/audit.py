"""Writing the audit trail, and sealing it into a hash chain behind the writers' backs (X13)."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping

from django.db import connection, models, transaction

from hospital.kernel import logs
from hospital.kernel.actors import Actor
from hospital.kernel.models import AuditEntry, AuditSeal
from hospital.kernel.states import subject_type

_SEAL_LOCK = 0x5EA1
_SETTLED_AFTER = dt.timedelta(minutes=5)  # no transaction of ours lives that long


def record(
    *,
    act: str,
    subject: models.Model | None,
    by: Actor,
    at: dt.datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
) -> AuditEntry:
    """Write one audited act. Values must be JSON and must not hold personal data in clear."""
    return AuditEntry.objects.create(
        act=act,
        subject_type=subject_type(subject) if subject is not None else "",
        subject_id=subject.pk if subject is not None else None,
        by=str(by),
        at=at,
        before=dict(before or {}),
        after=dict(after or {}),
        reason=reason,
        request_id=logs.current_request(),
    )


def seal_entries(*, at: dt.datetime) -> int:
    """Chain all entries old enough to be settled; returns how many were sealed (UTC `at`)."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SEAL_LOCK])
        latest = AuditSeal.objects.order_by("-through_id").first()
        after_id, digest = (latest.through_id, latest.digest) if latest else (0, "")
        entries = AuditEntry.objects.filter(pk__gt=after_id, at__lt=at - _SETTLED_AFTER)
        count = 0
        for entry in entries.order_by("pk").iterator():
            digest, after_id, count = _link(digest, entry), entry.pk, count + 1
        if count:
            AuditSeal.objects.create(
                through_id=after_id, entries=count, digest=digest, sealed_at=at
            )
    return count


def _link(previous: str, entry: AuditEntry) -> str:
    row = [
        previous,
        entry.pk,
        entry.act,
        entry.subject_type,
        entry.subject_id,
        entry.by,
        entry.at.isoformat(),
        entry.before,
        entry.after,
        entry.reason,
        entry.request_id,
    ]
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()
