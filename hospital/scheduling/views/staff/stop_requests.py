"""停诊申请: a department head asks for a stop; the office refuses it here, or stops the session on
its own page (SM1)."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import NotFound, Refusal
from hospital.scheduling import actions, queries
from hospital.scheduling.permissions import ASK_STOP, STOP_SESSIONS
from hospital.scheduling.sessions import SessionFacts
from hospital.scheduling.states import StopReason
from hospital.ui.typed import typed


@staff_page(ASK_STOP)
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: StaffRequest, schedule_id: int) -> HttpResponse:
    """Ask for a stop of a session of the own department."""
    session = queries.session_facts(schedule_id=schedule_id)
    if not _is_within_reach(request, session):
        raise NotFound("没有找到这次出诊。")
    sentences: list[str] = []
    reason, note = typed(request.POST, "reason", most=10), typed(request.POST, "note", most=80)
    if request.method == "POST":
        try:
            actions.ask_stop(
                schedule_id=schedule_id,
                reason=reason,
                note=note,
                by=request.actor,
                at=clock.now(),
            )
        except Refusal as refusal:
            note_refusal(request, refusal)
            errors = getattr(refusal, "errors", {})
            sentences = [one for each in errors.values() for one in each] or [refusal.message]
        else:
            messages.success(request, "停诊申请已提交，门诊办处理以前出诊照常。")
            return redirect("scheduling-leaves")
    context = {
        "session": session,
        "waiting": queries.waiting_stop_request(schedule_id=schedule_id, at=clock.now()),
        "reasons": StopReason.choices,
        "reason": reason,
        "note": note,
        "sentences": sentences,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if sentences else HTTPStatus.OK
    return render(request, "scheduling/staff/ask_stop.html", context, status=status)


@staff_page(STOP_SESSIONS)
@require_POST
def refuse(request: StaffRequest, request_id: int) -> HttpResponse:
    """The session is held after all, for a reason the department reads."""
    actions.refuse_stop(
        request_id=request_id,
        note=typed(request.POST, "note", most=200),
        by=request.actor,
        at=clock.now(),
    )
    messages.success(request, "已驳回，科室会看到原因。")
    return redirect("scheduling-leaves")


@staff_page(ASK_STOP)
@require_POST
def withdraw(request: StaffRequest, request_id: int) -> HttpResponse:
    """Take back what the own department asked for."""
    row = queries.stop_request(request_id=request_id, at=clock.now())
    if not _is_within_reach(request, row.session):
        raise NotFound("没有找到这条停诊申请。")
    actions.withdraw_stop(request_id=request_id, by=request.actor, at=clock.now())
    messages.success(request, "停诊申请已撤回。")
    return redirect("scheduling-leaves")


def _is_within_reach(request: StaffRequest, session: SessionFacts) -> bool:
    return identity.reach(request.user, ASK_STOP).covers(
        department_id=session.department_id, practitioner_id=session.practitioner_id
    )
