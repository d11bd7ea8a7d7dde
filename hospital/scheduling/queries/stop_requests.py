"""Reads of 停诊申请: what waits for the office, and how each ended, for both sides."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from hospital.kernel.errors import NotFound
from hospital.scheduling import sessions
from hospital.scheduling.models import Schedule, StopRequest
from hospital.scheduling.sessions import SessionFacts
from hospital.scheduling.states import StopReason, StopRequestStatus


@dataclass(frozen=True, slots=True)
class StopRequestRow:
    """One request; `is_waiting` while the office can still carry it out."""

    id: int
    session: SessionFacts
    reason: str
    reason_label: str
    note: str
    status: str
    status_label: str
    asked_by: str
    asked_at: dt.datetime
    decided_by: str
    decided_at: dt.datetime | None
    answer_note: str
    is_waiting: bool


def stop_requests(
    *,
    practitioner_ids: Collection[int] | None = None,
    department_ids: Collection[int] = (),
    since: dt.datetime,
    at: dt.datetime,
    most: int = 100,
) -> list[StopRequestRow]:
    """The requests for sessions that ended after a moment, by the session's start; where
    practitioners are named: for theirs, and for those of these departments."""
    rows = StopRequest.objects.filter(schedule__ends_at__gt=since)
    if practitioner_ids is not None:
        rows = rows.filter(
            Q(schedule__practitioner__in=practitioner_ids)
            | Q(schedule__department__in=department_ids)
        )
    found = list(rows.order_by("schedule__starts_at", "id")[:most])
    facts = {
        one.id: one
        for one in sessions.load_all(
            Schedule.objects.filter(pk__in={row.schedule_id for row in found})
        )
    }
    return [_row(row, facts[row.schedule_id], at) for row in found]


def waiting_stop_request(*, schedule_id: int, at: dt.datetime) -> StopRequestRow | None:
    """What waits for an answer about one session, None when nothing does."""
    row = StopRequest.objects.filter(
        schedule_id=schedule_id, status=StopRequestStatus.ASKED
    ).first()
    if row is None:
        return None
    (session,) = sessions.load_all(Schedule.objects.filter(pk=schedule_id))
    return _row(row, session, at)


def stop_request(*, request_id: int, at: dt.datetime) -> StopRequestRow:
    """One request. Raises NotFound."""
    row = StopRequest.objects.filter(pk=request_id).first()
    if row is None:
        raise NotFound("没有找到这条停诊申请。")
    (session,) = sessions.load_all(Schedule.objects.filter(pk=row.schedule_id))
    return _row(row, session, at)


def _row(row: StopRequest, session: SessionFacts, at: dt.datetime) -> StopRequestRow:
    is_asked = row.status == StopRequestStatus.ASKED
    is_over = session.ends_at <= at
    label = "未处理，出诊已过" if is_asked and is_over else StopRequestStatus(row.status).label
    return StopRequestRow(
        id=row.pk,
        session=session,
        reason=row.reason,
        reason_label=str(StopReason(row.reason).label),
        note=row.note,
        status=row.status,
        status_label=str(label),
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        answer_note=row.answer_note,
        is_waiting=is_asked and not is_over,
    )
