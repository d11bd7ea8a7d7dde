"""Portraits of practitioners: put in place by the data steward, read by anybody's phone."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from hospital.identity.access import OpenRequest, StaffRequest, public_page, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import Invalid
from hospital.onboarding import pictures
from hospital.onboarding import queries as master
from hospital.onboarding.permissions import EDIT_MASTER
from hospital.onboarding.views import records
from hospital.organisation import actions, queries

_FOR_EVER = "public, max-age=31536000, immutable"


@public_page
@require_safe
def photo(request: OpenRequest, digest: str) -> HttpResponseBase:
    """A portrait by the digest of its bytes: the address changes with the picture, never else."""
    if request.headers.get("If-None-Match") == f'"{digest}"':
        response: HttpResponseBase = HttpResponseNotModified()
    else:
        response = HttpResponse(queries.photo(digest), content_type="image/jpeg")
    response.headers["Cache-Control"] = _FOR_EVER
    response.headers["ETag"] = f'"{digest}"'
    return response


@staff_page(EDIT_MASTER)
@require_POST
def save(request: StaffRequest, address: str) -> HttpResponse:
    """Show an uploaded picture for a practitioner, cut and packed small."""
    sheet = master.sheet_of("practitioners")
    row = master.row_of(sheet, address, on=clock.today())
    file = request.FILES.get("photo")
    try:
        content = pictures.portrait(file.read(pictures.MOST_BYTES + 1) if file else b"")
    except Invalid as refusal:
        return records.form_page(
            request, sheet, row, replace(records.as_saved(sheet, row), errors=refusal.errors)
        )
    actions.save_photo(code=address, content=content, by=request.actor, at=clock.now())
    messages.success(request, "照片已更换。")
    return redirect("onboarding-row", "practitioners", address)


@staff_page(EDIT_MASTER)
@require_POST
def remove(request: StaffRequest, address: str) -> HttpResponse:
    """Show the surname instead of a picture again."""
    master.row_of(master.sheet_of("practitioners"), address, on=clock.today())
    actions.save_photo(code=address, content=None, by=request.actor, at=clock.now())
    messages.success(request, "照片已移除，改为显示姓氏头像。")
    return redirect("onboarding-row", "practitioners", address)
