"""A proposal breaks no rule, is the best there is, and never worse than one made by hand."""

import datetime as dt
from dataclasses import replace

from hypothesis import given, settings

from hospital.organisation.states import Title
from hospital.scheduling.proposal.explain import Unsolvable
from hospital.scheduling.proposal.model import Board, Effort
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
    Rules,
    Wish,
    weekends,
)
from hospital.scheduling.proposal.score import broken, judge
from hospital.scheduling.proposal.solve import Proposal, propose
from hospital.scheduling.states import SessionPeriod
from hospital.scheduling.tests.proposal.small import (
    CLINIC,
    DUTY,
    OTHER,
    SERVICES,
    least_points,
    problems,
    roster_of,
)

MONDAY = dt.date(2026, 6, 1)
ANYTHING = frozenset(one.id for one in SERVICES)
ZHANG = Person("张三", "张三", Title.CHIEF, ANYTHING)
LI = Person("李四", "李四", Title.CHIEF, ANYTHING)
WANG = Person("王五", "王五", Title.ATTENDING, ANYTHING)
ROOMS = (Room("101", "101"), Room("102", "102"))


def proposed(problem: Problem) -> Proposal:
    found = propose(problem, seconds=20, workers=1)
    assert isinstance(found, Proposal)
    return found


def nights(problem: Problem, *, days: int) -> Problem:
    """One person on duty each night."""
    needs = tuple(
        Need(problem.from_date + number * ONE_DAY, Period.NIGHT, DUTY.id, 1, 1)
        for number in range(days)
    )
    return replace(problem, needs=needs)


def blank(*people: Person, days: int = 7, start: dt.date = MONDAY) -> Problem:
    end = start + days * ONE_DAY
    return Problem(start, end, people, SERVICES, (), ROOMS, rest_days=weekends(start, end))


@given(problem=problems())
@settings(max_examples=80)
def test_the_proposal_is_the_best_of_all_rosters_or_there_is_none(problem: Problem) -> None:
    best = least_points(problem)
    found = propose(problem, seconds=20, workers=1)

    if best is None:
        assert isinstance(found, Unsolvable)
        assert found.is_proven
        return
    assert isinstance(found, Proposal)
    assert found.score == judge(problem, found.roster)
    assert found.score.violations == ()
    assert found.is_optimal
    assert found.bound == best
    assert found.score.points == best
    by_hand = judge(problem, problem.template)
    assert found.score.rank <= by_hand.rank


@given(problem=problems())
@settings(max_examples=20)
def test_with_one_worker_the_same_problem_gives_the_same_roster(problem: Problem) -> None:
    first = propose(problem, seconds=20, workers=1)
    second = propose(problem, seconds=20, workers=1)

    if isinstance(first, Proposal):
        assert isinstance(second, Proposal)
        assert first.roster == second.roster
    else:
        assert isinstance(second, Unsolvable)
        assert first.sentences == second.sentences


def test_with_hardly_any_time_it_is_not_worse_than_the_template() -> None:
    problem = nights(blank(ZHANG, LI, days=6), days=6)
    seats = [
        (need.day, Period.NIGHT, DUTY, "张三" if need.day.day < 6 else "李四")
        for need in problem.needs
    ]
    by_hand = replace(problem, template=roster_of(*seats))

    found = propose(by_hand, seconds=0, workers=1)

    assert isinstance(found, Proposal)
    assert found.score.rank <= judge(by_hand, by_hand.template).rank


def test_a_search_cut_short_is_legal_and_not_worse_than_the_template() -> None:
    people = tuple(
        replace(ZHANG, id=f"{number}", name=f"{number}", contract_days=12) for number in range(9)
    )
    month = blank(*people, days=28)
    needs = tuple(
        Need(day, period, service.id, 1, 1 + day.day % 3)
        for day in month.days
        for period, service in ((Period.AM, CLINIC), (Period.PM, OTHER), (Period.NIGHT, DUTY))
    )
    wishes = tuple(
        Wish(f"{number % 9}", day, Mind.RATHER_NOT) for number, day in enumerate(month.days)
    )
    rooms = tuple(Room(f"{number}", f"{number}") for number in range(3))
    problem = replace(month, needs=needs, wishes=wishes, rooms=rooms, rules=Rules(week_cap=6))
    by_hand = Board(problem).search(0, Effort(20, workers=1)).roster
    assert by_hand is not None
    assert broken(problem, by_hand) == ()

    for seconds in (0.05, 0.5, 1.0):
        found = propose(replace(problem, template=by_hand), seconds=seconds)

        assert isinstance(found, Proposal)
        assert found.score.violations == ()
        assert found.template_score is not None
        assert found.bound <= found.score.points <= found.template_score.points


def test_a_template_that_breaks_a_rule_is_mended() -> None:
    problem = nights(blank(ZHANG, LI, days=1), days=1)
    both = roster_of(
        (MONDAY, Period.NIGHT, DUTY, "张三"),
        (MONDAY, Period.NIGHT, DUTY, "李四"),
    )

    found = proposed(replace(problem, template=both))

    assert found.template_score is not None
    assert len(found.template_score.violations) == 1
    assert found.score.violations == ()
    assert len(found.roster) == 1


def test_a_department_of_nobody_that_needs_nothing_is_done() -> None:
    found = proposed(blank())

    assert found.roster == ()
    assert found.score.points == 0
    assert found.is_optimal


def test_a_department_of_nobody_that_needs_somebody_is_told() -> None:
    found = propose(nights(blank(), days=1), seconds=20, workers=1)

    assert isinstance(found, Unsolvable)
    assert found.missing == 1
    assert found.nearest == ()
    assert found.sentences[1] == "6月1日夜班 病房值班需要 1 人，能来的一个也没有。"


def test_leave_ends_before_its_last_day() -> None:
    problem = replace(
        nights(blank(ZHANG, LI, days=3), days=3),
        leaves=(Leave("张三", MONDAY, MONDAY + 2 * ONE_DAY),),
        rules=Rules(night_weight=0),
        wishes=(Wish("李四", MONDAY + 2 * ONE_DAY, Mind.RATHER_NOT),),
    )

    assert [(one.day.day, one.person) for one in proposed(problem).roster] == [
        (1, "李四"),
        (2, "李四"),
        (3, "张三"),
    ]


def test_m15_02_after_a_night_the_morning_is_free_across_the_month() -> None:
    first = dt.date(2026, 7, 1)
    yesterday = Assignment(first - ONE_DAY, Period.NIGHT, DUTY.id, "张三")
    problem = replace(
        blank(ZHANG, LI, days=1, start=first),
        needs=(Need(first, Period.AM, CLINIC.id, 1, 2),),
        fixed=(yesterday,),
    )

    assert [one.person for one in proposed(problem).roster] == ["李四"]


def test_m15_02_a_last_night_leaves_the_published_morning_of_the_next_month_free() -> None:
    last = dt.date(2028, 2, 29)
    tomorrow = Assignment(last + ONE_DAY, Period.AM, CLINIC.id, "张三", "101")
    problem = replace(nights(blank(ZHANG, LI, days=1, start=last), days=1), fixed=(tomorrow,))

    assert [(one.day, one.person) for one in proposed(problem).roster] == [(last, "李四")]


def test_a_week_across_the_border_has_one_cap() -> None:
    wednesday = dt.date(2026, 7, 1)
    worked = tuple(
        Assignment(wednesday - back * ONE_DAY, Period.AM, CLINIC.id, "张三", "101")
        for back in (1, 2)
    )
    problem = replace(
        blank(ZHANG, days=2, start=wednesday),
        needs=tuple(
            Need(wednesday + number * ONE_DAY, Period.AM, CLINIC.id, 0, 1) for number in range(2)
        ),
        fixed=worked,
        rules=Rules(week_cap=3),
    )

    assert len(proposed(problem).roster) == 1


def test_a_run_across_the_border_ends_in_time() -> None:
    worked = tuple(
        Assignment(MONDAY - back * ONE_DAY, Period.AM, CLINIC.id, "张三", "101") for back in (1, 2)
    )
    problem = replace(
        blank(ZHANG, days=2),
        needs=tuple(
            Need(MONDAY + number * ONE_DAY, Period.AM, CLINIC.id, 0, 1) for number in range(2)
        ),
        fixed=worked,
        rules=Rules(longest_run=2),
    )

    assert [one.day for one in proposed(problem).roster] == [MONDAY + ONE_DAY]


def test_nights_go_to_who_had_fewer_in_the_last_quarter() -> None:
    problem = nights(blank(ZHANG, LI, days=6), days=6)

    def of_zhang(zhang: int, li: int) -> int:
        past = (Past("张三", 0, zhang), Past("李四", 0, li))
        roster = proposed(replace(problem, past=past)).roster
        return sum(1 for one in roster if one.person == "张三")

    assert [of_zhang(0, 0), of_zhang(2, 0), of_zhang(6, 0), of_zhang(0, 4)] == [3, 2, 0, 5]


def test_sessions_decided_before_count_for_the_day_and_for_fairness() -> None:
    decided = (
        Assignment(MONDAY, Period.AM, OTHER.id, "张三", "101"),
        Assignment(MONDAY, Period.NIGHT, DUTY.id, "张三"),
        Assignment(MONDAY + 2 * ONE_DAY, Period.NIGHT, DUTY.id, "张三"),
    )
    needs = (
        Need(MONDAY, Period.PM, CLINIC.id, 0, 2),
        Need(MONDAY + 4 * ONE_DAY, Period.NIGHT, DUTY.id, 1, 1),
        Need(MONDAY + 6 * ONE_DAY, Period.NIGHT, DUTY.id, 1, 1),
    )
    problem = replace(blank(ZHANG, LI), needs=needs, fixed=decided)

    chosen = [one for one in proposed(problem).roster if one not in decided]

    assert [(one.day.day, one.period, one.person) for one in chosen] == [
        (1, Period.PM, "李四"),
        (5, Period.NIGHT, "李四"),
        (7, Period.NIGHT, "李四"),
    ]


def test_weekends_go_to_who_had_fewer_in_the_last_quarter() -> None:
    problem = replace(
        blank(ZHANG, LI, days=14),
        needs=tuple(
            Need(day, Period.AM, CLINIC.id, 1, 1)
            for day in sorted(weekends(MONDAY, MONDAY + 14 * ONE_DAY))
        ),
    )

    def of_zhang(zhang: int, li: int) -> int:
        past = (Past("张三", zhang, 0), Past("李四", li, 0))
        roster = proposed(replace(problem, past=past)).roster
        return sum(1 for one in roster if one.person == "张三")

    assert [of_zhang(0, 0), of_zhang(2, 0), of_zhang(4, 0), of_zhang(0, 9)] == [2, 1, 0, 4]


def test_somebody_new_does_not_catch_up_a_quarter() -> None:
    problem = replace(nights(blank(ZHANG, LI, days=6), days=6), past=(Past("张三", 0, 8),))

    assert sum(1 for one in proposed(problem).roster if one.person == "李四") == 3


def test_a_senior_title_counts_for_both_needs_of_a_session() -> None:
    problem = replace(
        blank(ZHANG, WANG, days=1),
        needs=(
            Need(MONDAY, Period.NIGHT, DUTY.id, 2, 2),
            Need(MONDAY, Period.NIGHT, DUTY.id, 1, 1, Title.CHIEF),
        ),
    )

    assert [one.person for one in proposed(problem).roster] == ["张三", "王五"]


def test_a_session_keeps_the_room_of_the_template_and_everybody_has_one() -> None:
    only_clinic = Room("103", "103", frozenset({CLINIC.id}))
    problem = replace(
        blank(ZHANG, LI, WANG, days=1),
        rooms=(Room("101", "101"), Room("102", "102"), only_clinic),
        needs=(
            Need(MONDAY, Period.AM, CLINIC.id, 1, 1, Title.CHIEF),
            Need(MONDAY, Period.AM, OTHER.id, 2, 2),
        ),
        template=(Assignment(MONDAY, Period.AM, OTHER.id, "王五", "102"),),
    )
    rooms = {one.person: one.room for one in proposed(problem).roster}

    assert rooms["王五"] == "102"
    assert set(rooms.values()) == {"101", "102", "103"}


def test_what_is_fixed_stays_and_its_troubles_are_told() -> None:
    on_leave = Assignment(MONDAY, Period.AM, CLINIC.id, "张三", "101")
    problem = replace(
        blank(ZHANG, LI, days=1),
        needs=(Need(MONDAY, Period.AM, CLINIC.id, 2, 2),),
        leaves=(Leave("张三", MONDAY, MONDAY + ONE_DAY),),
        fixed=(on_leave,),
    )
    found = proposed(problem)

    assert on_leave in found.roster
    assert [one.person for one in found.roster] == ["张三", "李四"]
    assert [trouble.text for trouble in found.troubles] == ["6月1日上午 专家门诊：张三请假"]


def test_periods_are_those_of_sessions_and_the_night() -> None:
    ours = {period.value: period.label for period in Period if period != Period.NIGHT}

    assert ours == {value: label for value, label in SessionPeriod.choices if value != "night"}
