"""Writing one audited act: what the caller says, and who, where and in which role by itself."""

import datetime as dt
import logging
from collections.abc import Mapping
from functools import partial

from django.db import connection, models, transaction

from hospital.kernel import logs, whereabouts
from hospital.kernel.actors import Actor
from hospital.kernel.audit import marks
from hospital.kernel.models import AuditEntry, AuditResult
from hospital.kernel.states import subject_type

logger = logging.getLogger(__name__)

_LONGEST_ROLE = 200
_NEXT_ID = "SELECT nextval(pg_get_serial_sequence('kernel_auditentry', 'id'))"


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
    place = whereabouts.here()
    entry = AuditEntry(
        act=act,
        subject_type=subject_type(subject) if subject is not None else "",
        subject_id=subject.pk if subject is not None else None,
        person_id=person_id if person_id is not None else getattr(subject, "patient_id", None),
        by=str(by),
        role=",".join(place.roles)[:_LONGEST_ROLE],
        address=place.address,
        device=place.device,
        at=at,
        before=marks.plain(before or {}),
        after=marks.plain(after or {}),
        reason=reason,
        result=result,
        request_id=logs.current_request(),
    )
    # The mark holds the row's own number, so that rows cannot change places.
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_ID)
        (entry.pk,) = cursor.fetchone()
    entry.mac = marks.mark(entry)
    entry.save(force_insert=True)
    transaction.on_commit(partial(_tell_the_log, entry.pk))
    return entry


def _tell_the_log(entry_id: int) -> None:
    """The entry's anchor outside the database, from its first moment on: `verify_audit --anchors`
    knows by it that a row was there which is removed before a seal covers it."""
    logger.info("audit entry", extra={"entry": entry_id})
