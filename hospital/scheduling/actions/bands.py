"""A session's bands and room after it is made: several bands changed in one act, a band that ends
earlier or later, another room (M2.1, M2.3).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import IntegrityError, transaction

from hospital.kernel import audit, clock
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound, Refusal, Stale
from hospital.organisation import queries as organisation
from hospital.scheduling.actions.capacities import (
    BandSize,
    change_capacities,
)
from hospital.scheduling.actions.numbers import lock_open, tell
from hospital.scheduling.bands import expected_at
from hospital.scheduling.models import Schedule, Slot, TimeBand
from hospital.scheduling.states import SlotStatus

_GONE: Final = (SlotStatus.WITHDRAWN, SlotStatus.EXPIRED)
_HAVE_PEOPLE: Final = (SlotStatus.HELD, SlotStatus.BOOKED)


class BandStillNeeded(Refusal):
    """Somebody's turn in the band is estimated after the end it should have."""

    code = "BAND_STILL_NEEDED"
    default_message = "这个时段后面已有人预约，不能提前结束。"


class RoomTaken(Refusal):
    code = "ROOM_TAKEN"
    default_message = "这间诊室在这个时间已有别的出诊。"


@dataclass(frozen=True, slots=True)
class BandWish:
    """What a band should become. `seen` and `seen_ends_at` are its capacity and its end (UTC) as
    the page showed them; an end that is still the one seen stays whatever it is."""

    band_id: int
    capacity: int
    seen: int
    ends_at: dt.datetime | None = None
    seen_ends_at: dt.datetime | None = None

    @property
    def new_end(self) -> dt.datetime | None:
        return self.ends_at if self.ends_at != self.seen_ends_at else None


@transaction.atomic
def change_bands(
    *,
    schedule_id: int,
    wishes: Sequence[BandWish],
    reason: str,
    by: Actor,
    at: dt.datetime,
) -> int:
    """Give several bands of a session other sizes or ends: all of them or none (M2.3).

    Returns how many changed. Raises NotFound, SessionOver, Stale when somebody changed a size or an
    end meanwhile, Invalid, BandStillNeeded, CapacityTooSmall.
    """
    schedule = lock_open(schedule_id)
    bands = {band.pk: band for band in schedule.bands.order_by("starts_at")}
    if any(wish.band_id not in bands for wish in wishes):
        raise NotFound("没有找到这个时段。")
    for wish in wishes:
        band, new_end = bands[wish.band_id], wish.new_end
        if new_end is not None:
            if band.ends_at != wish.seen_ends_at:
                raise Stale("这个时段的结束时间刚刚被别人改过，请看过现在的时间再改。")
            _move_end(schedule, list(bands.values()), band, new_end, reason, by=by, at=at)
    sizes = [
        BandSize(wish.band_id, wish.capacity, wish.seen)
        for wish in wishes
        if wish.capacity != wish.seen or bands[wish.band_id].capacity != wish.seen
    ]
    if sizes:
        change_capacities(schedule_id=schedule_id, sizes=sizes, reason=reason, by=by, at=at)
    return sum(wish.new_end is not None or wish.capacity != wish.seen for wish in wishes)


@transaction.atomic
def change_room(
    *,
    schedule_id: int,
    room_id: int,
    seen: int | None = None,
    reason: str,
    by: Actor,
    at: dt.datetime,
) -> Schedule:
    """Hold a session in another room; bookings stay, their pages show the new one.

    `seen` is the room the page showed. Raises NotFound, SessionOver, Stale when somebody moved it
    meanwhile, RoomTaken (M15.2).
    """
    schedule = lock_open(schedule_id)
    if seen is not None and schedule.room_id != seen:
        raise Stale("诊室刚刚被别人换过，请看过现在的诊室再换。")
    if room_id not in organisation.room_labels():
        raise NotFound("没有找到这间诊室。")
    before = schedule.room_id
    if before == room_id:
        return schedule
    schedule.room_id = room_id
    try:
        with transaction.atomic():
            schedule.save(update_fields=["room"])
    except IntegrityError as error:
        if "schedule_room_once_at_a_time" in str(error):
            raise RoomTaken from error
        raise
    audit.record(
        act="scheduling.change_room",
        subject=schedule,
        by=by,
        at=at,
        before={"room": before},
        after={"room": room_id},
        reason=reason,
    )
    tell(schedule.pk)
    return schedule


def _move_end(
    schedule: Schedule,
    bands: Sequence[TimeBand],
    band: TimeBand,
    ends_at: dt.datetime,
    reason: str,
    *,
    by: Actor,
    at: dt.datetime,
) -> None:
    """Let a band end at another moment, still before the next one begins; nobody whose turn was
    estimated later is left outside (M2.3)."""
    later = [other.starts_at for other in bands if other.starts_at > band.starts_at]
    latest = min([*later, schedule.ends_at])
    if not max(band.starts_at, at) < ends_at <= latest:
        begin = clock.local(max(band.starts_at, at))
        start = clock.local(band.starts_at)
        sentence = (
            f"{start:%H:%M} 起的时段，结束时间应在 {begin:%H:%M} 之后，"
            f"最晚 {clock.local(latest):%H:%M}。"
        )
        raise Invalid.of("ends", sentence)
    stranded = [turn for turn in _turns(band) if turn >= ends_at]
    if stranded:
        raise BandStillNeeded(
            f"{clock.local(ends_at):%H:%M} 之后还有 {len(stranded)} 个已约的号，"
            "时段不能提前到这时结束；请先停号，或办理停诊。",
            taken=len(stranded),
        )
    before = band.ends_at
    band.ends_at = ends_at
    band.save(update_fields=["ends_at"])
    audit.record(
        act="scheduling.move_band_end",
        subject=schedule,
        by=by,
        at=at,
        before={"band": band.pk, "ends_at": before.isoformat()},
        after={"band": band.pk, "ends_at": ends_at.isoformat()},
        reason=reason,
    )
    tell(schedule.pk)


def _turns(band: TimeBand) -> list[dt.datetime]:
    """When those who have a number of the band were told their turn would come, add-ons not: they
    come when the others are done."""
    numbers = Slot.objects.filter(band=band, is_add_on=False).exclude(status__in=_GONE)
    return [
        expected_at(
            band_starts_at=band.starts_at,
            band_ends_at=band.ends_at,
            position=position,
            capacity=max(band.capacity, 1),
        )
        for position, slot in enumerate(numbers.order_by("sequence_no"))
        if slot.status in _HAVE_PEOPLE
    ]
