"""The aims of a roster as a cost for CP-SAT: the same points as `score`, said as sums."""

import datetime as dt
import itertools

from hospital.scheduling.proposal.model import Amount, Board, Read
from hospital.scheduling.proposal.problem import ONE_DAY, Mind, Period, Person, Rule, Wish


def cost(board: Board) -> Amount:
    """The points of the roster the board will find."""
    parts = [
        *_targets(board),
        *(_wish(board, wish) for wish in board.problem.wishes),
        *_soft_rests(board),
        *_habits(board),
    ]
    for person in board.problem.people:
        parts += [_rest_days(board, person), _nights(board, person), _contract(board, person)]
    return sum(parts)


def _targets(board: Board) -> list[Amount]:
    weight = board.problem.rules.target_weight
    return [weight * board.gap(need, need.target) for need in board.problem.needs if need.target]


def _wish(board: Board, wish: Wish) -> Amount:
    weight = board.problem.rules.wish_weight * wish.weight
    if wish.period is None:
        works = board.worked(wish.person, wish.day)
    else:
        works = board.busy(wish.person, wish.day, wish.period)
    return weight * (1 - works) if wish.mind == Mind.WANTS else weight * works


def _soft_rests(board: Board) -> list[Amount]:
    problem = board.problem
    if Rule.REST in problem.rules.hard:
        return []
    nights = (problem.from_date - ONE_DAY, *problem.days)
    keys = itertools.product((one.id for one in problem.people), nights, problem.rules.rest_periods)
    return [_soft_rest(board, *key) for key in keys]


def _soft_rest(board: Board, person: str, night: dt.date, period: Period) -> Amount:
    clash = board.clash(person, night, period)
    if clash is None:
        return 0
    broken = board.variable(1, lambda book: int(book.is_short_rest(person, night, period)))
    board.model.add(sum(clash) <= 1 + broken)
    return board.problem.rules.rest_weight * broken


def _habits(board: Board) -> list[Amount]:
    """A seat somebody fixed is kept, one at a time fixed otherwise is lost."""
    problem, weight = board.problem, board.problem.rules.habit_weight
    decided = {one.seat for one in problem.fixed_inside}
    lost = problem.habits - decided - board.seats.keys()
    kept = [board.seats[seat] for seat in problem.habits if seat in board.seats]
    return [weight * len(lost), *(weight * (1 - taken) for taken in kept)]


def _rest_days(board: Board, person: Person) -> Amount:
    problem = board.problem
    days = [board.worked(person.id, day) for day in problem.days if day in problem.rest_days]
    before = problem.burden[person.id][0]
    return problem.rules.rest_day_weight * _square(
        board, days, before, lambda book: book.rest_days(person.id)
    )


def _nights(board: Board, person: Person) -> Amount:
    problem = board.problem
    nights = [board.busy(person.id, day, Period.NIGHT) for day in problem.days]
    before = problem.burden[person.id][1]
    return problem.rules.night_weight * _square(
        board, nights, before, lambda book: book.nights(person.id)
    )


def _contract(board: Board, person: Person) -> Amount:
    wanted = person.contract_days
    if wanted is None:
        return 0
    days = [board.worked(person.id, day) for day in board.problem.days]
    off = board.variable(max(len(days), wanted), lambda book: abs(book.days(person.id) - wanted))
    board.model.add(off >= sum(days) - wanted)
    board.model.add(off >= wanted - sum(days))
    return board.problem.rules.days_weight * off


def _square(board: Board, parts: list[Amount], before: int, read: Read) -> Amount:
    """(before + n)² - before², n the sum of the parts, as steps that each cost more.

    Steps keep the cost linear, which is what the solver can prove bounds for.
    """
    sure = sum(part for part in parts if isinstance(part, int))
    open_parts = [part for part in parts if not isinstance(part, int)]
    steps = [
        board.variable(1, _reaches(read, sure + number)) for number in range(1, len(open_parts) + 1)
    ]
    if steps:
        board.model.add(sum(steps) == sum(open_parts))
    for lower, higher in itertools.pairwise(steps):
        board.model.add_implication(higher, lower)
    costs = [(2 * (before + sure + number) - 1) * step for number, step in enumerate(steps, 1)]
    return (before + sure) ** 2 - before**2 + sum(costs)


def _reaches(read: Read, number: int) -> Read:
    return lambda book: int(read(book) >= number)
