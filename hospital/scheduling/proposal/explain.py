"""Why there is no roster: what cannot hold together, and what would help.

Every rule but the needs' minimum only ever forbids, so leaving people out is always possible. First
the fewest missing people are found; then, around each session left short, the smallest stretch of
days that cannot be filled, and in it a set of which nothing can be left out (QuickXplain).
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from hospital.organisation.states import Title
from hospital.scheduling.proposal import aims, telling
from hospital.scheduling.proposal.book import Book
from hospital.scheduling.proposal.conflict import RELAXABLE, Conflict, Help, narrowed, smallest
from hospital.scheduling.proposal.model import Board, Effort
from hospital.scheduling.proposal.problem import (
    ONE_DAY,
    Leave,
    Need,
    Period,
    Person,
    Problem,
    Room,
    Roster,
    Rule,
    week_of,
)

MOST_CONFLICTS = 5
_CHECK_SECONDS = 5.0
_MOST_MORE = 3
Item = Rule | Leave | Need


@dataclass(frozen=True, slots=True)
class Unsolvable:
    """No roster keeps every rule; `nearest` breaks nothing but minimums, by `missing` people.

    `sentences` is what the office reads. `is_proven` is False where the time ran out before a
    roster was found and before it was certain that there is none.
    """

    sentences: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    nearest: Roster
    missing: int
    is_proven: bool
    seconds: float


class _Checks:
    """Small searches that share one allowance of time."""

    def __init__(self, effort: Effort, spent: float) -> None:
        self.effort = effort
        self.seconds = spent
        self._most = spent + effort.seconds

    def left(self, most: float) -> Effort:
        return replace(self.effort, seconds=min(most, max(0.1, self._most - self.seconds)))

    @property
    def is_spent(self) -> bool:
        return self.seconds >= self._most

    def is_impossible(self, problem: Problem) -> bool:
        """Whether it is proven that no roster exists."""
        effort = replace(self.left(_CHECK_SECONDS), workers=1)
        found = Board(problem).search(0, effort)
        self.seconds += found.seconds
        return found.roster is None and found.is_settled


def explain(problem: Problem, *, effort: Effort, spent: float = 0.0) -> Unsolvable:
    """The reasons, found in about as much time as the search itself was given."""
    checks = _Checks(effort, spent)
    board = Board(problem, is_short_allowed=True)
    fewest = board.search(sum(board.missing), checks.left(effort.seconds / 3))
    checks.seconds += fewest.seconds
    missing = fewest.cost
    nearest = _fair(problem, fewest.roster or (), missing, checks)
    conflicts = _conflicts(problem, nearest, checks) if missing else ()
    is_proven = bool(conflicts) or fewest.bound > 0
    told = {need for conflict in conflicts for need in conflict.needs}
    return Unsolvable(
        telling.sentences(
            problem,
            conflicts,
            at_least=max(1, fewest.bound),
            untold=len({need.place for need in short_of(problem, nearest) if need not in told}),
            is_proven=is_proven,
        ),
        conflicts,
        nearest,
        missing,
        is_proven,
        checks.seconds,
    )


def _fair(problem: Problem, roster: Roster, missing: int, checks: _Checks) -> Roster:
    """Among the rosters that miss as few people, one that is good as well."""
    board = Board(problem, is_short_allowed=True)
    board.model.add(sum(board.missing) <= missing)
    cost = aims.cost(board)
    board.hint(roster)
    found = board.search(cost, checks.left(checks.effort.seconds / 4))
    checks.seconds += found.seconds
    return roster if found.roster is None else found.roster


def short_of(problem: Problem, roster: Roster) -> list[Need]:
    """The needs a roster leaves below their minimum, as they come."""
    book = Book(problem, roster)
    return [need for need in problem.needs if book.count(need) < need.minimum]


def _conflicts(problem: Problem, nearest: Roster, checks: _Checks) -> tuple[Conflict, ...]:
    """One conflict after another, each without the needs of those before it."""
    found: list[Conflict] = []
    for need in short_of(problem, nearest):
        if checks.is_spent or len(found) == MOST_CONFLICTS:
            break
        told = {one for conflict in found for one in conflict.needs}
        if need in told:
            continue
        rest = replace(problem, needs=tuple(one for one in problem.needs if one not in told))
        conflict = _conflict(rest, need, checks)
        if conflict is not None:
            found.append(replace(conflict, help=_help(rest, conflict, checks)))
    return tuple(found)


def _conflict(problem: Problem, short: Need, checks: _Checks) -> Conflict | None:
    """The reason near this need, None where without the needs told before there is none."""
    for needs in _windows(problem, short):
        items = _items(problem, needs, short)
        if checks.is_impossible(narrowed(problem, items)):
            kept = smallest(items, lambda part: checks.is_impossible(narrowed(problem, part)))
            return Conflict(
                tuple(sorted((one for one in kept if isinstance(one, Need)), key=_when)),
                tuple(one for one in kept if isinstance(one, Leave)),
                frozenset(one for one in kept if isinstance(one, Rule)),
            )
    return None


def _windows(problem: Problem, short: Need) -> Iterator[tuple[Need, ...]]:
    """Wider and wider around the need, each only where it holds more than the one before."""
    run = problem.rules.longest_run * ONE_DAY
    monday = week_of(short.day)
    stretches: list[tuple[dt.date, dt.date]] = [
        (short.day, short.day),
        (short.day - ONE_DAY, short.day + ONE_DAY),
        (monday, monday + 6 * ONE_DAY),
        (short.day - run, short.day + run),
        (problem.from_date, problem.to_date),
    ]
    windows = [
        (short,),
        tuple(one for one in problem.needs if one.place[:2] == short.place[:2]),
        *(
            tuple(one for one in problem.needs if first <= one.day <= latest)
            for first, latest in stretches
        ),
    ]
    widest = 0
    for window in windows:
        if len(window) > widest:
            widest = len(window)
            yield window


def _items(problem: Problem, needs: Sequence[Need], short: Need) -> tuple[Item, ...]:
    """What may be the reason, the plainest first."""
    rules = [rule for rule in RELAXABLE if rule in problem.rules.hard]
    leaves = [
        leave
        for leave in problem.leaves
        if any(leave.covers(need.day, need.period) for need in needs)
    ]
    near = sorted(needs, key=lambda need: (abs(need.day - short.day), need != short, _when(need)))
    return (*rules, *leaves, *near)


def _when(need: Need) -> tuple[dt.date, int, str]:
    return need.day, list(Period).index(need.period), need.service


# ---------------------------------------------------------------- what would help


def _help(problem: Problem, conflict: Conflict, checks: _Checks) -> Help:
    inside = conflict.inside(problem)
    there = tuple(one for one in problem.fixed if one.place in inside.needs_at)
    return Help(
        fewer=tuple((need, _most(inside, need, checks)) for need in conflict.needs),
        more=tuple(
            (rule, amount)
            for rule in RELAXABLE
            if rule in conflict.rules
            if (amount := _least(partial(_grown, inside, rule), checks))
        ),
        people=_least(partial(_joined, inside), checks),
        is_fixed_in_the_way=any(
            len(kept) < len(problem.fixed) and not checks.is_impossible(replace(inside, fixed=kept))
            for kept in (there, ())
        ),
    )


def _most(inside: Problem, need: Need, checks: _Checks) -> int:
    """The largest minimum of this need that the others leave room for."""
    for minimum in range(need.minimum - 1, 0, -1):
        needs = tuple(replace(one, minimum=minimum) if one == need else one for one in inside.needs)
        if not checks.is_impossible(replace(inside, needs=needs)):
            return minimum
    return 0


def _least(changed: Callable[[int], Problem | None], checks: _Checks) -> int | None:
    """The smallest change that is enough, None where three are not or none can be made."""
    for amount in range(1, _MOST_MORE + 1):
        problem = changed(amount)
        if problem is not None and not checks.is_impossible(problem):
            return amount
    return None


def _grown(inside: Problem, rule: Rule, amount: int) -> Problem | None:
    rules = inside.rules
    if rule == Rule.DAY_CAP:
        return replace(inside, rules=replace(rules, day_cap=rules.day_cap + amount))
    if rule == Rule.RUN:
        return replace(inside, rules=replace(rules, longest_run=rules.longest_run + amount))
    if rule == Rule.WEEK_CAP:
        people = tuple(
            replace(one, week_cap=inside.week_cap_of(one) + amount) for one in inside.people
        )
        return replace(inside, people=people)
    if rule == Rule.ROOM:
        rooms = tuple(Room(f"+{number}", "") for number in range(amount))
        return replace(inside, rooms=(*inside.rooms, *rooms))
    return None


def _joined(inside: Problem, number: int) -> Problem:
    services = frozenset(need.service for need in inside.needs)
    people = tuple(Person(f"+{n}", "", Title.EMINENT, services) for n in range(number))
    return replace(inside, people=(*inside.people, *people))
