"""Drafting a department's week: opening it, putting, moving, copying and taking off sessions,
filling it from the templates or another week, and undoing steps (M15.1).
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from hospital.identity import queries as identity
from hospital.kernel import audit, clock
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound
from hospital.live import actions as live
from hospital.scheduling.actions import making
from hospital.scheduling.actions.roster_steps import (
    WANTED,
    DayOver,
    Filled,
    Left,
    NothingToUndo,
    RosterNotDraft,
    State,
    Step,
    Wanted,
    begin,
    grow,
)
from hospital.scheduling.actions.schedules import make_missing
from hospital.scheduling.holidays import is_holiday
from hospital.scheduling.models import Roster, RosterEdit, RosterEntry
from hospital.scheduling.queries.calendar import special_days
from hospital.scheduling.queries.rosters import usual_hours
from hospital.scheduling.states import EditKind, RosterStatus
from hospital.scheduling.weekly import made_entries, template_entries
from hospital.scheduling.weeks import week_days
from hospital.ui.wording import clock_text


@dataclass(frozen=True, slots=True)
class Place:
    """A cell of the grid; no practitioner is the clinic's own row."""

    visit_date: dt.date
    session_period: str
    practitioner_id: int | None


@transaction.atomic
def open_week(*, department_id: int, monday: dt.date, by: Actor, at: dt.datetime) -> Roster:
    """Open a department's week for drafting: what is made already and what the templates would
    make become its entries (M15.1). Opening twice gives the same roster. Raises Invalid, DayOver.
    """
    making.take_turns()
    if monday.isoweekday() != 1:
        raise Invalid({"monday": ["排班表从周一开始。"]})
    if week_days(monday)[-1] < clock.hospital_day(at):
        raise DayOver("这一周已经过去，不能再排。")
    found = Roster.objects.filter(department_id=department_id, monday=monday).first()
    if found is not None:
        return found
    roster = Roster.objects.create(
        department_id=department_id,
        monday=monday,
        status=RosterStatus.DRAFT,
        changed_by=str(by),
        changed_at=at,
    )
    days = week_days(monday)
    calendar = special_days(days[0], days[-1])
    entries = [*made_entries(roster), *template_entries(roster, calendar=calendar, at=at)]
    RosterEntry.objects.bulk_create(entries)
    step = RosterEdit(roster=roster, kind=EditKind.OPEN, version=roster.version, by=str(by), at=at)
    # The first step is where a week begins: there is nothing before it to go back to.
    step.before, step.after, step.is_final = {}, {}, True
    step.save()
    audit.record(
        act="scheduling.open_roster",
        subject=roster,
        by=by,
        at=at,
        after={"monday": monday.isoformat(), "entries": len(entries)},
    )
    live.publish("rosters", f"roster:{roster.pk}")
    return roster


@transaction.atomic
def close_week(*, roster_id: int, version: int, by: Actor, at: dt.datetime) -> None:
    """Give a week that was never published back to the templates: its draft is gone, what is made
    stays, what is missing comes (M15.1). Raises NotFound, Stale, RosterNotDraft."""
    roster = begin(roster_id, version, EditKind.REMOVE, by=by, at=at).roster
    if roster.published_version is not None:
        raise RosterNotDraft("这份排班表发布过，不能再交回模板。")
    audit.record(
        act="scheduling.close_roster",
        subject=roster,
        by=by,
        at=at,
        before={"monday": roster.monday.isoformat(), "entries": roster.entries.count()},
    )
    live.publish("rosters", f"roster:{roster.pk}")
    roster.entries.all().delete()
    roster.edits.all().delete()
    roster.delete()
    make_missing(by=by, at=at)


@transaction.atomic
def put_entry(
    *, roster_id: int, version: int, wanted: Wanted, by: Actor, at: dt.datetime
) -> RosterEntry:
    """Put a session on the roster. Raises Stale, RosterNotDraft, DayOver, Invalid,
    RosterConflict."""
    step = begin(roster_id, version, EditKind.PUT, by=by, at=at)
    entry = step.add(wanted)
    step.end()
    return entry


@transaction.atomic
def change_entry(
    *, roster_id: int, version: int, entry_id: int, wanted: Wanted, by: Actor, at: dt.datetime
) -> RosterEntry:
    """Make a session of the roster another one. Of a published one only the room changes in
    place; anything else takes it off and puts a new one, which publishing carries out.

    Raises as put_entry, and SessionStands.
    """
    step = begin(roster_id, version, EditKind.CHANGE, by=by, at=at)
    entry = step.alter(step.entry(entry_id), wanted)
    step.end()
    return entry


@transaction.atomic
def remove_entries(
    *, roster_id: int, version: int, entry_ids: Collection[int], by: Actor, at: dt.datetime
) -> int:
    """Take sessions off the roster; returns how many. Raises Stale, RosterNotDraft, NotFound,
    SessionStands."""
    step = begin(roster_id, version, EditKind.REMOVE, by=by, at=at)
    for entry_id in entry_ids:
        step.remove(step.entry(entry_id))
    step.end(is_checked=False)
    return len(entry_ids)


@transaction.atomic
def move_entry(
    *, roster_id: int, version: int, entry_id: int, to: Place, by: Actor, at: dt.datetime
) -> RosterEntry:
    """Move a session to another doctor, day or period; into another period with the hours usual
    there. Raises as change_entry."""
    step = begin(roster_id, version, EditKind.MOVE, by=by, at=at)
    entry = step.entry(entry_id)
    moved = step.alter(entry, _placed(entry, to))
    step.end()
    return moved


@transaction.atomic
def copy_entries(
    *,
    roster_id: int,
    version: int,
    copies: Sequence[tuple[int, Place]],
    by: Actor,
    at: dt.datetime,
) -> list[RosterEntry]:
    """Put copies of sessions, of this week or of another of the same department, at places of the
    roster: all or none. Raises as put_entry."""
    step = begin(roster_id, version, EditKind.COPY, by=by, at=at)
    found = RosterEntry.objects.select_related("roster").in_bulk([one for one, _ in copies])
    made = []
    for entry_id, place in copies:
        entry = found.get(entry_id)
        if entry is None or entry.roster.department_id != step.roster.department_id:
            raise NotFound("没有找到要复制的出诊。")
        made.append(step.add(_placed(entry, place)))
    step.end()
    return made


@transaction.atomic
def copy_week(
    *,
    roster_id: int,
    version: int,
    from_monday: dt.date,
    is_preview: bool = False,
    by: Actor,
    at: dt.datetime,
) -> Filled:
    """Put another week's sessions of the department on the roster, day by day (M2.6): what fits.
    Holidays stay free. A preview tells the same and changes nothing. Raises Stale, RosterNotDraft.
    """
    step = begin(roster_id, version, EditKind.COPY, by=by, at=at)
    shift = step.roster.monday - from_monday
    days = week_days(step.roster.monday)
    calendar = special_days(days[0], days[-1])
    wanted, on_holidays = [], []
    for entry in _of_week(step.roster, from_monday):
        entry.visit_date += shift
        special = calendar.get(entry.visit_date)
        if special is not None and is_holiday(entry.visit_date, special):
            on_holidays.append(Left(entry, f"{special.name}放假，没有复制。"))
        else:
            wanted.append(entry)
    filled = step.add_all(wanted)
    filled.left.extend(on_holidays)
    return _finish(step, filled, is_preview=is_preview)


@transaction.atomic
def fill_from_templates(
    *, roster_id: int, version: int, is_preview: bool = False, by: Actor, at: dt.datetime
) -> Filled:
    """Put the weekly sessions that are missing on the roster, what fits of them (M15.1).

    A preview tells the same and changes nothing. Raises Stale, RosterNotDraft.
    """
    step = begin(roster_id, version, EditKind.FILL, by=by, at=at)
    there = step.roster.entries.filter(is_removed=False, template__isnull=False)
    days = week_days(step.roster.monday)
    missing = template_entries(
        step.roster,
        calendar=special_days(days[0], days[-1]),
        at=at,
        but=list(there.values_list("template_id", "visit_date")),
    )
    return _finish(step, step.add_all(missing), is_preview=is_preview)


@transaction.atomic
def undo(*, roster_id: int, version: int, by: Actor, at: dt.datetime) -> Roster:
    """Take the latest step back, one's own; until the roster is published (issue, Rosters).

    Raises Stale, RosterNotDraft, NothingToUndo, and RosterConflict where the place is taken now.
    """
    step = begin(roster_id, version, EditKind.CHANGE, by=by, at=at)
    edit = step.roster.edits.filter(is_undone=False, is_final=False).order_by("pk").last()
    return _turn(step, edit, edit.before if edit else {}, is_undone=True)


@transaction.atomic
def redo(*, roster_id: int, version: int, by: Actor, at: dt.datetime) -> Roster:
    """Do the step again that was undone last. Raises as undo."""
    step = begin(roster_id, version, EditKind.CHANGE, by=by, at=at)
    edit = step.roster.edits.filter(is_undone=True, is_final=False).order_by("pk").first()
    return _turn(step, edit, edit.after if edit else {}, is_undone=False)


def _turn(
    step: Step, edit: RosterEdit | None, states: Mapping[str, State | None], *, is_undone: bool
) -> Roster:
    if edit is None:
        raise NothingToUndo("没有可以撤销的步骤。" if is_undone else "没有可以恢复的步骤。")
    if edit.by != str(step.by):
        name = identity.staff_names(actors=[edit.by]).get(edit.by, "系统")
        raise NothingToUndo(f"最近一步是{name} {clock_text(edit.at)} 做的，只能由本人撤销。")
    entries = RosterEntry.objects.select_related("schedule").in_bulk([int(pk) for pk in states])
    for pk, state in states.items():
        step.restore(entries[int(pk)], state)
    step.check()
    edit.is_undone = is_undone
    edit.save(update_fields=["is_undone"])
    grow(step.roster, by=step.by, at=step.at)
    return step.roster


def _finish(step: Step, filled: Filled, *, is_preview: bool) -> Filled:
    if is_preview:
        transaction.set_rollback(True)
    else:
        step.end(is_checked=False)
    return filled


def _of_week(roster: Roster, monday: dt.date) -> list[RosterEntry]:
    """Another week's sessions as new entries of this roster: as drafted there, else as made."""
    other = Roster.objects.filter(department_id=roster.department_id, monday=monday).first()
    if other is None:
        found = made_entries(Roster(department_id=roster.department_id, monday=monday))
    else:
        found = list(other.entries.filter(is_removed=False).order_by("pk"))
    return [
        RosterEntry(roster=roster, **{name: getattr(one, name) for name in WANTED}) for one in found
    ]


def _placed(entry: RosterEntry, to: Place) -> Wanted:
    """A session as it would be at another place: in another period with the hours usual there."""
    starts, ends = entry.starts, entry.ends
    if entry.session_period != to.session_period:
        starts, ends = usual_hours(entry.roster.department_id, to.session_period)
    return Wanted(
        visit_date=to.visit_date,
        session_period=to.session_period,
        practitioner_id=to.practitioner_id,
        service_type_id=entry.service_type_id,
        room_id=entry.room_id,
        starts=starts,
        ends=ends,
        capacity=entry.capacity,
        band_minutes=entry.band_minutes,
    )
