"""What is different on a roster, and who did what to it: for whoever approves it (M15.1)."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hospital.identity import queries as identity
from hospital.kernel.models import Transition
from hospital.kernel.states import history as moves_of
from hospital.scheduling.models import Roster, RosterEdit, RosterEntry
from hospital.scheduling.roster_words import hours_text, place_text, what_text, who_text
from hospital.scheduling.states import EditKind, RosterStatus, ScheduleStatus
from hospital.scheduling.weekly import made_entries
from hospital.scheduling.weeks import DAYS

_WEEK: Final = dt.timedelta(days=DAYS)
_DRAFT, _SUBMITTED, _PUBLISHED = RosterStatus.DRAFT, RosterStatus.SUBMITTED, RosterStatus.PUBLISHED
_MOVES: Final = {
    (_DRAFT, _SUBMITTED): "提交审核",
    (_SUBMITTED, _DRAFT): "撤回修改",
    (_SUBMITTED, _PUBLISHED): "审核发布",
    (_PUBLISHED, _DRAFT): "开始修订",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of a difference view; `before` or `after` is "" where there is nothing."""

    day: dt.date
    when: str
    who: str
    before: str
    after: str
    word: str


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One thing that happened to a roster."""

    at: dt.datetime
    who: str
    what: str
    details: tuple[str, ...]
    is_undone: bool = False


def against_published(roster: Roster) -> list[Difference]:
    """What publishing will change of what patients have: sessions made, called off, moved to
    another room. Once it is published there is nothing more to come."""
    found: list[Difference] = []
    if roster.status == RosterStatus.PUBLISHED:
        return found
    for one in _entries(roster):
        before, after = _published(one), "" if one.is_removed else what_text(one)
        if before != after:
            found.append(_difference(one, before, after))
    return found


def against_last_week(roster: Roster) -> list[Difference]:
    """What is not as in the week before, day by day and doctor by doctor."""
    old = {_place(one): one for one in _last_week(roster)}
    new = {_place(one): one for one in _entries(roster) if not one.is_removed}
    found = []
    for place in sorted({*old, *new}):
        before = what_text(old[place]) if place in old else ""
        after = what_text(new[place]) if place in new else ""
        if before != after:
            found.append(_difference(new.get(place) or old[place], before, after))
    return found


def history(roster: Roster) -> list[HistoryLine]:
    """Everything that happened to a roster, the latest first."""
    edits, moves = list(roster.edits.order_by("pk")), moves_of(roster)
    actors = [*(one.by for one in edits), *(one.by for one in moves)]
    names = identity.staff_names(actors=actors)
    lines = [
        *(_step(one, names.get(one.by, "系统")) for one in edits),
        *(
            HistoryLine(
                at=one.at,
                who=names.get(one.by, "系统"),
                what=_moved(one),
                details=(one.reason,) if one.reason else (),
            )
            for one in moves
        ),
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def can_undo(roster: Roster, *, by: str) -> tuple[bool, bool]:
    """Whether there is a step to undo, one to redo, of this person."""
    steps = roster.edits.filter(is_final=False)
    last = steps.filter(is_undone=False).order_by("pk").last()
    next_one = steps.filter(is_undone=True).order_by("pk").first()
    return (
        last is not None and last.by == by,
        next_one is not None and next_one.by == by,
    )


def _entries(roster: Roster) -> list[RosterEntry]:
    found = roster.entries.select_related("practitioner", "service_type", "room", "schedule__room")
    return list(found.order_by("visit_date", "starts", "practitioner__pinyin", "pk"))


def _last_week(roster: Roster) -> list[RosterEntry]:
    monday = roster.monday - _WEEK
    other = Roster.objects.filter(department_id=roster.department_id, monday=monday).first()
    if other is None:
        return made_entries(Roster(department_id=roster.department_id, monday=monday))
    return [one for one in _entries(other) if not one.is_removed]


Place = tuple[int, str, str, str, dt.time]


def _place(entry: RosterEntry) -> Place:
    """Where to look for the same session in the other week. The clinic's own row may hold several
    at a time, in several rooms."""
    doctor = entry.practitioner
    return (
        entry.visit_date.weekday(),
        entry.session_period,
        doctor.pinyin if doctor else "",
        doctor.code if doctor else entry.sits_in.code,
        entry.starts,
    )


def _published(entry: RosterEntry) -> str:
    """The session as patients have it, "" where there is none."""
    schedule = entry.schedule
    if schedule is None or schedule.status == ScheduleStatus.CANCELLED:
        return ""
    parts = (entry.service_type.name, schedule.room.name, hours_text(entry), f"限{entry.places}")
    return " ".join(parts)


def _difference(entry: RosterEntry, before: str, after: str) -> Difference:
    word = "改" if before and after else "撤" if before else "新"
    return Difference(
        day=entry.visit_date,
        when=place_text(entry),
        who=who_text(entry),
        before=before,
        after=after,
        word=word,
    )


def _moved(move: Transition) -> str:
    """What a move is called. Whoever gives a roster back has to say why; taking it back needs no
    reason."""
    known = RosterStatus(move.from_status), RosterStatus(move.to_status)
    return "退回科室" if known == (_SUBMITTED, _DRAFT) and move.reason else _MOVES[known]


def _step(edit: RosterEdit, who: str) -> HistoryLine:
    details = tuple(_changed(edit.before.get(pk), state) for pk, state in edit.after.items())
    return HistoryLine(
        at=edit.at,
        who=who,
        what=str(EditKind(edit.kind).label),
        details=details,
        is_undone=edit.is_undone,
    )


def _changed(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> str:
    if before is None:
        return f"放入 {after['text']}"
    if after["is_removed"]:
        return f"撤下 {before['text']}"
    return f"{before['text']} → {after['text']}"
