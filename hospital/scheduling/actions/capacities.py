"""How many numbers a session has, band by band (M2.1, M2.3): all bands that change do so in one
act, so that what is added is dealt out by the session's quotas as a whole.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction
from django.db.models import Max

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
    SELECT schedule, band, number, false, pool, status, ''
    FROM unnest(%(schedules)s::bigint[], %(bands)s::bigint[], %(numbers)s::int[],
        %(pools)s::text[], %(statuses)s::text[]) dealt(schedule, band, number, pool, status)
"""
_HOLD: Final = """
    UPDATE scheduling_schedule session SET capacity = session.capacity + change.by
    FROM unnest(%(schedules)s::bigint[], %(changes)s::int[]) change(id, by)
    WHERE session.id = change.id
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
    return resize(schedules={schedule_id: schedule}, sizes=sizes, reason=reason, by=by, at=at)


def resize(
    *,
    schedules: Mapping[int, Schedule],
    sizes: Sequence[BandSize],
    reason: str,
    by: Actor,
    at: dt.datetime,
) -> list[TimeBand]:
    """The same for bands of several sessions, which the caller has locked: a handful of statements
    however many there are. Raises NotFound, Stale, Invalid, CapacityTooSmall."""
    wanted = {size.band_id: size for size in sizes}
    found = TimeBand.objects.filter(pk__in=wanted, schedule_id__in=schedules)
    bands = list(found.order_by("schedule_id", "starts_at"))
    if len(bands) < len(wanted):
        raise NotFound("没有找到这个时段。")
    changes: dict[int, dict[int, int]] = {}
    for band in bands:
        _check(band, wanted[band.pk], at=at)
        change = wanted[band.pk].capacity - band.capacity
        changes.setdefault(band.schedule_id, {})[band.pk] = change
    for schedule_id, own in changes.items():
        if schedules[schedule_id].capacity + sum(own.values()) < 1:
            raise Invalid.of("capacity", "号数不能全部为 0；整个出诊都不看，请办理停诊。")
    _grow(schedules, _only(changes, 1))
    _shrink(schedules, _only(changes, -1), reason=reason, by=by, at=at)
    audit.record_many(
        act="scheduling.change_capacity",
        deeds=[
            (
                schedules[band.schedule_id],
                {"band": band.pk, "capacity": band.capacity},
                {"band": band.pk, "capacity": wanted[band.pk].capacity},
            )
            for band in bands
        ],
        by=by,
        at=at,
        reason=reason,
    )
    for band in bands:
        band.capacity = wanted[band.pk].capacity
    tell(*changes)
    return bands


def _only(changes: Mapping[int, Mapping[int, int]], sign: int) -> dict[int, dict[int, int]]:
    """Session → band → how many places more (1) or fewer (-1), where there are any."""
    signed = {
        schedule_id: {pk: by * sign for pk, by in own.items() if by * sign > 0}
        for schedule_id, own in changes.items()
    }
    return {schedule_id: own for schedule_id, own in signed.items() if own}


def _check(band: TimeBand, size: BandSize, *, at: dt.datetime) -> None:
    if band.capacity != size.seen:
        raise Stale("这个时段的号数刚刚被别人改过，请看过现在的数再改。")
    if not 0 <= size.capacity <= _MOST:
        raise Invalid.of("capacity", f"号数应在 0–{_MOST} 之间。")
    if size.capacity > band.capacity and band.ends_at <= at:
        raise Invalid.of("capacity", "这个时段已经过去，加的号没有人能约。")


def _grow(schedules: Mapping[int, Schedule], more: Mapping[int, Mapping[int, int]]) -> None:
    """So many numbers more in each band, the bands in the order given."""
    if not more:
        return
    # The database lets no band and no session hold more than its capacity, at any moment.
    _resize(more, 1, is_session_first=True)
    numbers = Slot.objects.filter(schedule_id__in=more, is_add_on=False)
    last = dict(numbers.values_list("schedule_id").annotate(last=Max("sequence_no")))
    made: dict[str, list[object]] = {
        name: [] for name in ("schedules", "bands", "numbers", "pools", "statuses")
    }
    for schedule_id, own in more.items():
        schedule = schedules[schedule_id]
        count, first = sum(own.values()), last.get(schedule_id, 0) + 1
        shares = quotas.share(count, thresholds.quota_percents(*scopes_of(schedule)))
        is_out = schedule.status != ScheduleStatus.PUBLISHED
        made["schedules"] += [schedule_id] * count
        made["bands"] += [pk for pk, places in own.items() for _ in range(places)]
        made["numbers"] += range(first, first + count)
        made["pools"] += quotas.deal(shares)
        made["statuses"] += [SlotStatus.FREE if is_out else SlotStatus.PLANNED] * count
    with connection.cursor() as cursor:
        cursor.execute(_MAKE, made)


def _shrink(
    schedules: Mapping[int, Schedule],
    fewer: Mapping[int, Mapping[int, int]],
    *,
    reason: str,
    by: Actor,
    at: dt.datetime,
) -> None:
    """Take the latest numbers of each band first, withheld ones before any that people could
    book."""
    if not fewer:
        return
    due = {pk: places for own in fewer.values() for pk, places in own.items()}
    own_numbers = Slot.objects.filter(schedule_id__in=fewer, is_add_on=False)
    while due:
        chosen: dict[int, int] = {}
        room = dict(due)
        numbers = own_numbers.filter(band_id__in=due, status__in=_SPARE)
        for pk, band_id in numbers.order_by("status", "-sequence_no").values_list("pk", "band_id"):
            if room.get(band_id, 0):
                room[band_id] -= 1
                chosen[pk] = band_id
        if short := [band_id for band_id, missing in room.items() if missing]:
            raise _too_small(_session_of(schedules, fewer, short[0]), short)
        # What somebody claimed in between stays: others are looked for in its place.
        for pk in turn(chosen, _SPARE, SlotStatus.WITHDRAWN, reason=reason, by=by, at=at):
            due[chosen[pk]] -= 1
        due = {band_id: missing for band_id, missing in due.items() if missing}
    _resize(fewer, -1, is_session_first=False)


def _resize(changes: Mapping[int, Mapping[int, int]], sign: int, *, is_session_first: bool) -> None:
    """Write the sizes of bands and of their sessions, the larger of the two first."""
    bands = [(pk, sign * places) for own in changes.values() for pk, places in own.items()]
    ids, sizes = [pk for pk, _ in bands], [places for _, places in bands]
    sums = [sign * sum(own.values()) for own in changes.values()]
    band_step = (_SIZE, {"bands": ids, "changes": sizes})
    session_step = (_HOLD, {"schedules": list(changes), "changes": sums})
    steps = (session_step, band_step) if is_session_first else (band_step, session_step)
    with connection.cursor() as cursor:
        for sql, values in steps:
            cursor.execute(sql, values)


def _session_of(
    schedules: Mapping[int, Schedule], fewer: Mapping[int, Mapping[int, int]], band_id: int
) -> Schedule:
    return next(schedules[pk] for pk, own in fewer.items() if band_id in own)


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
