"""The best roster that can be found in the time, or why there is none."""

from dataclasses import dataclass

from hospital.scheduling.proposal import aims
from hospital.scheduling.proposal.explain import Unsolvable, explain
from hospital.scheduling.proposal.model import Board, Effort, Found
from hospital.scheduling.proposal.problem import Problem, Roster
from hospital.scheduling.proposal.score import Score, Violation, broken, judge, troubles_of_fixed


@dataclass(frozen=True, slots=True)
class Proposal:
    """A roster that breaks no rule, never worse than the template.

    `bound` are points no roster can go below; `is_optimal` says that this one reaches them.
    `troubles` are rules that the sessions decided before break: they stayed, somebody should look.
    """

    roster: Roster
    score: Score
    template_score: Score | None
    bound: int
    is_optimal: bool
    seconds: float
    troubles: tuple[Violation, ...]


def propose(
    problem: Problem, *, seconds: float = 45.0, workers: int = 2, seed: int = 1
) -> Proposal | Unsolvable:
    """Look for at most so many seconds; without a solution, about as long again for the reasons.

    With one worker the same problem and seed give the same roster, unless the time cuts the search
    short; two find more in the time, and where several rosters are as good not always the same.
    """
    effort = Effort(seconds, workers, seed)
    by_hand = judge(problem, problem.template) if problem.template else None
    board = Board(problem)
    cost = aims.cost(board)
    if problem.template:
        board.hint(problem.template)
    found = board.search(cost, effort)
    is_legal = by_hand is not None and not by_hand.violations
    if found.roster is None and not is_legal:
        reasons = explain(problem, effort=effort, spent=found.seconds)
        if broken(problem, reasons.nearest):
            return reasons
        # Looking for the fewest missing people found a roster that misses nobody after all.
        return _best(problem, _found(problem, reasons), by_hand)
    return _best(problem, found, by_hand)


def _found(problem: Problem, reasons: Unsolvable) -> Found:
    points = judge(problem, reasons.nearest).points
    return Found(reasons.nearest, points, 0, is_settled=False, seconds=reasons.seconds)


def _best(problem: Problem, found: Found, by_hand: Score | None) -> Proposal:
    """What was found, or the template where that is better: the search may have been cut short."""
    roster = problem.template if found.roster is None else found.roster
    score = judge(problem, roster)
    # A search cut short may not have made every gap as small as its roster allows, hence "<=".
    is_agreed = not score.violations and score.points <= found.cost
    assert found.roster is None or is_agreed, "the solver and the score disagree"
    if by_hand is not None and by_hand.rank < score.rank:
        roster, score = problem.template, by_hand
    return Proposal(
        roster=roster,
        score=score,
        template_score=by_hand,
        bound=found.bound,
        is_optimal=found.is_settled,
        seconds=found.seconds,
        troubles=troubles_of_fixed(problem),
    )
