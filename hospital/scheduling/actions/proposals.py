"""智能排班: asked by a person, computed by a job, taken over as drafts or dropped (M15.5).

A proposal changes nothing by itself. Taken over it becomes one step on the draft of each of its
weeks, which can be undone, edited and published like any other.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import IntegrityError, transaction

from hospital.kernel import audit, events
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid, NotFound, Refusal, Stale
from hospital.kernel.settings_rows import Scope
from hospital.kernel.states import move
from hospital.live import actions as live
from hospital.organisation import queries as organisation
from hospital.scheduling import proposal_result, thresholds
from hospital.scheduling.actions import making
from hospital.scheduling.actions.roster_steps import Step, begin
from hospital.scheduling.actions.rosters import open_week
from hospital.scheduling.holidays import Calendar
from hospital.scheduling.models import Roster, RosterEntry, RosterNeed, RosterProposal
from hospital.scheduling.proposal.problem import Assignment
from hospital.scheduling.queries.calendar import special_days
from hospital.scheduling.queries.problems import need_weekday
from hospital.scheduling.states import EditKind, ProposalStatus, RosterStatus
from hospital.scheduling.weeks import monday_of, week_days
from hospital.ui.wording import day_text

MOST_DAYS: Final = 62
#: Nothing is computed for that long: whatever did it is gone, and nobody waits for it.
GIVEN_UP: Final = dt.timedelta(minutes=10)
_ONE_DAY: Final = dt.timedelta(days=1)


class ProposalUnderWay(Refusal):
    code = "PROPOSAL_UNDER_WAY"
    default_message = "这个科室已经有一份智能排班在计算，请等它算完。"


@dataclass
class Taken:
    """What became of a proposal taken over: sessions put and taken off, and what was left out."""

    put: int = 0
    removed: int = 0
    left: list[str] = field(default_factory=list)
    mondays: list[dt.date] = field(default_factory=list)


def ask_proposal(
    *,
    department_id: int,
    from_date: dt.date,
    to_date: dt.date,
    people: Collection[int],
    by: Actor,
    at: dt.datetime,
) -> RosterProposal:
    """Ask for a roster of half-open days for some of the department's practitioners.

    Raises Invalid where there is nothing to propose from, ProposalUnderWay.
    """
    known = set(organisation.role_periods(department_id=department_id))
    chosen = sorted(known & set(people))
    _check(department_id, from_date, to_date, chosen, at)
    try:
        with transaction.atomic():
            _give_up(department_id, by, at)
            proposal = RosterProposal.objects.create(
                department_id=department_id,
                from_date=from_date,
                to_date=to_date,
                people=chosen,
                seconds=thresholds.PROPOSAL_SECONDS.value(Scope("department", department_id)),
                status=ProposalStatus.WAITING,
                asked_by=str(by),
                asked_at=at,
            )
            after = {
                "from": from_date.isoformat(),
                "to": to_date.isoformat(),
                "people": len(chosen),
            }
            audit.record(
                act="scheduling.ask_proposal",
                subject=proposal,
                by=by,
                at=at,
                after=after,
            )
            events.later("scheduling.jobs.propose_roster", proposal_id=proposal.pk)
    except IntegrityError as problem:
        if "roster_proposal_one_at_a_time" in str(problem):
            raise ProposalUnderWay from None
        raise
    return proposal


@transaction.atomic
def begin_proposal(*, proposal_id: int, by: Actor, at: dt.datetime) -> bool:
    """Begin to compute, unless another one is being computed: they take turns, each wants the
    whole machine. False when it has to wait; one that is over already has nothing to wait for."""
    making.take_turns()
    proposal = RosterProposal.objects.select_for_update().get(pk=proposal_id)
    others = RosterProposal.objects.filter(
        status=ProposalStatus.RUNNING, started_at__gt=at - GIVEN_UP
    ).exclude(pk=proposal.pk)
    if proposal.status == ProposalStatus.WAITING:
        if others.exists():
            return False
        move(proposal, ProposalStatus.RUNNING, by=by, at=at, started_at=at)
        _publish(proposal)
    return True


@transaction.atomic
def finish_proposal(
    *, proposal_id: int, result: Mapping[str, Any] | None, by: Actor, at: dt.datetime
) -> None:
    """Keep what was found; None: the computation broke off. Once only: it may run twice."""
    proposal = RosterProposal.objects.select_for_update().get(pk=proposal_id)
    if proposal.status != ProposalStatus.RUNNING:
        return
    if result is None:
        to = ProposalStatus.FAILED
    else:
        to = ProposalStatus.READY if result["is_solved"] else ProposalStatus.UNSOLVABLE
    kept = dict(result) if result is not None else None
    move(proposal, to, by=by, at=at, finished_at=at, result=kept)
    _publish(proposal)


@transaction.atomic
def drop_proposal(*, proposal_id: int, by: Actor, at: dt.datetime) -> None:
    """Put a proposal aside. Raises NotFound, Stale when it is computed just now or was decided."""
    proposal = _locked(proposal_id)
    if (proposal.status, ProposalStatus.DROPPED) not in RosterProposal.MOVES:
        raise Stale("这份智能排班正在计算或已经处理过了。")
    move(proposal, ProposalStatus.DROPPED, by=by, at=at)
    _publish(proposal)


@transaction.atomic
def take_proposal(*, proposal_id: int, by: Actor, at: dt.datetime) -> Taken:
    """Take a proposal over into the drafts of its weeks: what it has comes, what it has not of
    its people goes, what is published stays. Weeks that are submitted or published are left alone.

    Raises NotFound, Stale when there is nothing to take.
    """
    making.take_turns()
    proposal = _locked(proposal_id)
    if (proposal.status, ProposalStatus.TAKEN) not in RosterProposal.MOVES:
        raise Stale("这份智能排班已经处理过了。")
    found = proposal_result.read(proposal.result or {})
    taken = Taken()
    by_week: dict[dt.date, list[Assignment]] = {}
    for one in found.roster:
        by_week.setdefault(monday_of(one.day), []).append(one)
    for monday in _mondays(proposal):
        if week_days(monday)[-1] >= hospital_day(at):
            _take_week(proposal, monday, by_week.get(monday, []), taken, by=by, at=at)
    move(proposal, ProposalStatus.TAKEN, by=by, at=at)
    after = {"put": taken.put, "removed": taken.removed, "left": len(taken.left)}
    audit.record(act="scheduling.take_proposal", subject=proposal, by=by, at=at, after=after)
    _publish(proposal)
    return taken


def _give_up(department_id: int, by: Actor, at: dt.datetime) -> None:
    """A computation that broke off for good must not keep the department from another one."""
    lost = RosterProposal.objects.select_for_update().filter(
        department_id=department_id,
        status=ProposalStatus.RUNNING,
        started_at__lte=at - GIVEN_UP,
    )
    for proposal in lost:
        move(proposal, ProposalStatus.FAILED, by=by, at=at, finished_at=at)
        _publish(proposal)


def _take_week(
    proposal: RosterProposal,
    monday: dt.date,
    wanted: list[Assignment],
    taken: Taken,
    *,
    by: Actor,
    at: dt.datetime,
) -> None:
    roster = open_week(department_id=proposal.department_id, monday=monday, by=by, at=at)
    if roster.status != RosterStatus.DRAFT:
        label = RosterStatus(roster.status).label
        taken.left.append(f"{day_text(monday)}那一周{label}，没有改动。")
        return
    step = begin(roster.pk, roster.version, EditKind.PROPOSE, by=by, at=at)
    seats = {one.seat for one in wanted}
    standing = RosterEntry.objects.filter(
        roster=roster,
        is_removed=False,
        practitioner_id__in=proposal.people,
        visit_date__gte=proposal.from_date,
        visit_date__lt=proposal.to_date,
    ).select_related("schedule")
    there = set()
    for entry in standing.order_by("id"):
        seat = _seat(entry)
        if entry.schedule is not None or (seat in seats and seat not in there):
            there.add(seat)
        else:
            step.remove(entry)
            taken.removed += 1
    calendar = special_days(proposal.from_date, proposal.to_date - _ONE_DAY)
    _put(step, roster, [one for one in wanted if one.seat not in there], calendar, taken)
    step.end(is_checked=False)
    taken.mondays.append(monday)


def _put(
    step: Step,
    roster: Roster,
    wanted: Collection[Assignment],
    calendar: Calendar,
    taken: Taken,
) -> None:
    hours = _hours(roster.department_id)
    entries = []
    for one in sorted(wanted, key=lambda one: (one.day, one.seat)):
        need = hours.get((need_weekday(one.day, calendar), one.period, int(one.service)))
        if need is None or one.room is None:
            taken.left.append(f"{day_text(one.day)}{one.period.label}：出诊需求已改，没有放入。")
            continue
        entries.append(
            RosterEntry(
                roster=roster,
                visit_date=one.day,
                session_period=str(one.period),
                practitioner_id=int(one.person),
                service_type_id=int(one.service),
                room_id=int(one.room),
                starts=need.starts,
                ends=need.ends,
                capacity=need.capacity,
                band_minutes=need.band_minutes,
            )
        )
    filled = step.add_all(entries)
    taken.put += len(filled.put)
    taken.left += [left.sentence for left in filled.left]


def _hours(department_id: int) -> dict[tuple[int, str, int], RosterNeed]:
    """Weekday, period and service → the need whose hours and numbers a session there gets."""
    found: dict[tuple[int, str, int], RosterNeed] = {}
    for need in RosterNeed.objects.filter(department_id=department_id).order_by("id"):
        found.setdefault((need.weekday, need.session_period, need.service_type_id), need)
    return found


def _seat(entry: RosterEntry) -> tuple[str, dt.date, str, str]:
    return (
        str(entry.practitioner_id),
        entry.visit_date,
        entry.session_period,
        str(entry.service_type_id),
    )


def _mondays(proposal: RosterProposal) -> list[dt.date]:
    first = monday_of(proposal.from_date)
    weeks = (monday_of(proposal.to_date - _ONE_DAY) - first).days // 7
    return [first + dt.timedelta(days=7 * number) for number in range(weeks + 1)]


def _check(
    department_id: int,
    from_date: dt.date,
    to_date: dt.date,
    people: Collection[int],
    at: dt.datetime,
) -> None:
    wrong: dict[str, list[str]] = {}
    if from_date <= hospital_day(at):
        wrong["from"] = ["请从明天或以后开始。"]
    if not from_date < to_date:
        wrong["to"] = ["结束日期应不早于开始日期。"]
    elif (to_date - from_date).days > MOST_DAYS:
        wrong["to"] = [f"一次最多排 {MOST_DAYS} 天。"]
    if not people:
        wrong["people"] = ["请勾选参加排班的医生。"]
    if not RosterNeed.objects.filter(department_id=department_id).exists():
        wrong["needs"] = ["请先填写这个科室的出诊需求。"]
    if wrong:
        raise Invalid(wrong)


def _locked(proposal_id: int) -> RosterProposal:
    found = RosterProposal.objects.select_for_update().filter(pk=proposal_id).first()
    if found is None:
        raise NotFound("没有找到这份智能排班。")
    return found


def _publish(proposal: RosterProposal) -> None:
    live.publish(f"proposal:{proposal.pk}", "rosters")
