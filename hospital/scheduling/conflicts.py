"""What speaks against a roster, each explained in a sentence (M15.2). Pure.

It looks at the sessions of one department's week, and at everybody else's of that week and the
days around it: a night of Sunday reaches into Monday, and a doctor may sit in two departments.
"""

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hospital.scheduling.states import SessionPeriod
from hospital.ui.wording import clock_text, day_text, weekday_text

_ONE_DAY: Final = dt.timedelta(days=1)


class ConflictKind(StrEnum):
    """M15.2's list, and what else would make a session nobody could hold or book."""

    PRACTITIONER_TWICE = "practitioner_twice"
    ROOM_TWICE = "room_twice"
    ON_LEAVE = "on_leave"
    LICENCE_OVER = "licence_over"
    NOT_IN_FORCE = "not_in_force"
    ROLE_OVER = "role_over"
    WEEK_CAP = "week_cap"
    NIGHT_THEN_MORNING = "night_then_morning"
    SAME_PERIOD = "same_period"
    NO_FEE = "no_fee"
    OFF_CALENDAR = "off_calendar"


#: These warn; everything else is refused.
_WARNINGS: Final = frozenset(
    {
        ConflictKind.NIGHT_THEN_MORNING,
        ConflictKind.SAME_PERIOD,
        ConflictKind.NO_FEE,
        ConflictKind.OFF_CALENDAR,
    }
)


_WORDS: Final = {
    ConflictKind.PRACTITIONER_TWICE: "医生重复",
    ConflictKind.ROOM_TWICE: "诊室重复",
    ConflictKind.ON_LEAVE: "已请假",
    ConflictKind.LICENCE_OVER: "执业证到期",
    ConflictKind.NOT_IN_FORCE: "已停用",
    ConflictKind.ROLE_OVER: "没有任职",
    ConflictKind.WEEK_CAP: "超过次数",
    ConflictKind.NIGHT_THEN_MORNING: "夜班次日",
    ConflictKind.SAME_PERIOD: "同午别两次",
    ConflictKind.NO_FEE: "没有定价",
    ConflictKind.OFF_CALENDAR: "按日历不开",
}


@dataclass(frozen=True, slots=True)
class Duty:
    """One session as the rosters have it; times in UTC. `key` is its entry's id on the roster
    looked at, None for whatever else there is.

    One that is called off (停诊) still keeps doctor and room, and nothing else is asked of it.
    `off_calendar` names the holiday, or the exchanged day, on which its template has no session.
    """

    key: int | None
    day: dt.date
    period: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    practitioner_id: int | None
    room_id: int
    service_type_id: int
    department_id: int
    department: str
    is_off: bool = False
    off_calendar: str = ""

    def overlaps(self, other: "Duty") -> bool:
        """Whether the two are, even for a minute, at the same time."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(frozen=True, slots=True)
class Standing:
    """What something is called and from when until when it may be used: half-open days."""

    name: str
    is_active: bool
    valid_from: dt.date | None
    valid_to: dt.date | None

    def is_in_force(self, day: dt.date) -> bool:
        begun = self.valid_from is None or self.valid_from <= day
        return self.is_active and begun and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True)
class Person:
    """A doctor: the last day of the licence, the half-open periods in the roster's department,
    and how many sessions a week are the most."""

    standing: Standing
    title: str
    licence_end_date: dt.date
    here: tuple[tuple[dt.date, dt.date | None], ...]
    week_cap: int

    @property
    def name(self) -> str:
        return self.standing.name

    def works_here(self, day: dt.date) -> bool:
        return any(start <= day and (end is None or day < end) for start, end in self.here)


@dataclass(frozen=True, slots=True)
class Away:
    """An approved leave; moments in UTC."""

    practitioner_id: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Week:
    """All that is needed to judge a roster. `others` are the sessions of other departments and
    of the days around; `fees` are the pairs of service type and title that have a price."""

    monday: dt.date
    duties: Sequence[Duty]
    others: Sequence[Duty]
    people: Mapping[int, Person]
    rooms: Mapping[int, Standing]
    services: Mapping[int, Standing]
    away: Sequence[Away]
    fees: frozenset[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Conflict:
    """One thing that speaks against the entries `keys`."""

    kind: ConflictKind
    keys: frozenset[int]
    sentence: str

    @property
    def is_refused(self) -> bool:
        return self.kind not in _WARNINGS

    @property
    def word(self) -> str:
        """What it is in a word or two, for the cell."""
        return _WORDS[self.kind]


def find(week: Week) -> list[Conflict]:
    """Everything that speaks against a week's roster, refused ones first, then by day."""
    found = [
        *_in_pairs(week),
        *itertools.chain.from_iterable(_alone(week, one) for one in week.duties if not one.is_off),
        *_caps(week),
    ]
    day_of = {duty.key: duty.starts_at for duty in week.duties}
    return sorted(
        dict.fromkeys(found),
        key=lambda one: (not one.is_refused, min(day_of[key] for key in one.keys), one.sentence),
    )


def when(day: dt.date, period: str) -> str:
    """A place in the week as people say it: "11月24日（周二）上午"."""
    return f"{day_text(day)}（{weekday_text(day)}）{SessionPeriod(period).label}"


def _in_pairs(week: Week) -> Iterable[Conflict]:
    by_person: dict[int, list[Duty]] = {}
    by_room: dict[int, list[Duty]] = {}
    for duty in (*week.duties, *week.others):
        by_room.setdefault(duty.room_id, []).append(duty)
        if duty.practitioner_id is not None:
            by_person.setdefault(duty.practitioner_id, []).append(duty)
    for person_id, duties in by_person.items():
        for one, other in _pairs(duties):
            yield from _of_one_person(week.people[person_id].name, one, other)
    for room_id, duties in by_room.items():
        for one, other in _pairs(duties):
            if one.overlaps(other):
                yield Conflict(
                    ConflictKind.ROOM_TWICE,
                    _keys(one, other),
                    f"{week.rooms[room_id].name} {_when(one)}排了两次出诊："
                    f"{_whose(week, one)}、{_whose(week, other)}。",
                )


def _pairs(duties: list[Duty]) -> Iterable[tuple[Duty, Duty]]:
    """Pairs with at least one session of the roster, that one first."""
    duties.sort(key=lambda duty: (duty.key is None, duty.starts_at, duty.key or 0))
    return (pair for pair in itertools.combinations(duties, 2) if pair[0].key is not None)


def _of_one_person(name: str, one: Duty, other: Duty) -> Iterable[Conflict]:
    keys = _keys(one, other)
    if one.overlaps(other):
        yield Conflict(
            ConflictKind.PRACTITIONER_TWICE,
            keys,
            f"{name} {_when(one)}排了两次出诊，时间重叠：{_where(one)}、{_where(other)}。",
        )
    elif (one.day, one.period) == (other.day, other.period):
        yield Conflict(
            ConflictKind.SAME_PERIOD,
            keys,
            f"{name} {_when(one)}排了两次出诊，时间前后相接，请确认。",
        )
    for night, morning in ((one, other), (other, one)):
        if (
            night.period == SessionPeriod.NIGHT
            and morning.period == SessionPeriod.AM
            and morning.day == night.day + _ONE_DAY
        ):
            yield Conflict(
                ConflictKind.NIGHT_THEN_MORNING,
                keys,
                f"{name} {day_text(night.day)}值夜班，第二天上午又出诊，请确认能否休息。",
            )


def _alone(week: Week, duty: Duty) -> Iterable[Conflict]:
    keys = _keys(duty)
    for standing in (week.rooms[duty.room_id], week.services[duty.service_type_id]):
        if not standing.is_in_force(duty.day):
            yield Conflict(
                ConflictKind.NOT_IN_FORCE,
                keys,
                f"{standing.name} 在{_when(duty)}不能使用：已停用。",
            )
    if duty.off_calendar:
        yield Conflict(
            ConflictKind.OFF_CALENDAR,
            keys,
            f"{_when(duty)}是{duty.off_calendar}，{_whose(week, duty)}按出诊模板不开，请确认。",
        )
    person = week.people.get(duty.practitioner_id or 0)
    title = person.title if person else ""
    if (duty.service_type_id, title) not in week.fees:
        yield Conflict(
            ConflictKind.NO_FEE,
            keys,
            f"{week.services[duty.service_type_id].name} 没有定这个职称的挂号费，患者约不了。",
        )
    if person is not None:
        yield from _of_its_doctor(week, duty, person)


def _of_its_doctor(week: Week, duty: Duty, person: Person) -> Iterable[Conflict]:
    keys = _keys(duty)
    if duty.day > person.licence_end_date:
        until = person.licence_end_date
        yield Conflict(
            ConflictKind.LICENCE_OVER,
            keys,
            f"{person.name} 的执业证 {until} 到期，{_when(duty)}不能排班。",
        )
    if not person.standing.is_in_force(duty.day):
        yield Conflict(
            ConflictKind.NOT_IN_FORCE, keys, f"{person.name} {_when(duty)}已停用，不能排班。"
        )
    elif not person.works_here(duty.day):
        yield Conflict(
            ConflictKind.ROLE_OVER,
            keys,
            f"{person.name} {_when(duty)}在{duty.department}没有任职，不能排班。",
        )
    for away in week.away:
        if (
            away.practitioner_id == duty.practitioner_id
            and away.starts_at < duty.ends_at
            and duty.starts_at < away.ends_at
        ):
            yield Conflict(
                ConflictKind.ON_LEAVE,
                keys,
                f"{person.name} {_when(duty)}请假（{away.reason}），不能排班。",
            )


def _caps(week: Week) -> Iterable[Conflict]:
    sunday = week.monday + 6 * _ONE_DAY
    by_person: dict[int, list[Duty]] = {}
    for duty in (*week.others, *week.duties):
        is_counted = week.monday <= duty.day <= sunday and not duty.is_off
        if duty.practitioner_id is not None and is_counted:
            by_person.setdefault(duty.practitioner_id, []).append(duty)
    for person_id, duties in by_person.items():
        person = week.people[person_id]
        beyond = len(duties) - person.week_cap
        own = sorted((duty for duty in duties if duty.key is not None), key=_start)
        if beyond > 0 and own:
            yield Conflict(
                ConflictKind.WEEK_CAP,
                _keys(*own[-beyond:]),
                f"{person.name} 本周排了 {len(duties)} 次，最多 {person.week_cap} 次。",
            )


def _start(duty: Duty) -> dt.datetime:
    return duty.starts_at


def _when(duty: Duty) -> str:
    return when(duty.day, duty.period)


def _where(duty: Duty) -> str:
    return f"{duty.department} {clock_text(duty.starts_at)}–{clock_text(duty.ends_at)}"


def _whose(week: Week, duty: Duty) -> str:
    person = week.people.get(duty.practitioner_id or 0)
    return f"{person.name if person else '不指定医生'}（{_where(duty)}）"


def _keys(*duties: Duty) -> frozenset[int]:
    return frozenset(duty.key for duty in duties if duty.key is not None)
