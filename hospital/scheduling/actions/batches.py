"""One act over many sessions (M2.6): what the preview showed is done, or nothing is; what patients
took in between is left to them."""

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet

from hospital.kernel import audit, request_keys
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Refusal, Stale
from hospital.scheduling.actions.bands import RoomTaken, change_room
from hospital.scheduling.actions.capacities import (
    BandSize,
    CapacityTooSmall,
    change_capacities,
)
from hospital.scheduling.actions.numbers import (
    QuotaMerged,
    SessionOver,
    block_numbers,
    share_numbers,
    unblock_numbers,
)
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.queries.batches import BatchLine, BatchPlan, BatchWish, plan_batch
from hospital.scheduling.states import UNCLAIMED, BatchKind, Withheld

_CHANGED = "预览之后号源又有变化，请看过新的预览再执行。"


class BatchHasConflicts(Refusal):
    """Some sessions cannot be done, and nobody said to leave them out."""

    code = "BATCH_HAS_CONFLICTS"
    default_message = "有出诊不能这样改，一个都没有改。可以选择只做能做的。"


@transaction.atomic
def run_batch(
    *,
    wish: BatchWish,
    digest: str,
    only_possible: bool,
    reason: str,
    key: str,
    by: Actor,
    at: dt.datetime,
) -> int:
    """Do what the preview with this digest showed; returns how many sessions changed.

    The same `key` does it once. When anything but the numbers patients took since is no longer as
    it was shown nothing happens and Stale is raised; BatchHasConflicts unless `only_possible`.
    Raises Invalid, KeyReused.
    """
    inputs = {"digest": digest, "only_possible": only_possible}
    claim = request_keys.claim(key=key, scope="scheduling.run_batch", inputs=inputs, at=at)
    if claim.answer is not None:
        return int(claim.answer["done"])
    plan = _locked_plan(wish, at)
    if plan.digest != digest:
        raise Stale(_CHANGED)
    if plan.conflicts and not only_possible:
        raise BatchHasConflicts
    for line in plan.possible:
        try:
            _carry_out(wish, line, reason=reason, by=by, at=at)
        except (CapacityTooSmall, QuotaMerged, SessionOver, RoomTaken) as refusal:
            raise Stale(_CHANGED) from refusal
    done = len(plan.possible)
    audit.record(
        act="scheduling.run_batch",
        subject=None,
        by=by,
        at=at,
        after={
            "kind": wish.kind,
            "first": wish.first.isoformat(),
            "latest": wish.latest.isoformat(),
            "sessions": done,
            "left_out": len(plan.conflicts),
        },
        reason=reason,
    )
    claim.finish({"done": done})
    return done


def _locked_plan(wish: BatchWish, at: dt.datetime) -> BatchPlan:
    """The plan as it is once nobody else can change these sessions; patients still can book."""
    ids = sorted(line.session.id for line in plan_batch(wish=wish, at=at).lines)
    list(Schedule.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))
    return plan_batch(wish=wish, at=at)


def _carry_out(
    wish: BatchWish, line: BatchLine, *, reason: str, by: Actor, at: dt.datetime
) -> None:
    schedule_id = line.session.id
    if wish.kind == BatchKind.CAPACITY:
        sizes = [BandSize(band_id, size, seen) for band_id, seen, size in line.capacities]
        change_capacities(schedule_id=schedule_id, sizes=sizes, reason=reason, by=by, at=at)
        return
    if wish.kind == BatchKind.SHARES:
        percents = dict(wish.percents)
        share_numbers(schedule_id=schedule_id, percents=percents, reason=reason, by=by, at=at)
        return
    if wish.kind == BatchKind.ROOM:
        assert wish.room_id is not None
        change_room(schedule_id=schedule_id, room_id=wish.room_id, reason=reason, by=by, at=at)
        return
    act = block_numbers if wish.kind == BatchKind.BLOCK else unblock_numbers
    ids = list(_reached(wish, line).values_list("pk", flat=True))
    act(schedule_id=schedule_id, slot_ids=ids, reason=reason, by=by, at=at)


def _reached(wish: BatchWish, line: BatchLine) -> QuerySet[Slot]:
    bands = [band.id for band in line.session.bands if wish.takes(band)]
    rows = Slot.objects.filter(schedule_id=line.session.id, band_id__in=bands, is_add_on=False)
    if wish.pool:
        rows = rows.filter(pool=wish.pool)
    if wish.kind == BatchKind.BLOCK:
        return rows.filter(status__in=UNCLAIMED)
    return rows.filter(withheld=Withheld.OFFICE)
