"""Numbers of many sessions withheld, given back or dealt out in one act (M2.6).

Statements for all of them at once, so that a release or a check-in behind the batch's locks waits
for a moment. The caller has locked the sessions and seen that nothing stands in the way.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from itertools import groupby

from django.db.models import QuerySet

from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.scheduling import quotas
from hospital.scheduling.actions.numbers import count_pools, deal_out, tell, turn
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.states import UNCLAIMED, Pool, ScheduleStatus, SlotStatus

Sessions = Mapping[int, Schedule]
#: What the audit reads of one session: before and after.
Deed = tuple[Schedule, Mapping[str, object], Mapping[str, object]]


def withhold_all(
    schedules: Sessions, slots: QuerySet[Slot], *, reason: str, by: Actor, at: dt.datetime
) -> None:
    """停号 in every session: of these numbers, those nobody has."""
    ids = list(slots.values_list("pk", flat=True))
    done = turn(ids, UNCLAIMED, SlotStatus.BLOCKED, reason=reason, by=by, at=at)
    _note(schedules, "scheduling.block_numbers", done, reason=reason, by=by, at=at)


def give_back_all(
    schedules: Sessions, slots: QuerySet[Slot], *, reason: str, by: Actor, at: dt.datetime
) -> None:
    """Give withheld numbers back: bookable at once where the session is released, else with it."""
    waiting = {pk for pk, row in schedules.items() if row.status == ScheduleStatus.PUBLISHED}
    found = list(slots.values_list("pk", "schedule_id"))
    done: list[int] = []
    for to, is_waiting in ((SlotStatus.PLANNED, True), (SlotStatus.FREE, False)):
        ids = [pk for pk, schedule_id in found if (schedule_id in waiting) == is_waiting]
        done += turn(ids, (SlotStatus.BLOCKED,), to, reason=reason, by=by, at=at)
    _note(schedules, "scheduling.unblock_numbers", done, reason=reason, by=by, at=at)


def share_all(
    schedules: Sessions,
    percents: Mapping[Pool, int],
    *,
    reason: str,
    by: Actor,
    at: dt.datetime,
) -> None:
    """Deal the numbers nobody has out anew in every session, by percentages (M2.2)."""
    unclaimed = (
        Slot.objects.select_for_update(no_key=True)
        .filter(schedule_id__in=schedules, status__in=UNCLAIMED, is_add_on=False)
        .order_by("schedule_id", "sequence_no")
    )
    deeds: list[Deed] = []
    dealt: list[tuple[Slot, Pool]] = []
    for schedule_id, rows in groupby(unclaimed, key=lambda slot: slot.schedule_id):
        own = list(rows)
        wanted = quotas.share(len(own), percents)
        dealt += zip(own, quotas.deal(wanted), strict=True)
        after = {str(pool): count for pool, count in wanted.items()}
        deeds.append((schedules[schedule_id], count_pools(own), after))
    deal_out(dealt)
    audit.record_many(act="scheduling.share_numbers", deeds=deeds, by=by, at=at, reason=reason)
    tell(*(schedule.pk for schedule, _, _ in deeds))


def _note(
    schedules: Sessions,
    act: str,
    slot_ids: Collection[int],
    *,
    reason: str,
    by: Actor,
    at: dt.datetime,
) -> None:
    numbers = Slot.objects.filter(pk__in=slot_ids).order_by("schedule_id", "sequence_no")
    changed = {
        schedule_id: [slot.label for slot in rows]
        for schedule_id, rows in groupby(numbers, key=lambda slot: slot.schedule_id)
    }
    deeds: list[Deed] = [(schedules[pk], {}, {"numbers": labels}) for pk, labels in changed.items()]
    audit.record_many(act=act, deeds=deeds, by=by, at=at, reason=reason)
    tell(*changed)
