"""A roster looked up in the ways the rules ask. Pure."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator

from hospital.scheduling.proposal.problem import (
    ONE_DAY,
    Need,
    Period,
    Place,
    Problem,
    Roster,
)


class Counts:
    """How many sessions of some assignments fall together."""

    def __init__(self, roster: Roster) -> None:
        self.at_place: Counter[Place] = Counter(one.place for one in roster)
        self.busy: Counter[tuple[str, dt.date, Period]] = Counter(
            (one.person, one.day, one.period) for one in roster
        )
        self.per_day: Counter[tuple[str, dt.date]] = Counter(
            (one.person, one.day) for one in roster
        )
        self.in_room: Counter[tuple[str, dt.date, Period]] = Counter(
            (one.room, one.day, one.period) for one in roster if one.room is not None
        )

    def in_week(self, person: str, monday: dt.date) -> int:
        return sum(self.per_day[person, monday + number * ONE_DAY] for number in range(7))


class Book(Counts):
    """A roster together with what is fixed around its stretch; `fixed` counts the latter and what
    is fixed inside."""

    def __init__(self, problem: Problem, roster: Roster) -> None:
        super().__init__((*roster, *problem.fixed_outside))
        self.problem = problem
        self.roster = roster
        self.fixed = Counts(problem.fixed)
        decided = frozenset(problem.fixed_inside)
        #: What the roster adds to what is fixed.
        self.chosen = tuple(one for one in roster if one not in decided)
        self.seats = frozenset(one.seat for one in roster)
        self._people_at: dict[Place, list[str]] = {}
        for one in roster:
            self._people_at.setdefault(one.place, []).append(one.person)

    def count(self, need: Need) -> int:
        """How many people of the need's title sit there."""
        people = self._people_at.get(need.place, ())
        return sum(1 for person in people if self.problem.meets(person, need))

    def chosen_in(self, place: Place, rooms: Collection[str]) -> int:
        """Sessions of that place in one of these rooms, without what is fixed."""
        return sum(1 for one in self.chosen if one.place == place and one.room in rooms)

    def rest_days(self, person: str) -> int:
        days = self.problem.rest_days
        return sum(1 for day in self.problem.days if day in days and self.per_day[person, day])

    def nights(self, person: str) -> int:
        return sum(1 for day in self.problem.days if self.busy[person, day, Period.NIGHT])

    def days(self, person: str) -> int:
        return sum(1 for day in self.problem.days if self.per_day[person, day])

    def runs(self, person: str) -> Iterator[list[dt.date]]:
        """Each stretch of days worked without a day off, as far as it matters here."""
        reach = (self.problem.rules.longest_run + 1) * ONE_DAY
        day, run = self.problem.from_date - reach, list[dt.date]()
        while day < self.problem.to_date + reach:
            if self.per_day[person, day]:
                run.append(day)
            elif run:
                yield run
                run = []
            day += ONE_DAY
        if run:
            yield run

    def short_rests(self, person: str) -> list[tuple[dt.date, Period]]:
        """Each night and the period of the next day that follows it too soon."""
        before = (self.problem.from_date - ONE_DAY, *self.problem.days)
        return [
            (night, period)
            for night in before
            for period in self.problem.rules.rest_periods
            if self.is_short_rest(person, night, period)
        ]

    def is_short_rest(self, person: str, night: dt.date, period: Period) -> bool:
        duty, after = (person, night, Period.NIGHT), (person, night + ONE_DAY, period)
        is_decided = self.fixed.busy[duty] and self.fixed.busy[after]
        return bool(self.busy[duty] and self.busy[after] and not is_decided)
