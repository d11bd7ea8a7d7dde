"""What the office reads when there is no roster: plain sentences, conflict after conflict. Pure."""

from collections.abc import Iterator, Sequence

from hospital.organisation.states import Title
from hospital.scheduling.proposal import words
from hospital.scheduling.proposal.conflict import Conflict
from hospital.scheduling.proposal.problem import Need, Person, Problem, Rule
from hospital.scheduling.proposal.rooms import Time, free_rooms, used_rooms

_MOST_NEEDS = 8
_MOST_ADVICE = 3


def sentences(
    problem: Problem,
    conflicts: Sequence[Conflict],
    *,
    at_least: int,
    untold: int,
    is_proven: bool,
) -> tuple[str, ...]:
    """First how far off it is, then each conflict and what would undo it, and how many sessions
    are short besides."""
    if not is_proven:
        return ("在限定的时间里没有算出排班，也没有查出原因。请缩短时段或减少要求后再试。",)
    first = f"排不出符合全部规则的班：至少缺 {at_least} 人次。"
    told = (text for one in conflicts for text in _conflict(one.inside(problem), one))
    latest = (f"另外还有 {untold} 个班缺人，解决上面的以后再试。",) if untold else ()
    return (first, *told, *latest)


def _conflict(problem: Problem, conflict: Conflict) -> Iterator[str]:
    """`problem` is what is inside the conflict: people count who only fail for another reason."""
    yield (
        _one_need(problem, conflict)
        if _is_headcount(problem, conflict)
        else _several(problem, conflict)
    )
    yield f"可以任选一项：{'；'.join(_helps(problem, conflict))}。"


def _is_headcount(problem: Problem, conflict: Conflict) -> bool:
    """Whether one session simply has too few people who could sit there."""
    if len(conflict.needs) > 1 or conflict.rules - {Rule.SKILL, Rule.TITLE}:
        return False
    return len(_able(problem, conflict.needs[0])) < conflict.needs[0].minimum


def _one_need(problem: Problem, conflict: Conflict) -> str:
    """Too few people for one session, whatever else is rostered."""
    (need,) = conflict.needs
    able = _able(problem, need)
    reasons = "且".join(
        text
        for text, is_reason in (
            ("能上这个号别", Rule.SKILL in conflict.rules),
            ("符合职称", Rule.TITLE in conflict.rules),
            ("未请假", bool(conflict.leaves)),
        )
        if is_reason
    )
    text = f"{words.need_name(problem, need)}，{reasons or '能来'}的"
    text += _counted(problem, able) + "。"
    return text + _leaves(problem, conflict)


def _counted(problem: Problem, people: Sequence[Person]) -> str:
    if not people:
        return "一个也没有"
    return f"只有 {len(people)} 人（{words.names(problem, [one.id for one in people])}）"


def _several(problem: Problem, conflict: Conflict) -> str:
    """Sessions that each could be filled, but not together, or not under a rule."""
    needs = words.needs_names(problem, conflict.needs)
    if len(needs) > _MOST_NEEDS:
        needs[_MOST_NEEDS:] = [f"等共 {len(conflict.needs)} 个班"]
    text = f"{'；'.join(needs)}，{'排不出来' if len(needs) == 1 else '不能都排出来'}"
    if conflict.rules != {Rule.ROOM}:
        able = {one.id for need in conflict.needs for one in _able(problem, need)}
        people = [one.id for one in problem.people if one.id in able]
        text += f"：能上的共 {len(people)} 人（{words.names(problem, people)}）"
    limits = [*_limits(problem, conflict), *_decided(problem, conflict)]
    if limits:
        text += f"。受限于：{'；'.join(limits)}"
    return f"{text}。{_leaves(problem, conflict)}"


def _limits(problem: Problem, conflict: Conflict) -> Iterator[str]:
    for rule in Rule:
        if rule == Rule.ROOM and rule in conflict.rules:
            yield f"那时能用的诊室只有 {_rooms(problem, conflict)} 间"
        elif rule in conflict.rules - {Rule.SKILL, Rule.TITLE}:
            yield words.rule_name(problem, rule)


def _rooms(problem: Problem, conflict: Conflict) -> int:
    """The most rooms there are for these sessions at any of their times."""
    return max(
        sum(
            1
            for room in free_rooms(problem, time, used_rooms(problem.fixed, time))
            if any(problem.room_by_id[room].serves(need.service) for need in needs)
        )
        for time, needs in _by_time(conflict).items()
    )


def _by_time(conflict: Conflict) -> dict[Time, list[Need]]:
    found: dict[Time, list[Need]] = {}
    for need in conflict.needs:
        found.setdefault((need.day, need.period), []).append(need)
    return found


def _decided(problem: Problem, conflict: Conflict) -> Iterator[str]:
    """Who has been put there already and takes a place."""
    there = [one.person for one in problem.fixed if one.place in problem.needs_at]
    if there:
        yield f"已经定下{words.names(problem, dict.fromkeys(there))}"


def _leaves(problem: Problem, conflict: Conflict) -> str:
    if not conflict.leaves:
        return ""
    return f"挡住的是{'、'.join(words.leave_name(problem, one) for one in conflict.leaves)}。"


def _able(problem: Problem, need: Need) -> list[Person]:
    """Who may sit there and is not somewhere else by decision."""
    elsewhere = {
        one.person
        for one in problem.fixed
        if (one.day, one.period) == (need.day, need.period) and one.place != need.place
    }
    return [
        person
        for person in problem.people
        if person.id not in elsewhere
        and problem.may_sit(person.id, need.place)
        and problem.meets(person.id, need)
    ]


def _helps(problem: Problem, conflict: Conflict) -> Iterator[str]:
    aid = conflict.help
    for leave in conflict.leaves:
        yield f"{words.leave_name(problem, leave)}改期"
    grown = dict(aid.more)
    for rule in Rule:
        if rule in conflict.rules:
            yield _relaxed(problem, conflict, rule, grown.get(rule))
    if aid.is_fixed_in_the_way:
        yield "改动已经定下的班"
    if aid.people is not None:
        yield f"请 {aid.people} 位能上{_services(problem, conflict)}{_titles(conflict)}的医生来帮忙"
    yield from _fewer(problem, conflict)


def _fewer(problem: Problem, conflict: Conflict) -> Iterator[str]:
    if len(conflict.help.fewer) > _MOST_ADVICE:
        yield f"上面 {len(conflict.help.fewer)} 个班里任选一个减人"
        return
    for need, minimum in conflict.help.fewer:
        place, title = words.place_name(problem, need.place), words.title_name(need)
        if minimum:
            yield f"{place}的{title or '人数'}减到 {minimum} 人"
        else:
            yield f"{place}不再要求有{title}" if title else f"取消{place}"


def _relaxed(problem: Problem, conflict: Conflict, rule: Rule, amount: int | None) -> str:
    services = _services(problem, conflict)
    if rule == Rule.SKILL:
        return f"让本科室更多医生上{services}"
    if rule == Rule.TITLE:
        return f"{services}放宽职称"
    if amount is None:
        return f"放宽“{words.rule_name(problem, rule)}”"
    return {
        Rule.ROOM: f"那时再找 {amount} 间诊室",
        Rule.DAY_CAP: f"每人每天最多改为 {problem.rules.day_cap + amount} 个班",
        Rule.WEEK_CAP: f"每人每周的上限加 {amount} 个班",
        Rule.RUN: f"最多连续上班改为 {problem.rules.longest_run + amount} 天",
    }[rule]


def _services(problem: Problem, conflict: Conflict) -> str:
    ids = dict.fromkeys(need.service for need in conflict.needs)
    return "、".join(problem.service_by_id[one].name for one in ids)


def _titles(conflict: Conflict) -> str:
    if Rule.TITLE not in conflict.rules:
        return ""
    wanted = {need.minimum_title for need in conflict.needs if need.minimum_title is not None}
    highest = next((title for title in Title if title in wanted), None)
    return f"、{highest.label}及以上" if highest else ""
