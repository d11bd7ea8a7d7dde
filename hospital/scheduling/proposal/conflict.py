"""Needs, leaves and rules that cannot hold together, and each change that would let them. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from hospital.scheduling.proposal.problem import Leave, Need, Problem, Rule

#: What nobody would relax, or what leaving out would not help.
ALWAYS: Final = frozenset({Rule.TWICE, Rule.LEAVE, Rule.COVER, Rule.OVER, Rule.FIXED})
#: What may be the reason, the plainest first: a reason found early is told rather than a later one.
RELAXABLE: Final = (
    Rule.TITLE,
    Rule.SKILL,
    Rule.ROOM,
    Rule.DAY_CAP,
    Rule.REST,
    Rule.WEEK_CAP,
    Rule.RUN,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Help:
    """Changes that each would do, by themselves: found by trying, not by guessing.

    `fewer` are minimums that would work, `more` by how much a cap or the rooms would have to grow.
    """

    fewer: tuple[tuple[Need, int], ...] = ()
    more: tuple[tuple[Rule, int], ...] = ()
    people: int | None = None
    is_fixed_in_the_way: bool = False


@dataclass(frozen=True, slots=True)
class Conflict:
    """Nothing of it can be left out: without any one of these the rest is possible."""

    needs: tuple[Need, ...]
    leaves: tuple[Leave, ...]
    rules: frozenset[Rule]
    help: Help = Help()

    def inside(self, problem: Problem) -> Problem:
        """The problem with nothing but this in it."""
        return narrowed(problem, (*self.needs, *self.leaves, *self.rules))


def narrowed(problem: Problem, items: Iterable[Rule | Leave | Need]) -> Problem:
    """Only these needs, leaves and relaxable rules; nothing to wish for."""
    kept = tuple(items)
    hard = problem.rules.hard & (ALWAYS | {item for item in kept if isinstance(item, Rule)})
    return replace(
        problem,
        needs=tuple(item for item in kept if isinstance(item, Need)),
        leaves=tuple(item for item in kept if isinstance(item, Leave)),
        rules=replace(problem.rules, hard=hard),
        wishes=(),
        template=(),
        past=(),
    )


def smallest(items: Sequence[T], is_impossible: Callable[[Sequence[T]], bool]) -> tuple[T, ...]:
    """Part of an impossible sequence of which nothing can be left out; early items are preferred.

    Junker's QuickXplain: few trials where the part is small, however long the sequence.
    """
    if not items:
        return ()

    def shrink(background: tuple[T, ...], rest: tuple[T, ...], *, is_new: bool) -> tuple[T, ...]:
        if is_new and is_impossible(background):
            return ()
        if len(rest) == 1:
            return rest
        half = len(rest) // 2
        first, second = rest[:half], rest[half:]
        late = shrink((*background, *first), second, is_new=True)
        early = shrink((*background, *late), first, is_new=bool(late))
        return (*early, *late)

    return shrink((), tuple(items), is_new=False)
