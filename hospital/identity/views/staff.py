"""The staff log-in page and logging out."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import auth
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from hospital.identity import actions, forms, paths, sessions
from hospital.identity.access import OpenRequest, client_address, public_page
from hospital.identity.models import StaffAccount
from hospital.kernel import clock
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid


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
        return _page(request, path=path)
    at = clock.now()
    try:
        wanted = forms.login(request.POST)
        account = actions.log_in_staff(
            username=wanted.username,
            password=wanted.password,
            address=client_address(request),
            at=at,
        )
    except Invalid as problem:
        return _page(request, path=path, errors=problem.errors)
    except actions.LoginRefused as refusal:
        return _page(request, path=path, message=refusal.message)
    except actions.TooManyAttempts as refusal:
        status = HTTPStatus.TOO_MANY_REQUESTS
        return _page(request, path=path, message=refusal.message, status=status)
    auth.login(request, account, backend="django.contrib.auth.backends.ModelBackend")
    sessions.note_staff(request.session, at=at)
    return HttpResponseRedirect(path)


@public_page
@never_cache
@require_POST
def logout(request: OpenRequest) -> HttpResponse:
    """End the staff session; public, because an expired session must be able to leave too."""
    if isinstance(request.user, StaffAccount):
        actor = Actor("staff", request.user.pk)
        actions.log_out_staff(account=request.user, by=actor, at=clock.now())
    auth.logout(request)
    return HttpResponseRedirect(reverse("identity-staff-login"))


def _page(
    request: OpenRequest,
    *,
    path: str,
    errors: dict[str, list[str]] | None = None,
    message: str = "",
    status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY,
) -> HttpResponse:
    context = {
        "next": path,
        "username": request.POST.get("username", "").strip(),
        "errors": errors or {},
        "message": message,
    }
    failed = bool(errors or message)
    return render(
        request, "identity/staff/login.html", context, status=status if failed else HTTPStatus.OK
    )
