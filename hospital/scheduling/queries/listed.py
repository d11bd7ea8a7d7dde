"""Reads of scheduling for outside platforms: sessions and single numbers as they may list them.

Only what patients may look at is there: the days of the strip, departments open for booking, and
of the numbers those of the pools a platform may claim. Read fresh; pages are cut by id.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from django.db.models import Case, Q, QuerySet, TextChoices, TextField, Value, When

from hospital.kernel.clock import hospital_day
from hospital.scheduling import sessions, thresholds
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.queries.offers import shown_days
from hospital.scheduling.sessions import SessionFacts
from hospital.scheduling.states import (
    ACTIVE,
    POOLS_OF,
    Channel,
    ScheduleStatus,
    SlotStatus,
)

_POOLS: Final = POOLS_OF[Channel.PARTNER]
_HIDDEN: Final = (ScheduleStatus.DRAFT, ScheduleStatus.CANCELLED)
_OPEN: Final = (ScheduleStatus.RELEASED, ScheduleStatus.IN_SESSION)


class Listed(TextChoices):
    """What a number is to a platform: SM2 in FHIR's words."""

    FREE = "free", "可约"
    TENTATIVE = "busy-tentative", "已锁定"
    UNAVAILABLE = "busy-unavailable", "停号"
    BUSY = "busy", "不可约"


@dataclass(frozen=True, slots=True)
class Cut:
    """One page of a list: after an id, so many; `ids` narrow it to these."""

    after: int = 0
    most: int = 20
    ids: Collection[int] | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Days or moments from `start` on, before `end`; None is open."""

    start: dt.date | dt.datetime | None = None
    end: dt.date | dt.datetime | None = None


ALWAYS: Final = Span()


@dataclass(frozen=True, slots=True)
class ListedNumber:
    """One number with its session and band."""

    id: int
    label: str
    listed: Listed
    band_id: int
    band_starts_at: dt.datetime
    band_ends_at: dt.datetime
    session: SessionFacts


def listed_sessions(
    *,
    at: dt.datetime,
    cut: Cut,
    days: Span = ALWAYS,
    department: str = "",
    service_kind: str = "",
    practitioner: str = "",
    is_active: bool | None = None,
) -> tuple[list[SessionFacts], int]:
    """One page of the sessions platforms may list, by id, and how many there are in all; narrowed
    by the codes of department and practitioner, the kind of service, and whether they are neither
    over nor called off."""
    found = _sessions(at)
    if department:
        found = found.filter(department__code=department)
    if service_kind:
        found = found.filter(service_type__kind=service_kind)
    if practitioner:
        found = found.filter(practitioner__code=practitioner)
    if is_active is not None:
        found = found.filter(Q(status__in=ACTIVE) if is_active else ~Q(status__in=ACTIVE))
    if days.start is not None:
        found = found.filter(visit_date__gte=days.start)
    if days.end is not None:
        found = found.filter(visit_date__lt=days.end)
    if cut.ids is not None:
        found = found.filter(pk__in=cut.ids)
    page = list(found.filter(pk__gt=cut.after).order_by("pk")[: cut.most])
    facts = sessions.load(Schedule.objects.filter(pk__in=[row.pk for row in page]))
    return sorted(facts, key=lambda one: one.id), found.count()


def listed_numbers(
    *,
    at: dt.datetime,
    cut: Cut,
    schedule_id: int | None = None,
    starts: Span = ALWAYS,
    department: str = "",
    as_what: Collection[Listed] = (),
) -> tuple[list[ListedNumber], int]:
    """One page of the numbers platforms may list, by id, and how many there are in all."""
    found = (
        Slot.objects.filter(schedule__in=_sessions(at), pool__in=_POOLS, is_add_on=False)
        .exclude(status=SlotStatus.WITHDRAWN)
        .annotate(listed=_listed(at))
    )
    if schedule_id is not None:
        found = found.filter(schedule_id=schedule_id)
    if department:
        found = found.filter(schedule__department__code=department)
    if starts.start is not None:
        found = found.filter(band__starts_at__gte=starts.start)
    if starts.end is not None:
        found = found.filter(band__starts_at__lt=starts.end)
    if as_what:
        found = found.filter(listed__in=[str(word) for word in as_what])
    if cut.ids is not None:
        found = found.filter(pk__in=cut.ids)
    page = list(found.filter(pk__gt=cut.after).select_related("band").order_by("pk")[: cut.most])
    loaded = sessions.load(Schedule.objects.filter(pk__in={row.schedule_id for row in page}))
    facts = {one.id: one for one in loaded}
    return [
        ListedNumber(
            id=row.pk,
            label=row.label,
            listed=Listed(row.listed),
            band_id=row.band_id,
            band_starts_at=row.band.starts_at,
            band_ends_at=row.band.ends_at,
            session=facts[row.schedule_id],
        )
        for row in page
        if row.schedule_id in facts
    ], found.count()


def listed_count(*, schedule_id: int) -> int:
    """How many numbers of a session platforms may have, whatever became of them."""
    found = Slot.objects.filter(schedule_id=schedule_id, pool__in=_POOLS, is_add_on=False)
    return found.exclude(status__in=[SlotStatus.WITHDRAWN, SlotStatus.BLOCKED]).count()


def _sessions(at: dt.datetime) -> QuerySet[Schedule]:
    days = shown_days(hospital_day(at))
    return Schedule.objects.filter(
        visit_date__range=(days[0], days[-1]),
        department__is_bookable=True,
        department__is_active=True,
        department__walk_in_only=False,
    ).exclude(status__in=_HIDDEN)


def _listed(at: dt.datetime) -> Case:
    """What a number is to a platform (SM2's words in FHIR), judged at a moment: one may be free in
    the table and claimed by nobody any more or kept for the waiting list, or be out although no job
    has released it yet."""
    closes = at + dt.timedelta(minutes=thresholds.CLOSE_MINUTES.value())
    in_time = Q(schedule__release_at__lte=at, band__ends_at__gt=at, schedule__ends_at__gt=closes)
    kept = Q(schedule__has_waiting=True, band__starts_at__gt=thresholds.kept_after(at))
    released = Q(status=SlotStatus.FREE, schedule__status__in=_OPEN)
    late = Q(status=SlotStatus.PLANNED, schedule__status=ScheduleStatus.PUBLISHED)
    return Case(
        When(in_time & ~kept & (released | late), then=Value(str(Listed.FREE))),
        When(status=SlotStatus.HELD, then=Value(str(Listed.TENTATIVE))),
        When(status=SlotStatus.BLOCKED, then=Value(str(Listed.UNAVAILABLE))),
        default=Value(str(Listed.BUSY)),
        output_field=TextField(),
    )
