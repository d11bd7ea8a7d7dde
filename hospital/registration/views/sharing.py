"""Sharing a visit with the family: the patient's buttons, and the page behind the secret link."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from hospital.identity.access import OpenRequest, PatientRequest, patient_page, public_page
from hospital.kernel import clock
from hospital.registration import actions, queries
from hospital.registration.calendar_file import Visit, calendar_file
from hospital.registration.shared import SharedVisit, shared_visit

_BRING = "请带身份证件、医保卡，提前 15 分钟报到。"


@patient_page
@require_POST
def share(request: PatientRequest, number: str) -> HttpResponse:
    """Make the link, or take it back, and go to what it shows."""
    at = clock.now()
    row = queries.appointment_for(wechat_user_id=request.wechat_user.pk, number=number, at=at)
    if "stop" in request.POST:
        actions.unshare(number=row.number, by=request.actor, at=at)
        messages.success(request, "已停止分享，原来的链接打不开了。")
        return redirect("registration-appointment", number)
    return redirect(
        "registration-shared", actions.share(number=row.number, by=request.actor, at=at)
    )


@public_page
@require_safe
def shared(request: OpenRequest, token: str) -> HttpResponse:
    """When and where somebody's visit is, for the family who got the link."""
    visit = shared_visit(token=token, at=clock.now())
    context = {"visit": visit, "token": token, "bring": _BRING}
    return _private(render(request, "registration/patient/shared.html", context))


@public_page
@require_safe
def calendar(request: OpenRequest, token: str) -> HttpResponse:
    """The visit as a calendar file."""
    at = clock.now()
    visit = shared_visit(token=token, at=at)
    answer = HttpResponse(
        calendar_file(_for_calendar(request, visit, token), at=at),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="visit.ics"'},
    )
    return _private(answer)


def _for_calendar(request: HttpRequest, visit: SharedVisit, token: str) -> Visit:
    return Visit(
        uid=visit.uid,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        title=f"就诊：{visit.department} {visit.doctor}",
        place=visit.place,
        note=f"就诊人 {visit.masked_name}\n{_BRING}",
        url=request.build_absolute_uri(reverse("registration-shared", args=[token])),
        is_cancelled=visit.is_off,
    )


def _private(answer: HttpResponse) -> HttpResponse:
    """Kept by nobody on the way, told to no other site, found by no search."""
    answer["Cache-Control"] = "no-store, private"
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer
