"""A month's roster proposed for a big department, beside the one a careful clerk makes by hand.

`python -m benchmarks.rosters` prints the section alone; it needs no database.
"""

import datetime as dt
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hospital.organisation.states import Title
from hospital.scheduling.proposal.explain import Unsolvable
from hospital.scheduling.proposal.problem import (
    ONE_DAY,
    Assignment,
    Leave,
    Mind,
    Need,
    Past,
    Period,
    Person,
    Problem,
    Room,
    Roster,
    Rules,
    Service,
    Wish,
    week_of,
    weekends,
)
from hospital.scheduling.proposal.rooms import furnish
from hospital.scheduling.proposal.score import Aim, Score, judge
from hospital.scheduling.proposal.solve import Proposal, propose

PEOPLE = 60
FROM = dt.date(2026, 3, 1)
TO = dt.date(2026, 4, 1)
LIMIT_SECONDS = 60.0
SEARCH_SECONDS = 45.0
_TITLES = (
    *[Title.CHIEF] * 12,
    *[Title.ASSOCIATE_CHIEF] * 16,
    *[Title.ATTENDING] * 20,
    *[Title.RESIDENT] * 12,
)
EXPERT = Service("expert", "专家门诊")
SPECIALTY = Service("specialty", "专科门诊")
GENERAL = Service("general", "普通门诊")
DUTY = Service("duty", "病房值班", needs_room=False)
#: Period, service, at least, wished for, lowest title: on working days, and on days of rest.
_WORKING = (
    (Period.AM, EXPERT, 5, 7, Title.ASSOCIATE_CHIEF),
    (Period.AM, SPECIALTY, 4, 5, Title.ATTENDING),
    (Period.AM, GENERAL, 4, 6, None),
    (Period.NOON, GENERAL, 1, 2, None),
    (Period.PM, EXPERT, 4, 6, Title.ASSOCIATE_CHIEF),
    (Period.PM, SPECIALTY, 3, 4, Title.ATTENDING),
    (Period.PM, GENERAL, 4, 5, None),
    (Period.EVENING, GENERAL, 2, 3, None),
)
_RESTING = (
    (Period.AM, EXPERT, 1, 2, Title.ASSOCIATE_CHIEF),
    (Period.AM, GENERAL, 3, 4, None),
    (Period.PM, GENERAL, 2, 3, None),
)
_NIGHT = (
    (Period.NIGHT, DUTY, 2, 2, None),
    (Period.NIGHT, DUTY, 1, 1, Title.ATTENDING),
)


_SECTION = """## A roster proposed for {people} practitioners and {days} days

{sessions} sessions wanted by {needs} needs, {rooms} rooms, {leaves} people away for a week,
{wishes} wishes, a quarter of weekends and nights behind everybody. By hand: a clerk who goes day by
day, fills nights and scarce titles first, takes whoever has had fewest nights or weekends, else the
usual doctor of the weekday, and breaks no rule. Proposed: the same problem with that roster as the
template, {search:.0f} s of search on two workers. Points: fewer are better; both are judged by
`scheduling/proposal/score.py`. Promised: {limit:.0f} s, never worse than by hand.

| aim | by hand | proposed |
|---|---|---|
{lines}
| **all points** | {by_hand} | **{proposed}** |

From the call to the roster with rooms: **{seconds:.1f} s**. No roster can have fewer than {bound}
points (proven by the search); sharing out nights and weekends as evenly as numbers allow, whoever
may or wants to, costs {floor} of them. The proposal lies **{over:.0f} %** over the proven bound,
the clerk's roster {clerk_over:.0f} %.

The reasons, where no roster exists (one Sunday night asks for {asked} people of the two highest
titles and {away} of them are away): **{explained:.1f} s**.
"""
_AIM_NAMES = {
    Aim.TARGET: "people wished for beyond the minimum",
    Aim.WISHES: "wishes",
    Aim.REST: "rest after nights (here a rule: always kept)",
    Aim.REST_DAYS: "weekends, squares over the quarter",
    Aim.NIGHTS: "nights, squares over the quarter",
    Aim.DAYS: "days off the contract",
    Aim.HABIT: "sessions moved from the template",
}


@dataclass(frozen=True)
class Explained:
    """A department that asks for too much, and how long the reasons took."""

    asked: int
    away: int
    seconds: float


@dataclass(frozen=True)
class Rosters:
    problem: Problem
    by_hand: Score
    proposal: Proposal
    seconds: float
    explained: Explained


def measure() -> Rosters:
    """Fill one month by hand and by proposal, then ask for the impossible."""
    problem = department()
    by_hand = Clerk(problem).work()
    problem = replace(problem, template=by_hand)
    began = time.perf_counter()
    found = propose(problem, seconds=SEARCH_SECONDS)
    seconds = time.perf_counter() - began
    assert isinstance(found, Proposal)
    score = judge(problem, by_hand)
    assert not score.violations, score.violations
    assert not found.score.violations
    assert found.score.points <= score.points
    return Rosters(problem, score, found, seconds, _explain(problem))


def section(figures: Rosters) -> str:
    problem, proposal, by_hand = figures.problem, figures.proposal, figures.by_hand
    lines = [
        f"| {_AIM_NAMES[ours.aim]} | {theirs.points} | {ours.points} |"
        for theirs, ours in zip(by_hand.parts, proposal.score.parts, strict=True)
    ]
    return _SECTION.format(
        people=len(problem.people),
        days=len(problem.days),
        sessions=sum(problem.most_at(place) for place in problem.needs_at),
        needs=len(problem.needs),
        rooms=len(problem.rooms),
        leaves=len(problem.leaves),
        wishes=len(problem.wishes),
        search=SEARCH_SECONDS,
        limit=LIMIT_SECONDS,
        lines="\n".join(lines),
        by_hand=by_hand.points,
        proposed=proposal.score.points,
        seconds=figures.seconds,
        bound=proposal.bound,
        floor=floor(problem),
        over=100 * (proposal.score.points / proposal.bound - 1),
        clerk_over=100 * (by_hand.points / proposal.bound - 1),
        asked=figures.explained.asked,
        away=figures.explained.away,
        explained=figures.explained.seconds,
    )


def floor(problem: Problem) -> int:
    """What nights and days of rest cost at the very least, if anybody could take any of them.

    A day of rest worked may hold as many sessions as the day allows.
    """
    rules = problem.rules
    nights = sum(_wanted(problem, day, Period.NIGHT) for day in problem.days)
    on_rest_days = sum(
        -(-sum(_wanted(problem, day, period) for period in Period) // rules.day_cap)
        for day in problem.rest_days
    )
    burdens = problem.burden.values()
    return rules.night_weight * _level([one[1] for one in burdens], nights) + (
        rules.rest_day_weight * _level([one[0] for one in burdens], on_rest_days)
    )


def _wanted(problem: Problem, day: dt.date, period: Period) -> int:
    """The fewest people at that time of a day."""
    places = [place for place in problem.needs_at if place[:2] == (day, period)]
    return sum(max(need.minimum for need in problem.needs_at[place]) for place in places)


def _level(before: Sequence[int], count: int) -> int:
    """The least growth of the squares when so many more are dealt out."""
    loads = list(before)
    for _ in range(count):
        loads[loads.index(min(loads))] += 1
    return sum(load**2 for load in loads) - sum(load**2 for load in before)


def _explain(problem: Problem) -> Explained:
    """Half of those who could are away on a Sunday for which nearly all of them are wanted."""
    sunday = max(problem.rest_days)
    senior = Need(sunday, Period.NIGHT, DUTY.id, 10, 10, Title.ASSOCIATE_CHIEF)
    able = [one for one in problem.people if problem.meets(one.id, senior)]
    able = [one for one in able if DUTY.id in one.services]
    away = tuple(Leave(one.id, sunday, sunday + ONE_DAY) for one in able[: len(able) // 2])
    asked = replace(problem, needs=(*problem.needs, senior), leaves=problem.leaves + away)
    began = time.perf_counter()
    found = propose(replace(asked, template=()), seconds=SEARCH_SECONDS)
    seconds = time.perf_counter() - began
    assert isinstance(found, Unsolvable)
    assert found.conflicts
    return Explained(senior.minimum, len(away), seconds)


def department(*, people: int = PEOPLE, seed: int = 1) -> Problem:
    """Sixty people, 31 days, about a thousand sessions, one in ten away for a week."""
    dice = random.Random(seed)
    staff = tuple(_person(number, dice) for number in range(people))
    days = [FROM + number * ONE_DAY for number in range((TO - FROM).days)]
    resting = weekends(FROM, TO)
    needs = tuple(need for day in days for need in _needs(day, is_rest=day in resting))
    away = dice.sample(staff, people // 10)
    leaves = tuple(_leave(person, dice) for person in away)
    return Problem(
        FROM,
        TO,
        staff,
        (EXPERT, SPECIALTY, GENERAL, DUTY),
        needs,
        rooms=tuple(_room(number) for number in range(18)),
        leaves=leaves,
        wishes=tuple(_wish(dice, staff, days) for _ in range(2 * people)),
        past=tuple(Past(person.id, dice.randint(2, 9), dice.randint(0, 5)) for person in staff),
        rest_days=resting,
        rules=Rules(week_cap=7),
    )


def _person(number: int, dice: random.Random) -> Person:
    title = _TITLES[number % len(_TITLES)]
    kinds = {GENERAL.id, SPECIALTY.id, EXPERT.id}
    if title != Title.CHIEF:
        kinds.add(DUTY.id)
    return Person(
        f"p{number}",
        f"医生{number + 1}",
        title,
        frozenset(kinds),
        week_cap=5 if dice.random() < 0.2 else None,
        contract_days=dice.choice([12, 14, 16]),
    )


def _needs(day: dt.date, *, is_rest: bool) -> Iterator[Need]:
    for period, service, minimum, target, title in (_RESTING if is_rest else _WORKING) + _NIGHT:
        yield Need(day, period, service.id, minimum, target, title)


def _room(number: int) -> Room:
    only = frozenset({EXPERT.id}) if number < 6 else frozenset[str]()
    return Room(f"r{number}", f"{number + 101} 诊室", only)


def _leave(person: Person, dice: random.Random) -> Leave:
    first = FROM + dice.randrange((TO - FROM).days - 7) * ONE_DAY
    return Leave(person.id, first, first + 7 * ONE_DAY)


def _wish(dice: random.Random, staff: Sequence[Person], days: Sequence[dt.date]) -> Wish:
    mind = Mind.WANTS if dice.random() < 0.2 else Mind.RATHER_NOT
    period = dice.choice([None, Period.AM, Period.PM, Period.EVENING, Period.NIGHT])
    return Wish(dice.choice(staff).id, dice.choice(days), mind, period, dice.randint(1, 3))


# ---------------------------------------------------------------- by hand


class Clerk:
    """Makes a legal roster as a careful person would: day after day, whoever has had least so far,
    the usual people on the usual weekdays first, nights and scarce titles before the rest."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.roster: list[Assignment] = []
        self.load: Counter[str] = Counter()
        self.usual: Counter[tuple[str, int, Period, str]] = Counter()
        self._busy: set[tuple[str, dt.date, Period]] = set()
        self._per_day: Counter[tuple[str, dt.date]] = Counter()
        self._per_week: Counter[tuple[str, dt.date]] = Counter()
        self._there: dict[tuple[dt.date, Period, str], list[str]] = {}

    def work(self) -> Roster:
        """First every minimum of a day, then its wishes for more."""
        problem = self.problem
        for day in problem.days:
            needs = [need for need in problem.needs if need.day == day]
            needs.sort(key=lambda need: (need.period != Period.NIGHT, need.minimum_title is None))
            for need in needs:
                self._fill(need, need.minimum)
            for need in needs:
                self._fill(need, need.target)
        return furnish(problem, tuple(self.roster))

    def _fill(self, need: Need, wanted: int) -> None:
        there = self._there.setdefault(need.place, [])
        have = sum(1 for person in there if self.problem.meets(person, need))
        able = [person for person in self.problem.people if self._may(person, need)]
        able.sort(key=lambda person: self._rank(person, need))
        room = self.problem.most_at(need.place) - len(there)
        for person in able[: max(0, min(wanted - have, room))]:
            self._seat(person, need)

    def _rank(self, person: Person, need: Need) -> tuple[int, int, str]:
        habit = self.usual[person.id, need.day.isoweekday(), need.period, need.service]
        nights = sum(1 for one in self.roster if one.person == person.id and one.period == "night")
        before = self.problem.burden[person.id]
        if need.period == Period.NIGHT:
            return before[1] + nights, self.load[person.id], person.id
        if need.day in self.problem.rest_days:
            return before[0] + self._rest_days(person), self.load[person.id], person.id
        return -habit, self.load[person.id], person.id

    def _rest_days(self, person: Person) -> int:
        return sum(1 for day in self.problem.rest_days if self._per_day[person.id, day])

    def _may(self, person: Person, need: Need) -> bool:
        problem, rules = self.problem, self.problem.rules
        if not problem.may_sit(person.id, need.place) or not problem.meets(person.id, need):
            return False
        if (person.id, need.day, need.period) in self._busy:
            return False
        if self._per_day[person.id, need.day] >= rules.day_cap:
            return False
        if self._per_week[person.id, week_of(need.day)] >= problem.week_cap_of(person):
            return False
        run = [self._per_day[person.id, need.day - n * ONE_DAY] for n in range(1, 7)]
        if all(run[: rules.longest_run]):
            return False
        is_morning = need.period in rules.rest_periods
        return not (is_morning and (person.id, need.day - ONE_DAY, Period.NIGHT) in self._busy)

    def _seat(self, person: Person, need: Need) -> None:
        self.roster.append(Assignment(need.day, need.period, need.service, person.id))
        self._there[need.place].append(person.id)
        self._busy.add((person.id, need.day, need.period))
        self._per_day[person.id, need.day] += 1
        self._per_week[person.id, week_of(need.day)] += 1
        self.load[person.id] += 1
        self.usual[person.id, need.day.isoweekday(), need.period, need.service] += 1


if __name__ == "__main__":
    print(section(measure()))
