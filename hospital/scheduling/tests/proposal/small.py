"""Problems small enough to try every roster, and the trying."""

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import strategies as st

from hospital.organisation.states import Title
from hospital.scheduling.proposal.book import Book
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
    Rule,
    Rules,
    Service,
    Wish,
    weekends,
)
from hospital.scheduling.proposal.score import broken, judge

CLINIC = Service("clinic", "专家门诊")
OTHER = Service("other", "普通门诊")
DUTY = Service("duty", "病房值班", needs_room=False)
SERVICES = (CLINIC, OTHER, DUTY)
_ALL = frozenset(one.id for one in SERVICES)
NAMES = ("张三", "李四", "王五")
#: A leap day, a new year, a month's end on a weekend, an ordinary Thursday.
STARTS = (
    dt.date(2028, 2, 28),
    dt.date(2026, 12, 31),
    dt.date(2026, 5, 30),
    dt.date(2026, 6, 4),
)
PLACES = (
    (Period.AM, CLINIC),
    (Period.AM, OTHER),
    (Period.PM, OTHER),
    (Period.NIGHT, DUTY),
)


def roster_of(*seats: tuple[dt.date, Period, Service, str]) -> Roster:
    """Assignments without rooms."""
    return tuple(Assignment(day, period, service.id, who) for day, period, service, who in seats)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Up to three people, three days and four sessions, under every kind of rule."""
    start = draw(st.sampled_from(STARTS))
    days = [start + number * ONE_DAY for number in range(draw(st.integers(1, 3)))]
    people = tuple(draw(_person(name)) for name in NAMES[: draw(st.sampled_from([3, 2, 1]))])
    places = [(day, period, service) for day in days for period, service in PLACES]
    chosen = draw(st.lists(st.sampled_from(places), min_size=1, max_size=4, unique=True))
    needs = tuple(draw(_need(*place)) for place in chosen)
    around = [days[0] - ONE_DAY, *days, days[-1] + ONE_DAY]
    return Problem(
        days[0],
        days[-1] + ONE_DAY,
        people,
        SERVICES,
        needs,
        rooms=draw(_rooms(days)),
        leaves=tuple(draw(st.lists(_leave(people, days), max_size=2))),
        wishes=tuple(draw(st.lists(_wish(people, days), max_size=2))),
        past=tuple(Past(one.id, draw(_few), draw(_few)) for one in people if draw(st.booleans())),
        fixed=tuple(draw(st.lists(_fixed(people, around), max_size=2, unique_by=_at))),
        template=draw(_template(people, needs)),
        rest_days=weekends(days[0], days[-1] + ONE_DAY),
        rules=draw(_rules()),
    )


_few = st.integers(0, 3)


def _at(one: Assignment) -> tuple[str, dt.date, Period]:
    return one.person, one.day, one.period


@st.composite
def _person(draw: st.DrawFn, name: str) -> Person:
    return Person(
        name,
        name,
        draw(st.sampled_from([Title.CHIEF, Title.ATTENDING])),
        draw(st.sampled_from([_ALL, _ALL, _ALL - {CLINIC.id}, frozenset({CLINIC.id, DUTY.id})])),
        week_cap=draw(st.sampled_from([None, None, None, 1])),
        contract_days=draw(st.sampled_from([None, 1, 2])),
    )


@st.composite
def _need(draw: st.DrawFn, day: dt.date, period: Period, service: Service) -> Need:
    minimum = draw(st.sampled_from([1, 1, 1, 0, 2]))
    title = draw(st.sampled_from([None, None, None, Title.CHIEF]))
    return Need(day, period, service.id, minimum, minimum + draw(st.integers(0, 1)), title)


_NEVER = frozenset[tuple[dt.date, Period]]()


@st.composite
def _rooms(draw: st.DrawFn, days: list[dt.date]) -> tuple[Room, ...]:
    return tuple(
        Room(
            name,
            name,
            draw(st.sampled_from([frozenset[str](), frozenset[str](), frozenset({CLINIC.id})])),
            draw(st.sampled_from([_NEVER, _NEVER, frozenset({(days[0], Period.AM)})])),
        )
        for name in ("101", "102", "103")[: draw(st.sampled_from([3, 2, 1]))]
    )


@st.composite
def _leave(draw: st.DrawFn, people: tuple[Person, ...], days: list[dt.date]) -> Leave:
    first = draw(st.sampled_from(days))
    periods = draw(st.sampled_from([frozenset[Period](), frozenset({Period.AM})]))
    length = draw(st.integers(1, 2))
    return Leave(draw(st.sampled_from(people)).id, first, first + length * ONE_DAY, periods)


@st.composite
def _wish(draw: st.DrawFn, people: tuple[Person, ...], days: list[dt.date]) -> Wish:
    return Wish(
        draw(st.sampled_from(people)).id,
        draw(st.sampled_from(days)),
        draw(st.sampled_from(Mind)),
        draw(st.sampled_from([None, Period.AM, Period.NIGHT])),
        draw(st.integers(1, 3)),
    )


@st.composite
def _fixed(draw: st.DrawFn, people: tuple[Person, ...], days: list[dt.date]) -> Assignment:
    period, service = draw(st.sampled_from(PLACES))
    room = draw(st.sampled_from([None, "101"])) if service.needs_room else None
    person = draw(st.sampled_from(people)).id
    return Assignment(draw(st.sampled_from(days)), period, service.id, person, room)


@st.composite
def _template(draw: st.DrawFn, people: tuple[Person, ...], needs: tuple[Need, ...]) -> Roster:
    if not needs:
        return ()
    seats = st.tuples(st.sampled_from(needs), st.sampled_from(people))
    chosen = draw(st.lists(seats, max_size=3))
    return tuple(Assignment(*need.place, person.id, "101") for need, person in chosen)


@st.composite
def _rules(draw: st.DrawFn) -> Rules:
    hard = frozenset(Rule) - draw(st.sampled_from([frozenset[Rule](), frozenset({Rule.REST})]))
    return Rules(
        day_cap=draw(st.integers(1, 2)),
        week_cap=draw(st.sampled_from([3, 4, 2, 1])),
        longest_run=draw(st.sampled_from([2, 3, 1])),
        rest_periods=draw(st.sampled_from([(Period.AM,), (Period.AM, Period.PM)])),
        hard=hard,
    )


# ---------------------------------------------------------------- trying everything


def least_points(problem: Problem) -> int | None:
    """The points of the best legal roster, None where there is no legal one at all."""
    points = (judge(problem, roster).points for roster in _legal(problem, _ALL_RULES))
    return min(points, default=None)


def is_possible(problem: Problem) -> bool:
    return any(True for _ in _legal(problem, _ALL_RULES))


def fewest_missing(problem: Problem) -> int:
    """By how many people the minimums are missed where nothing else is broken."""
    return min(missing(problem, roster) for roster in _legal(problem, _ALL_RULES - {Rule.COVER}))


def missing(problem: Problem, roster: Roster) -> int:
    book = Book(problem, roster)
    return sum(max(0, need.minimum - book.count(need)) for need in problem.needs)


_ALL_RULES = frozenset(Rule)


def _legal(problem: Problem, rules: frozenset[Rule]) -> Iterator[Roster]:
    """Every roster that keeps these rules; any rooms will do, as long as there are some."""
    hard = problem.rules.hard & rules
    roomless = replace(problem, rules=replace(problem.rules, hard=hard - {Rule.ROOM}))
    for roster in every_roster(problem):
        if not broken(roomless, roster) and (Rule.ROOM not in hard or has_rooms(problem, roster)):
            yield roster


def every_roster(problem: Problem) -> Iterator[Roster]:
    """Whoever of the people may be in each session asked for, besides what is fixed."""
    decided = problem.fixed_inside
    choices = [
        [
            tuple(Assignment(*place, person) for person in group)
            for size in range(problem.most_at(place) + 1)
            for group in itertools.combinations([one.id for one in problem.people], size)
        ]
        for place in problem.needs_at
    ]
    for groups in itertools.product(*choices):
        yield (*decided, *itertools.chain.from_iterable(groups))


def has_rooms(problem: Problem, roster: Roster) -> bool:
    """Whether every session beyond the fixed ones can have a room, by trying all orders."""
    for time in {(one.day, one.period) for one in roster}:
        there = [one for one in roster if (one.day, one.period) == time]
        decided = [one for one in there if one in problem.fixed]
        waiting = [
            one.service
            for one in there
            if one not in decided and problem.service_by_id[one.service].needs_room
        ]
        used = {one.room for one in decided}
        free = [room for room in problem.rooms if room.id not in used and time not in room.taken]
        orders = itertools.permutations(free, len(waiting))
        if not any(
            all(room.serves(service) for room, service in zip(order, waiting, strict=True))
            for order in orders
        ):
            return False
    return True
