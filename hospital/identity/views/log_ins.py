"""Where staff are logged in: one's own log-ins; for the security administrator everybody's, and
who is locked out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity import actions, queries, sessions
from hospital.identity.access import StaffRequest, staff_page
from hospital.identity.permissions import END_SESSIONS, SIGNED_IN
from hospital.identity.views.frame import log_in_tabs
from hospital.kernel import clock
from hospital.kernel.errors import Invalid
from hospital.ui.typed import typed


@staff_page(SIGNED_IN)
@require_safe
def own(request: StaffRequest) -> HttpResponse:
    """The own log-ins: here, elsewhere, and the latest that ended."""
    rows = queries.sessions_of(account=request.user)
    here = sessions.staff_session_id(request.session)
    context = {
        "open": [row for row in rows if row.ended_at is None],
        "ended": [row for row in rows if row.ended_at is not None],
        "here": here,
        "factor": queries.second_factor(account=request.user),
        "left": queries.recovery_codes_left(account=request.user),
    }
    return render(request, "identity/staff/sessions.html", context)


@staff_page(SIGNED_IN)
@require_POST
def end_own(request: StaffRequest, session_id: int) -> HttpResponse:
    """End an own log-in somewhere else; somebody else's is not found."""
    actions.end_own_session(
        account=request.user, session_id=session_id, by=request.actor, at=clock.now()
    )
    messages.success(request, "那次登录已结束。")
    return redirect("identity-sessions")


@staff_page(SIGNED_IN)
@require_POST
def end_others(request: StaffRequest) -> HttpResponse:
    """End every own log-in but this one."""
    here = sessions.staff_session_id(request.session)
    for row in queries.sessions_of(account=request.user):
        if row.ended_at is None and row.pk != here:
            actions.end_own_session(
                account=request.user, session_id=row.pk, by=request.actor, at=clock.now()
            )
    messages.success(request, "其他登录都已结束。")
    return redirect("identity-sessions")


@staff_page(END_SESSIONS)
@require_safe
def everybody(request: StaffRequest) -> HttpResponse:
    """Every open log-in, found as one types."""
    text = typed(request.GET, "q", most=40)
    context = {
        "rows": queries.open_sessions(text=text),
        "text": text,
        "here": sessions.staff_session_id(request.session),
        "tabs": log_in_tabs("identity-log-ins"),
        "idle_minutes": sessions.STAFF_IDLE_MINUTES.value(),
    }
    part = "#rows" if request.htmx and not request.htmx.boosted else ""
    return render(request, f"identity/staff/log_ins.html{part}", context)


@staff_page(END_SESSIONS)
@require_http_methods(["GET", "HEAD", "POST"])
def force_end(request: StaffRequest, session_id: int) -> HttpResponse:
    """Ask for the reason, then end somebody's log-in at once."""
    row = queries.staff_session(session_id=session_id)
    return _with_reason(
        request,
        title="结束登录",
        text=f"{row.account.display_name} 在 {row.address}（{row.device or '未知设备'}）的登录"
        "立即失效，还没有保存的内容会丢失。",
        done=f"{row.account.display_name}的这次登录已结束。",
        back="identity-log-ins",
        act=partial(actions.force_end, session_id=session_id),
    )


@staff_page(END_SESSIONS)
@require_safe
def locked(request: StaffRequest) -> HttpResponse:
    """Who is locked out now, and who has a second factor."""
    at = clock.now()
    text = typed(request.GET, "q", most=40)
    context = {
        "rows": queries.locked_accounts(
            at=at,
            minutes=actions.LOGIN_WINDOW_MINUTES.value(),
            most=actions.FAILURES_PER_ACCOUNT.value(),
        ),
        "bound": queries.second_factors(text=text),
        "text": text,
        "minutes": actions.LOGIN_WINDOW_MINUTES.value(),
        "most": actions.FAILURES_PER_ACCOUNT.value(),
        "tabs": log_in_tabs("identity-locked"),
    }
    return render(request, "identity/staff/locked.html", context)


@staff_page(END_SESSIONS)
@require_http_methods(["GET", "HEAD", "POST"])
def unlock(request: StaffRequest, account_id: int) -> HttpResponse:
    """Ask for the reason, then let somebody try again before the time is over."""
    account = queries.person(account_id=account_id)
    return _with_reason(
        request,
        title="解除锁定",
        text=f"{account.display_name}（{account.username}）可以马上再试。"
        "请先确认是本人输错，不是别人在猜密码。",
        done=f"{account.display_name}现在可以重新登录。",
        back="identity-locked",
        act=partial(actions.unlock_account, account_id=account_id),
    )


@staff_page(END_SESSIONS)
@require_http_methods(["GET", "HEAD", "POST"])
def reset_factor(request: StaffRequest, account_id: int) -> HttpResponse:
    """Ask for the reason, then take a lost phone off an account."""
    account = queries.person(account_id=account_id)
    return _with_reason(
        request,
        title="重置动态口令",
        text=f"{account.display_name}（{account.username}）绑定的手机和恢复码全部作废，登录全部退出；"
        "下次在院内登录时重新绑定。请当面核实是本人。",
        done=f"{account.display_name}的动态口令已重置。",
        back="identity-locked",
        act=partial(actions.reset_second_factor, account_id=account_id),
    )


def _with_reason(
    request: StaffRequest,
    *,
    title: str,
    text: str,
    done: str,
    back: str,
    act: Callable[..., object],
) -> HttpResponse:
    """A page that asks for a reason and then acts; an empty reason comes back to it."""
    error = ""
    if request.method == "POST":
        reason = typed(request.POST, "reason", most=200)
        try:
            act(reason=reason, by=request.actor, at=clock.now())
        except Invalid as invalid:
            error = invalid.message
        else:
            messages.success(request, done)
            return redirect(back)
    context = {
        "heading": title,
        "text": text,
        "back": reverse(back),
        "error": error,
        "tabs": log_in_tabs(back),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return render(request, "identity/staff/with_reason.html", context, status=status)
