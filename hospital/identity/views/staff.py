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
        account = actions.log_in_staff(
            username=form.cleaned_data["username"],
            password=form.cleaned_data["password"],
            address=client_address(request),
            at=at,
        )
    except actions.LoginRefused as refusal:
        form.add_error(None, refusal.message)
        return _page(request, form, path=path, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except actions.TooManyAttempts as refusal:
        form.add_error(None, refusal.message)
        return _page(request, form, path=path, status=HTTPStatus.TOO_MANY_REQUESTS)
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
    form: forms.LoginForm,
    *,
    path: str,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    context = {"form": form, "next": path}
    return render(request, "identity/staff/login.html", context, status=status)
