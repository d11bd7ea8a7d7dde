"""停诊 and back: whom it touches, the act, and what became of every booking (M1.8, SM1)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock
from hospital.messaging.permissions import CALL_PATIENT
from hospital.registration import actions, stops
from hospital.registration.forms import StopForm, why
from hospital.registration.permissions import VIEW_APPOINTMENTS
from hospital.scheduling import actions as scheduling
from hospital.scheduling import queries as sessions
from hospital.scheduling.actions import CannotSuspend
from hospital.scheduling.permissions import STOP_RUNNING, STOP_SESSIONS
from hospital.scheduling.states import Offer, ScheduleStatus
from hospital.ui.typed import typed_id


@staff_page(STOP_RUNNING)
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: StaffRequest, schedule_id: int) -> HttpResponse:
    """Whom calling this session off would touch; posting calls it off and leads to the result.

    A session called off already leads there too: pressing twice does nothing twice. The nurses
    call off what has begun and the doctor left (SM1), the office whatever is not over.
    """
    session = sessions.session_facts(schedule_id=schedule_id)
    if sessions.is_suspended(schedule_id=schedule_id):
        return redirect("registration-stopped", schedule_id)
    is_office = identity.may(request.user, STOP_SESSIONS)
    asked = sessions.waiting_stop_request(schedule_id=schedule_id, at=clock.now())
    form = StopForm(
        request.POST or None, initial={"code": asked.reason, "note": asked.note} if asked else None
    )
    seen = typed_id(request.POST.get("asked", ""))
    if seen and (asked is None or asked.id != seen):
        form.add_error(None, "科室的停诊申请已撤回、重提或已有同事答复。仍要停诊的，请再按一次。")
    if request.method == "POST" and form.is_valid():
        try:
            scheduling.suspend_schedule(
                schedule_id=schedule_id,
                reason=form.reason,
                is_running=not is_office,
                by=request.actor,
                at=clock.now(),
            )
        except CannotSuspend as refusal:
            note_refusal(request, refusal)
            if sessions.is_suspended(schedule_id=schedule_id):  # somebody was a moment faster
                return redirect("registration-stopped", schedule_id)
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "已停诊，正在逐个退号、退款和通知患者。")
            return redirect("registration-stopped", schedule_id)
    context = {
        "session": session,
        "form": form,
        "asked": asked,
        "asked_by": identity.staff_names(actors=[asked.asked_by]).get(asked.asked_by, "")
        if asked
        else "",
        "found": stops.preview(schedule_id=schedule_id),
        "is_over": sessions.offer_of(session, channel=None, at=clock.now()).state == Offer.ENDED,
        "is_early": not is_office and session.status != ScheduleStatus.IN_SESSION,
        "may_view": identity.may(request.user, VIEW_APPOINTMENTS),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "registration/staff/stop.html", context, status=status)


@staff_page(STOP_RUNNING)
@require_safe
def stopped(request: StaffRequest, schedule_id: int) -> HttpResponse:
    """What became of everybody a stop touched, booking by booking, until all of it is done."""
    session = sessions.session_facts(schedule_id=schedule_id)
    stop_facts = sessions.last_stop(schedule_id=schedule_id)
    if stop_facts is None:
        return redirect("registration-stop", schedule_id)
    names = identity.staff_names(actors=[stop_facts.by, stop_facts.resumed_by])
    context = {
        "session": session,
        "stop": stop_facts,
        "by": names.get(stop_facts.by, "系统"),
        "resumed_by": names.get(stop_facts.resumed_by, "系统"),
        "found": stops.result(schedule_id=schedule_id, since=stop_facts.at),
        "may_resume": stop_facts.resumed_at is None
        and clock.now() < stop_facts.may_resume_until
        and identity.may(request.user, STOP_SESSIONS),
        "may_view": identity.may(request.user, VIEW_APPOINTMENTS),
        "may_call": identity.may(request.user, CALL_PATIENT),
        "topics": [f"schedule:{schedule_id}"],
        "here": reverse("registration-stopped", args=[schedule_id]),
    }
    part = "#progress" if request.htmx else ""
    return render(request, f"registration/staff/stopped.html{part}", context)


@staff_page(STOP_SESSIONS)
@require_POST
def resume(request: StaffRequest, schedule_id: int) -> HttpResponse:
    """Take a stop back before the session's start."""
    sessions.session_facts(schedule_id=schedule_id)  # there is one, before anything is asked
    actions.resume_session(
        schedule_id=schedule_id, reason=why(request.POST), by=request.actor, at=clock.now()
    )
    messages.success(request, "已恢复出诊，停诊扣下的号已放回；已退号的患者有优先候补。")
    return redirect("registration-stopped", schedule_id)
