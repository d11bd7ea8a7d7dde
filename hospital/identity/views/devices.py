"""Kiosks: entered, paired and switched off by the security administrator; the machine's own page
where the code is typed."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from hospital.identity import access_forms as forms
from hospital.identity import actions, queries
from hospital.identity.access import (
    KIOSK_COOKIE,
    OpenRequest,
    StaffRequest,
    note_refusal,
    public_page,
    staff_page,
)
from hospital.identity.models import Device
from hospital.identity.permissions import MANAGE_DEVICES
from hospital.identity.views.frame import log_in_tabs
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.ui.typed import typed

_YEARS: Final = 5 * 365 * 24 * 3600


@staff_page(MANAGE_DEVICES)
@require_http_methods(["GET", "HEAD", "POST"])
def devices(request: StaffRequest) -> HttpResponse:
    """Every machine, and the form for another; its code is shown once, here."""
    if request.method != "POST":
        return _page(request)
    filled = {name: typed(request.POST, name, most=40) for name in ("name", "place")}
    try:
        device, code = actions.add_device(
            name=filled["name"], place=filled["place"], by=request.actor, at=clock.now()
        )
    except Invalid as invalid:
        return _page(request, filled=filled, errors=forms.sentences(invalid.errors))
    return _page(request, device=device, code=code)


@staff_page(MANAGE_DEVICES)
@require_POST
def renew(request: StaffRequest, device_id: int) -> HttpResponse:
    """Another code for a machine that lost its secret."""
    device, code = actions.renew_pairing(device_id=device_id, by=request.actor, at=clock.now())
    return _page(request, device=device, code=code)


@staff_page(MANAGE_DEVICES)
@require_POST
def revoke(request: StaffRequest, device_id: int) -> HttpResponse:
    """The machine opens nothing from now on."""
    try:
        actions.revoke_device(
            device_id=device_id,
            reason=typed(request.POST, "reason", most=200),
            by=request.actor,
            at=clock.now(),
        )
    except NotFound:
        raise
    except Invalid as invalid:
        return _page(request, errors=forms.sentences(invalid.errors))
    except Refusal as refusal:
        note_refusal(request, refusal)
        return _page(request, errors=[refusal.message])
    messages.success(request, "自助机已停用，马上生效。")
    return redirect("identity-devices")


@sensitive_post_parameters("code")
@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def pair(request: OpenRequest) -> HttpResponse:
    """What an unpaired machine shows: type the code once."""
    problem, code = "", typed(request.POST, "code", most=20)
    if request.method == "POST":
        try:
            _, secret = actions.pair_device(code=code, at=clock.now())
        except actions.PairingOver as refusal:
            problem = refusal.message
        else:
            response = redirect("/kiosk/")
            response.set_cookie(
                KIOSK_COOKIE,
                secret,
                max_age=_YEARS,
                path="/kiosk/",
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Strict",
            )
            return response
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    context = {"problem": problem, "code": code}
    return render(request, "identity/kiosk/pair.html", context, status=status)


def _page(
    request: StaffRequest,
    *,
    device: Device | None = None,
    code: str = "",
    filled: dict[str, str] | None = None,
    errors: list[str] | None = None,
) -> HttpResponse:
    rows = queries.devices()
    names = queries.staff_names(
        actors=[actor for row in rows for actor in (row.created_by, row.revoked_by) if actor]
    )
    context = {
        "rows": [
            {"device": row, "by": names.get(row.revoked_by or row.created_by, "系统")}
            for row in rows
        ],
        "fresh": device,
        "code": code,
        "minutes": int(actions.CODE_FOR.total_seconds() // 60),
        "filled": filled or {},
        "errors": errors or [],
        "tabs": log_in_tabs("identity-devices"),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return render(request, "identity/staff/devices.html", context, status=status)
