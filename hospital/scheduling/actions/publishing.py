"""A roster on its way to the patients: submitted, returned, published, revised (SM1, M15.1).

Publishing is one transaction: either every session is made with its bands and numbers, and every
one taken off is called off, or nothing changed.
"""

import datetime as dt
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F

from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, Refusal, Stale
from hospital.kernel.states import move
from hospital.live import actions as live
from hospital.scheduling import bands, weekly
from hospital.scheduling.actions import making
from hospital.scheduling.actions.roster_steps import (
    RosterConflict,
    RosterNotDraft,
    check_may_go,
    grow,
    locked,
)
from hospital.scheduling.actions.schedules import release_due
from hospital.scheduling.actions.stop_requests import answer_by_stop
from hospital.scheduling.models import Roster, RosterEntry, Schedule
from hospital.scheduling.queries.duties import conflicts_of
from hospital.scheduling.states import RosterStatus, ScheduleStatus


class RoomsExchanged(Refusal):
    code = "ROOMS_EXCHANGED"
    default_message = "已发布的出诊不能直接互换诊室：请先把其中一次换到空的诊室发布，再换第二次。"


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did: sessions made, called off, given another room, and entries left out
    because their time was over."""

    made: int
    cancelled: int
    moved: int
    over: int


@transaction.atomic
def submit_roster(*, roster_id: int, version: int, by: Actor, at: dt.datetime) -> Roster:
    """The department hands its roster to the outpatient office. Raises Stale, RosterNotDraft,
    RosterConflict."""
    roster = _draft(roster_id, version)
    _refuse_conflicts(roster)
    _advance(roster, RosterStatus.SUBMITTED, by=by, at=at)
    return roster


@transaction.atomic
def withdraw_roster(*, roster_id: int, version: int, by: Actor, at: dt.datetime) -> Roster:
    """The department takes back what it submitted. Raises Stale, RosterNotDraft."""
    return _send_back(roster_id, version, "", "scheduling.withdraw_roster", by=by, at=at)


@transaction.atomic
def return_roster(
    *, roster_id: int, version: int, reason: str, by: Actor, at: dt.datetime
) -> Roster:
    """The outpatient office gives a roster back and says why. Raises Invalid, Stale,
    RosterNotDraft."""
    if not reason:
        raise Invalid({"reason": ["请写明退回的原因。"]})
    return _send_back(roster_id, version, reason, "scheduling.return_roster", by=by, at=at)


@transaction.atomic
def revise_roster(*, roster_id: int, version: int, by: Actor, at: dt.datetime) -> Roster:
    """Open a published roster for changes; what is published stands until it is published again.

    The draft begins with the rooms and numbers the sessions have by now. Raises Stale,
    RosterNotDraft.
    """
    roster = locked(roster_id, version)
    if roster.status != RosterStatus.PUBLISHED:
        raise RosterNotDraft("这份排班表还没有发布，可以直接修改。")
    for entry in roster.entries.filter(is_removed=False).select_related("schedule"):
        if entry.schedule is not None:
            entry.room_id, entry.capacity = entry.schedule.room_id, entry.schedule.capacity
            entry.save(update_fields=["room", "capacity"])
    _advance(roster, RosterStatus.DRAFT, by=by, at=at)
    return roster


@transaction.atomic
def publish_roster(*, roster_id: int, version: int, by: Actor, at: dt.datetime) -> Published:
    """Approve a roster and make it what patients see (M15.1): sessions with bands and numbers
    dealt by the quotas; what was taken off is called off. The office may publish a draft itself.

    Raises Stale, RosterNotDraft, RosterConflict, SessionStands: then nothing changed.
    """
    making.take_turns()
    roster = locked(roster_id, version)
    if roster.status == RosterStatus.PUBLISHED:
        raise RosterNotDraft("这份排班表已经发布。")
    _refuse_conflicts(roster)
    if roster.status == RosterStatus.DRAFT:
        move(roster, RosterStatus.SUBMITTED, by=by, at=at)
    cancelled = _call_off(roster, by=by, at=at)
    moved = _change_rooms(roster)
    over = _leave_out(roster, at=at)
    made = _make(roster)
    _advance(roster, RosterStatus.PUBLISHED, by=by, at=at)
    roster.edits.filter(is_final=False).update(is_final=True)
    roster.published_version = roster.version
    roster.save(update_fields=["published_version"])
    release_due(by=by, at=at)
    done = Published(made=len(made), cancelled=len(cancelled), moved=len(moved), over=over)
    audit.record(
        act="scheduling.publish_roster",
        subject=roster,
        by=by,
        at=at,
        after={"made": made, "cancelled": cancelled, "moved": moved},
    )
    live.publish("schedules", *(f"schedule:{pk}" for pk in (*made, *cancelled, *moved)))
    return done


def _call_off(roster: Roster, *, by: Actor, at: dt.datetime) -> list[int]:
    """Cancel the sessions of the entries taken off; whoever claims a number or releases one of
    them meanwhile is waited for. Raises SessionStands."""
    gone = list(
        Schedule.objects.select_for_update(no_key=True)
        .filter(roster_entry__roster=roster, roster_entry__is_removed=True)
        .exclude(status=ScheduleStatus.CANCELLED)
        .order_by("pk")
    )
    for schedule in gone:
        check_may_go(schedule)
        answer_by_stop(schedule=schedule, by=by, at=at)
        move(schedule, ScheduleStatus.CANCELLED, by=by, at=at, reason="排班表修订")
    return [schedule.pk for schedule in gone]


def _change_rooms(roster: Roster) -> list[int]:
    """Give the sessions the rooms the draft gave them; rooms changed elsewhere meanwhile stay."""
    wanted = {
        int(pk)
        for edit in roster.edits.filter(is_final=False, is_undone=False)
        for pk in edit.after
    }
    entries = roster.entries.filter(pk__in=wanted, is_removed=False, schedule__isnull=False)
    rooms = entries.exclude(schedule__room=F("room")).order_by("pk")
    waiting = dict(rooms.values_list("schedule_id", "room_id"))
    changed: list[int] = []
    while waiting:
        # One session may only get its room when another has left it.
        freed = [pk for pk, room in waiting.items() if _is_moved(pk, room)]
        if not freed:
            raise RoomsExchanged
        changed += freed
        waiting = {pk: room for pk, room in waiting.items() if pk not in freed}
    return changed


def _is_moved(schedule_id: int, room_id: int) -> bool:
    try:
        with transaction.atomic():
            Schedule.objects.filter(pk=schedule_id).update(room=room_id)
    except IntegrityError:
        return False
    return True


def _leave_out(roster: Roster, *, at: dt.datetime) -> int:
    """Entries without a session whose time is over are history."""
    late = [
        entry.pk
        for entry in roster.entries.filter(is_removed=False, schedule__isnull=True)
        if bands.session_bounds(entry.visit_date, entry.starts, entry.ends)[1] <= at
    ]
    return roster.entries.filter(pk__in=late).update(is_removed=True)


def _make(roster: Roster) -> list[int]:
    entries = list(roster.entries.filter(is_removed=False, schedule__isnull=True).order_by("pk"))
    schedules = [_session(roster, entry) for entry in entries]
    try:
        with transaction.atomic():
            Schedule.objects.bulk_create(schedules)
    except IntegrityError as collision:
        # Somebody gave the doctor or the room to another session outside the rosters just now.
        raise Stale("医生或诊室刚刚被别处占用，请看过现在的排班再发布。") from collision
    for entry, schedule in zip(entries, schedules, strict=True):
        entry.schedule = schedule
    RosterEntry.objects.bulk_update(entries, ["schedule"])
    making.fill(
        [(schedule, entry.band_minutes) for schedule, entry in zip(schedules, entries, strict=True)]
    )
    return [schedule.pk for schedule in schedules]


def _session(roster: Roster, entry: RosterEntry) -> Schedule:
    starts_at, ends_at = bands.session_bounds(entry.visit_date, entry.starts, entry.ends)
    return Schedule(
        template_id=entry.template_id,
        department_id=roster.department_id,
        practitioner_id=entry.practitioner_id,
        service_type_id=entry.service_type_id,
        room_id=entry.room_id,
        visit_date=entry.visit_date,
        session_period=entry.session_period,
        starts_at=starts_at,
        ends_at=ends_at,
        capacity=entry.capacity,
        release_at=weekly.release_moment(entry.visit_date),
        status=ScheduleStatus.PUBLISHED,
    )


def _draft(roster_id: int, version: int) -> Roster:
    making.take_turns()
    roster = locked(roster_id, version)
    if roster.status != RosterStatus.DRAFT:
        raise RosterNotDraft("这份排班表已经提交。")
    return roster


def _refuse_conflicts(roster: Roster) -> None:
    """Raises RosterConflict for what publishing would bring about. A session that patients have
    already is shown with what speaks against it; 停诊 and 替诊 are the ways out of that."""
    coming = roster.entries.filter(is_removed=False).exclude(schedule__room=F("room"))
    keys = set(coming.values_list("pk", flat=True))
    found = [one for one in conflicts_of(roster) if one.is_refused and one.keys & keys]
    if found:
        raise RosterConflict(
            f"还有 {len(found)} 处冲突没有解决：" + "".join(one.sentence for one in found[:3]),
            conflicts=found,
        )


def _send_back(
    roster_id: int, version: int, reason: str, act: str, *, by: Actor, at: dt.datetime
) -> Roster:
    roster = locked(roster_id, version)
    if roster.status != RosterStatus.SUBMITTED:
        raise RosterNotDraft("这份排班表不在待审核中。")
    _advance(roster, RosterStatus.DRAFT, reason=reason, by=by, at=at)
    audit.record(act=act, subject=roster, by=by, at=at, reason=reason)
    return roster


def _advance(
    roster: Roster, to: RosterStatus, *, reason: str = "", by: Actor, at: dt.datetime
) -> None:
    move(roster, to, by=by, at=at, reason=reason, remark=reason)
    grow(roster, by=by, at=at)
