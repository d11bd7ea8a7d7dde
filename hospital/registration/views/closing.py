"""结束出诊: a session kept open past its end for those who wait is closed on purpose (SM1)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, NotFound
from hospital.registration import actions, stops
from hospital.registration.permissions import CLOSE_SESSION, VIEW_APPOINTMENTS
from hospital.scheduling import queries as sessions
from hospital.scheduling.actions import CannotClose
from hospital.scheduling.permissions import VIEW_OWN_SESSIONS
from hospital.scheduling.queries import SessionFacts
from hospital.scheduling.states import ScheduleStatus
from hospital.ui.typed import typed


@staff_page(CLOSE_SESSION)
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: StaffRequest, schedule_id: int) -> HttpResponse:
    """Who still waits; posting closes the session, and they count as left unseen."""
    session = sessions.session_facts(schedule_id=schedule_id)
    _check_reach(request, session)
    sentence = ""
    if request.method == "POST":
        reason = typed(request.POST, "reason", most=100)
        try:
            left = actions.close_session(
                schedule_id=schedule_id, reason=reason, by=request.actor, at=clock.now()
            )
        except (Invalid, CannotClose) as refusal:
            note_refusal(request, refusal)
            sentence = refusal.message
        else:
            messages.success(request, f"已结束出诊，{left} 位候诊患者记为未就诊离开。")
            own = identity.may(request.user, VIEW_OWN_SESSIONS)
            return redirect("desk-my-sessions" if own else "desk-board")
    context = {
        "session": session,
        "rows": stops.waiting(schedule_id=schedule_id),
        "is_running": session.status == ScheduleStatus.IN_SESSION,
        "is_over": session.ends_at <= clock.now(),
        "may_view": identity.may(request.user, VIEW_APPOINTMENTS),
        "sentence": sentence,
    }
    status = 422 if sentence else 200
    return render(request, "registration/staff/close.html", context, status=status)


def _check_reach(request: StaffRequest, session: SessionFacts) -> None:
    """A doctor closes the own session, or one of the department that names no doctor."""
    within, own = identity.reach(request.user, CLOSE_SESSION), request.user.practitioner_id
    if within.is_everything or (own is not None and session.practitioner_id == own):
        return
    if session.practitioner_id is None and within.covers(department_id=session.department_id):
        return
    raise NotFound("没有找到这次出诊。")
