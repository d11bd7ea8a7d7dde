"""A person's inbox: every message is here, whatever WeChat did with it (M8.1)."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from hospital.identity.access import PatientRequest, patient_page
from hospital.kernel import clock
from hospital.messaging import actions, queries


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
