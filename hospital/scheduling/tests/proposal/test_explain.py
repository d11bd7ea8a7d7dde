"""What cannot hold together really cannot, nothing of it is idle, and every advice would do."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings

from hospital.organisation.states import Title
from hospital.scheduling.proposal.conflict import Conflict, smallest
from hospital.scheduling.proposal.explain import Unsolvable, explain
from hospital.scheduling.proposal.model import Effort
from hospital.scheduling.proposal.problem import (
    ONE_DAY,
    Assignment,
    Leave,
    Need,
    Period,
    Person,
    Problem,
    Room,
    Rule,
    Rules,
)
from hospital.scheduling.proposal.score import broken
from hospital.scheduling.proposal.solve import propose
from hospital.scheduling.tests.proposal.small import (
    CLINIC,
    DUTY,
    OTHER,
    SERVICES,
    fewest_missing,
    is_possible,
    missing,
    problems,
)

WEDNESDAY = dt.date(2026, 6, 3)
ANYTHING = frozenset(one.id for one in SERVICES)
ZHANG = Person("a", "张三", Title.CHIEF, ANYTHING)
LI = Person("b", "李四", Title.CHIEF, ANYTHING)
WANG = Person("c", "王五", Title.ATTENDING, ANYTHING)
ROOMS = (Room("101", "101"), Room("102", "102"), Room("103", "103"))
JUNE = Problem(
    dt.date(2026, 6, 1), dt.date(2026, 7, 1), (ZHANG, LI, WANG), SERVICES, (), rooms=ROOMS
)


def reasons(problem: Problem) -> Unsolvable:
    found = propose(problem, seconds=20, workers=1)
    assert isinstance(found, Unsolvable)
    assert found.is_proven
    return found


def smaller(conflict: Conflict) -> list[Conflict]:
    """The conflict with one thing left out, in every way."""
    return [
        *(
            replace(conflict, needs=tuple(one for one in conflict.needs if one != need))
            for need in conflict.needs
        ),
        *(
            replace(conflict, leaves=tuple(one for one in conflict.leaves if one != leave))
            for leave in conflict.leaves
        ),
        *(replace(conflict, rules=conflict.rules - {rule}) for rule in conflict.rules),
    ]


@given(problem=problems())
@settings(max_examples=50)
def test_a_conflict_is_impossible_and_anything_less_is_not(problem: Problem) -> None:
    found = propose(problem, seconds=20, workers=1)
    if not isinstance(found, Unsolvable):
        return

    assert found.conflicts
    for conflict in found.conflicts:
        assert not is_possible(conflict.inside(problem))
        for less in smaller(conflict):
            assert is_possible(less.inside(problem))
        for need, minimum in conflict.help.fewer:
            eased = tuple(
                replace(one, minimum=minimum) if one == need else one for one in conflict.needs
            )
            assert is_possible(replace(conflict, needs=eased).inside(problem))


@given(problem=problems())
@settings(max_examples=50)
def test_the_nearest_roster_breaks_only_minimums_by_the_people_missing(problem: Problem) -> None:
    found = propose(problem, seconds=20, workers=1)
    if not isinstance(found, Unsolvable):
        return

    faults = broken(problem, found.nearest)
    assert {fault.rule for fault in faults} == {Rule.COVER}
    assert found.missing == fewest_missing(problem)
    assert found.missing == missing(problem, found.nearest)


def test_too_few_of_the_title_are_named_with_who_is_on_leave() -> None:
    need = Need(WEDNESDAY, Period.AM, CLINIC.id, 2, 2, Title.ASSOCIATE_CHIEF)
    away = Leave("b", dt.date(2026, 6, 1), dt.date(2026, 6, 6))
    elsewhere = Leave("c", dt.date(2026, 6, 20), dt.date(2026, 6, 21))

    found = reasons(replace(JUNE, needs=(need,), leaves=(away, elsewhere)))

    assert found.conflicts[0].needs == (need,)
    assert found.conflicts[0].leaves == (away,)
    assert found.sentences == (
        "排不出符合全部规则的班：至少缺 1 人次。",
        "6月3日上午 专家门诊需要副主任医师及以上 2 人，符合职称且未请假的只有 1 人（张三）。"
        "挡住的是李四的请假（6月1日至6月5日）。",
        "可以任选一项：李四的请假（6月1日至6月5日）改期；专家门诊放宽职称；"
        "请 1 位能上专家门诊、副主任医师及以上的医生来帮忙；"
        "6月3日上午 专家门诊的副主任医师及以上减到 1 人。",
    )


def test_a_night_and_the_next_morning_are_named_together() -> None:
    night = Need(WEDNESDAY, Period.NIGHT, DUTY.id, 1, 1)
    morning = Need(WEDNESDAY + ONE_DAY, Period.AM, OTHER.id, 3, 3)
    elsewhere = Need(WEDNESDAY, Period.PM, OTHER.id, 1, 1)

    found = reasons(replace(JUNE, needs=(elsewhere, night, morning)))

    assert found.sentences[1:] == (
        "6月3日夜班 病房值班需要 1 人；6月4日上午 普通门诊需要 3 人，不能都排出来："
        "能上的共 3 人（张三、李四、王五）。受限于：夜班后次日上午、中午休息。",
        "可以任选一项：放宽“夜班后次日上午、中午休息”；请 1 位能上病房值班、普通门诊的医生来帮忙；"
        "取消6月3日夜班 病房值班；6月4日上午 普通门诊的人数减到 2 人。",
    )


def test_too_few_rooms_are_told_with_how_many_more_would_do() -> None:
    needs = (
        Need(WEDNESDAY, Period.PM, CLINIC.id, 1, 1),
        Need(WEDNESDAY, Period.PM, OTHER.id, 2, 2),
    )

    found = reasons(replace(JUNE, needs=needs, rooms=ROOMS[:1]))

    assert found.missing == 2
    assert found.conflicts[0].rules == {Rule.ROOM}
    assert found.conflicts[0].needs == (needs[1],)
    assert found.sentences[1:] == (
        "6月3日下午 普通门诊需要 2 人，排不出来。受限于：那时能用的诊室只有 1 间。",
        "可以任选一项：那时再找 1 间诊室；6月3日下午 普通门诊的人数减到 1 人。",
    )


def test_a_long_row_of_days_is_told_as_one() -> None:
    needs = tuple(
        Need(dt.date(2026, 6, 1) + number * ONE_DAY, Period.PM, DUTY.id, 1, 1)
        for number in range(4)
    )

    found = reasons(
        replace(JUNE, people=(WANG,), needs=needs, rules=Rules(longest_run=3, week_cap=9))
    )

    assert found.sentences[1:] == (
        "6月1日至6月4日每天下午 病房值班需要 1 人，排不出来：能上的共 1 人（王五）。"
        "受限于：最多连续上班 3 天。",
        "可以任选一项：最多连续上班改为 4 天；请 1 位能上病房值班的医生来帮忙；"
        "上面 4 个班里任选一个减人。",
    )


def test_a_cap_of_the_week_says_how_far_it_would_have_to_move() -> None:
    needs = tuple(
        Need(dt.date(2026, 6, 1) + number * ONE_DAY, Period.PM, DUTY.id, 1, 1)
        for number in range(4)
    )

    found = reasons(replace(JUNE, people=(WANG,), needs=needs, rules=Rules(week_cap=2)))

    assert found.missing == 2
    assert [conflict.rules for conflict in found.conflicts] == [{Rule.WEEK_CAP}]
    assert dict(found.conflicts[0].help.more) == {Rule.WEEK_CAP: 1}
    assert len(found.conflicts[0].needs) == 3


def test_what_is_decided_elsewhere_can_be_in_the_way() -> None:
    need = Need(WEDNESDAY, Period.AM, CLINIC.id, 1, 1)
    decided = Assignment(WEDNESDAY, Period.AM, OTHER.id, "a", "101")

    found = reasons(replace(JUNE, people=(ZHANG,), needs=(need,), fixed=(decided,)))

    assert found.sentences[1:] == (
        "6月3日上午 专家门诊需要 1 人，能来的一个也没有。",
        "可以任选一项：改动已经定下的班；请 1 位能上专家门诊的医生来帮忙；"
        "取消6月3日上午 专家门诊。",
    )


def test_a_place_decided_for_somebody_else_is_told() -> None:
    decided = Assignment(WEDNESDAY, Period.AM, CLINIC.id, "c", "101")
    need = Need(WEDNESDAY, Period.AM, CLINIC.id, 1, 1, Title.CHIEF)

    found = reasons(replace(JUNE, needs=(need,), fixed=(decided,)))

    assert found.sentences[1].endswith(
        "排不出来：能上的共 2 人（张三、李四）。受限于：已经定下王五。"
    )
    assert "改动已经定下的班" in found.sentences[2]


def test_who_fails_for_another_reason_is_not_counted_out() -> None:
    need = Need(WEDNESDAY, Period.AM, CLINIC.id, 3, 3, Title.CHIEF)
    away = Leave("b", WEDNESDAY, WEDNESDAY + ONE_DAY)

    found = reasons(replace(JUNE, needs=(need,), leaves=(away,)))

    assert found.conflicts[0].leaves == ()
    assert found.sentences[1] == (
        "6月3日上午 专家门诊需要主任医师及以上 3 人，符合职称的只有 2 人（张三、李四）。"
    )


def test_after_five_conflicts_it_says_how_many_sessions_are_left() -> None:
    needs = tuple(
        Need(WEDNESDAY + number * ONE_DAY, Period.AM, CLINIC.id, 4, 4) for number in range(7)
    )

    found = reasons(replace(JUNE, needs=needs))

    assert len(found.conflicts) == 5
    assert found.sentences[-1] == "另外还有 2 个班缺人，解决上面的以后再试。"


def test_two_troubles_on_two_days_are_both_told() -> None:
    needs = tuple(
        Need(day, Period.AM, CLINIC.id, 4, 4) for day in (WEDNESDAY, WEDNESDAY + 7 * ONE_DAY)
    )

    found = reasons(replace(JUNE, needs=needs, rooms=(*ROOMS, Room("104", "104"))))

    assert [conflict.needs for conflict in found.conflicts] == [needs[:1], needs[1:]]
    assert found.sentences[0] == "排不出符合全部规则的班：至少缺 2 人次。"


def test_of_a_possible_problem_it_finds_a_roster_and_claims_nothing() -> None:
    problem = replace(JUNE, needs=(Need(WEDNESDAY, Period.AM, CLINIC.id, 2, 3),))

    found = explain(problem, effort=Effort(20, workers=1))

    assert (found.missing, found.conflicts, found.is_proven) == (0, (), False)
    assert broken(problem, found.nearest) == ()
    assert len(found.nearest) == 3


@pytest.mark.parametrize("guilty", [{0}, {7}, {0, 7}, {2, 3, 5}, set(range(8))])
def test_the_smallest_part_is_the_guilty_one(guilty: set[int]) -> None:
    kept = smallest(range(8), lambda part: guilty <= set(part))

    assert set(kept) == guilty
