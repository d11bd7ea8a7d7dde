"""Any roster is judged alike: which rules it breaks, in sentences, and what it costs, in points."""

import datetime as dt
from dataclasses import replace

import pytest

from hospital.organisation.states import Title
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
    Wish,
    weekends,
)
from hospital.scheduling.proposal.score import Aim, broken, judge, troubles_of_fixed
from hospital.scheduling.tests.proposal.small import CLINIC, DUTY, OTHER, SERVICES

MONDAY = dt.date(2026, 6, 1)
ANYTHING = frozenset(one.id for one in SERVICES)
ZHANG = Person("a", "张三", Title.CHIEF, ANYTHING)
LI = Person("b", "李四", Title.ATTENDING, frozenset({OTHER.id, CLINIC.id}))
NEEDS = tuple(
    need
    for number in range(7)
    for need in (
        Need(MONDAY + number * ONE_DAY, Period.AM, OTHER.id, 0, 1),
        Need(MONDAY + number * ONE_DAY, Period.PM, OTHER.id, 0, 2),
        Need(MONDAY + number * ONE_DAY, Period.PM, CLINIC.id, 0, 1, Title.CHIEF),
        Need(MONDAY + number * ONE_DAY, Period.NIGHT, DUTY.id, 0, 1),
    )
)
WEEK = Problem(
    MONDAY,
    MONDAY + 7 * ONE_DAY,
    (ZHANG, LI),
    SERVICES,
    NEEDS,
    rooms=(
        Room("101", "101诊室"),
        Room("102", "102诊室"),
        Room("103", "103诊室", frozenset({CLINIC.id}), frozenset({(MONDAY, Period.PM)})),
    ),
    rest_days=weekends(MONDAY, MONDAY + 7 * ONE_DAY),
    rules=Rules(week_cap=6, longest_run=3, days_weight=7),
)


def am(day: int, who: str = "a", room: str | None = "101") -> Assignment:
    return Assignment(dt.date(2026, 6, day), Period.AM, OTHER.id, who, room)


def pm(day: int, who: str = "a", room: str | None = "101") -> Assignment:
    return Assignment(dt.date(2026, 6, day), Period.PM, OTHER.id, who, room)


def clinic(day: int, who: str = "a", room: str | None = "102") -> Assignment:
    return Assignment(dt.date(2026, 6, day), Period.PM, CLINIC.id, who, room)


def night(day: int, who: str = "a") -> Assignment:
    return Assignment(dt.date(2026, 6, day), Period.NIGHT, DUTY.id, who)


@pytest.mark.parametrize(
    ("roster", "texts"),
    [
        ((pm(1), clinic(1)), ["6月1日下午 张三排了 2 个班"]),
        ((am(4),), ["6月4日上午 普通门诊：张三请假"]),
        ((night(1, "b"),), ["6月1日夜班 病房值班：李四不能上这个号别"]),
        ((am(1, "z"),), ["6月1日上午 普通门诊：z不能上这个号别"]),
        ((clinic(1, "b"),), ["6月1日下午 专家门诊：李四的职称不够"]),
        ((am(1, room=None),), ["6月1日上午 普通门诊（张三）没有诊室"]),
        ((am(1, room="103"),), ["6月1日上午 普通门诊（张三）不能用103诊室"]),
        ((clinic(1, room="103"),), ["6月1日下午 专家门诊（张三）不能用103诊室"]),
        ((pm(1), pm(1, "b")), ["6月1日下午 101诊室排了 2 个班"]),
        ((am(1), pm(1), night(1)), ["6月1日 张三一天 3 个班"]),
        (
            (am(1), pm(1), am(2), pm(2), pm(3), am(5), pm(5)),
            ["6月1日起的一周 张三 7 个班"],
        ),
        ((am(1), am(2), am(3), pm(3), night(5), am(7)), []),
        (tuple(am(day, "b") for day in (2, 3, 4, 5)), ["李四从6月2日起连续上班 4 天"]),
        ((night(1), am(2)), ["张三6月1日夜班后，6月2日上午又有班"]),
        ((night(1), pm(2)), []),
        ((am(1), am(1, "b", "102")), ["6月1日上午 普通门诊最多 1 人，排了 2 人"]),
        ((replace(am(1), day=dt.date(2026, 6, 8)),), ["6月8日上午 普通门诊最多 0 人，排了 1 人"]),
    ],
)
def test_m15_02_each_broken_rule_is_one_sentence(roster: Roster, texts: list[str]) -> None:
    away = Leave("a", dt.date(2026, 6, 4), dt.date(2026, 6, 5))

    found = broken(replace(WEEK, leaves=(away,)), roster)

    assert [violation.text for violation in found] == texts


def test_a_minimum_counts_only_people_of_its_title() -> None:
    needs = (
        Need(MONDAY, Period.PM, OTHER.id, 2, 2),
        Need(MONDAY, Period.PM, OTHER.id, 1, 1, Title.ASSOCIATE_CHIEF),
    )
    problem = replace(WEEK, needs=needs)

    assert broken(problem, (pm(1), pm(1, "b", "102"))) == ()
    assert [one.text for one in broken(problem, (pm(1, "b"),))] == [
        "6月1日下午 普通门诊需要 2 人，只排了 1 人",
        "6月1日下午 普通门诊需要副主任医师及以上 1 人，只排了 0 人",
    ]


def test_what_is_fixed_may_not_move_and_is_not_judged_itself() -> None:
    fixed = (night(1), am(2), replace(night(1), day=MONDAY - ONE_DAY))
    problem = replace(WEEK, fixed=fixed)

    assert broken(problem, fixed[:2]) == ()
    assert [one.text for one in broken(problem, (am(2), am(1)))] == [
        "张三5月31日夜班后，6月1日上午又有班",
        "6月1日夜班 病房值班（张三）已经定下，不能改",
    ]
    assert [one.text for one in troubles_of_fixed(problem)] == [
        "张三6月1日夜班后，6月2日上午又有班"
    ]


def test_points_are_told_aim_by_aim() -> None:
    problem = replace(
        WEEK,
        people=(replace(ZHANG, contract_days=4), replace(LI, contract_days=1)),
        needs=(
            *(need for need in NEEDS if need.day == MONDAY and need.service == DUTY.id),
            Need(dt.date(2026, 6, 2), Period.AM, OTHER.id, 0, 2),
            Need(dt.date(2026, 6, 6), Period.AM, OTHER.id, 1, 1),
        ),
        wishes=(
            Wish("a", MONDAY, Mind.WANTS),
            Wish("a", MONDAY, Mind.RATHER_NOT, Period.NIGHT, 3),
            Wish("b", MONDAY, Mind.WANTS, Period.AM, 2),
            Wish("b", MONDAY, Mind.RATHER_NOT),
        ),
        past=(Past("a", 5, 2), Past("b", 3, 2)),
        template=(night(1), am(6, "b")),
        rules=replace(WEEK.rules, hard=WEEK.rules.hard - {Rule.REST}),
    )

    score = judge(problem, (night(1), am(2), am(6)))

    assert score.violations == ()
    assert [(part.aim, part.points, part.text) for part in score.parts] == [
        (Aim.TARGET, 100, "1 个班没有达到期望人数，共少 1 人"),
        (Aim.WISHES, 50, "4 个意愿里有 2 个没有照顾到"),
        (Aim.REST, 50, "夜班后次日没有休息的有 1 次"),
        (Aim.REST_DAYS, 5, "周末和节假日：连同近一季，最多的张三比最少的李四多 3 天"),
        (Aim.NIGHTS, 1, "夜班：连同近一季，最多的张三比最少的李四多 1 个"),
        (Aim.DAYS, 14, "2 人的出勤天数与约定不符，共差 2 天"),
        (Aim.HABIT, 2, "1 个班与原来的排班表不同"),
    ]
    assert score.points == 222
    assert score.rank == (0, 222)


def test_a_broken_rule_is_worse_than_any_points() -> None:
    one_short = replace(WEEK, needs=(Need(MONDAY, Period.AM, OTHER.id, 1, 1),))
    legal = judge(replace(WEEK, needs=(Need(MONDAY, Period.AM, OTHER.id, 0, 50),)), ())

    assert judge(one_short, ()).rank > legal.rank


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"people": (ZHANG, ZHANG)}, "a person is there twice"),
        ({"services": (*SERVICES, CLINIC)}, "a service is there twice"),
        ({"rooms": (Room("1", "101"), Room("1", "102"))}, "a room is there twice"),
        (
            {"needs": (Need(MONDAY - ONE_DAY, Period.AM, OTHER.id, 1, 1),)},
            "a need on 2026-05-31 lies outside the stretch",
        ),
        (
            {"needs": (Need(MONDAY, Period.AM, "none", 1, 1),)},
            "a need for the unknown service none",
        ),
        (
            {"needs": (Need(MONDAY, Period.AM, OTHER.id, 2, 1),)},
            "a need wants more than its target",
        ),
    ],
)
def test_a_problem_that_cannot_be_meant_is_refused(
    change: dict[str, tuple[object, ...]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(WEEK, **change)  # type: ignore[arg-type]


def test_weekends_are_saturdays_and_sundays() -> None:
    assert sorted(weekends(dt.date(2028, 2, 26), dt.date(2028, 3, 5))) == [
        dt.date(2028, 2, 26),
        dt.date(2028, 2, 27),
        dt.date(2028, 3, 4),
    ]
