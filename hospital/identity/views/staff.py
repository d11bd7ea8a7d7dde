"""The staff log-in page, logging out, and the own password."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import auth, messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from hospital.identity import actions, forms, paths, sessions
from hospital.identity.access import (
    OpenRequest,
    StaffRequest,
    client_address,
    public_page,
    staff_page,
)
from hospital.identity.models import StaffAccount
from hospital.identity.permissions import SIGNED_IN
from hospital.identity.states import SecondStep, SessionEnd
from hospital.identity.views.entering import enter, leave
from hospital.kernel import clock
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid

_STEPS = {
    SecondStep.CODE: "identity-staff-code",
    SecondStep.ENROLMENT: "identity-staff-enrol",
}


@sensitive_post_parameters("password")
@public_page
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: OpenRequest) -> HttpResponse:
    """Show the log-in page; let a known member of staff in and send them where they wanted."""
    path = paths.own_path(
        request.POST.get("next") or request.GET.get("next"), home=paths.STAFF_HOME
    )
    if request.method != "POST":
        return _page(request, forms.LoginForm(), path=path)
    form = forms.LoginForm(request.POST)
    if not form.is_valid():
        return _page(request, form, path=path, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    at = clock.now()
    try:
        proof = actions.log_in_staff(
            username=form.cleaned_data["username"],
            password=form.cleaned_data["password"],
            address=client_address(request),
            at=at,
        )
    except (actions.LoginRefused, actions.NetworkNotAllowed) as refusal:
        form.add_error(None, refusal.message)
        return _page(request, form, path=path, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except actions.TooManyAttempts as refusal:
        form.add_error(None, refusal.message)
        return _page(request, form, path=path, status=HTTPStatus.TOO_MANY_REQUESTS)
    if proof.step is SecondStep.NONE:
        enter(request, proof.account, is_proved=False, at=at)
        return HttpResponseRedirect(path)
    leave(request, how=SessionEnd.AGAIN, at=at)
    half_way = sessions.HalfWay(proof.account.pk, path, proof.account.get_session_auth_hash())
    sessions.begin_second_step(request.session, half_way, at=at)
    return redirect(_STEPS[proof.step])


@public_page
@never_cache
@require_POST
def logout(request: OpenRequest) -> HttpResponse:
    """End the staff session; public, because an expired session must be able to leave too."""
    if isinstance(request.user, StaffAccount):
        actor = Actor("staff", request.user.pk)
        actions.log_out_staff(account=request.user, by=actor, at=clock.now())
    leave(request, how=SessionEnd.LOGGED_OUT, at=clock.now())
    return HttpResponseRedirect(reverse("identity-staff-login"))


@sensitive_post_parameters("current", "new", "again")
@staff_page(SIGNED_IN)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: StaffRequest) -> HttpResponse:
    """Change the own password; this session goes on, the account's others end.

    Whoever has one that somebody else gave comes here first and goes on to where they wanted.
    """
    form = forms.PasswordForm(request.POST or None)
    path = paths.own_path(
        request.POST.get("next") or request.GET.get("next"), home=paths.STAFF_HOME
    )
    page = "first_password" if request.user.must_change_password else "password"
    status = HTTPStatus.OK
    if request.method == "POST":
        status = _change(request, form) if form.is_valid() else HTTPStatus.UNPROCESSABLE_ENTITY
        if status is HTTPStatus.OK:
            auth.update_session_auth_hash(request, request.user)  # under a new session key
            messages.success(request, "密码已修改。")
            return redirect(path)
    context = {"form": form, "next": path}
    return render(request, f"identity/staff/{page}.html", context, status=status)


def _change(request: StaffRequest, form: forms.PasswordForm) -> HTTPStatus:
    """Try it; what the rules say stands at the field it is about."""
    try:
        actions.change_password(
            account=request.user,
            current=form.cleaned_data["current"],
            new=form.cleaned_data["new"],
            address=client_address(request),
            by=request.actor,
            at=clock.now(),
            session_id=sessions.staff_session_id(request.session),
        )
    except actions.WrongPassword as refusal:
        form.add_error("current", refusal.message)
    except actions.TooManyAttempts as refusal:
        form.add_error(None, refusal.message)
        return HTTPStatus.TOO_MANY_REQUESTS
    except Invalid as refusal:
        form.add_error("new", refusal.errors["new"])
    else:
        return HTTPStatus.OK
    return HTTPStatus.UNPROCESSABLE_ENTITY


def _page(
    request: OpenRequest,
    form: forms.LoginForm,
    *,
    path: str,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    context = {"form": form, "next": path}
    return render(request, "identity/staff/login.html", context, status=status)
