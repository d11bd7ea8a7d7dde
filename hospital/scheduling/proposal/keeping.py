"""What a search found, as JSON to keep: the process that searched says it so (apart.py)."""

from collections.abc import Iterable, Mapping
from typing import Any

from hospital.scheduling.proposal import words
from hospital.scheduling.proposal.book import Book
from hospital.scheduling.proposal.explain import Unsolvable, short_of
from hospital.scheduling.proposal.problem import Assignment, Period, Problem, Roster
from hospital.scheduling.proposal.score import Aim, Score
from hospital.scheduling.proposal.solve import Proposal

_AIM_WORDS: Mapping[Aim, str] = {
    Aim.TARGET: "比期望少的人次",
    Aim.WISHES: "没有满足的意愿",
    Aim.REST: "夜班后没有休息",
    Aim.REST_DAYS: "周末和节假日不均",
    Aim.NIGHTS: "夜班不均",
    Aim.DAYS: "出勤天数不符",
    Aim.HABIT: "和模板不同的出诊",
}


def kept(problem: Problem, found: Proposal | Unsolvable) -> dict[str, Any]:
    """Everything the page shows; names as they are now, because it is read long after."""
    names = {
        "people": {one.id: one.name for one in problem.people},
        "services": {one.id: one.name for one in problem.services},
        "rooms": {one.id: one.name for one in problem.rooms},
    }
    if isinstance(found, Unsolvable):
        return {
            "is_solved": False,
            "roster": _plain(found.nearest),
            "sentences": list(found.sentences),
            "short": _short(problem, found.nearest),
            "missing": found.missing,
            "seconds": found.seconds,
            "names": names,
        }
    by_hand = found.template_score
    return {
        "is_solved": True,
        "roster": _plain(found.roster),
        "parts": _parts(found.score, by_hand),
        "points": found.score.points,
        "by_hand": by_hand.points if by_hand else None,
        "by_hand_broken": [one.text for one in by_hand.violations] if by_hand else [],
        "bound": found.bound,
        "is_optimal": found.is_optimal,
        "seconds": found.seconds,
        "troubles": [one.text for one in found.troubles],
        "names": names,
    }


def _parts(score: Score, by_hand: Score | None) -> list[dict[str, Any]]:
    theirs = {part.aim: part.points for part in by_hand.parts} if by_hand else {}
    return [
        {
            "label": _AIM_WORDS[part.aim],
            "points": part.points,
            "by_hand": theirs.get(part.aim),
            "text": part.text,
        }
        for part in score.parts
        # Nobody has agreed days here so far: a line of noughts would say nothing.
        if part.aim != Aim.DAYS or part.points or theirs.get(part.aim)
    ]


def _short(problem: Problem, roster: Roster) -> list[str]:
    """Where people are missing, day by day: whoever takes the roster over has to find them."""
    book = Book(problem, roster)
    order = list(Period)
    needs = sorted(short_of(problem, roster), key=lambda one: (one.day, order.index(one.period)))
    return [
        f"{words.place_name(problem, need.place)}：还缺{words.title_name(need)}"
        f" {need.minimum - book.count(need)} 人"
        for need in needs
    ]


def _plain(roster: Iterable[Assignment]) -> list[list[str | None]]:
    return [
        [one.day.isoformat(), str(one.period), one.service, one.person, one.room] for one in roster
    ]
