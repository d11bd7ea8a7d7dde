"""停诊申请 (SM1): the department head asks, the outpatient office calls the session off or says why
not, or the department takes the request back. Calling it off, for whatever reason, answers the
request too. Whoever asked is told.

Locks: session, then the request.
"""

import datetime as dt
from typing import Final

from django.db import transaction

from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.clock import local
from hospital.kernel.errors import Invalid, NotFound, Refusal, Stale
from hospital.kernel.states import move
from hospital.live import actions as live
from hospital.messaging import actions as messaging
from hospital.scheduling import sessions
from hospital.scheduling.models import Schedule, StopRequest
from hospital.scheduling.states import ScheduleStatus, StopReason, StopRequestStatus

_MOST_NOTE: Final = 80
_MOST_ANSWER: Final = 200


class CannotAskStop(Refusal):
    code = "CANNOT_ASK_STOP"
    default_message = "该出诊已停诊或已结束，不用再申请。"


@transaction.atomic
def ask_stop(
    *, schedule_id: int, reason: str, note: str, by: Actor, at: dt.datetime
) -> StopRequest:
    """Ask the office to call a session off; the session stays as it is until then.

    Raises NotFound, Invalid for a reason nobody knows or none in words where it is 其他,
    CannotAskStop when the session is off or over or a request waits already.
    """
    wrong: dict[str, list[str]] = {}
    if reason not in StopReason.values:
        wrong["reason"] = ["请选择停诊原因。"]
    elif reason == StopReason.OTHER and not note:
        wrong["note"] = ["原因选“其他”时请说明。"]
    if len(note) > _MOST_NOTE:
        wrong["note"] = [f"说明最多 {_MOST_NOTE} 个字。"]
    if wrong:
        raise Invalid(wrong)
    schedule = Schedule.objects.select_for_update(no_key=True).filter(pk=schedule_id).first()
    if schedule is None:
        raise NotFound("没有找到这次出诊。")
    if (schedule.status, ScheduleStatus.SUSPENDED) not in Schedule.MOVES or schedule.ends_at <= at:
        raise CannotAskStop
    asked = StopRequest.objects.filter(schedule=schedule, status=StopRequestStatus.ASKED)
    if asked.exists():
        raise CannotAskStop("这次出诊已有一条停诊申请在等门诊办处理。")
    request = StopRequest.objects.create(
        schedule=schedule,
        reason=reason,
        note=note,
        status=StopRequestStatus.ASKED,
        asked_by=str(by),
        asked_at=at,
    )
    audit.record(
        act="scheduling.ask_stop",
        subject=schedule,
        by=by,
        at=at,
        reason=f"{StopReason(reason).label}：{note}" if note else str(StopReason(reason).label),
    )
    live.publish("leaves")
    return request


@transaction.atomic
def refuse_stop(*, request_id: int, note: str, by: Actor, at: dt.datetime) -> StopRequest:
    """Let the session be held after all, and say why. Raises NotFound, Invalid without a reason,
    Stale when it was answered meanwhile."""
    request = _lock_asked(request_id)
    if not note:
        raise Invalid({"note": ["请写明不同意的原因。"]}, "请写明不同意的原因。")
    _answer(request, StopRequestStatus.REFUSED, note=note[:_MOST_ANSWER], by=by, at=at)
    _tell(request, f"未同意：{request.answer_note.rstrip('。')}", by, at)
    audit.record(
        act="scheduling.refuse_stop", subject=request.schedule, by=by, at=at, reason=note[:100]
    )
    return request


@transaction.atomic
def withdraw_stop(*, request_id: int, by: Actor, at: dt.datetime) -> StopRequest:
    """Take a request back: the session is held. Raises NotFound, Stale when it was answered
    meanwhile."""
    request = _lock_asked(request_id)
    _answer(request, StopRequestStatus.WITHDRAWN, note="", by=by, at=at)
    _tell(request, "已由同科撤回", by, at)
    audit.record(act="scheduling.withdraw_stop", subject=request.schedule, by=by, at=at)
    return request


def answer_by_stop(*, schedule: Schedule, by: Actor, at: dt.datetime) -> None:
    """The session is called off, or was taken from the roster: whoever asked for it is told; under
    the session's lock, before it moves."""
    waiting = StopRequest.objects.select_for_update(of=("self",)).filter(
        schedule=schedule, status=StopRequestStatus.ASKED
    )
    for request in waiting:
        _answer(request, StopRequestStatus.DONE, note="", by=by, at=at)
        _tell(request, "已停诊", by, at)


def _lock_asked(request_id: int) -> StopRequest:
    request = StopRequest.objects.select_for_update(of=("self",)).filter(pk=request_id).first()
    if request is None:
        raise NotFound("没有找到这条停诊申请。")
    if request.status != StopRequestStatus.ASKED:
        raise Stale("这条停诊申请已经处理过了，请刷新查看。")
    return request


def _answer(
    request: StopRequest, to: StopRequestStatus, *, note: str, by: Actor, at: dt.datetime
) -> None:
    move(request, to, by=by, at=at, decided_by=str(by), decided_at=at, answer_note=note)
    live.publish("leaves")


def _tell(request: StopRequest, result: str, by: Actor, at: dt.datetime) -> None:
    """Whoever asked hears how it ended, like of a leave; one's own answer is no news."""
    asked_by = Actor.parse(request.asked_by)
    if asked_by.kind != "staff" or asked_by == by:
        return
    (session,) = sessions.load_all(Schedule.objects.filter(pk=request.schedule_id))
    messaging.send_to_staff(
        kind="S02",
        to=[asked_by.id],
        event_key=f"stop_request:{request.pk}",
        subject=request.schedule,
        fields={
            "session": f"{session.department_name} {session.doctor_label}",
            "time": f"{local(session.starts_at):%m-%d %H:%M}",
            "result": result,
        },
        path=f"/staff/leaves/#stop-{request.pk}",
        by=by,
        at=at,
    )
