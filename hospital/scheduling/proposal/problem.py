"""What is asked of a roster: people, sessions wanted, rooms, leave, wishes, rules. Values only.

Days are hospital days and every stretch of them is half-open. Ids are whatever the caller uses;
names are there for the sentences people read.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from hospital.organisation.states import Title

ONE_DAY = dt.timedelta(days=1)
_HIGHEST_FIRST = tuple(Title)


class Period(StrEnum):
    """午别, and the duty of the night, which starts on its day and ends the next morning."""

    AM = "am"
    NOON = "noon"
    PM = "pm"
    EVENING = "evening"
    NIGHT = "night"

    @property
    def label(self) -> str:
        return _PERIOD_LABELS[self]


_PERIOD_LABELS = {
    Period.AM: "上午",
    Period.NOON: "中午",
    Period.PM: "下午",
    Period.EVENING: "晚上",
    Period.NIGHT: "夜班",
}


class Rule(StrEnum):
    """What a roster must not break."""

    TWICE = "twice"
    LEAVE = "leave"
    SKILL = "skill"
    TITLE = "title"
    ROOM = "room"
    DAY_CAP = "day_cap"
    WEEK_CAP = "week_cap"
    RUN = "run"
    REST = "rest"
    COVER = "cover"
    OVER = "over"
    FIXED = "fixed"


class Mind(StrEnum):
    """What somebody said about a day."""

    WANTS = "wants"
    RATHER_NOT = "rather_not"


@dataclass(frozen=True, slots=True)
class Person:
    """`contract_days` are the days of this stretch the person should work, None: as it comes."""

    id: str
    name: str
    title: Title
    services: frozenset[str]
    week_cap: int | None = None
    contract_days: int | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """号别, or a duty that is no clinic: then it needs no room."""

    id: str
    name: str
    needs_room: bool = True


@dataclass(frozen=True, slots=True)
class Need:
    """At least `minimum` people, `target` if it can be, of this title or above.

    One session may have several: three people, one of them a chief, is two needs. Whoever meets
    the title of one of them may sit there, and the largest target is the most that may.
    """

    day: dt.date
    period: Period
    service: str
    minimum: int
    target: int
    minimum_title: Title | None = None

    @property
    def place(self) -> "Place":
        return (self.day, self.period, self.service)


Place = tuple[dt.date, Period, str]
Seat = tuple[str, dt.date, Period, str]


@dataclass(frozen=True, slots=True)
class Room:
    """No `services` means any; `taken` are the times somebody else sits there."""

    id: str
    name: str
    services: frozenset[str] = frozenset()
    taken: frozenset[tuple[dt.date, Period]] = frozenset()

    def serves(self, service: str) -> bool:
        return not self.services or service in self.services


@dataclass(frozen=True, slots=True)
class Leave:
    """Whenever the person cannot be had, also for want of a licence or a role.

    No `periods` means the whole of each day.
    """

    person: str
    from_date: dt.date
    to_date: dt.date
    periods: frozenset[Period] = frozenset()

    def covers(self, day: dt.date, period: Period) -> bool:
        in_days = self.from_date <= day < self.to_date
        return in_days and (not self.periods or period in self.periods)


@dataclass(frozen=True, slots=True)
class Wish:
    """`weight` is 1 to 3; no `period` means the day."""

    person: str
    day: dt.date
    mind: Mind
    period: Period | None = None
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Past:
    """Days of rest worked, and nights, in the last quarter.

    Who has no row (somebody new) counts as the mean of the others: nobody has to catch up.
    """

    person: str
    rest_days: int
    nights: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """One person in one session; a roster is a tuple of these."""

    day: dt.date
    period: Period
    service: str
    person: str
    room: str | None = None

    @property
    def place(self) -> Place:
        return (self.day, self.period, self.service)

    @property
    def seat(self) -> Seat:
        """Who sits where, whatever the room."""
        return (self.person, self.day, self.period, self.service)


Roster = tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers a hospital chooses. A rule outside `hard` is not kept; REST then costs points.

    Weights are points for each time: lower scores are better. The fairness weights multiply
    squares, so that the tenth weekend of one person costs more than the first of another.
    """

    day_cap: int = 2
    week_cap: int = 10
    longest_run: int = 6
    rest_periods: tuple[Period, ...] = (Period.AM, Period.NOON)
    hard: frozenset[Rule] = frozenset(Rule)
    target_weight: int = 100
    wish_weight: int = 10
    rest_weight: int = 50
    rest_day_weight: int = 1
    night_weight: int = 1
    days_weight: int = 5
    habit_weight: int = 2


@dataclass(frozen=True)
class Problem:
    """One department from `from_date` up to, not including, `to_date`.

    `fixed` has been decided: inside the stretch it stays, outside it counts for weeks, rest and
    runs across the border. It was somebody's decision and is not judged again: a rule that it
    breaks by itself is broken only by what comes on top. `template` is the roster made by hand,
    with what is fixed in it: the proposal keeps to it where that costs nothing else, and is never
    worse. `rest_days` are weekends and holidays after exchanged days (调休).
    """

    from_date: dt.date
    to_date: dt.date
    people: tuple[Person, ...]
    services: tuple[Service, ...]
    needs: tuple[Need, ...]
    rooms: tuple[Room, ...] = ()
    leaves: tuple[Leave, ...] = ()
    wishes: tuple[Wish, ...] = ()
    past: tuple[Past, ...] = ()
    fixed: Roster = ()
    template: Roster = ()
    rest_days: frozenset[dt.date] = frozenset()
    rules: Rules = field(default_factory=Rules)

    def __post_init__(self) -> None:
        for name, ids in (
            ("person", [row.id for row in self.people]),
            ("service", [row.id for row in self.services]),
            ("room", [row.id for row in self.rooms]),
        ):
            if len(set(ids)) < len(ids):
                raise ValueError(f"a {name} is there twice")
        for need in self.needs:
            if not self.from_date <= need.day < self.to_date:
                raise ValueError(f"a need on {need.day} lies outside the stretch")
            if need.service not in self.service_by_id:
                raise ValueError(f"a need for the unknown service {need.service}")
            if not 0 <= need.minimum <= need.target:
                raise ValueError("a need wants more than its target")

    @cached_property
    def days(self) -> tuple[dt.date, ...]:
        return tuple(
            self.from_date + number * ONE_DAY
            for number in range((self.to_date - self.from_date).days)
        )

    @cached_property
    def person_by_id(self) -> Mapping[str, Person]:
        return {person.id: person for person in self.people}

    @cached_property
    def service_by_id(self) -> Mapping[str, Service]:
        return {service.id: service for service in self.services}

    @cached_property
    def room_by_id(self) -> Mapping[str, Room]:
        return {room.id: room for room in self.rooms}

    @cached_property
    def needs_at(self) -> Mapping[Place, tuple[Need, ...]]:
        found: dict[Place, list[Need]] = {}
        for need in self.needs:
            found.setdefault(need.place, []).append(need)
        return {place: tuple(needs) for place, needs in found.items()}

    @cached_property
    def fixed_inside(self) -> Roster:
        return tuple(one for one in self.fixed if self.from_date <= one.day < self.to_date)

    @cached_property
    def fixed_outside(self) -> Roster:
        return tuple(one for one in self.fixed if not self.from_date <= one.day < self.to_date)

    @cached_property
    def burden(self) -> Mapping[str, tuple[int, int]]:
        """Rest days and nights each person brings along, above the least of anybody."""
        ids = [person.id for person in self.people]
        known = {row.person: (row.rest_days, row.nights) for row in self.past if row.person in ids}
        rest_days = _levelled({one: counts[0] for one, counts in known.items()}, ids)
        nights = _levelled({one: counts[1] for one, counts in known.items()}, ids)
        return {one: (rest_days[one], nights[one]) for one in ids}

    @cached_property
    def habits(self) -> frozenset[Seat]:
        """The template's seats that could be kept."""
        return frozenset(one.seat for one in self.template if self.may_sit(one.person, one.place))

    def is_on_leave(self, person: str, day: dt.date, period: Period) -> bool:
        return any(leave.covers(day, period) for leave in self._leaves_of.get(person, ()))

    @cached_property
    def _leaves_of(self) -> Mapping[str, list[Leave]]:
        found: dict[str, list[Leave]] = {}
        for leave in self.leaves:
            found.setdefault(leave.person, []).append(leave)
        return found

    def week_cap_of(self, person: Person) -> int:
        return self.rules.week_cap if person.week_cap is None else person.week_cap

    def most_at(self, place: Place) -> int:
        """How many may sit there; nobody asked for means nobody."""
        return max((need.target for need in self.needs_at.get(place, ())), default=0)

    def meets(self, person: str, need: Need) -> bool:
        """Whether the person's title counts for the need."""
        if need.minimum_title is None or Rule.TITLE not in self.rules.hard:
            return True
        known = self.person_by_id.get(person)
        if known is None:
            return False
        return _HIGHEST_FIRST.index(known.title) <= _HIGHEST_FIRST.index(need.minimum_title)

    def may_sit(self, person: str, place: Place) -> bool:
        """Whether nothing about this person alone speaks against this session."""
        day, period, service = place
        known, hard = self.person_by_id.get(person), self.rules.hard
        if known is None or (Rule.SKILL in hard and service not in known.services):
            return False
        if Rule.LEAVE in hard and self.is_on_leave(person, day, period):
            return False
        return any(self.meets(person, need) for need in self.needs_at.get(place, ()))


def weekends(from_date: dt.date, to_date: dt.date) -> frozenset[dt.date]:
    """Saturdays and Sundays, for who knows no holidays."""
    days = (from_date + number * ONE_DAY for number in range((to_date - from_date).days))
    return frozenset(day for day in days if day.isoweekday() >= 6)


def week_of(day: dt.date) -> dt.date:
    """The Monday of the day's week."""
    return day - (day.isoweekday() - 1) * ONE_DAY


def _levelled(counts: Mapping[str, int], ids: Iterable[str]) -> dict[str, int]:
    mean = round(sum(counts.values()) / len(counts)) if counts else 0
    least = min(counts.values(), default=0)
    return {one: counts.get(one, mean) - least for one in ids}
