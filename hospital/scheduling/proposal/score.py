"""Judging any roster, made by hand or proposed, by the same rules and points. Pure.

`broken` knows nothing of how the solver says the same things, so each checks the other.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from hospital.scheduling.proposal import words
from hospital.scheduling.proposal.book import Book
from hospital.scheduling.proposal.problem import (
    ONE_DAY,
    Mind,
    Person,
    Problem,
    Roster,
    Rule,
    Wish,
    week_of,
)


class Aim(StrEnum):
    """What a roster should reach as far as it can."""

    TARGET = "target"
    WISHES = "wishes"
    REST = "rest"
    REST_DAYS = "rest_days"
    NIGHTS = "nights"
    DAYS = "days"
    HABIT = "habit"


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule, as a sentence."""

    rule: Rule
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """What one aim costs, and why in words."""

    aim: Aim
    points: int
    text: str


@dataclass(frozen=True, slots=True)
class Score:
    """Any broken rule is worse than any points."""

    violations: tuple[Violation, ...]
    parts: tuple[Part, ...]

    @property
    def points(self) -> int:
        return sum(part.points for part in self.parts)

    @property
    def rank(self) -> tuple[int, int]:
        """Smaller is better."""
        return len(self.violations), self.points


def judge(problem: Problem, roster: Roster) -> Score:
    """Everything there is to say about a roster."""
    book = Book(problem, roster)
    parts = tuple(part(problem, book) for part in _PARTS)
    return Score(tuple(_violations(problem, book)), parts)


def broken(problem: Problem, roster: Roster) -> tuple[Violation, ...]:
    """Every rule the roster breaks, each place once."""
    return tuple(_violations(problem, Book(problem, roster)))


def troubles_of_fixed(problem: Problem) -> tuple[Violation, ...]:
    """What the decided sessions break among themselves: the proposal keeps them, people should
    know."""
    times = {Rule.TWICE, Rule.LEAVE, Rule.DAY_CAP, Rule.WEEK_CAP, Rule.RUN, Rule.REST}
    bare = replace(problem, fixed=problem.fixed_outside)
    found = _violations(bare, Book(bare, problem.fixed_inside))
    return tuple(violation for violation in found if violation.rule in times)


def _violations(problem: Problem, book: Book) -> Iterator[Violation]:
    for rule, check in _CHECKS.items():
        if rule in problem.rules.hard:
            for text in check(problem, book):
                yield Violation(rule, text)


def _twice(problem: Problem, book: Book) -> Iterator[str]:
    for (person, day, period), count in book.busy.items():
        if count > max(1, book.fixed.busy[person, day, period]):
            name = words.person_name(problem, person)
            yield f"{words.time_name(day, period)} {name}排了 {count} 个班"


def _leave(problem: Problem, book: Book) -> Iterator[str]:
    for one in book.chosen:
        if problem.is_on_leave(one.person, one.day, one.period):
            name = words.person_name(problem, one.person)
            yield f"{words.place_name(problem, one.place)}：{name}请假"


def _skill(problem: Problem, book: Book) -> Iterator[str]:
    for one in book.chosen:
        person = problem.person_by_id.get(one.person)
        if person is None or one.service not in person.services:
            name = words.person_name(problem, one.person)
            yield f"{words.place_name(problem, one.place)}：{name}不能上这个号别"


def _title(problem: Problem, book: Book) -> Iterator[str]:
    for one in book.chosen:
        needs = problem.needs_at.get(one.place, ())
        if needs and not any(problem.meets(one.person, need) for need in needs):
            name = words.person_name(problem, one.person)
            yield f"{words.place_name(problem, one.place)}：{name}的职称不够"


def _room(problem: Problem, book: Book) -> Iterator[str]:
    for one in book.chosen:
        service = problem.service_by_id.get(one.service)
        if service is None or not service.needs_room:
            continue
        room = problem.room_by_id.get(one.room or "")
        where = (
            f"{words.place_name(problem, one.place)}（{words.person_name(problem, one.person)}）"
        )
        if room is None:
            yield f"{where}没有诊室"
        elif not room.serves(one.service) or (one.day, one.period) in room.taken:
            yield f"{where}不能用{room.name}"
    for (name, day, period), count in book.in_room.items():
        if count > max(1, book.fixed.in_room[name, day, period]):
            room = problem.room_by_id.get(name)
            called = room.name if room else name
            yield f"{words.time_name(day, period)} {called}排了 {count} 个班"


def _day_cap(problem: Problem, book: Book) -> Iterator[str]:
    for person in problem.people:
        for day in problem.days:
            count = book.per_day[person.id, day]
            if count > max(problem.rules.day_cap, book.fixed.per_day[person.id, day]):
                yield f"{words.day_name(day)} {person.name}一天 {count} 个班"


def _week_cap(problem: Problem, book: Book) -> Iterator[str]:
    for person in problem.people:
        for monday in dict.fromkeys(week_of(day) for day in problem.days):
            count = book.in_week(person.id, monday)
            if count > max(problem.week_cap_of(person), book.fixed.in_week(person.id, monday)):
                yield f"{words.day_name(monday)}起的一周 {person.name} {count} 个班"


def _run(problem: Problem, book: Book) -> Iterator[str]:
    for person in problem.people:
        for run in book.runs(person.id):
            is_chosen = any(not book.fixed.per_day[person.id, day] for day in run)
            if len(run) > problem.rules.longest_run and is_chosen:
                yield f"{person.name}从{words.day_name(run[0])}起连续上班 {len(run)} 天"


def _rest(problem: Problem, book: Book) -> Iterator[str]:
    for person in problem.people:
        for night, period in book.short_rests(person.id):
            after = words.time_name(night + ONE_DAY, period)
            yield f"{person.name}{words.day_name(night)}夜班后，{after}又有班"


def _cover(problem: Problem, book: Book) -> Iterator[str]:
    for need in problem.needs:
        if (count := book.count(need)) < need.minimum:
            yield f"{words.need_name(problem, need)}，只排了 {count} 人"


def _over(problem: Problem, book: Book) -> Iterator[str]:
    for place, count in book.at_place.items():
        if count > max(problem.most_at(place), book.fixed.at_place[place]):
            most = problem.most_at(place)
            yield f"{words.place_name(problem, place)}最多 {most} 人，排了 {count} 人"


def _fixed(problem: Problem, book: Book) -> Iterator[str]:
    for one in problem.fixed_inside:
        if one not in book.roster:
            name = words.person_name(problem, one.person)
            yield f"{words.place_name(problem, one.place)}（{name}）已经定下，不能改"


_CHECKS: dict[Rule, Callable[[Problem, Book], Iterator[str]]] = {
    Rule.TWICE: _twice,
    Rule.LEAVE: _leave,
    Rule.SKILL: _skill,
    Rule.TITLE: _title,
    Rule.ROOM: _room,
    Rule.DAY_CAP: _day_cap,
    Rule.WEEK_CAP: _week_cap,
    Rule.RUN: _run,
    Rule.REST: _rest,
    Rule.COVER: _cover,
    Rule.OVER: _over,
    Rule.FIXED: _fixed,
}


def _target(problem: Problem, book: Book) -> Part:
    short = [max(0, need.target - book.count(need)) for need in problem.needs]
    text = f"{sum(1 for count in short if count)} 个班没有达到期望人数，共少 {sum(short)} 人"
    return Part(Aim.TARGET, problem.rules.target_weight * sum(short), text)


def _wishes(problem: Problem, book: Book) -> Part:
    missed = [wish for wish in problem.wishes if not _is_met(wish, book)]
    points = problem.rules.wish_weight * sum(wish.weight for wish in missed)
    return Part(Aim.WISHES, points, f"{len(problem.wishes)} 个意愿里有 {len(missed)} 个没有照顾到")


def _is_met(wish: Wish, book: Book) -> bool:
    if wish.period is None:
        works = book.per_day[wish.person, wish.day] > 0
    else:
        works = book.busy[wish.person, wish.day, wish.period] > 0
    return works == (wish.mind == Mind.WANTS)


def _soft_rest(problem: Problem, book: Book) -> Part:
    count = sum(len(book.short_rests(person.id)) for person in problem.people)
    points = 0 if Rule.REST in problem.rules.hard else problem.rules.rest_weight * count
    return Part(Aim.REST, points, f"夜班后次日没有休息的有 {count} 次")


def _rest_days(problem: Problem, book: Book) -> Part:
    loads = {
        person.id: (problem.burden[person.id][0], book.rest_days(person.id))
        for person in problem.people
    }
    points = problem.rules.rest_day_weight * _squares(loads)
    return Part(Aim.REST_DAYS, points, _spread(problem, "周末和节假日", "天", loads))


def _nights(problem: Problem, book: Book) -> Part:
    loads = {
        person.id: (problem.burden[person.id][1], book.nights(person.id))
        for person in problem.people
    }
    points = problem.rules.night_weight * _squares(loads)
    return Part(Aim.NIGHTS, points, _spread(problem, "夜班", "个", loads))


def _squares(loads: dict[str, tuple[int, int]]) -> int:
    """What this stretch adds to the squares: more for who has borne more already."""
    return sum((before + now) ** 2 - before**2 for before, now in loads.values())


def _spread(problem: Problem, what: str, unit: str, loads: dict[str, tuple[int, int]]) -> str:
    if not loads:
        return f"{what}：没有人"
    totals = {person: before + now for person, (before, now) in loads.items()}
    most, least = max(totals, key=totals.__getitem__), min(totals, key=totals.__getitem__)
    more = totals[most] - totals[least]
    if not more:
        return f"{what}：连同近一季，人人一样多"
    high, low = words.person_name(problem, most), words.person_name(problem, least)
    return f"{what}：连同近一季，最多的{high}比最少的{low}多 {more} {unit}"


def _days(problem: Problem, book: Book) -> Part:
    off = [_off_contract(person, book) for person in problem.people]
    text = f"{sum(1 for days in off if days)} 人的出勤天数与约定不符，共差 {sum(off)} 天"
    return Part(Aim.DAYS, problem.rules.days_weight * sum(off), text)


def _off_contract(person: Person, book: Book) -> int:
    if person.contract_days is None:
        return 0
    return abs(book.days(person.id) - person.contract_days)


def _habit(problem: Problem, book: Book) -> Part:
    changed = sum(1 for seat in problem.habits if seat not in book.seats)
    points = problem.rules.habit_weight * changed
    return Part(Aim.HABIT, points, f"{changed} 个班与原来的排班表不同")


_PARTS = (_target, _wishes, _soft_rest, _rest_days, _nights, _days, _habit)
