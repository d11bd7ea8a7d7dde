"""M15.5: a roster proposed from needs, leave, wishes and rooms, taken over as a draft."""

import datetime as dt

import pytest

from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid, NotFound, Stale
from hospital.organisation.models import Department, Practitioner
from hospital.organisation.states import Title
from hospital.scheduling import actions, jobs, queries
from hospital.scheduling.actions import ProposalUnderWay, publishing, rosters
from hospital.scheduling.actions.roster_steps import Wanted
from hospital.scheduling.holidays import SpecialDay
from hospital.scheduling.models import (
    Roster,
    RosterEntry,
    RosterNeed,
    RosterProposal,
    RosterWish,
)
from hospital.scheduling.proposal.problem import Mind, Period
from hospital.scheduling.proposal.score import judge
from hospital.scheduling.states import DayKind, ProposalStatus, RosterStatus, SessionPeriod
from hospital.scheduling.views.staff.proposals import marks_of
from hospital.testing.jobs import due_jobs
from hospital.testing.organisation import a_department, a_practitioner, a_room, a_service_type
from hospital.testing.schedules import NOW, a_template, moment

pytestmark = pytest.mark.django_db
HEAD = Actor("staff", 7)
#: Two whole weeks after the days that are made already.
MONDAY = dt.date(2026, 12, 14)
UNTIL = MONDAY + dt.timedelta(days=14)


class Clinic:
    """A department with three doctors, two rooms and a need for mornings."""

    def __init__(self, *, minimum: int = 1, target: int = 2) -> None:
        self.department: Department = a_department()
        self.doctors: list[Practitioner] = [
            a_practitioner(self.department, name="陈甲"),
            a_practitioner(self.department, name="陈乙", title=Title.ATTENDING),
            a_practitioner(self.department, name="陈丙", title=Title.ATTENDING),
        ]
        self.service = a_service_type()
        self.rooms = [a_room(department=self.department) for _ in range(2)]
        self.need([1, 2, 3, 4, 5], minimum=minimum, target=target)

    def need(self, weekdays: list[int], **changes: object) -> None:
        values = {
            "session_period": "am",
            "service_type_id": self.service.pk,
            "minimum": 1,
            "target": 1,
            "minimum_title": "",
            "starts": dt.time(8, 0),
            "ends": dt.time(12, 0),
            "capacity": 16,
            "band_minutes": 60,
        }
        actions.save_need(
            department_id=self.department.pk,
            need_id=None,
            weekdays=weekdays,
            values=values | changes,
            by=HEAD,
            at=NOW,
        )

    def ask(self, *, to_date: dt.date = UNTIL) -> RosterProposal:
        return actions.ask_proposal(
            department_id=self.department.pk,
            from_date=MONDAY,
            to_date=to_date,
            people=[doctor.pk for doctor in self.doctors],
            by=HEAD,
            at=NOW,
        )


def solve(proposal: RosterProposal) -> RosterProposal:
    RosterProposal.objects.filter(pk=proposal.pk).update(seconds=1)
    jobs.propose_roster(proposal_id=proposal.pk)
    proposal.refresh_from_db()
    return proposal


def test_m15_05_the_problem_holds_needs_holidays_leave_wishes_and_rooms() -> None:
    clinic = Clinic()
    first, second, _ = clinic.doctors
    clinic.need([8], minimum=1, target=1)
    holiday = SpecialDay(DayKind.HOLIDAY, "院庆")
    actions.set_day(day=MONDAY, special=holiday, by=HEAD, at=NOW)
    leave = actions.ask_leave(
        practitioner_id=first.pk,
        starts_at=moment(MONDAY + dt.timedelta(days=1), 12),
        ends_at=moment(MONDAY + dt.timedelta(days=3), 0),
        reason="study",
        note="",
        by=HEAD,
        at=NOW,
    )
    actions.approve_leave(leave_id=leave.pk, answers={}, is_head=False, by=HEAD, at=NOW)
    actions.save_wish(
        practitioner_id=second.pk,
        visit_date=None,
        weekday=5,
        session_period="am",
        mind="rather_not",
        weight=2,
        at=NOW,
    )
    other = a_template(room=clinic.rooms[1], weekday=3)

    problem = queries.problem_of(
        department_id=clinic.department.pk,
        from_date=MONDAY,
        to_date=MONDAY + dt.timedelta(days=7),
        people=[doctor.pk for doctor in clinic.doctors],
    )

    assert [(need.day - MONDAY).days for need in problem.needs] == [0, 1, 2, 3, 4]
    assert [need.target for need in problem.needs] == [1, 2, 2, 2, 2]
    assert MONDAY in problem.rest_days
    tuesday, wednesday = (MONDAY + dt.timedelta(days=number) for number in (1, 2))
    assert problem.is_on_leave(str(first.pk), tuesday, Period.AM) is False
    assert problem.is_on_leave(str(first.pk), tuesday, Period.PM) is True
    assert problem.is_on_leave(str(first.pk), wednesday, Period.AM) is True
    (wish,) = problem.wishes
    assert (wish.person, wish.mind, wish.weight) == (str(second.pk), Mind.RATHER_NOT, 2)
    rooms = {room.id: room.taken for room in problem.rooms}
    assert rooms[str(clinic.rooms[1].pk)] == {(wednesday, Period.AM)}
    assert other.department_id != clinic.department.pk


def test_m15_05_needs_come_from_the_templates_and_the_template_is_the_roster_by_hand() -> None:
    template = a_template(weekday=2)
    assert template.practitioner is not None
    entered = actions.needs_from_templates(department_id=template.department_id, by=HEAD, at=NOW)
    again = actions.needs_from_templates(department_id=template.department_id, by=HEAD, at=NOW)

    problem = queries.problem_of(
        department_id=template.department_id,
        from_date=MONDAY,
        to_date=UNTIL,
        people=[template.practitioner.pk],
    )

    assert (entered, again) == (1, 0)
    assert [one.day for one in problem.template] == [
        MONDAY + dt.timedelta(days=1),
        MONDAY + dt.timedelta(days=8),
    ]
    assert judge(problem, problem.template).violations == ()


def test_m15_05_a_proposal_is_computed_by_a_job_and_taken_over_as_drafts() -> None:
    clinic = Clinic()
    proposal = clinic.ask()
    assert due_jobs() == ["scheduling.jobs.propose_roster"]
    with pytest.raises(ProposalUnderWay):
        clinic.ask()
    assert RosterProposal.objects.count() == 1

    solve(proposal)

    assert proposal.status == ProposalStatus.READY
    row = queries.proposal_row(proposal_id=proposal.pk)
    assert row.result is not None
    assert len(row.result.roster) == 20
    assert Roster.objects.count() == 0
    taken = actions.take_proposal(proposal_id=proposal.pk, by=HEAD, at=NOW)
    assert (taken.put, taken.removed, taken.left) == (20, 0, [])
    assert [roster.status for roster in Roster.objects.all()] == [RosterStatus.DRAFT] * 2
    entries = RosterEntry.objects.filter(is_removed=False)
    assert {entry.capacity for entry in entries} == {16}
    assert {(entry.visit_date, entry.practitioner_id) for entry in entries} == {
        (one.day, int(one.person)) for one in row.result.roster
    }
    with pytest.raises(Stale):
        actions.take_proposal(proposal_id=proposal.pk, by=HEAD, at=NOW)


def test_m15_05_taking_over_replaces_the_draft_and_leaves_submitted_weeks_alone() -> None:
    clinic = Clinic(minimum=1, target=1)
    for weekday in range(1, 6):
        a_template(
            department=clinic.department,
            practitioner=clinic.doctors[0],
            service_type=clinic.service,
            room=clinic.rooms[0],
            weekday=weekday,
            session_period=SessionPeriod.PM,
            starts=dt.time(14, 0),
            ends=dt.time(17, 0),
        )
    second_week = MONDAY + dt.timedelta(days=7)
    roster = rosters.open_week(
        department_id=clinic.department.pk, monday=second_week, by=HEAD, at=NOW
    )
    publishing.submit_roster(roster_id=roster.pk, version=roster.version, by=HEAD, at=NOW)
    proposal = solve(clinic.ask())

    taken = actions.take_proposal(proposal_id=proposal.pk, by=HEAD, at=NOW)

    assert (taken.put, taken.removed) == (5, 5)
    assert taken.left == ["12月21日那一周待审核，没有改动。"]
    kept = RosterEntry.objects.filter(roster=roster, is_removed=False)
    assert {entry.session_period for entry in kept} == {SessionPeriod.PM}


def test_m15_05_without_a_solution_the_reasons_are_told() -> None:
    clinic = Clinic(minimum=3, target=3)

    proposal = solve(clinic.ask(to_date=MONDAY + dt.timedelta(days=2)))

    assert proposal.status == ProposalStatus.UNSOLVABLE
    row = queries.proposal_row(proposal_id=proposal.pk)
    assert row.result is not None
    assert row.result.missing == 2
    assert any("诊室" in sentence for sentence in row.result.sentences)
    name = clinic.service.name
    assert row.result.short == (
        f"12月14日上午 {name}：还缺 1 人",
        f"12月15日上午 {name}：还缺 1 人",
    )


def test_m15_05_services_are_told_apart_by_one_character() -> None:
    names = ["专家门诊", "专科门诊", "名医门诊", "普通门诊"]

    assert marks_of(names) == {
        "专家门诊": "家",
        "专科门诊": "科",
        "名医门诊": "名",
        "普通门诊": "普",
    }
    assert marks_of(["普通门诊"]) == {"普通门诊": ""}


def test_m15_05_a_search_that_breaks_off_is_told_and_may_be_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clinic = Clinic()
    proposal = clinic.ask()
    monkeypatch.setattr("hospital.scheduling.proposal.apart.sys.executable", "/bin/false")

    solve(proposal)

    assert (proposal.status, proposal.result) == (ProposalStatus.FAILED, None)
    assert clinic.ask().status == ProposalStatus.WAITING


def test_m15_05_proposals_take_turns() -> None:
    first, second = Clinic().ask(), Clinic().ask()
    assert actions.begin_proposal(proposal_id=first.pk, by=SYSTEM, at=NOW) is True
    assert actions.begin_proposal(proposal_id=second.pk, by=SYSTEM, at=NOW) is False
    assert actions.begin_proposal(proposal_id=first.pk, by=SYSTEM, at=NOW) is True
    late = NOW + dt.timedelta(minutes=11)
    assert actions.begin_proposal(proposal_id=second.pk, by=SYSTEM, at=late) is True


def test_m15_05_nothing_to_propose_from_is_refused() -> None:
    clinic = Clinic()
    RosterNeed.objects.all().delete()

    with pytest.raises(Invalid) as refused:
        actions.ask_proposal(
            department_id=clinic.department.pk,
            from_date=dt.date(2026, 11, 23),
            to_date=dt.date(2026, 11, 23),
            people=[a_practitioner(a_department()).pk],
            by=HEAD,
            at=NOW,
        )

    assert list(refused.value.errors) == ["from", "to", "people", "needs"]
    assert RosterProposal.objects.count() == 0


def test_m15_05_wishes_are_their_doctors() -> None:
    doctor, other = (a_practitioner(a_department()) for _ in range(2))
    wish = actions.save_wish(
        practitioner_id=doctor.pk,
        visit_date=MONDAY,
        weekday=None,
        session_period="",
        mind="wants",
        weight=1,
        at=NOW,
    )
    with pytest.raises(NotFound):
        actions.remove_wish(practitioner_id=other.pk, wish_id=wish.pk)
    for day, weekday in ((MONDAY, 1), (dt.date(9999, 12, 31), None)):
        with pytest.raises(Invalid):
            actions.save_wish(
                practitioner_id=doctor.pk,
                visit_date=day,
                weekday=weekday,
                session_period="",
                mind="wants",
                weight=1,
                at=NOW,
            )
    assert RosterWish.objects.count() == 1
    actions.remove_wish(practitioner_id=doctor.pk, wish_id=wish.pk)
    assert RosterWish.objects.count() == 0


def test_m15_05_a_computation_that_broke_off_for_good_is_not_waited_for() -> None:
    clinic = Clinic()
    lost = clinic.ask()
    actions.begin_proposal(proposal_id=lost.pk, by=SYSTEM, at=NOW)
    with pytest.raises(ProposalUnderWay):
        clinic.ask()

    began = NOW - dt.timedelta(minutes=11)
    RosterProposal.objects.filter(pk=lost.pk).update(started_at=began)
    again = clinic.ask()

    lost.refresh_from_db()
    assert (lost.status, again.status) == (ProposalStatus.FAILED, ProposalStatus.WAITING)


def test_m15_05_a_changed_need_does_not_swallow_another_one() -> None:
    clinic = Clinic()
    monday, tuesday = (RosterNeed.objects.get(weekday=number) for number in (1, 2))
    values = {
        name: getattr(monday, name)
        for name in (
            *("session_period", "service_type_id", "minimum_title", "minimum", "target"),
            *("starts", "ends", "capacity", "band_minutes"),
        )
    }

    with pytest.raises(Invalid) as refusal:
        actions.save_need(
            department_id=clinic.department.pk,
            need_id=monday.pk,
            weekdays=[2],
            values=values | {"target": 9},
            by=HEAD,
            at=NOW,
        )

    assert "已经有一条" in refusal.value.errors["weekday"][0]
    tuesday.refresh_from_db()
    assert (RosterNeed.objects.filter(pk=monday.pk).exists(), tuesday.target) == (True, 2)


def test_m15_05_what_others_will_hold_is_taken_and_what_is_submitted_stays() -> None:
    elsewhere = a_department(name="骨伤科")
    clinic = Clinic()
    first, second, colleague = clinic.doctors
    both = a_practitioner(clinic.department, elsewhere, name="两科大夫")
    room = clinic.rooms[0]
    a_template(department=elsewhere, practitioner=both, weekday=1)
    a_template(department=clinic.department, practitioner=colleague, room=room, weekday=2)
    roster = rosters.open_week(department_id=clinic.department.pk, monday=MONDAY, by=HEAD, at=NOW)
    rosters.put_entry(
        roster_id=roster.pk,
        version=roster.version,
        wanted=Wanted(
            visit_date=MONDAY,
            session_period=SessionPeriod.AM,
            practitioner_id=first.pk,
            service_type_id=clinic.service.pk,
            room_id=room.pk,
            starts=dt.time(8),
            ends=dt.time(12),
            capacity=16,
            band_minutes=60,
        ),
        by=HEAD,
        at=NOW,
    )
    roster.refresh_from_db()
    publishing.submit_roster(roster_id=roster.pk, version=roster.version, by=HEAD, at=NOW)

    problem = queries.problem_of(
        department_id=clinic.department.pk,
        from_date=MONDAY,
        to_date=UNTIL,
        people=[first.pk, second.pk, both.pk],
    )

    # The colleague who is not planned for keeps the room, drafted or by template alike.
    tuesdays = [MONDAY + dt.timedelta(days=days) for days in (1, 8)]
    rooms = {one.id: one.taken for one in problem.rooms}
    assert rooms[str(room.pk)] == {(day, Period.AM) for day in tuesdays}
    # Whoever has a clinic in another department, made by template later, cannot be had then.
    mondays = [MONDAY, MONDAY + dt.timedelta(days=7)]
    assert [problem.is_on_leave(str(both.pk), day, Period.AM) for day in mondays] == [True, True]
    assert problem.is_on_leave(str(both.pk), mondays[0], Period.PM) is False
    # What waits for approval is not planned again.
    assert [(one.person, one.day) for one in problem.fixed] == [(str(first.pk), MONDAY)]
    assert problem.template == problem.fixed
