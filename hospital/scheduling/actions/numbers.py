"""A session's numbers after it is made: who may claim them, which are withheld, and the doctor's
add-on numbers (M2.2, M2.4).

Everything here locks the session first, so two people changing it take turns, and claims in
flight are waited for number by number.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Count, Max

from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.clock import at_local
from hospital.kernel.errors import Invalid, NotFound, Refusal, Stale
from hospital.live import actions as live
from hospital.scheduling import quotas, thresholds
from hospital.scheduling.models import Schedule, Slot, TimeBand
from hospital.scheduling.sessions import is_merged, scopes_of
from hospital.scheduling.states import ACTIVE, UNCLAIMED, Pool, ScheduleStatus, SlotStatus, Withheld

# From one unclaimed status to another, the Transition beside it; rows that a claim holds are
# waited for, and left alone when it took them.
_TURN: Final = """
    WITH wanted AS (
        SELECT id, status FROM scheduling_slot
        WHERE id = ANY(%(slots)s) AND status = ANY(%(old)s)
        ORDER BY id FOR NO KEY UPDATE
    ), turned AS (
        UPDATE scheduling_slot slot SET status = %(to)s, withheld = %(withheld)s
        FROM wanted WHERE slot.id = wanted.id
        RETURNING slot.id, wanted.status AS was
    ), noted AS (
        INSERT INTO kernel_transition
            (subject_type, subject_id, from_status, to_status, by, at, reason)
        SELECT 'scheduling.slot', id, was, %(to)s, %(by)s, %(at)s, %(reason)s FROM turned
    )
    SELECT id FROM turned
"""
# Unused quota is everybody's from the first minute of the visit day on; the window keeps its last
# numbers until the morning's rush is over. Last night's session may still go on.
_MERGE: Final = """
    WITH kept AS (
        SELECT slot.id, row_number() OVER (
            PARTITION BY slot.schedule_id ORDER BY slot.sequence_no DESC
        ) AS place
        FROM scheduling_slot slot JOIN scheduling_schedule schedule ON schedule.id = schedule_id
        WHERE schedule.visit_date = %(today)s AND slot.pool = 'window'
        AND slot.status IN ('planned', 'free', 'reclaim_wait')
    ), due AS (
        SELECT slot.id FROM scheduling_slot slot
        JOIN scheduling_schedule schedule ON schedule.id = slot.schedule_id
        LEFT JOIN kept ON kept.id = slot.id AND kept.place <= %(kept)s
        WHERE schedule.visit_date BETWEEN %(today)s::date - 1 AND %(today)s
        AND schedule.ends_at > %(at)s AND slot.pool <> 'public' AND kept.id IS NULL
        AND NOT slot.is_add_on AND slot.status IN ('planned', 'free', 'reclaim_wait')
        ORDER BY slot.id FOR NO KEY UPDATE OF slot SKIP LOCKED
    )
    UPDATE scheduling_slot slot SET merged_from = pool, pool = 'public' FROM due
    WHERE slot.id = due.id
    RETURNING slot.schedule_id
"""


class SessionOver(Refusal):
    code = "SESSION_OVER"
    default_message = "这次出诊已停诊或已结束，号源不能再改。"


class QuotaMerged(Refusal):
    """The numbers of the visit day are everybody's: what is dealt now would be merged again."""

    code = "QUOTA_MERGED"
    default_message = "当天未约的号已并入公共号池，各渠道都能约，不用再分配。"


class AddOnsUsedUp(Refusal):
    code = "ADD_ONS_USED_UP"
    default_message = "本次出诊的加号已用完。"


@transaction.atomic
def block_numbers(
    *, schedule_id: int, slot_ids: Collection[int], reason: str, by: Actor, at: dt.datetime
) -> int:
    """停号: withhold numbers nobody has; those somebody has taken meanwhile stay. Returns how many
    were withheld. Raises NotFound, SessionOver."""
    schedule = lock_open(schedule_id)
    ids = _own(schedule, slot_ids)
    done = turn(ids, UNCLAIMED, SlotStatus.BLOCKED, reason=reason, by=by, at=at)
    _note(schedule, "scheduling.block_numbers", done, reason=reason, by=by, at=at)
    return len(done)


@transaction.atomic
def unblock_numbers(
    *, schedule_id: int, slot_ids: Collection[int], reason: str, by: Actor, at: dt.datetime
) -> int:
    """Give withheld numbers back: bookable at once when the session is released, else with it.

    Returns how many. Raises NotFound, SessionOver.
    """
    schedule = lock_open(schedule_id)
    found = Slot.objects.filter(pk__in=_own(schedule, slot_ids), withheld=Withheld.OFFICE)
    ids = list(found.values_list("pk", flat=True))
    to = SlotStatus.PLANNED if schedule.status == ScheduleStatus.PUBLISHED else SlotStatus.FREE
    done = turn(ids, (SlotStatus.BLOCKED,), to, reason=reason, by=by, at=at)
    _note(schedule, "scheduling.unblock_numbers", done, reason=reason, by=by, at=at)
    return len(done)


@transaction.atomic
def share_numbers(
    *,
    schedule_id: int,
    shares: Mapping[Pool, int] | None = None,
    percents: Mapping[Pool, int] | None = None,
    seen: Mapping[Pool, int] | None = None,
    reason: str,
    by: Actor,
    at: dt.datetime,
) -> dict[Pool, int]:
    """Deal the numbers nobody has out anew: so many to each pool, or by `percents` of those there
    are by then, the rest to the window (M2.2).

    Returns what each pool got. `seen` is how many numbers each pool had on the page: when somebody
    dealt them anew since, Stale. Raises NotFound, SessionOver, QuotaMerged; Invalid for more than
    there are.
    """
    schedule = lock_open(schedule_id)
    if is_merged(schedule.visit_date, at=at):
        raise QuotaMerged
    if seen is not None and dict(seen) != _pool_sizes(schedule):
        raise Stale("渠道分配刚刚变过，请看过现在的数再改。")
    unclaimed = list(
        Slot.objects.select_for_update(no_key=True)
        .filter(schedule=schedule, status__in=UNCLAIMED, is_add_on=False)
        .order_by("sequence_no")
    )
    wanted = quotas.share(len(unclaimed), percents or {})
    if shares is not None:
        wanted = _with_rest(shares, len(unclaimed))
    before = count_pools(unclaimed)
    deal_out(zip(unclaimed, quotas.deal(wanted), strict=True))
    audit.record(
        act="scheduling.share_numbers",
        subject=schedule,
        by=by,
        at=at,
        before=before,
        after={str(pool): count for pool, count in wanted.items()},
        reason=reason,
    )
    tell(schedule.pk)
    return wanted


@transaction.atomic
def add_slot(
    *,
    band_id: int,
    until: dt.datetime,
    is_limited: bool = True,
    by: Actor,
    at: dt.datetime,
) -> Slot:
    """加号: one more number beside the capacity, held for whom the doctor names until a moment
    (UTC) (M2.4).

    When it is not taken up it goes away again. Not limited for those nobody may send away
    (M1.17). Raises NotFound, SessionOver, AddOnsUsedUp.
    """
    schedule = lock_open(_schedule_of(band_id))
    added = Slot.objects.filter(schedule=schedule, is_add_on=True)
    percent = thresholds.ADD_ON_PERCENT.value(*scopes_of(schedule))
    most = schedule.capacity * percent // 100
    if is_limited and added.exclude(status=SlotStatus.WITHDRAWN).count() >= most:
        raise AddOnsUsedUp(f"本次出诊最多加 {most} 个号，已经用完。")
    last = added.aggregate(last=Max("sequence_no"))["last"] or 0
    slot = Slot.objects.create(
        schedule=schedule,
        band_id=band_id,
        sequence_no=last + 1,
        is_add_on=True,
        pool=Pool.RESERVED,
        status=SlotStatus.HELD,
        held_until=until,
    )
    audit.record(
        act="scheduling.add_slot",
        subject=schedule,
        by=by,
        at=at,
        after={"number": slot.label, "band": band_id},
    )
    tell(schedule.pk)
    return slot


def merge_due(*, today: dt.date, at: dt.datetime) -> int:
    """Make the unused quota of the day's sessions public (M2.2); returns how many numbers.

    Any run may be missed or doubled: it looks at what is still kept, not at what came before.
    """
    if not is_merged(today, at=at):
        return 0
    opened = at >= at_local(today, thresholds.window_kept_until())
    kept = 0 if opened else thresholds.WINDOW_KEPT.value()
    with connection.cursor() as cursor:
        cursor.execute(_MERGE, {"today": today, "kept": kept, "at": at})
        schedules = [row[0] for row in cursor.fetchall()]
    for schedule_id in sorted(set(schedules)):
        tell(schedule_id)
    return len(schedules)


def lock_open(schedule_id: int) -> Schedule:
    """The session, locked against everybody else who changes it. Raises NotFound, SessionOver."""
    schedule = Schedule.objects.select_for_update(no_key=True).filter(pk=schedule_id).first()
    if schedule is None:
        raise NotFound("没有找到这次出诊。")
    if schedule.status not in ACTIVE:
        raise SessionOver
    return schedule


def _schedule_of(band_id: int) -> int:
    found = TimeBand.objects.filter(pk=band_id).values_list("schedule_id", flat=True).first()
    if found is None:
        raise NotFound("没有找到这个时段。")
    return found


def _own(schedule: Schedule, slot_ids: Collection[int]) -> list[int]:
    """The numbers, when all belong to the session. Raises NotFound."""
    own = set(Slot.objects.filter(schedule=schedule, pk__in=slot_ids).values_list("pk", flat=True))
    if own != set(slot_ids):
        raise NotFound("没有找到这些号。")
    return sorted(own)


def turn(
    slot_ids: Collection[int],
    old: Collection[SlotStatus],
    to: SlotStatus,
    *,
    reason: str,
    by: Actor,
    at: dt.datetime,
) -> list[int]:
    """Turn those of the numbers that still have one of the old statuses; their ids."""
    values: dict[str, Any] = {
        "slots": list(slot_ids),
        "old": list(old),
        "to": to,
        "withheld": Withheld.OFFICE if to == SlotStatus.BLOCKED else Withheld.NOT,
        "by": str(by),
        "at": at,
        "reason": reason,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TURN, values)
        return [row[0] for row in cursor.fetchall()]


def _note(
    schedule: Schedule, act: str, slot_ids: list[int], *, reason: str, by: Actor, at: dt.datetime
) -> None:
    if not slot_ids:
        return
    numbers = Slot.objects.filter(pk__in=slot_ids).order_by("sequence_no")
    audit.record(
        act=act,
        subject=schedule,
        by=by,
        at=at,
        after={"numbers": [slot.label for slot in numbers]},
        reason=reason,
    )
    tell(schedule.pk)


def _with_rest(shares: Mapping[Pool, int], count: int) -> dict[Pool, int]:
    """The shares, and what they leave of so many numbers for the window. Raises Invalid."""
    wanted = {pool: share for pool, share in shares.items() if share}
    spare = count - sum(wanted.values())
    if spare < 0 or any(share < 0 for share in wanted.values()):
        raise Invalid.of("shares", f"还没有约出的号只有 {count} 个，分配不能超过它。")
    if spare:
        wanted[Pool.WINDOW] = wanted.get(Pool.WINDOW, 0) + spare
    return wanted


def _pool_sizes(schedule: Schedule) -> dict[Pool, int]:
    """How many numbers each pool has, whatever became of them: claims do not change it."""
    rows = Slot.objects.filter(schedule=schedule, is_add_on=False)
    rows = rows.exclude(status=SlotStatus.WITHDRAWN)
    counted = rows.values_list("pool").annotate(count=Count("pk"))
    return {Pool(pool): count for pool, count in counted}


def deal_out(dealt: Iterable[tuple[Slot, Pool]]) -> None:
    """Give each number its pool, where it has another: a statement a pool."""
    moved: dict[Pool, list[int]] = {}
    for slot, pool in dealt:
        if slot.pool != pool:
            moved.setdefault(pool, []).append(slot.pk)
    for pool, ids in moved.items():
        Slot.objects.filter(pk__in=ids).update(pool=pool)


def count_pools(slots: Sequence[Slot]) -> dict[str, int]:
    """How many of these numbers each pool has."""
    found: dict[str, int] = {}
    for slot in slots:
        found[slot.pool] = found.get(slot.pool, 0) + 1
    return found


def tell(*schedule_ids: int) -> None:
    """Hint to every open page that the numbers of sessions changed."""
    live.publish("schedules", *(f"schedule:{pk}" for pk in schedule_ids))
