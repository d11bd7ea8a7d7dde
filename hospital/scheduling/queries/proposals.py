"""Reads of proposed rosters, of needs and of wishes, as rows for their pages."""

import datetime as dt
from dataclasses import dataclass

from hospital.kernel.errors import NotFound
from hospital.scheduling import proposal_result
from hospital.scheduling.models import RosterNeed, RosterProposal, RosterWish
from hospital.scheduling.proposal_result import Result
from hospital.scheduling.states import ProposalStatus


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A proposal; `result` is None until it is computed. `latest` is its last day."""

    id: int
    department_id: int
    department_code: str
    department: str
    from_date: dt.date
    latest: dt.date
    people: tuple[int, ...]
    seconds: int
    status: str
    status_label: str
    asked_by: str
    asked_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    result: Result | None


def proposal_row(*, proposal_id: int) -> ProposalRow:
    """One proposal. Raises NotFound."""
    found = RosterProposal.objects.select_related("department").filter(pk=proposal_id).first()
    if found is None:
        raise NotFound("没有找到这份智能排班。")
    return _row(found)


def proposals_of(*, department_id: int, most: int = 20) -> list[ProposalRow]:
    """A department's proposals, the newest first."""
    rows = RosterProposal.objects.select_related("department").filter(department_id=department_id)
    return [_row(row) for row in rows.order_by("-id")[:most]]


def needs_of(*, department_id: int) -> list[RosterNeed]:
    """What a department wants, by weekday and hour."""
    rows = RosterNeed.objects.filter(department_id=department_id).select_related("service_type")
    return list(rows.order_by("weekday", "starts", "service_type__name", "id"))


def wishes_of(*, practitioner_id: int, since: dt.date) -> list[RosterWish]:
    """A doctor's wishes, those of single days that are over left out."""
    rows = RosterWish.objects.filter(practitioner_id=practitioner_id).exclude(visit_date__lt=since)
    return list(rows.order_by("weekday", "visit_date", "id"))


def _row(row: RosterProposal) -> ProposalRow:
    return ProposalRow(
        id=row.pk,
        department_id=row.department_id,
        department_code=row.department.code,
        department=row.department.name,
        from_date=row.from_date,
        latest=row.to_date - dt.timedelta(days=1),
        people=tuple(row.people),
        seconds=row.seconds,
        status=row.status,
        status_label=str(ProposalStatus(row.status).label),
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        result=proposal_result.read(row.result) if row.result is not None else None,
    )
