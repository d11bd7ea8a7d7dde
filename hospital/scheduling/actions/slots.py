"""Slots: claimed, booked, given back, expired (SM2). The hot path of a release (M1.5, M1.16).

Every change is one statement that updates the slot and writes its Transition, and no slot read
before is trusted: the statement itself asks for the status it needs.
"""

import datetime as dt
import random
from collections.abc import Mapping
from typing import Any, Final

from django.db import connection, transaction

from hospital.kernel.actors import Actor
from hospital.kernel.errors import Refusal, Stale
from hospital.live import actions as live
from hospital.scheduling import queries, thresholds
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.states import LISTED, POOLS_OF, Channel, Pool, SlotStatus

_NOTE: Final = """
    INSERT INTO kernel_transition
        (subject_type, subject_id, from_status, to_status, by, at, reason)
"""
# Rows that other claims hold are skipped, not waited for: N requests for K slots give K holds. The
# session is asked as well, because a hold undone behind a suspension leaves a free number there.
# While somebody waits for it, what patients book online is claimed for the waiting list alone, but
# for bands so near that nobody waiting could still be told of it.
_CLAIM: Final = f"""
    WITH picked AS (
        SELECT slot.id, band.starts_at FROM scheduling_slot slot
        JOIN scheduling_timeband band ON band.id = slot.band_id
        JOIN scheduling_schedule schedule ON schedule.id = slot.schedule_id
        WHERE slot.schedule_id = %(schedule)s AND slot.status = 'free'
        AND slot.pool = ANY(%(pools)s)
        AND schedule.status IN ('released', 'in_session')
        AND (%(band)s::bigint IS NULL OR slot.band_id = %(band)s)
        AND band.ends_at > %(at)s
        AND CASE WHEN %(for_list)s THEN band.starts_at > %(kept_after)s
            ELSE NOT schedule.has_waiting OR band.starts_at <= %(kept_after)s
                OR slot.pool <> ALL(%(kept)s) END
        ORDER BY (slot.id = %(prefer)s::bigint) DESC NULLS LAST, slot.sequence_no
        LIMIT 1 FOR NO KEY UPDATE OF slot SKIP LOCKED
    ), held AS (
        UPDATE scheduling_slot slot SET status = 'held', held_until = CASE
            WHEN %(for_list)s THEN least(%(until)s, picked.starts_at) ELSE %(until)s END
        FROM picked WHERE slot.id = picked.id
        RETURNING slot.id, slot.schedule_id, slot.band_id, slot.sequence_no, slot.held_until
    ), noted AS ({_NOTE}
        SELECT 'scheduling.slot', id, 'free', 'held', %(by)s, %(at)s, '' FROM held
    )
    SELECT id, schedule_id, band_id, sequence_no, held_until FROM held
"""  # noqa: S608 - put together from constants only
# An add-on number is made for one patient: nobody else gets it when it is given back (M2.4).
_CHANGE: Final = f"""
    WITH changed AS (
        UPDATE scheduling_slot SET status = CASE
            WHEN is_add_on AND %(to)s IN ('free', 'reclaim_wait') THEN 'withdrawn' ELSE %(to)s END,
        held_until = NULL, free_at = CASE WHEN is_add_on THEN NULL ELSE %(free_at)s::timestamptz END
        WHERE id = %(slot)s AND status = %(old)s RETURNING id, schedule_id, status
    ), noted AS ({_NOTE}
        SELECT 'scheduling.slot', id, %(old)s, status, %(by)s, %(at)s, %(reason)s FROM changed
    )
    SELECT schedule_id FROM changed
"""  # noqa: S608
_RECLAIM: Final = f"""
    WITH due AS (
        SELECT id FROM scheduling_slot WHERE status = 'reclaim_wait' AND free_at <= %(at)s
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ), freed AS (
        UPDATE scheduling_slot slot SET status = 'free', free_at = NULL
        FROM due WHERE slot.id = due.id RETURNING slot.id, slot.schedule_id
    ), noted AS ({_NOTE}
        SELECT 'scheduling.slot', id, 'reclaim_wait', 'free', %(by)s, %(at)s, '' FROM freed
    )
    SELECT schedule_id FROM freed
"""  # noqa: S608
_REBLOCK: Final = f"""
    WITH blocked AS (
        UPDATE scheduling_slot slot SET status = 'blocked', withheld = 'stop'
        FROM scheduling_schedule schedule
        WHERE schedule.id = slot.schedule_id AND schedule.status = 'suspended'
        AND slot.status = 'free' AND slot.schedule_id = ANY(%(schedules)s)
        RETURNING slot.id
    ) {_NOTE}
    SELECT 'scheduling.slot', id, 'free', 'blocked', %(by)s, %(at)s, '' FROM blocked
"""  # noqa: S608
# Nothing but time made these: the band's end tells all, so no Transition is written.
_EXPIRE: Final = """
    WITH due AS (
        SELECT slot.id FROM scheduling_slot slot
        JOIN scheduling_timeband band ON band.id = slot.band_id
        WHERE slot.status = 'free' AND band.ends_at <= %(at)s
        ORDER BY slot.id FOR NO KEY UPDATE OF slot SKIP LOCKED
    )
    UPDATE scheduling_slot slot SET status = 'expired' FROM due WHERE slot.id = due.id
    RETURNING slot.schedule_id
"""


class SlotTaken(Refusal):
    """`alternatives` holds up to three queries.FreeBand, the nearest first (M1.2)."""

    code = "SLOT_TAKEN"
    default_message = "手慢了，这个时段刚刚约满，请看看相近的时段。"


def hold_slot(
    *,
    schedule_id: int,
    band_id: int | None = None,
    until: dt.datetime,
    channel: Channel = Channel.WECHAT,
    prefer_slot_id: int | None = None,
    reserved_from: dt.date | None = None,
    for_list: bool = False,
    by: Actor,
    at: dt.datetime,
) -> Slot:
    """Claim the first free number of a band (None: of the whole session) until a moment (UTC), of
    those the channel may have (M2.2).

    A preferred slot is taken when it is free. For visits from `reserved_from` on, a reserved number
    once the channel's own are gone (M2.2). `for_list`: for whoever is first on the session's
    waiting list, until its band begins at the latest. Raises SlotTaken with `alternatives`.
    """
    values: dict[str, Any] = {
        "schedule": schedule_id,
        "band": band_id,
        "prefer": prefer_slot_id,
        "pools": list(POOLS_OF[channel]),
        "until": until,
        "for_list": for_list,
        "kept": list(LISTED),
        "kept_after": thresholds.kept_after(at),
        "by": str(by),
        "at": at,
    }
    rows = _rows(_CLAIM, values)
    if not rows and _is_for(schedule_id, reserved_from):
        rows = _rows(_CLAIM, values | {"pools": [Pool.RESERVED]})
    if not rows:
        nearest = queries.alternatives(
            schedule_id=schedule_id,
            band_id=band_id,
            channel=channel,
            reserved_from=reserved_from,
            at=at,
        )
        raise SlotTaken(alternatives=nearest)
    slot_id, schedule, band, sequence_no, held_until = rows[0]
    _publish({schedule})
    return Slot(
        pk=slot_id,
        schedule_id=schedule,
        band_id=band,
        sequence_no=sequence_no,
        status=SlotStatus.HELD,
        held_until=held_until,
    )


def book_slot(*, slot_id: int, by: Actor, at: dt.datetime) -> None:
    """Turn a held number into a booked one. Raises Stale when it is not held."""
    _change(slot_id, SlotStatus.HELD, SlotStatus.BOOKED, by=by, at=at)


def free_slot(
    *,
    slot_id: int,
    wait: bool = False,
    delay: bool = True,
    reason: str = "",
    by: Actor,
    at: dt.datetime,
) -> None:
    """Give a number back: a held one at once; with `wait` a booked one after a random 5-30 min,
    or without `delay` with the next sweep.

    The delay keeps people from passing numbers on (M1.15). Raises Stale when the slot is not
    held, or not booked when waiting.
    """
    if not wait:
        _change(slot_id, SlotStatus.HELD, SlotStatus.FREE, reason=reason, by=by, at=at)
        return
    least = thresholds.RECLAIM_MINUTES_MIN.value()
    most = max(least, thresholds.RECLAIM_MINUTES_MAX.value())
    seconds = random.SystemRandom().randint(least * 60, most * 60) if delay else 0
    _change(
        slot_id,
        SlotStatus.BOOKED,
        SlotStatus.RECLAIM_WAIT,
        free_at=at + dt.timedelta(seconds=seconds),
        reason=reason,
        by=by,
        at=at,
    )


def consume_slot(*, slot_id: int, by: Actor, at: dt.datetime) -> None:
    """The visit has begun: the number is used up (SM2). Raises Stale when it is not booked."""
    _change(slot_id, SlotStatus.BOOKED, SlotStatus.CONSUMED, by=by, at=at)


def forfeit_slot(*, slot_id: int, by: Actor, at: dt.datetime) -> None:
    """Nobody came for the number (SM2). Raises Stale when it is not booked."""
    _change(slot_id, SlotStatus.BOOKED, SlotStatus.FORFEITED, by=by, at=at)


@transaction.atomic
def reclaim_due(*, by: Actor, at: dt.datetime) -> int:
    """Free the numbers whose random wait is over; those of a suspended session stay blocked.

    Returns how many were reclaimed.
    """
    rows = _rows(_RECLAIM, {"by": str(by), "at": at})
    schedules = {row[0] for row in rows}
    if schedules:
        with connection.cursor() as cursor:
            cursor.execute(_REBLOCK, {"schedules": list(schedules), "by": str(by), "at": at})
        _publish(schedules)
    return len(rows)


def expire_due(*, at: dt.datetime) -> int:
    """Expire the free numbers of bands that have ended; returns how many."""
    rows = _rows(_EXPIRE, {"at": at})
    _publish({row[0] for row in rows})
    return len(rows)


def _is_for(schedule_id: int, reserved_from: dt.date | None) -> bool:
    """Whether a session is on the first day somebody may have reserved numbers of, or later."""
    if reserved_from is None:
        return False
    return Schedule.objects.filter(pk=schedule_id, visit_date__gte=reserved_from).exists()


def _change(
    slot_id: int,
    old: SlotStatus,
    to: SlotStatus,
    *,
    by: Actor,
    at: dt.datetime,
    free_at: dt.datetime | None = None,
    reason: str = "",
) -> None:
    values = {
        "slot": slot_id,
        "old": old,
        "to": to,
        "free_at": free_at,
        "by": str(by),
        "at": at,
        "reason": reason,
    }
    rows = _rows(_CHANGE, values)
    if not rows:
        raise Stale
    _publish({rows[0][0]})


def _rows(sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _publish(schedule_ids: set[int]) -> None:
    if schedule_ids:
        live.publish("schedules", *(f"schedule:{schedule_id}" for schedule_id in schedule_ids))
