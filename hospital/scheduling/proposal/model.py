"""The hard rules as constraints for CP-SAT; the only file that imports the solver.

One yes-or-no variable for each person and session the person may have; what is fixed is a number,
not a variable, so that it can never make anything impossible by itself.
"""

import datetime as dt
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

from ortools.sat.python import cp_model

from hospital.scheduling.proposal.book import Book, Counts
from hospital.scheduling.proposal.problem import (
    ONE_DAY,
    Assignment,
    Need,
    Period,
    Person,
    Place,
    Problem,
    Roster,
    Rule,
    Seat,
    week_of,
)
from hospital.scheduling.proposal.rooms import free_rooms, furnish, used_rooms

Amount = cp_model.LinearExprT
Read = Callable[[Book], int]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search brought: a roster with rooms, its cost and what no roster can go below.

    `is_settled`: the cost is the least there is, or, without a roster, there is none.
    """

    roster: Roster | None
    cost: int
    bound: int
    is_settled: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to look."""

    seconds: float
    workers: int = 2
    seed: int = 1


class Board:
    """Variables and hard rules, and the search for a roster that keeps them."""

    def __init__(self, problem: Problem, *, is_short_allowed: bool = False) -> None:
        self.problem = problem
        self.model = cp_model.CpModel()
        self.fixed = Counts(problem.fixed)
        self.seats: dict[Seat, cp_model.IntVar] = {}
        self.missing: list[cp_model.IntVar] = []
        #: How to read every other variable from a finished roster, for hints.
        self._read: list[tuple[cp_model.IntVar, Read]] = []
        self._worked: dict[tuple[str, dt.date], Amount] = {}
        self._at_place: dict[Place, list[tuple[str, cp_model.IntVar]]] = {}
        self._at_time: dict[tuple[str, dt.date, Period], list[cp_model.IntVar]] = {}
        self._on_day: dict[tuple[str, dt.date], list[cp_model.IntVar]] = {}
        self._make_seats()
        self._keep_caps()
        self._keep_runs()
        self._keep_rests()
        self._keep_places(is_short_allowed=is_short_allowed)
        self._keep_rooms()

    # ------------------------------------------------------------ hard rules

    def _make_seats(self) -> None:
        decided = {one.seat for one in self.problem.fixed}
        for place in self.problem.needs_at:
            day, period, service = place
            for person in self.problem.people:
                seat = (person.id, day, period, service)
                is_free = not self.fixed.busy[person.id, day, period]
                if seat in decided or not is_free or not self.problem.may_sit(person.id, place):
                    continue
                taken = self.model.new_bool_var("")
                self.seats[seat] = taken
                self._at_place.setdefault(place, []).append((person.id, taken))
                self._at_time.setdefault((person.id, day, period), []).append(taken)
                self._on_day.setdefault((person.id, day), []).append(taken)
        for times in self._at_time.values():
            self.model.add_at_most_one(times)

    def _keep_caps(self) -> None:
        hard, rules = self.problem.rules.hard, self.problem.rules
        if Rule.DAY_CAP in hard:
            for key, taken in self._on_day.items():
                self._at_most(taken, rules.day_cap - self.fixed.per_day[key])
        if Rule.WEEK_CAP in hard:
            for person in self.problem.people:
                self._keep_week_cap(person)

    def _keep_week_cap(self, person: Person) -> None:
        for monday, days in itertools.groupby(self.problem.days, key=week_of):
            taken = [var for day in days for var in self._on_day.get((person.id, day), ())]
            left = self.problem.week_cap_of(person) - self.fixed.in_week(person.id, monday)
            self._at_most(taken, left)

    def _keep_runs(self) -> None:
        if Rule.RUN not in self.problem.rules.hard:
            return
        longest = self.problem.rules.longest_run
        latest = (self.problem.to_date - self.problem.from_date).days
        for person in self.problem.people:
            for start in range(-longest, latest):
                days = [self.problem.from_date + (start + n) * ONE_DAY for n in range(longest + 1)]
                if all(self.fixed.per_day[person.id, day] for day in days):
                    continue
                worked = [self.worked(person.id, day) for day in days]
                if 0 not in [one for one in worked if isinstance(one, int)]:
                    self.model.add(sum(worked) <= longest)

    def _keep_rests(self) -> None:
        if Rule.REST not in self.problem.rules.hard:
            return
        for person in self.problem.people:
            for night in (self.problem.from_date - ONE_DAY, *self.problem.days):
                for period in self.problem.rules.rest_periods:
                    self._keep_rest(person.id, night, period)

    def _keep_rest(self, person: str, night: dt.date, period: Period) -> None:
        clash = self.clash(person, night, period)
        if clash is not None:
            self.model.add(sum(clash) <= 1)

    def clash(self, person: str, night: dt.date, period: Period) -> list[Amount] | None:
        """What must not be 2: the night's sessions and those of a period of the next day.

        None where no choice is left, because one of them cannot be or both are fixed.
        """
        parts: list[Amount] = []
        for key in ((person, night, Period.NIGHT), (person, night + ONE_DAY, period)):
            taken = self._at_time.get(key, [])
            if not taken and not self.fixed.busy[key]:
                return None
            parts.append(1 if self.fixed.busy[key] else cp_model.LinearExpr.sum(taken))
        return None if all(isinstance(part, int) for part in parts) else parts

    def _keep_places(self, *, is_short_allowed: bool) -> None:
        for place, needs in self.problem.needs_at.items():
            there = [taken for _, taken in self._at_place.get(place, [])]
            self._at_most(there, self.problem.most_at(place) - self.fixed.at_place[place])
            for need in needs:
                if is_short_allowed and need.minimum:
                    self.missing.append(self.gap(need, need.minimum))
                elif not is_short_allowed:
                    self._at_least(self._counting(need), need.minimum - self._decided(need))

    def _keep_rooms(self) -> None:
        if Rule.ROOM not in self.problem.rules.hard:
            return
        times: dict[tuple[dt.date, Period], list[Place]] = {}
        for place in self._at_place:
            if self.problem.service_by_id[place[2]].needs_room:
                times.setdefault(place[:2], []).append(place)
        for time, places in times.items():
            self._keep_rooms_at(time, places)

    def _keep_rooms_at(self, time: tuple[dt.date, Period], places: list[Place]) -> None:
        """Rooms alike for these places are one kind; each place draws so many of each kind."""
        used = used_rooms(self.problem.fixed, time)
        kinds: dict[frozenset[Place], list[str]] = {}
        for room in free_rooms(self.problem, time, used):
            serves = self.problem.room_by_id[room].serves
            kinds.setdefault(frozenset(one for one in places if serves(one[2])), []).append(room)
        most = sum(self.problem.most_at(place) for place in places)
        if len(kinds.get(frozenset(places), ())) >= most:
            return
        drawn: dict[Place, list[cp_model.IntVar]] = {place: [] for place in places}
        for kind, rooms in kinds.items():
            draws = [self._draw(place, rooms) for place in places if place in kind]
            self.model.add(cp_model.LinearExpr.sum(draws) <= len(rooms))
            for place, draw in zip((one for one in places if one in kind), draws, strict=True):
                drawn[place].append(draw)
        for place in places:
            there = cp_model.LinearExpr.sum([taken for _, taken in self._at_place[place]])
            self.model.add(there == cp_model.LinearExpr.sum(drawn[place]))

    def _draw(self, place: Place, rooms: list[str]) -> cp_model.IntVar:
        return self.variable(len(rooms), lambda book: book.chosen_in(place, rooms))

    # ------------------------------------------------------------ amounts

    def variable(self, most: int, read: Read) -> cp_model.IntVar:
        """A number from 0 to `most`, and how a finished roster gives it."""
        made = self.model.new_int_var(0, most, "")
        self._read.append((made, read))
        return made

    def worked(self, person: str, day: dt.date) -> Amount:
        """1 on a day with any session: a number where that is decided, else a variable."""
        key = (person, day)
        if key not in self._worked:
            taken = self._on_day.get(key, [])
            if self.fixed.per_day[key] or not taken:
                self._worked[key] = min(1, self.fixed.per_day[key])
            else:
                works = self.variable(1, lambda book: min(1, book.per_day[key]))
                self.model.add_max_equality(works, taken)
                self._worked[key] = works
        return self._worked[key]

    def busy(self, person: str, day: dt.date, period: Period) -> Amount:
        """1 where the person has a session at that time."""
        key = (person, day, period)
        taken = self._at_time.get(key, [])
        if self.fixed.busy[key] or not taken:
            return min(1, self.fixed.busy[key])
        return cp_model.LinearExpr.sum(taken)

    def gap(self, need: Need, wanted: int) -> cp_model.IntVar:
        """How many people are not there; as large as it must be, if something makes it small."""
        short = self.variable(wanted, lambda book: max(0, wanted - book.count(need)))
        self._at_least([*self._counting(need), short], wanted - self._decided(need))
        return short

    def _counting(self, need: Need) -> list[cp_model.IntVar]:
        there = self._at_place.get(need.place, [])
        return [taken for person, taken in there if self.problem.meets(person, need)]

    def _decided(self, need: Need) -> int:
        return sum(
            1
            for one in self.problem.fixed_inside
            if one.place == need.place and self.problem.meets(one.person, need)
        )

    def _at_most(self, taken: list[cp_model.IntVar], limit: int) -> None:
        if len(taken) > limit:
            self.model.add(cp_model.LinearExpr.sum(taken) <= max(0, limit))

    def _at_least(self, taken: list[cp_model.IntVar], limit: int) -> None:
        if limit > 0:
            self.model.add(cp_model.LinearExpr.sum(taken) >= limit)

    # ------------------------------------------------------------ looking

    def hint(self, roster: Roster) -> None:
        """Begin with this roster, as far as it can be."""
        book = Book(self.problem, roster)
        for seat, taken in self.seats.items():
            self.model.add_hint(taken, int(seat in book.seats))
        for variable, read in self._read:
            self.model.add_hint(variable, read(book))

    def search(self, cost: Amount, effort: Effort) -> Found:
        """The roster of least cost that can be found in the time."""
        self.model.minimize(cost)
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = max(0.01, effort.seconds)
        solver.parameters.num_workers = effort.workers
        solver.parameters.random_seed = effort.seed
        # Little to be gained by probing and symmetry here, and the time is short.
        solver.parameters.cp_model_probing_level = 0
        solver.parameters.symmetry_level = 0
        if effort.workers > 1:
            # Of the searches over everything, the one that raises the bound; the rest mend rosters.
            solver.parameters.subsolvers.append("max_lp")
        status = solver.solve(self.model)
        if status == cp_model.MODEL_INVALID:
            raise ValueError(self.model.validate())
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            is_settled = status == cp_model.INFEASIBLE
            return Found(None, 0, 0, is_settled, solver.wall_time)
        chosen = [
            Assignment(day, period, service, person)
            for (person, day, period, service), taken in self.seats.items()
            if solver.boolean_value(taken)
        ]
        return Found(
            furnish(self.problem, (*self.problem.fixed_inside, *chosen)),
            round(solver.objective_value),
            math.ceil(solver.best_objective_bound - 1e-6),
            status == cp_model.OPTIMAL,
            solver.wall_time,
        )
