"""Reading the audit trail: searching it, and who looked at a patient's record."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet

from hospital.kernel import acts
from hospital.kernel.actors import Actor
from hospital.kernel.models import AuditEntry, AuditResult

#: The same reader, patient and page again within this time is one look.
ONE_LOOK: Final = dt.timedelta(minutes=10)


@dataclass(frozen=True)
class Look:
    """Somebody of the staff saw or used a patient's record; `roles` are codes, never a name."""

    at: dt.datetime
    account_id: int
    roles: tuple[str, ...]
    act: str
    label: str
    purpose: str


@dataclass(frozen=True)
class Wanted:
    """What to search for; what is empty does not matter. `end` is excluded, both are UTC; `below`
    is the number of the entry to go on after."""

    person_id: int | None = None
    by: Sequence[str] = ()
    acts: Sequence[str] = ()
    result: str = ""
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    below: int | None = None


Entries = QuerySet[AuditEntry]


def find(wanted: Wanted) -> Entries:
    """Entries that fit, newest first."""
    rows = AuditEntry.objects.order_by("-pk")
    if wanted.person_id is not None:
        rows = rows.filter(person_id=wanted.person_id)
    if wanted.by:
        rows = rows.filter(by__in=list(wanted.by))
    if wanted.acts:
        rows = rows.filter(act__in=list(wanted.acts))
    if wanted.result:
        rows = rows.filter(result=wanted.result)
    if wanted.start is not None:
        rows = rows.filter(at__gte=wanted.start)
    if wanted.end is not None:
        rows = rows.filter(at__lt=wanted.end)
    if wanted.below is not None:
        rows = rows.filter(pk__lt=wanted.below)
    return rows


def seen_by(*, person_id: int, since: dt.datetime, most: int = 200) -> list[Look]:
    """Which of the staff looked at or worked on a patient's record since a moment, newest first."""
    rows = find(Wanted(person_id=person_id, result=AuditResult.DONE, start=since))
    return [
        Look(
            at=row.at,
            account_id=Actor.parse(row.by).id,
            roles=tuple(role for role in row.role.split(",") if role),
            act=row.act,
            label=acts.label(row.act),
            purpose=row.reason,
        )
        for row in rows.filter(by__startswith="staff:")[:most]
    ]


def seen_lately(*, act: str, person_id: int | None, what: str, by: Actor, at: dt.datetime) -> bool:
    """Whether this very look was recorded within the latest minutes (`after` holds `what`)."""
    rows = AuditEntry.objects.filter(act=act, by=str(by), at__gt=at - ONE_LOOK)
    about = Q(person_id=person_id) if person_id is not None else Q(person_id__isnull=True)
    return rows.filter(about, after={"what": what}).exists()
