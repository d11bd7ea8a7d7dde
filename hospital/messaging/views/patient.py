"""A person's inbox: every message is here, whatever WeChat did with it (M8.1); what comes by WeChat
is the person's choice."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity.access import PatientRequest, patient_page
from hospital.kernel import clock
from hospital.messaging import actions, forms, queries, thresholds
from hospital.messaging.registry import FOR_PATIENTS
from hospital.messaging.states import Switch


@patient_page
@never_cache
@require_safe
def inbox(request: PatientRequest) -> HttpResponse:
    """Show the messages, newest first, unread ones marked."""
    user_id = request.wechat_user.pk
    rows, page = queries.inbox(wechat_user_id=user_id, page=request.GET.get("page", "1"))
    unread = queries.unread_count(wechat_user_id=user_id)
    context = {"rows": rows, "page": page, "unread": unread}
    return render(request, "messaging/patient/inbox.html", context)


@patient_page
@never_cache
@require_safe
def open_message(request: PatientRequest, token: str) -> HttpResponse:
    """Mark a message as read and go to the thing it is about, where access is checked again."""
    message = actions.mark_read(
        wechat_user_id=request.wechat_user.pk, token=token, by=request.actor, at=clock.now()
    )
    return HttpResponseRedirect(message.path)


@patient_page
@require_POST
def read_all(request: PatientRequest) -> HttpResponse:
    """Mark every message as read."""
    actions.mark_all_read(wechat_user_id=request.wechat_user.pk, by=request.actor, at=clock.now())
    return HttpResponseRedirect(reverse("messaging-inbox"))


@patient_page
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: PatientRequest) -> HttpResponse:
    """What comes through WeChat: switches, and what always comes."""
    user_id = request.wechat_user.pk
    if request.method == "POST":
        actions.turn_switches(
            wechat_user_id=user_id,
            wishes=forms.wishes(request.POST),
            by=request.actor,
            at=clock.now(),
        )
        messages.success(request, "已保存。")
        return redirect("messaging-settings")
    rows = queries.switches_of(wechat_user_id=user_id)
    start, end = thresholds.quiet_hours()
    context = {
        "groups": [row for row in rows if row.switch is not Switch.ANYTIME],
        "anytime": next(row for row in rows if row.switch is Switch.ANYTIME),
        "quiet": f"{start:%H:%M}–{end:%H:%M}" if start != end else "",
        "always": [kind.title for kind in FOR_PATIENTS if kind.switch is None],
    }
    return render(request, "messaging/patient/settings.html", context)
