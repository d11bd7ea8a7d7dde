"""How days, sessions, people and rules of a roster are called on the screen."""

import datetime as dt
from collections.abc import Iterable

from hospital.organisation.states import Title
from hospital.scheduling.proposal.problem import (
    ONE_DAY,
    Leave,
    Need,
    Period,
    Place,
    Problem,
    Rule,
)

_NAMED = 6


def day_name(day: dt.date) -> str:
    return f"{day.month}月{day.day}日"


def time_name(day: dt.date, period: Period) -> str:
    return f"{day_name(day)}{period.label}"


def place_name(problem: Problem, place: Place) -> str:
    day, period, service = place
    known = problem.service_by_id.get(service)
    return f"{time_name(day, period)} {known.name if known else service}"


def person_name(problem: Problem, person: str) -> str:
    known = problem.person_by_id.get(person)
    return known.name if known else person


def names(problem: Problem, people: Iterable[str]) -> str:
    """Up to six names, then how many there are."""
    found = [person_name(problem, person) for person in people]
    if len(found) <= _NAMED:
        return "、".join(found)
    return f"{'、'.join(found[:_NAMED])}等 {len(found)} 人"


def wanted(need: Need) -> str:
    """How many people of which title a need asks for."""
    return f"需要{title_name(need)} {need.minimum} 人"


def title_name(need: Need) -> str:
    return f"{Title(need.minimum_title).label}及以上" if need.minimum_title else ""


def need_name(problem: Problem, need: Need) -> str:
    return place_name(problem, need.place) + wanted(need)


def needs_names(problem: Problem, needs: Iterable[Need]) -> list[str]:
    """Each need; the same one on several days in a row is named once."""
    alike: dict[tuple[str, str, str], list[dt.date]] = {}
    for need in sorted(needs, key=lambda need: need.day):
        service = problem.service_by_id[need.service].name
        alike.setdefault((need.period.label, service, wanted(need)), []).append(need.day)
    return [
        f"{_days_name(run)}{period} {service}{text}"
        for (period, service, text), days in alike.items()
        for run in _runs(days)
    ]


def _days_name(run: list[dt.date]) -> str:
    if len(run) == 1:
        return day_name(run[0])
    return f"{day_name(run[0])}至{day_name(run[-1])}每天"


def _runs(days: list[dt.date]) -> list[list[dt.date]]:
    runs: list[list[dt.date]] = []
    for day in days:
        if runs and runs[-1][-1] + ONE_DAY == day:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def leave_name(problem: Problem, leave: Leave) -> str:
    latest = leave.to_date - ONE_DAY
    days = day_name(leave.from_date)
    if latest > leave.from_date:
        days += f"至{day_name(latest)}"
    parts = "、".join(period.label for period in Period if period in leave.periods)
    return f"{person_name(problem, leave.person)}的请假（{days}{parts}）"


def rule_name(problem: Problem, rule: Rule) -> str:
    """The rule as the office would say it to a doctor."""
    rules = problem.rules
    rest = "、".join(period.label for period in rules.rest_periods)
    own = "（有人另有约定）" if any(one.week_cap is not None for one in problem.people) else ""
    return {
        Rule.TWICE: "同一时间一个人只能上一个班",
        Rule.LEAVE: "请假的人不排班",
        Rule.SKILL: "只排各人能上的号别",
        Rule.TITLE: "职称要符合",
        Rule.ROOM: "每个班要有诊室",
        Rule.DAY_CAP: f"每人每天最多 {rules.day_cap} 个班",
        Rule.WEEK_CAP: f"每人每周最多 {rules.week_cap} 个班{own}",
        Rule.RUN: f"最多连续上班 {rules.longest_run} 天",
        Rule.REST: f"夜班后次日{rest}休息",
        Rule.COVER: "每个班的人数不能少于最低人数",
        Rule.OVER: "每个班的人数不能超过所需人数",
        Rule.FIXED: "已经定下的班不改",
    }[rule]
