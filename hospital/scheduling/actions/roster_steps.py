"""One step on a roster: what it touches, what it may not touch, and how it is undone.

Every step states the version its page showed: when somebody changed the roster meanwhile it is
refused, saying who and when. All steps take turns, so that two departments cannot put one doctor
into the same hour (M15.2).
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from hospital.catalogue import queries as catalogue
from hospital.identity import queries as identity
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound, Refusal, Stale
from hospital.live import actions as live
from hospital.organisation import queries as organisation
from hospital.scheduling import bands
from hospital.scheduling.actions import making
from hospital.scheduling.conflicts import Conflict, ConflictKind
from hospital.scheduling.models import Roster, RosterEdit, RosterEntry, Schedule
from hospital.scheduling.queries.duties import conflicts_of
from hospital.scheduling.roster_words import line_text
from hospital.scheduling.states import (
    NOBODYS,
    EditKind,
    RosterStatus,
    ScheduleStatus,
    SessionPeriod,
)
from hospital.scheduling.weeks import week_days
from hospital.ui.wording import clock_text

MOST_NUMBERS: Final = 500
_SHORTEST_BAND, _LONGEST_BAND = 5, 240
_COLUMNS: Final = (
    "practitioner_id",
    "service_type_id",
    "room_id",
    "template_id",
    "session_period",
    "capacity",
    "band_minutes",
    "is_removed",
)
#: What a session on a roster consists of.
WANTED: Final = (
    "visit_date",
    "session_period",
    "practitioner_id",
    "service_type_id",
    "room_id",
    "starts",
    "ends",
    "capacity",
    "band_minutes",
)
#: An entry as JSON: its columns, the day and the hours as text, and all of it in words.
State = dict[str, Any]


class RosterConflict(Refusal):
    """Details: `conflicts`, what speaks against the step (M15.2)."""

    code = "ROSTER_CONFLICT"
    default_message = "与已有安排冲突。"


class RosterNotDraft(Refusal):
    code = "ROSTER_NOT_DRAFT"
    default_message = "这份排班表已提交或已发布，退回或修订之后才能改。"


class SessionStands(Refusal):
    """What patients may have booked cannot be taken off a roster: 停诊 is the way."""

    code = "SESSION_STANDS"
    default_message = "这次出诊已经放号，不能在排班表里撤下或改动；请办理停诊。"


class DayOver(Refusal):
    code = "DAY_OVER"
    default_message = "这个时间已经过去，不能再排。"


class NothingToUndo(Refusal):
    code = "NOTHING_TO_UNDO"
    default_message = "没有可以撤销的步骤。"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A session as somebody wants it; `ends` at or before `starts` means the next morning."""

    visit_date: dt.date
    session_period: str
    practitioner_id: int | None
    service_type_id: int
    room_id: int
    starts: dt.time
    ends: dt.time
    capacity: int
    band_minutes: int


@dataclass(frozen=True, slots=True)
class Choices:
    """Ids; None is nobody in particular: the clinic's own row."""

    practitioners: frozenset[int | None]
    services: frozenset[int]
    rooms: frozenset[int]


@dataclass(frozen=True, slots=True)
class Left:
    """A session that was not put on the roster, and why. `is_there`: its doctor, or without one
    its room, has a session of those hours already."""

    entry: RosterEntry
    sentence: str
    is_there: bool = False


@dataclass(frozen=True, slots=True)
class Filled:
    """What was put on a roster in one go, and what was left out."""

    put: list[RosterEntry]
    left: list[Left]


@dataclass
class Step:
    """One step of one person, from `begin` to `end`."""

    roster: Roster
    kind: EditKind
    by: Actor
    at: dt.datetime
    known: list[Conflict]
    before: dict[int, State | None] = field(default_factory=dict)
    touched: dict[int, RosterEntry] = field(default_factory=dict)

    @cached_property
    def choices(self) -> "Choices":
        """What may stand on this department's roster at all."""
        people = organisation.role_periods(department_id=self.roster.department_id)
        return Choices(
            practitioners=frozenset({None, *people}),
            services=frozenset(row.id for row in catalogue.service_types()),
            rooms=frozenset(organisation.room_labels()),
        )

    def entry(self, entry_id: int) -> RosterEntry:
        """A session that stands on the roster. Raises NotFound."""
        found = self.touched.get(entry_id) or (
            self.roster.entries.filter(pk=entry_id)
            .select_related("schedule", "practitioner", "service_type", "room")
            .first()
        )
        if found is None or found.is_removed:
            raise NotFound("这次出诊已不在排班表上。")
        return found

    def add(self, wanted: Wanted) -> RosterEntry:
        """Raises Invalid, DayOver."""
        self._check(wanted)
        entry = RosterEntry.objects.create(roster=self.roster, **_columns(wanted))
        self._touch(entry, None)
        return entry

    def alter(self, entry: RosterEntry, wanted: Wanted) -> RosterEntry:
        """Make a session another one: of a published one only the room changes in place, else it
        goes and a new one comes. Raises Invalid, DayOver, SessionStands."""
        different = {name for name in WANTED if getattr(entry, name) != getattr(wanted, name)}
        if not different:
            return entry
        self._check(wanted)
        if entry.schedule is not None and different != {"room_id"}:
            self.remove(entry)
            return self.add(wanted)
        if entry.schedule is not None and entry.schedule.starts_at <= self.at:
            raise DayOver
        self._touch(entry, state_of(entry))
        if "visit_date" in different:
            entry.template = None  # that weekly session is another day's
        for name in different:
            setattr(entry, name, getattr(wanted, name))
        entry.save()
        return entry

    def add_all(self, entries: Sequence[RosterEntry]) -> Filled:
        """Put what fits; the rest is told with what speaks against it: of two of them that exclude
        each other the later, then what exceeds somebody's week."""
        there = {_seat(one) for one in self.roster.entries.filter(is_removed=False)}
        left: list[Left] = []
        fitting = []
        for entry in entries:
            try:
                self._check(entry)
            except (Invalid, DayOver) as no:
                left.append(Left(entry, _sentence(no)))
            else:
                if _seat(entry) in there:
                    left.append(Left(entry, "这个时间已经有了。", is_there=True))
                else:
                    fitting.append(entry)
        put = {entry.pk: entry for entry in RosterEntry.objects.bulk_create(fitting)}
        while against := _worst(self._new_conflicts(), put):
            left += [Left(put.pop(pk), sentence) for pk, sentence in against.items()]
            RosterEntry.objects.filter(pk__in=against).delete()
        for entry in put.values():
            self._touch(entry, None)
        left.sort(key=lambda one: (one.entry.visit_date, one.entry.starts))
        return Filled(list(put.values()), left)

    def remove(self, entry: RosterEntry) -> None:
        """Raises SessionStands."""
        if entry.schedule is not None:
            check_may_go(entry.schedule)
        self._touch(entry, state_of(entry))
        entry.is_removed = True
        entry.save()

    def restore(self, entry: RosterEntry, state: State | None) -> None:
        """Put a session back as it was; None: it was not there. Raises SessionStands."""
        if entry.schedule is not None and (state is None or state["is_removed"]):
            check_may_go(entry.schedule)
        if state is None:
            entry.is_removed = True
        else:
            put_back(entry, state)
        entry.save()

    def end(self, *, is_checked: bool = True) -> None:
        """Keep the step. Raises RosterConflict for what was not in conflict before."""
        if is_checked:
            self.check()
        if self.touched:
            RosterEdit.objects.filter(roster=self.roster, is_undone=True).update(is_final=True)
            self.note()

    def check(self) -> None:
        """Raises RosterConflict for what was not in conflict before the step."""
        found = self._new_conflicts()
        if found:
            raise RosterConflict("".join(one.sentence for one in found), conflicts=found)

    def note(self) -> None:
        kept = self.roster.entries.filter(pk__in=self.touched)
        kept = kept.select_related("practitioner", "service_type", "room", "schedule__room")
        RosterEdit.objects.create(
            roster=self.roster,
            kind=self.kind,
            version=self.roster.version + 1,
            before=self.before,
            after={entry.pk: state_of(entry) for entry in kept.order_by("pk")},
            by=str(self.by),
            at=self.at,
        )
        grow(self.roster, by=self.by, at=self.at)

    def _new_conflicts(self) -> list[Conflict]:
        return [
            one for one in conflicts_of(self.roster) if one.is_refused and one not in self.known
        ]

    def _touch(self, entry: RosterEntry, before: State | None) -> None:
        self.before.setdefault(entry.pk, before)
        self.touched[entry.pk] = entry

    def _check(self, wanted: Wanted | RosterEntry) -> None:
        """Raises Invalid, DayOver."""
        errors = {**_wrong_sizes(wanted), **self._unknown(wanted)}
        if errors:
            raise Invalid(errors)
        starts_at, _ = bands.session_bounds(wanted.visit_date, wanted.starts, wanted.ends)
        if starts_at <= self.at:
            raise DayOver

    def _unknown(self, wanted: Wanted | RosterEntry) -> dict[str, list[str]]:
        errors = {}
        if wanted.visit_date not in week_days(self.roster.monday):
            errors["visit_date"] = ["日期不在这一周。"]
        if wanted.practitioner_id not in self.choices.practitioners:
            errors["practitioner"] = ["请选择本科室的医生。"]
        if wanted.service_type_id not in self.choices.services:
            errors["service_type"] = ["请选择号别。"]
        if wanted.room_id not in self.choices.rooms:
            errors["room"] = ["请选择诊室。"]
        return errors


def begin(roster_id: int, version: int, kind: EditKind, *, by: Actor, at: dt.datetime) -> Step:
    """Begin a step on a draft as its page showed it. Raises NotFound, Stale, RosterNotDraft."""
    making.take_turns()
    roster = locked(roster_id, version)
    if roster.status != RosterStatus.DRAFT:
        raise RosterNotDraft
    return Step(roster, kind, by, at, conflicts_of(roster))


def locked(roster_id: int, version: int) -> Roster:
    """The roster, for this transaction alone, as the page showed it. Raises NotFound, Stale."""
    roster = (
        Roster.objects.select_for_update(of=("self",), no_key=True)
        .select_related("department")
        .filter(pk=roster_id)
        .first()
    )
    if roster is None:
        raise NotFound("没有找到这份排班表。")
    if roster.version != version:
        raise Stale(_who_changed(roster))
    return roster


def grow(roster: Roster, *, by: Actor, at: dt.datetime) -> None:
    """The next version; whoever looks at the roster is told."""
    roster.version, roster.changed_by, roster.changed_at = roster.version + 1, str(by), at
    roster.save(update_fields=["version", "changed_by", "changed_at"])
    live.publish("rosters", f"roster:{roster.pk}")


def check_may_go(schedule: Schedule) -> None:
    """Raises SessionStands unless nobody can have a number of the session."""
    if schedule.status == ScheduleStatus.CANCELLED:
        return
    if schedule.status != ScheduleStatus.PUBLISHED:
        raise SessionStands
    taken = schedule.slots.exclude(status__in=NOBODYS).count()
    if taken:
        raise SessionStands(f"这次出诊已有 {taken} 个号给了患者，不能撤下或改动；请办理停诊。")


def state_of(entry: RosterEntry) -> State:
    """An entry as a step keeps it."""
    return {
        **{name: getattr(entry, name) for name in _COLUMNS},
        "visit_date": entry.visit_date.isoformat(),
        "starts": entry.starts.isoformat(),
        "ends": entry.ends.isoformat(),
        "text": line_text(entry),
    }


def put_back(entry: RosterEntry, state: State) -> None:
    """Make an entry what it was."""
    for name in _COLUMNS:
        setattr(entry, name, state[name])
    entry.visit_date = dt.date.fromisoformat(state["visit_date"])
    entry.starts = dt.time.fromisoformat(state["starts"])
    entry.ends = dt.time.fromisoformat(state["ends"])


def _columns(wanted: Wanted) -> Mapping[str, Any]:
    return {name: getattr(wanted, name) for name in WANTED}


def _seat(entry: RosterEntry) -> tuple[object, ...]:
    doctor = entry.practitioner_id
    # The clinic's own row may hold several sessions at a time, in several rooms.
    return entry.visit_date, entry.starts, entry.ends, doctor, None if doctor else entry.room_id


def _worst(found: Sequence[Conflict], ours: Collection[int]) -> dict[int, str]:
    """Which of our entries go next, and why: those that collide with what is there, all at once;
    else the latest that collides with another of ours; else those beyond somebody's week."""
    caps = [one for one in found if one.kind == ConflictKind.WEEK_CAP]
    others = [(one, one.keys & set(ours)) for one in found if one not in caps]
    outside = {key: one.sentence for one, keys in others if len(keys) == 1 for key in keys}
    if outside:
        return outside
    inside = {max(keys): one.sentence for one, keys in others if keys}
    if inside:
        last = max(inside)
        return {last: inside[last]}
    return {key: one.sentence for one in caps for key in one.keys & set(ours)}


def _wrong_sizes(wanted: Wanted | RosterEntry) -> dict[str, list[str]]:
    errors = {}
    if wanted.session_period not in SessionPeriod.values:
        errors["session_period"] = ["请选择午别。"]
    if not 1 <= wanted.capacity <= MOST_NUMBERS:
        errors["capacity"] = [f"限号应在 1–{MOST_NUMBERS} 之间。"]
    if not _SHORTEST_BAND <= wanted.band_minutes <= _LONGEST_BAND:
        errors["band_minutes"] = [f"每段应在 {_SHORTEST_BAND}–{_LONGEST_BAND} 分钟之间。"]
    if wanted.starts == wanted.ends:
        errors["ends"] = ["结束时间不能等于开始时间。"]
    return errors


def _sentence(no: Refusal) -> str:
    if isinstance(no, Invalid):
        return "".join(sentence for sentences in no.errors.values() for sentence in sentences)
    return no.message


def _who_changed(roster: Roster) -> str:
    name = identity.staff_names(actors=[roster.changed_by]).get(roster.changed_by, "系统")
    return (
        f"{name} {clock_text(roster.changed_at)} 改过这份排班表，您的这一步没有保存；"
        "请看过现在的内容再改。"
    )
