"""Reads of scheduling for the outpatient office: a session's numbers by band, pool and fate, read
fresh, because what the page shows is what the office decides on. Moments are UTC.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Final

from django.db import connection
from django.db.models import Q

from hospital.catalogue import queries as catalogue
from hospital.catalogue.queries import FeeQuote
from hospital.kernel.errors import NotFound
from hospital.kernel.models import AuditEntry
from hospital.kernel.states import subject_type
from hospital.scheduling import sessions
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.sessions import BandFacts, SessionFacts
from hospital.scheduling.states import TAKEN, UNCLAIMED, Pool, SlotStatus, Withheld

_COUNTS: Final = """
    SELECT schedule_id, band_id, pool, is_add_on, status, withheld, count(*)
    FROM scheduling_slot WHERE schedule_id = ANY(%s) AND status <> 'withdrawn'
    GROUP BY 1, 2, 3, 4, 5, 6
"""
_SOLD: Final = (SlotStatus.BOOKED, SlotStatus.CONSUMED, SlotStatus.FORFEITED)
_CHANGES_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class NumberCount:
    """So many numbers of a band share pool and fate."""

    schedule_id: int
    band_id: int
    pool: str
    is_add_on: bool
    status: str
    withheld: str
    count: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers by fate. `left` may still be claimed, now or once released; `waiting` were given back
    and come out a little later; `stopped` are withheld because the session is off."""

    total: int
    sold: int
    held: int
    left: int
    waiting: int
    blocked: int
    stopped: int
    expired: int

    @property
    def taken(self) -> int:
        return self.sold + self.held

    @property
    def fixed(self) -> int:
        """Numbers that can be neither dealt out anew nor taken away."""
        return self.total - self.left - self.blocked

    @property
    def fixed_words(self) -> str:
        """Why those are fixed: "已约出 3 个、已过时 1 个"."""
        parts = (
            ("已约出", self.taken),
            ("待放回", self.waiting),
            ("已过时", self.expired),
            ("因停诊停下", self.stopped),
        )
        return "、".join(f"{word} {count} 个" for word, count in parts if count)

    @property
    def percent(self) -> int:
        """How much of it is taken."""
        return round(100 * self.taken / self.total) if self.total else 0


@dataclass(frozen=True, slots=True)
class PoolTally:
    """What one channel's share of a session has become."""

    pool: Pool
    tally: Tally

    @property
    def label(self) -> str:
        return str(self.pool.label)


@dataclass(frozen=True, slots=True)
class OfficeRow:
    """One session on the office's calendar. `fee` is None when nobody priced it."""

    session: SessionFacts
    all: Tally
    pools: tuple[PoolTally, ...]
    added: int
    fee: FeeQuote | None


@dataclass(frozen=True, slots=True)
class NumberRow:
    """One number on a session's page."""

    id: int
    label: str
    pool_label: str
    status: str
    status_label: str
    is_add_on: bool
    held_until: dt.datetime | None
    can_block: bool
    can_unblock: bool


@dataclass(frozen=True, slots=True)
class BandRow:
    """One band on a session's page with its numbers."""

    band: BandFacts
    all: Tally
    pools: tuple[PoolTally, ...]
    numbers: tuple[NumberRow, ...]


@dataclass(frozen=True, slots=True)
class OfficeSheet:
    """A session whole, as the office works on it; `room_id` is the room it is in now."""

    row: OfficeRow
    room_id: int
    bands: tuple[BandRow, ...]
    add_ons: tuple[NumberRow, ...]


def number_counts(*, schedule_ids: Collection[int]) -> list[NumberCount]:
    """The numbers of sessions by band, pool and fate; withdrawn ones are gone (one statement)."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [list(schedule_ids)])
        return [NumberCount(*row) for row in cursor.fetchall()]


def tally(counts: Iterable[NumberCount]) -> Tally:
    """The numbers of these counts by fate."""
    by_status: dict[tuple[str, str], int] = {}
    for one in counts:
        key = one.status, one.withheld
        by_status[key] = by_status.get(key, 0) + one.count

    def of(*statuses: SlotStatus) -> int:
        return sum(by_status.get((status, Withheld.NOT), 0) for status in statuses)

    return Tally(
        total=sum(by_status.values()),
        sold=of(*_SOLD),
        held=of(SlotStatus.HELD),
        left=of(*UNCLAIMED),
        waiting=of(SlotStatus.RECLAIM_WAIT),
        blocked=by_status.get((SlotStatus.BLOCKED, Withheld.OFFICE), 0),
        stopped=by_status.get((SlotStatus.BLOCKED, Withheld.STOP), 0),
        expired=of(SlotStatus.EXPIRED),
    )


def sum_of(tallies: Iterable[Tally]) -> Tally:
    """Several tallies as one."""
    found = [astuple(each) for each in tallies]
    return Tally(*map(sum, zip(*found, strict=True))) if found else tally(())


def by_pool(counts: Sequence[NumberCount]) -> tuple[PoolTally, ...]:
    """The same by pool, in the order of the pools; empty ones are left out."""
    found = [
        PoolTally(pool, tally(one for one in counts if one.pool == pool and not one.is_add_on))
        for pool in Pool
    ]
    return tuple(one for one in found if one.tally.total)


def office_day(
    *,
    day: dt.date,
    department_ids: Collection[int] | None = None,
    practitioner_ids: Collection[int] = (),
) -> list[OfficeRow]:
    """Every session of a day with its numbers by channel and what it costs (five statements).

    Where departments are named: theirs, and those of these practitioners.
    """
    schedules = Schedule.objects.filter(visit_date=day)
    if department_ids is not None:
        theirs = Q(department_id__in=department_ids) | Q(practitioner_id__in=practitioner_ids)
        schedules = schedules.filter(theirs)
    found = sessions.load(schedules)
    found.sort(key=lambda one: (one.department_code, one.starts_at, one.practitioner_pinyin))
    counts = _by_session(number_counts(schedule_ids=[one.id for one in found]))
    fees = catalogue.registration_fees(on=day)
    return [
        _office_row(one, counts.get(one.id, []), fees.get((one.service_type_id, one.title)))
        for one in found
    ]


def office_sheet(*, schedule_id: int) -> OfficeSheet:
    """One session with its bands and every number. Raises NotFound."""
    known = Schedule.objects.filter(pk=schedule_id)
    # The room first: a page that showed it too early is refused, one too late would not be.
    room_id = known.values_list("room_id", flat=True).first()
    found = sessions.load(known)
    if not found or room_id is None:
        raise NotFound("没有找到这次出诊。")
    session = found[0]
    fees = catalogue.registration_fees(on=session.visit_date)
    counts = number_counts(schedule_ids=[schedule_id])
    by_band: dict[int, list[NumberRow]] = {}
    add_ons: list[NumberRow] = []
    slots = Slot.objects.filter(schedule_id=schedule_id).order_by("is_add_on", "sequence_no")
    for slot in slots:
        if slot.is_add_on:
            add_ons.append(_number_row(slot))
        elif slot.status != SlotStatus.WITHDRAWN:
            by_band.setdefault(slot.band_id, []).append(_number_row(slot))
    rows = [
        BandRow(
            band=band,
            all=tally(one for one in counts if one.band_id == band.id and not one.is_add_on),
            pools=by_pool([one for one in counts if one.band_id == band.id]),
            numbers=tuple(by_band.get(band.id, ())),
        )
        for band in session.bands
    ]
    fee = fees.get((session.service_type_id, session.title))
    return OfficeSheet(_office_row(session, counts, fee), room_id, tuple(rows), tuple(add_ons))


def changes_of(*, schedule_id: int) -> list[AuditEntry]:
    """What people did to a session and its numbers, the newest first."""
    rows = AuditEntry.objects.filter(
        subject_type=subject_type(Schedule), subject_id=schedule_id, act__startswith="scheduling."
    )
    return list(rows.order_by("-pk")[:_CHANGES_SHOWN])


def _by_session(counts: Iterable[NumberCount]) -> dict[int, list[NumberCount]]:
    grouped: dict[int, list[NumberCount]] = {}
    for one in counts:
        grouped.setdefault(one.schedule_id, []).append(one)
    return grouped


def _office_row(
    session: SessionFacts, counts: Sequence[NumberCount], fee: FeeQuote | None
) -> OfficeRow:
    own = [one for one in counts if not one.is_add_on]
    return OfficeRow(
        session=session,
        all=tally(own),
        pools=by_pool(own),
        added=sum(one.count for one in counts if one.is_add_on),
        fee=fee,
    )


def _number_row(slot: Slot) -> NumberRow:
    status = SlotStatus(slot.status)
    is_stopped = slot.withheld == Withheld.STOP
    return NumberRow(
        id=slot.pk,
        label=slot.label,
        pool_label=str(Pool(slot.pool).label),
        status=status,
        status_label=str(Withheld.STOP.label if is_stopped else status.label),
        is_add_on=slot.is_add_on,
        held_until=slot.held_until if status in TAKEN else None,
        can_block=not slot.is_add_on and status in UNCLAIMED,
        can_unblock=slot.withheld == Withheld.OFFICE,
    )
