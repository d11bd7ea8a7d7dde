"""The second step of a log-in: the code of a phone, or binding a phone for the first time.

Nobody is logged in on these pages yet: the session knows only whose password was right.
"""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from hospital.identity import actions, forms, queries, sessions
from hospital.identity import one_time_codes as codes
from hospital.identity.access import OpenRequest, client_address, public_page
from hospital.identity.models import StaffAccount
from hospital.identity.states import SecondStep
from hospital.identity.views.entering import enter, shown_code, shown_code_of
from hospital.kernel import clock
from hospital.kernel.errors import Refusal


@sensitive_post_parameters("one_time_code")
@public_page
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: OpenRequest) -> HttpResponse:
    """Ask for the code; the right one lets in."""
    at = clock.now()
    account, path = _half_way(request)
    if account is None:
        return redirect("identity-staff-login")
    form = forms.CodeForm(request.POST or None)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                actions.confirm_log_in(
                    account=account,
                    code=form.cleaned_data["one_time_code"],
                    address=client_address(request),
                    at=at,
                )
            except (actions.CodeRefused, actions.TooManyAttempts) as refusal:
                status = _refused(form, refusal)
            else:
                enter(request, account, is_proved=True, at=at)
                return HttpResponseRedirect(path)
    context = {"form": form, "shown_code": shown_code(account, at=at)}
    return render(request, "identity/staff/login_code.html", context, status=status)


@sensitive_post_parameters("one_time_code")
@public_page
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def enrol(request: OpenRequest) -> HttpResponse:
    """Show the secret to bind; the first right code lets in, and shows the recovery codes once."""
    at = clock.now()
    account, path = _half_way(request)
    if account is None:
        return redirect("identity-staff-login")
    secret = sessions.secret_to_bind(request.session)
    form = forms.CodeForm(request.POST or None)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                fresh = actions.enrol_at_log_in(
                    account=account,
                    secret=secret,
                    code=form.cleaned_data["one_time_code"],
                    address=client_address(request),
                    at=at,
                )
            except (
                actions.CodeRefused,
                actions.EnrolInside,
                actions.TooManyAttempts,
            ) as refusal:
                status = _refused(form, refusal)
            else:
                enter(request, account, is_proved=True, at=at)
                saved = {"codes": fresh, "path": path}
                return render(request, "identity/staff/login_codes.html", saved)
    context = {
        "form": form,
        "is_inside": queries.is_inside(address=client_address(request)),
        "app_address": codes.address_for_app(
            secret, username=account.username, hospital=settings.HOSPITAL_NAME
        ),
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        "shown_code": shown_code_of(secret, at=at),
    }
    return render(request, "identity/staff/login_enrol.html", context, status=status)


def _refused(form: forms.CodeForm, refusal: Refusal) -> HTTPStatus:
    form.add_error(
        "one_time_code" if isinstance(refusal, actions.CodeRefused) else None, refusal.message
    )
    is_throttled = isinstance(refusal, actions.TooManyAttempts)
    return HTTPStatus.TOO_MANY_REQUESTS if is_throttled else HTTPStatus.UNPROCESSABLE_ENTITY


def _half_way(request: OpenRequest) -> tuple[StaffAccount | None, str]:
    """Whose password was right in this browser, and where they go; None when nobody's.

    What changed since, ends it: the password, the account, the networks, what is to be proved.
    """
    found = sessions.half_way(request.session, at=clock.now())
    account = queries.account_at_work(account_id=found.account_id) if found else None
    if found is None or account is None or account.get_session_auth_hash() != found.stamp:
        return None, ""
    address = client_address(request)
    if not queries.is_allowed_from(account=account, address=address):
        return None, ""
    step = queries.second_step(account=account, address=address)
    here = request.resolver_match.view_name if request.resolver_match else ""
    wanted = {
        SecondStep.CODE: "identity-staff-code",
        SecondStep.ENROLMENT: "identity-staff-enrol",
    }.get(step)
    return (account, found.path) if wanted == here else (None, "")
