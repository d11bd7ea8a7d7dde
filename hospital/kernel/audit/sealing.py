"""Sealing the audit trail into a chain behind the writers' backs; a job does it every minute.

No writer waits for it, and it waits for no writer: a seal covers the rows that can be seen. Where a
number is missing below the newest one, its transaction failed or has not ended yet; the seal notes
the hole, and a row that turns up in one later is covered by the next seal as a late one. So long
transactions need no rule about how old a row must be before it counts as settled.
"""

import datetime as dt
import hashlib
import logging
from collections.abc import Iterable, Iterator
from typing import Final

from django.db import connection, transaction
from django.db.models import Q

from hospital.kernel.audit import marks
from hospital.kernel.models import AuditEntry, AuditSeal

logger = logging.getLogger(__name__)

_SEAL_LOCK: Final = 0x5EA1
#: No transaction lives longer. A row that turns up later still is reported as put in.
HOLES_STAY_OPEN: Final = dt.timedelta(days=1)
_AT_ONCE: Final = 2000

Span = tuple[int, int]


class RowDigest:
    """The running SHA-256 over rows, in the order they are sealed in."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, entry: AuditEntry, content: bytes) -> None:
        self._hash.update(content + entry.mac.encode() + b"\n")

    def __str__(self) -> str:
        return self._hash.hexdigest()


def seal_entries(*, at: dt.datetime) -> int:
    """Chain every entry not yet sealed; returns how many were (UTC `at`).

    The line it logs is the trail's anchor outside the database: `verify_audit --anchors`.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SEAL_LOCK])
        latest = AuditSeal.objects.order_by("-pk").first()
        previous, through = (latest.digest, latest.through_id) if latest else ("", 0)
        rows, late, holes = RowDigest(), [], []
        count = 0
        for entry in late_entries(at=at):
            rows.add(entry, marks.canonical(entry))
            late.append(entry.pk)
        for entry in entries_after(through):
            if entry.pk > through + 1:
                holes.append([through + 1, entry.pk - 1])
            rows.add(entry, marks.canonical(entry))
            count, through = count + 1, entry.pk
        if not count and not late:
            return 0
        seal = AuditSeal(
            through_id=through,
            entries=count + len(late),
            late=late,
            holes=holes,
            key_id=marks.signing_key_id(),
            sealed_at=at,
        )
        seal.digest = marks.seal_digest(seal, previous=previous, rows=str(rows))
        seal.save(force_insert=True)
    logger.info("audit sealed", extra={"through": through, "digest": seal.digest})
    return seal.entries


def late_entries(*, at: dt.datetime) -> list[AuditEntry]:
    """Rows that stand in a hole of a seal of the latest day and that no seal covers."""
    seals = AuditSeal.objects.filter(sealed_at__gt=at - HOLES_STAY_OPEN).values_list(
        "holes", "late"
    )
    lately = [(holes, late) for holes, late in seals if holes or late]
    spans = [(first, last) for holes, _ in lately for first, last in holes]
    if not spans:
        return []
    covered = {pk for _, late in lately for pk in late}
    found = AuditEntry.objects.filter(_within(spans)).exclude(pk__in=covered)
    return list(found.order_by("pk"))


def entries_after(pk: int) -> Iterator[AuditEntry]:
    """All rows above a number by number, some thousand in memory at a time."""
    while batch := list(AuditEntry.objects.filter(pk__gt=pk).order_by("pk")[:_AT_ONCE]):
        yield from batch
        pk = batch[-1].pk


def _within(spans: Iterable[Span]) -> Q:
    found = Q()
    for first, last in spans:
        found |= Q(pk__gte=first, pk__lte=last)
    return found
