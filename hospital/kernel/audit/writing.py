"""Writing one audited act: what the caller says, and who, where and in which role by itself."""

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from django.db import connection, models, transaction

from hospital.kernel import logs, whereabouts
from hospital.kernel.actors import Actor
from hospital.kernel.audit import marks
from hospital.kernel.models import AuditEntry, AuditResult
from hospital.kernel.states import subject_type

logger = logging.getLogger(__name__)

_LONGEST_ROLE = 200
_NEXT_IDS = """
    SELECT nextval(pg_get_serial_sequence('kernel_auditentry', 'id')) FROM generate_series(1, %s)
"""


def record(
    *,
    act: str,
    subject: models.Model | None,
    by: Actor,
    at: dt.datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
    person_id: int | None = None,
    result: str = AuditResult.DONE,
) -> AuditEntry:
    """Write one audited act. Values must be JSON and must not hold personal data in clear.

    `person_id` is the patient the act is about; without one it is the subject's own
    `patient_id`. Address, device, roles and the request come from where the code runs.
    """
    (entry,) = _written(
        [_Deed(subject, before or {}, after or {}, person_id)],
        act=act,
        by=by,
        at=at,
        reason=reason,
        result=result,
    )
    return entry


def record_many(
    *,
    act: str,
    deeds: Sequence[tuple[models.Model, Mapping[str, object], Mapping[str, object]]],
    by: Actor,
    at: dt.datetime,
    reason: str = "",
) -> None:
    """Write one act done to many rows at once, an entry for each: subject, before, after. Two
    statements, however many."""
    rows = [_Deed(subject, before, after, None) for subject, before, after in deeds]
    _written(rows, act=act, by=by, at=at, reason=reason, result=AuditResult.DONE)


@dataclass(frozen=True, slots=True)
class _Deed:
    """What was done to one row."""

    subject: models.Model | None
    before: Mapping[str, object]
    after: Mapping[str, object]
    person_id: int | None


def _written(
    deeds: Sequence[_Deed], *, act: str, by: Actor, at: dt.datetime, reason: str, result: str
) -> list[AuditEntry]:
    place = whereabouts.here()
    # The mark holds the row's own number, so that rows cannot change places.
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_IDS, [len(deeds)])
        ids = [row[0] for row in cursor.fetchall()]
    entries = []
    for pk, deed in zip(ids, deeds, strict=True):
        subject, person_id = deed.subject, deed.person_id
        entry = AuditEntry(
            pk=pk,
            act=act,
            subject_type=subject_type(subject) if subject is not None else "",
            subject_id=subject.pk if subject is not None else None,
            person_id=person_id if person_id is not None else getattr(subject, "patient_id", None),
            by=str(by),
            role=",".join(place.roles)[:_LONGEST_ROLE],
            address=place.address,
            device=place.device,
            at=at,
            before=marks.plain(deed.before),
            after=marks.plain(deed.after),
            reason=reason,
            result=result,
            request_id=logs.current_request(),
        )
        entry.mac = marks.mark(entry)
        entries.append(entry)
    if len(entries) == 1:
        entries[0].save(force_insert=True)
    else:
        AuditEntry.objects.bulk_create(entries)
    for entry in entries:
        transaction.on_commit(partial(_tell_the_log, entry.pk))
    return entries


def _tell_the_log(entry_id: int) -> None:
    """The entry's anchor outside the database, from its first moment on: `verify_audit --anchors`
    knows by it that a row was there which is removed before a seal covers it."""
    logger.info("audit entry", extra={"entry": entry_id})
