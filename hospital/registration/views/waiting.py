"""The patient's waiting: in line for a full session (候补), and for a release (放号提醒)."""

import datetime as dt
from collections import defaultdict

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity.access import PatientRequest, patient_page
from hospital.kernel import clock
from hospital.organisation import queries as organisation
from hospital.patients import queries as patients
from hospital.registration import actions, thresholds, waitlists
from hospital.registration.states import WaitlistStatus
from hospital.registration.views.choosing import choice, chosen_of
from hospital.registration.waitlists import WaitRow
from hospital.scheduling import queries as scheduling
from hospital.scheduling.queries import SessionFacts
from hospital.ui.typed import typed_id
from hospital.ui.wording import day_text, weekday_text

_AHEAD = dt.timedelta(days=2)
_TONES = {
    WaitlistStatus.WAITING: "info",
    WaitlistStatus.OFFERED: "warn",
    WaitlistStatus.TAKEN: "brand",
    WaitlistStatus.PASSED: "",
    WaitlistStatus.LEFT: "",
    WaitlistStatus.CLEARED: "",
}


@patient_page
@require_http_methods(["GET", "HEAD", "POST"])
def wait(request: PatientRequest, schedule_id: int) -> HttpResponse:
    """Whom to put in line for a full session, and what that means; posting joins."""
    user_id = request.wechat_user.pk
    if request.method == "POST":
        patient = patients.patient_for(
            wechat_user_id=user_id, number=request.POST.get("patient", "")
        )
        actions.join_waitlist(
            wechat_user_id=user_id,
            patient_id=patient.pk,
            schedule_id=schedule_id,
            by=request.actor,
            at=clock.now(),
        )
        messages.success(request, "已加入候补，有号时发消息告诉您。")
        return redirect("registration-waitlist")
    bound = patients.patients_for(wechat_user_id=user_id)
    if not bound:
        here = reverse("registration-wait", args=[schedule_id])
        return redirect(f"{reverse('patients-add')}?next={here}")
    session = scheduling.session_facts(schedule_id=schedule_id)
    chosen = chosen_of(bound, request.GET.get("patient", ""))
    context = {
        "session": session,
        "fee": scheduling.fee_of(session),
        "closes_at": scheduling.list_closes_at(session, at=clock.now()),
        "ahead": waitlists.waiting_count(schedule_id=schedule_id),
        "offer_hours": thresholds.OFFER_HOURS.value(),
        "chosen": chosen,
        "patients": [choice(person, chosen) for person in bound],
    }
    return render(request, "registration/patient/wait.html", context)


@patient_page
@require_safe
def waitlist(request: PatientRequest) -> HttpResponse:
    """Everywhere the user's patients wait, how far they are, and what came of it."""
    rows = waitlists.waitlists_for(wechat_user_id=request.wechat_user.pk, at=clock.now())
    context = {
        "rows": [_place(row) for row in rows if row.is_open],
        "past": [_cell(row) for row in rows if not row.is_open],
        "topics": [f"waitlist:{row.id}" for row in rows if row.is_open],
        "here": request.path,
    }
    part = "#places" if request.htmx else ""
    return render(request, f"registration/patient/waitlist.html{part}", context)


@patient_page
@require_POST
def leave(request: PatientRequest, entry_id: int) -> HttpResponse:
    """Wait no longer."""
    entry_id = waitlists.entry_for(wechat_user_id=request.wechat_user.pk, entry_id=entry_id)
    actions.leave_waitlist(entry_id=entry_id, by=request.actor, at=clock.now())
    messages.success(request, "已退出候补。")
    return redirect("registration-waitlist")


@patient_page
@require_http_methods(["GET", "HEAD", "POST"])
def watch(request: PatientRequest, code: str) -> HttpResponse:
    """The sessions of a department whose numbers come out next, each to be told of or not."""
    department = organisation.department(code)
    user_id, at = request.wechat_user.pk, clock.now()
    if request.method == "POST":
        schedule_id = typed_id(request.POST.get("schedule", "")) or 0  # nobody's id
        if "stop" in request.POST:
            actions.unwatch_release(wechat_user_id=user_id, schedule_id=schedule_id)
            messages.success(request, "已取消放号提醒。")
        else:
            actions.watch_release(wechat_user_id=user_id, schedule_id=schedule_id, at=at)
            minutes = thresholds.WATCH_MINUTES.value()
            messages.success(request, f"放号前 {minutes} 分钟发消息提醒您。")
        return redirect("registration-watch", code)
    coming = scheduling.released_between(after=at, until=at + _AHEAD, department_id=department.pk)
    watched = waitlists.watched_by(
        wechat_user_id=user_id, schedule_ids=[session.id for session in coming]
    )
    context = {
        "department": department,
        "releases": _by_release(coming, watched),
        "minutes": thresholds.WATCH_MINUTES.value(),
    }
    return render(request, "registration/patient/watch.html", context)


def _by_release(coming: list[SessionFacts], watched: set[int]) -> list[dict[str, object]]:
    grouped: dict[dt.datetime, list[dict[str, object]]] = defaultdict(list)
    for session in coming:
        if session.is_bookable and not session.walk_in_only:
            grouped[session.release_at].append(
                {"session": session, "is_watched": session.id in watched}
            )
    return [{"at": moment, "sessions": grouped[moment]} for moment in sorted(grouped)]


def _place(row: WaitRow) -> dict[str, object]:
    session = row.session
    return {
        "row": row,
        "title": _when(session) if session else f"{row.department} 优先候补权",
        "doctor": session.doctor_label if session else "",
        "ahead": row.place - 1 if row.place else 0,
        "is_offered": row.status == WaitlistStatus.OFFERED,
        "can_leave": row.status == WaitlistStatus.WAITING and session is not None,
        "url": reverse("scheduling-sessions", args=[row.department_code]),
    }


def _cell(row: WaitRow) -> dict[str, object]:
    where = f"{row.department} {row.session.doctor_label}" if row.session else row.department
    return {
        "title": _when(row.session) if row.session else "优先候补权",
        "hint": f"{where} · {row.patient_name}",
        "tag": row.status.label,
        "tone": _TONES[row.status],
        "url": reverse("registration-appointment", args=[row.booking]) if row.booking else "",
    }


def _when(session: SessionFacts) -> str:
    day = session.visit_date
    return f"{day_text(day)} {weekday_text(day)} {session.period_label}"
