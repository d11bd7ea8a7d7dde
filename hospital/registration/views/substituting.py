"""替诊 and 换班: another doctor for a session, and how everybody who booked stands (M1.9)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, Stale
from hospital.registration import substitutes
from hospital.registration.forms import StopForm
from hospital.registration.permissions import VIEW_APPOINTMENTS
from hospital.scheduling import actions as scheduling
from hospital.scheduling import queries as sessions
from hospital.scheduling.actions import CannotSubstitute, CannotSwap
from hospital.scheduling.permissions import STOP_SESSIONS
from hospital.ui.typed import typed_id


@staff_page(STOP_SESSIONS)
@require_http_methods(["GET", "HEAD", "POST"])
def substitute(request: StaffRequest, schedule_id: int) -> HttpResponse:
    """Who could hold this session instead; posting puts the doctor there, or swaps two."""
    form, problem = StopForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        try:
            return _change(request, schedule_id, form.reason)
        except (CannotSubstitute, CannotSwap, Invalid, Stale) as refusal:
            note_refusal(request, refusal)
            problem = refusal.message
    session = sessions.facts_of(schedule_ids=[schedule_id]).get(schedule_id)
    if session is None:
        session = sessions.session_facts(schedule_id=schedule_id)
    booked = substitutes.booked(schedule_id=schedule_id)
    doctor, other = (typed_id(request.POST.get(name, "")) for name in ("doctor", "other"))
    context = {
        "session": session,
        "planned": sessions.planned_doctor(schedule_id=schedule_id),
        "form": form,
        "problem": problem,
        # Who chose both chooses anew: a doctor once chosen cannot be unchosen.
        "chosen": doctor if other is None else None,
        "chosen_other": other if doctor is None else None,
        "candidates": substitutes.candidates(session=session),
        "others": substitutes.others(session=session, at=clock.now()),
        "booked": booked,
        "asked": sum(1 for row in booked if row.answer_until),
        "may_view": identity.may(request.user, VIEW_APPOINTMENTS),
        "topics": [f"schedule:{schedule_id}"],
        "here": reverse("registration-substitute", args=[schedule_id]),
    }
    part = "#booked" if request.htmx and request.method != "POST" else ""
    status = 422 if request.method == "POST" else 200
    return render(request, f"registration/staff/substitute.html{part}", context, status=status)


def _change(request: StaffRequest, schedule_id: int, reason: str) -> HttpResponse:
    at = clock.now()
    doctor, other, seen = (
        typed_id(request.POST.get(name, "")) for name in ("doctor", "other", "seen")
    )
    if doctor is not None and other is not None:
        raise Invalid({"other": ["只能选一项。"]}, "替诊和互换只能选一项，请重新选。")
    if other is not None:
        scheduling.swap_practitioners(
            first_id=schedule_id, second_id=other, seen=seen, reason=reason, by=request.actor, at=at
        )
        messages.success(request, "两次出诊的医生已互换，正在通知预约的患者。")
    elif doctor is not None:
        scheduling.substitute(
            schedule_id=schedule_id,
            practitioner_id=doctor,
            seen=seen,
            reason=reason,
            by=request.actor,
            at=at,
        )
        messages.success(request, "已办理替诊，正在通知预约的患者。")
    else:
        raise Invalid({"doctor": ["请选择替诊医生。"]}, "请选择替诊医生，或要互换的出诊。")
    return redirect("registration-substitute", schedule_id)
