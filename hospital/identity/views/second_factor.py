"""The own second factor: whether there is one, another phone, new recovery codes."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from hospital.identity import actions, forms, queries, sessions
from hospital.identity import one_time_codes as codes
from hospital.identity.access import StaffRequest, client_address, note_refusal, staff_page
from hospital.identity.permissions import SIGNED_IN
from hospital.identity.views.entering import shown_code, shown_code_of
from hospital.kernel import clock
from hospital.kernel.errors import Refusal

_FIELDS = {
    "WRONG_PASSWORD": "password",
}


@sensitive_post_parameters()
@staff_page(SIGNED_IN)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: StaffRequest) -> HttpResponse:
    """Bind a phone, or another one: the password, the present phone's code, the new one's."""
    at = clock.now()
    factor = queries.second_factor(account=request.user)
    secret = sessions.secret_to_bind(request.session)
    form = forms.BindForm(request.POST or None, is_bound=factor is not None)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                fresh = actions.renew(
                    account=request.user,
                    password=form.cleaned_data["password"],
                    old_code=form.cleaned_data.get("old_one_time_code", ""),
                    secret=secret,
                    new_code=form.cleaned_data["new_one_time_code"],
                    address=client_address(request),
                    by=request.actor,
                    at=at,
                )
            except Refusal as refusal:
                note_refusal(request, refusal)
                form.add_error(_FIELDS.get(refusal.code), refusal.message)
            else:
                sessions.forget_secret(request.session)
                return _codes(request, fresh)
    context = {
        "form": form,
        "factor": factor,
        "left": queries.recovery_codes_left(account=request.user),
        "is_inside": queries.is_inside(address=client_address(request)),
        "app_address": codes.address_for_app(
            secret, username=request.user.username, hospital=settings.HOSPITAL_NAME
        ),
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        "shown_code": shown_code(request.user, at=at),
        "new_shown_code": shown_code_of(secret, at=at),
    }
    return render(request, "identity/staff/second_factor.html", context, status=status)


@sensitive_post_parameters()
@staff_page(SIGNED_IN)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def recovery_codes(request: StaffRequest) -> HttpResponse:
    """Ten new recovery codes in place of the old ones."""
    at = clock.now()
    form = forms.RecoveryForm(request.POST or None)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                fresh = actions.renew_recovery_codes(
                    account=request.user,
                    password=form.cleaned_data["password"],
                    code=form.cleaned_data["one_time_code"],
                    address=client_address(request),
                    by=request.actor,
                    at=at,
                )
            except Refusal as refusal:
                note_refusal(request, refusal)
                form.add_error(_FIELDS.get(refusal.code), refusal.message)
            else:
                return _codes(request, fresh)
    context = {
        "form": form,
        "left": queries.recovery_codes_left(account=request.user),
        "factor": queries.second_factor(account=request.user),
        "shown_code": shown_code(request.user, at=at),
    }
    return render(request, "identity/staff/recovery.html", context, status=status)


def _codes(request: StaffRequest, fresh: list[str]) -> HttpResponse:
    return render(request, "identity/staff/recovery_codes.html", {"codes": fresh})
