"""Leave of practitioners (M15.3): asked, decided with every session it touches, taken back.

Approving is one transaction: the leave stands and each session is stopped or held by somebody
else, or nothing happened. What that means for bookings is the sessions' own news.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db import IntegrityError, transaction

from hospital.identity import queries as identity
from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.clock import local
from hospital.kernel.errors import Invalid, NotAllowed, NotFound, Refusal, Stale
from hospital.kernel.states import move
from hospital.live import actions as live
from hospital.messaging import actions as messaging
from hospital.organisation import queries as organisation
from hospital.scheduling.actions import making
from hospital.scheduling.actions.stopping import suspend_schedule
from hospital.scheduling.actions.substituting import substitute
from hospital.scheduling.models import Leave, LeaveDecision
from hospital.scheduling.queries.leave import SessionOnLeave, is_late, sessions_touched
from hospital.scheduling.states import LeaveAnswer, LeaveStatus, StopReason

_LONGEST: Final = dt.timedelta(days=366)
_MOST_NOTE: Final = 200


class LeaveOverlaps(Refusal):
    """Details: leave_id of the other one, None where it came in the same moment."""

    code = "LEAVE_OVERLAPS"
    default_message = "这段时间里已经有一条请假，不能重复。"


class LeaveUndecided(Refusal):
    code = "LEAVE_UNDECIDED"
    default_message = "还有出诊没有选择“停诊”或“替诊”，请逐个选择后再批准。"


class OfficeHeadNeeded(NotAllowed):
    code = "OFFICE_HEAD_NEEDED"
    default_message = "有出诊即将开始（不足规定的提前时间），须由门诊办负责人批准。"


class OwnLeave(NotAllowed):
    code = "OWN_LEAVE"
    default_message = "不能审批自己的请假，请由同事处理。"


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of one session: stopped, or held by the practitioner `substitute_id`."""

    answer: LeaveAnswer
    substitute_id: int | None = None


def ask_leave(
    *,
    practitioner_id: int,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    reason: str,
    note: str,
    by: Actor,
    at: dt.datetime,
) -> Leave:
    """Enter a leave from a moment until before another (UTC); it changes no session yet.

    Raises Invalid for an impossible stretch or a reason nobody knows, NotFound for a practitioner
    who is none, LeaveOverlaps.
    """
    _check(starts_at, ends_at, reason, note, at)
    organisation.practitioner_by_id(practitioner_id)
    with transaction.atomic():
        _refuse_overlap(practitioner_id, starts_at, ends_at)
        leave = _written(
            Leave(
                practitioner_id=practitioner_id,
                starts_at=starts_at,
                ends_at=ends_at,
                reason=reason,
                note=note,
                status=LeaveStatus.ASKED,
                asked_by=str(by),
                asked_at=at,
            )
        )
        after = {
            "reason": reason,
            "starts_at": starts_at.isoformat(),
            "ends_at": ends_at.isoformat(),
        }
        audit.record(act="scheduling.ask_leave", subject=leave, by=by, at=at, after=after)
        live.publish("leaves")
    return leave


@transaction.atomic
def approve_leave(
    *,
    leave_id: int,
    answers: Mapping[int, Answer],
    is_head: bool,
    by: Actor,
    at: dt.datetime,
) -> Leave:
    """Approve a leave with what becomes of every session it touches, by session id.

    `is_head`: whoever decides may do so at short notice. Raises Stale when it was decided or its
    sessions changed meanwhile, LeaveUndecided, OfficeHeadNeeded, OwnLeave, and whatever stopping
    or substituting a session raises.
    """
    # What is published meanwhile must be seen here, or see this leave (M15.2).
    making.take_turns()
    leave = _lock_asked(leave_id)
    _refuse_own(leave, by)
    touched = sessions_touched(
        practitioner_id=leave.practitioner_id,
        starts_at=leave.starts_at,
        ends_at=leave.ends_at,
        at=at,
    )
    ids = {session.schedule_id for session in touched}
    if ids - set(answers):
        raise LeaveUndecided
    if set(answers) - ids:
        raise Stale("出诊刚刚有变动，请核对后重新选择。")
    if is_late(touched, at=at) and not is_head:
        raise OfficeHeadNeeded
    _decide(leave, LeaveStatus.APPROVED, note="", by=by, at=at)
    for session in touched:
        _settle(leave, session, answers[session.schedule_id], by, at)
    _tell(leave, "已批准", by, at)
    return leave


@transaction.atomic
def refuse_leave(*, leave_id: int, note: str, by: Actor, at: dt.datetime) -> Leave:
    """Refuse a leave with a reason; no session changes. Raises Stale, Invalid, OwnLeave."""
    leave = _lock_asked(leave_id)
    _refuse_own(leave, by)
    if not note:
        raise Invalid({"note": ["请写明驳回的原因。"]})
    _decide(leave, LeaveStatus.REFUSED, note=note, by=by, at=at)
    _tell(leave, f"未批准：{note}", by, at)
    return leave


@transaction.atomic
def withdraw_leave(
    *, leave_id: int, note: str, may_end_approved: bool, by: Actor, at: dt.datetime
) -> Leave:
    """Take a leave back: an undecided one, or (销假) an approved one that is not over yet.

    Sessions that were stopped or given to somebody stay so until the office resumes them. Raises
    Stale when it is neither, NotAllowed for an approved one where that may not be.
    """
    leave = _lock(leave_id)
    if leave.status == LeaveStatus.APPROVED and not may_end_approved:
        raise NotAllowed("请假已批准，销假请联系门诊办。")
    if leave.status not in (LeaveStatus.ASKED, LeaveStatus.APPROVED) or leave.ends_at <= at:
        raise Stale
    was_approved = leave.status == LeaveStatus.APPROVED
    _decide(leave, LeaveStatus.WITHDRAWN, note=note, by=by, at=at)
    if was_approved:
        _tell(leave, "已销假", by, at)
    return leave


def _settle(
    leave: Leave, session: SessionOnLeave, answer: Answer, by: Actor, at: dt.datetime
) -> None:
    LeaveDecision.objects.create(
        leave=leave,
        schedule_id=session.schedule_id,
        answer=answer.answer,
        substitute_id=answer.substitute_id,
    )
    reason = f"医生{StopReason(leave.reason).label}"
    if answer.substitute_id is None:
        suspend_schedule(schedule_id=session.schedule_id, reason=reason, by=by, at=at)
        return
    substitute(
        schedule_id=session.schedule_id,
        practitioner_id=answer.substitute_id,
        reason=reason,
        by=by,
        at=at,
    )


def _check(
    starts_at: dt.datetime, ends_at: dt.datetime, reason: str, note: str, at: dt.datetime
) -> None:
    wrong: dict[str, list[str]] = {}
    if ends_at <= starts_at:
        wrong["ends"] = ["结束应晚于开始。"]
    elif ends_at <= at:
        wrong["ends"] = ["这段时间已经过去。"]
    elif ends_at - starts_at > _LONGEST:
        wrong["ends"] = ["一次请假最长一年。"]
    if reason not in StopReason.values:
        wrong["reason"] = ["请选择请假原因。"]
    elif reason == StopReason.OTHER and not note:
        wrong["note"] = ["原因选“其他”时请说明。"]
    if len(note) > _MOST_NOTE:
        wrong["note"] = [f"说明最多 {_MOST_NOTE} 个字。"]
    if wrong:
        raise Invalid(wrong)


def _refuse_overlap(practitioner_id: int, starts_at: dt.datetime, ends_at: dt.datetime) -> None:
    other = Leave.objects.filter(
        practitioner_id=practitioner_id,
        status__in=(LeaveStatus.ASKED, LeaveStatus.APPROVED),
        starts_at__lt=ends_at,
        ends_at__gt=starts_at,
    ).first()
    if other is not None:
        when = f"{local(other.starts_at):%m-%d %H:%M} 至 {local(other.ends_at):%m-%d %H:%M}"
        raise LeaveOverlaps(f"{when} 已经有一条请假，不能重复。", leave_id=other.pk)


def _written(leave: Leave) -> Leave:
    """The constraint decides where two ask in the same moment."""
    try:
        with transaction.atomic():
            leave.save(force_insert=True)
    except IntegrityError as problem:
        if "leave_once_at_a_time" in str(problem):
            raise LeaveOverlaps from None
        raise
    return leave


def _lock(leave_id: int) -> Leave:
    rows = Leave.objects.select_for_update(of=("self",)).select_related("practitioner")
    leave = rows.filter(pk=leave_id).first()
    if leave is None:
        raise NotFound("没有找到这条请假。")
    return leave


def _lock_asked(leave_id: int) -> Leave:
    leave = _lock(leave_id)
    if leave.status != LeaveStatus.ASKED:
        raise Stale("这条请假已经处理过了，请刷新查看。")
    return leave


def _refuse_own(leave: Leave, by: Actor) -> None:
    own = identity.account_ids_of_practitioner(practitioner_id=leave.practitioner_id)
    if by.kind == "staff" and by.id in own:
        raise OwnLeave


def _decide(leave: Leave, to: LeaveStatus, *, note: str, by: Actor, at: dt.datetime) -> None:
    note = note[:_MOST_NOTE]
    before = {"status": str(leave.status)}
    move(leave, to, by=by, at=at, decided_by=str(by), decided_at=at, answer_note=note)
    acts = {
        LeaveStatus.APPROVED: "scheduling.approve_leave",
        LeaveStatus.REFUSED: "scheduling.refuse_leave",
        LeaveStatus.WITHDRAWN: "scheduling.withdraw_leave",
    }
    after = {"status": str(to)}
    audit.record(act=acts[to], subject=leave, by=by, at=at, before=before, after=after)
    live.publish("leaves", f"leave:{leave.pk}")


def _tell(leave: Leave, result: str, by: Actor, at: dt.datetime) -> None:
    """The doctor hears what was decided by SMS and on the own page, like all news for staff."""
    starts, ends = local(leave.starts_at), local(leave.ends_at)
    messaging.send_to_staff(
        kind="S01",
        to=identity.account_ids_of_practitioner(practitioner_id=leave.practitioner_id),
        event_key=f"leave:{leave.pk}:{leave.status}",
        subject=leave,
        fields={
            "time": f"{starts:%m-%d %H:%M} 至 {ends:%m-%d %H:%M}",
            "reason": str(StopReason(leave.reason).label),
            "result": result,
        },
        path=f"/staff/leaves/{leave.pk}/",
        by=by,
        at=at,
    )
