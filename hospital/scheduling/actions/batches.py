"""One act over many sessions (M2.6): what the preview showed is done, or nothing is; what patients
took in between is left to them."""

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import QuerySet

from hospital.kernel import audit, request_keys
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Refusal, Stale
from hospital.scheduling.actions.bands import RoomTaken, change_room
from hospital.scheduling.actions.capacities import BandSize, CapacityTooSmall, resize
from hospital.scheduling.actions.many import give_back_all, share_all, withhold_all
from hospital.scheduling.actions.numbers import SessionOver
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
    plan, schedules = _locked_plan(wish, at)
    if plan.digest != digest:
        raise Stale(_CHANGED)
    if plan.conflicts and not only_possible:
        raise BatchHasConflicts
    try:
        _carry_out(wish, plan.possible, schedules, reason=reason, by=by, at=at)
    except (CapacityTooSmall, SessionOver, RoomTaken) as refusal:
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


def _locked_plan(wish: BatchWish, at: dt.datetime) -> tuple[BatchPlan, dict[int, Schedule]]:
    """The plan as it is once nobody else can change these sessions; patients still can book."""
    ids = sorted(line.session.id for line in plan_batch(wish=wish, at=at).lines)
    locked = Schedule.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    schedules = {row.pk: row for row in locked}
    return plan_batch(wish=wish, at=at), schedules


def _carry_out(
    wish: BatchWish,
    lines: Sequence[BatchLine],
    locked: Mapping[int, Schedule],
    *,
    reason: str,
    by: Actor,
    at: dt.datetime,
) -> None:
    """Everything at once: the release and the nurse's desk wait for the sessions meanwhile. Rooms
    one by one, as the database says of each whether it is taken."""
    schedules = {line.session.id: locked[line.session.id] for line in lines}
    if wish.kind == BatchKind.CAPACITY:
        sizes = [
            BandSize(band_id, size, seen)
            for line in lines
            for band_id, seen, size in line.capacities
        ]
        resize(schedules=schedules, sizes=sizes, reason=reason, by=by, at=at)
    elif wish.kind == BatchKind.SHARES:
        share_all(schedules, dict(wish.percents), reason=reason, by=by, at=at)
    elif wish.kind == BatchKind.ROOM:
        assert wish.room_id is not None
        for schedule_id in schedules:
            change_room(schedule_id=schedule_id, room_id=wish.room_id, reason=reason, by=by, at=at)
    else:
        act = withhold_all if wish.kind == BatchKind.BLOCK else give_back_all
        act(schedules, _reached(wish, lines), reason=reason, by=by, at=at)


def _reached(wish: BatchWish, lines: Sequence[BatchLine]) -> QuerySet[Slot]:
    bands = [band.id for line in lines for band in line.session.bands if wish.takes(band)]
    rows = Slot.objects.filter(band_id__in=bands, is_add_on=False)
    if wish.pool:
        rows = rows.filter(pool=wish.pool)
    if wish.kind == BatchKind.BLOCK:
        return rows.filter(status__in=UNCLAIMED)
    return rows.filter(withheld=Withheld.OFFICE)
