"""How many numbers a session has, band by band (M2.1, M2.3): all bands that change do so in one
act, so that what is added is dealt out by the session's quotas as a whole.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction
from django.db.models import F, Max

from hospital.kernel import audit, clock
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound, Refusal, Stale
from hospital.scheduling import quotas, thresholds
from hospital.scheduling.actions.numbers import (
    lock_open,
    tell,
    turn,
)
from hospital.scheduling.models import Schedule, Slot, TimeBand
from hospital.scheduling.queries.numbers import number_counts, tally
from hospital.scheduling.sessions import scopes_of
from hospital.scheduling.states import UNCLAIMED, ScheduleStatus, SlotStatus

_MOST: Final = 500
_SPARE: Final = (*UNCLAIMED, SlotStatus.BLOCKED)
_MAKE: Final = """
    INSERT INTO scheduling_slot
        (schedule_id, band_id, sequence_no, is_add_on, pool, status, withheld)
    SELECT %(schedule)s, band, %(first)s + place - 1, false, pool, %(status)s, ''
    FROM unnest(%(bands)s::bigint[], %(pools)s::text[]) WITH ORDINALITY dealt(band, pool, place)
"""
_SIZE: Final = """
    UPDATE scheduling_timeband band SET capacity = band.capacity + change.by
    FROM unnest(%(bands)s::bigint[], %(changes)s::int[]) change(id, by) WHERE band.id = change.id
"""


class CapacityTooSmall(Refusal):
    """`bands` are those with more numbers that are not the office's any more than would be left,
    and how many; booked ones before all: 停号 or 停诊 are the ways (M2.3)."""

    code = "CAPACITY_TOO_SMALL"
    default_message = "不能少于已约出的号数。"


@dataclass(frozen=True, slots=True)
class BandSize:
    """How many places a band should have; `seen` is what the page showed."""

    band_id: int
    capacity: int
    seen: int


@transaction.atomic
def change_capacities(
    *, schedule_id: int, sizes: Sequence[BandSize], reason: str, by: Actor, at: dt.datetime
) -> list[TimeBand]:
    """Give bands of a session other numbers of places: all of them or none (M2.3).

    New numbers follow the session's last one and are dealt out by its quotas; fewer places take
    a band's latest numbers that nobody has. When somebody changed a size since it was seen, Stale.
    Raises NotFound, SessionOver, Invalid, CapacityTooSmall.
    """
    schedule = lock_open(schedule_id)
    wanted = {size.band_id: size for size in sizes}
    bands = list(schedule.bands.filter(pk__in=wanted).order_by("starts_at"))
    if len(bands) < len(wanted):
        raise NotFound("没有找到这个时段。")
    for band in bands:
        _check(band, wanted[band.pk], at=at)
    changes = {band.pk: wanted[band.pk].capacity - band.capacity for band in bands}
    if schedule.capacity + sum(changes.values()) < 1:
        raise Invalid.of("capacity", "号数不能全部为 0；整个出诊都不看，请办理停诊。")
    _grow(schedule, {pk: more for pk, more in changes.items() if more > 0})
    fewer = {pk: -more for pk, more in changes.items() if more < 0}
    _shrink(schedule, fewer, reason=reason, by=by, at=at)
    for band in bands:
        audit.record(
            act="scheduling.change_capacity",
            subject=schedule,
            by=by,
            at=at,
            before={"band": band.pk, "capacity": band.capacity},
            after={"band": band.pk, "capacity": wanted[band.pk].capacity},
            reason=reason,
        )
        band.capacity = wanted[band.pk].capacity
    tell(schedule.pk)
    return bands


def _check(band: TimeBand, size: BandSize, *, at: dt.datetime) -> None:
    if band.capacity != size.seen:
        raise Stale("这个时段的号数刚刚被别人改过，请看过现在的数再改。")
    if not 0 <= size.capacity <= _MOST:
        raise Invalid.of("capacity", f"号数应在 0–{_MOST} 之间。")
    if size.capacity > band.capacity and band.ends_at <= at:
        raise Invalid.of("capacity", "这个时段已经过去，加的号没有人能约。")


def _grow(schedule: Schedule, more: Mapping[int, int]) -> None:
    """So many numbers more in each band, the bands in the order given."""
    if not more:
        return
    # The database lets no band and no session hold more than its capacity, at any moment.
    count = sum(more.values())
    Schedule.objects.filter(pk=schedule.pk).update(capacity=F("capacity") + count)
    numbers = Slot.objects.filter(schedule=schedule, is_add_on=False)
    last = numbers.aggregate(last=Max("sequence_no"))["last"] or 0
    shares = quotas.share(count, thresholds.quota_percents(*scopes_of(schedule)))
    is_out = schedule.status != ScheduleStatus.PUBLISHED
    with connection.cursor() as cursor:
        cursor.execute(_SIZE, {"bands": list(more), "changes": list(more.values())})
        cursor.execute(
            _MAKE,
            {
                "schedule": schedule.pk,
                "bands": [pk for pk, places in more.items() for _ in range(places)],
                "pools": list(quotas.deal(shares)),
                "first": last + 1,
                "status": SlotStatus.FREE if is_out else SlotStatus.PLANNED,
            },
        )


def _shrink(
    schedule: Schedule, fewer: Mapping[int, int], *, reason: str, by: Actor, at: dt.datetime
) -> None:
    """Take the latest numbers of each band first, withheld ones before any that people could
    book."""
    if not fewer:
        return
    due = dict(fewer)
    own = Slot.objects.filter(schedule=schedule, is_add_on=False)
    numbers = own.filter(band_id__in=due, status__in=_SPARE)
    while due:
        chosen: dict[int, int] = {}
        room = dict(due)
        for pk, band_id in numbers.order_by("status", "-sequence_no").values_list("pk", "band_id"):
            if room.get(band_id, 0):
                room[band_id] -= 1
                chosen[pk] = band_id
        if short := [band_id for band_id, missing in room.items() if missing]:
            raise _too_small(schedule, short)
        # What somebody claimed in between stays: others are looked for in its place.
        for pk in turn(chosen, _SPARE, SlotStatus.WITHDRAWN, reason=reason, by=by, at=at):
            due[chosen[pk]] -= 1
        due = {band_id: missing for band_id, missing in due.items() if missing}
    with connection.cursor() as cursor:
        changes = [-places for places in fewer.values()]
        cursor.execute(_SIZE, {"bands": list(fewer), "changes": changes})
    count = sum(fewer.values())
    Schedule.objects.filter(pk=schedule.pk).update(capacity=F("capacity") - count)


def _too_small(schedule: Schedule, band_ids: Collection[int]) -> CapacityTooSmall:
    counts = [one for one in number_counts(schedule_ids=[schedule.pk]) if not one.is_add_on]
    found = {
        band: tally(one for one in counts if one.band_id == band.pk)
        for band in schedule.bands.filter(pk__in=band_ids).order_by("starts_at")
    }
    words = "；".join(
        f"{clock.local(band.starts_at):%H:%M} 起的时段{own.fixed_words}号"
        for band, own in found.items()
    )
    return CapacityTooSmall(
        f"{words}，号数不能改得更少；要减少请先停号，或办理停诊。",
        bands={band.pk: own.fixed for band, own in found.items()},
    )
