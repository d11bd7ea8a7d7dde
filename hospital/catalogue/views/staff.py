"""调价: prices the data steward typed, for finance to agree to or to refuse, several at once."""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus
from typing import Final

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hospital.catalogue import actions, queries
from hospital.catalogue.models import PriceChange
from hospital.catalogue.permissions import APPROVE_PRICE
from hospital.catalogue.states import PriceChangeStatus
from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import Invalid
from hospital.ui.typed import typed, typed_id

_DECIDED_SHOWN: Final = 50


@staff_page(APPROVE_PRICE)
@require_safe
def prices(request: StaffRequest) -> HttpResponse:
    """What waits, and what was decided lately."""
    return _page(request)


@staff_page(APPROVE_PRICE)
@require_POST
def decide(request: StaffRequest) -> HttpResponse:
    """Agree to the marked prices, or refuse them: all of them or none."""
    found = (typed_id(text) for text in request.POST.getlist("change"))
    ids = {change_id for change_id in found if change_id is not None}
    is_approved = request.POST.get("answer") == "yes"
    note = typed(request.POST, "note", most=200)
    try:
        _decide(request, ids, is_approved=is_approved, note=note)
    except Invalid as refusal:
        return _page(request, marked=ids, note=note, problem=refusal.message)
    messages.success(request, f"已{'批准' if is_approved else '驳回'} {len(ids)} 个价格。")
    return redirect("catalogue-prices")


@transaction.atomic
def _decide(request: StaffRequest, ids: set[int], *, is_approved: bool, note: str) -> None:
    if not ids:
        raise Invalid({}, "请先勾选要处理的价格。")
    for change_id in sorted(ids):
        actions.decide_price(
            change_id=change_id,
            is_approved=is_approved,
            note=note,
            by=request.actor,
            at=clock.now(),
        )


def _page(
    request: StaffRequest, *, marked: Collection[int] = (), note: str = "", problem: str = ""
) -> HttpResponse:
    """The page, after a problem with what was marked and typed."""
    waiting, decided = queries.waiting_prices(), queries.decided_prices(most=_DECIDED_SHOWN)
    actors = [who for row in (*waiting, *decided) for who in (row.asked_by, row.decided_by) if who]
    names = identity.staff_names(actors=actors)
    context = {
        "waiting": [{**_line(row, names), "is_marked": row.pk in marked} for row in waiting],
        "decided": [_line(row, names) for row in decided],
        "note": note,
        "problem": problem,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return render(request, "catalogue/staff/prices.html", context, status=status)


def _line(row: PriceChange, names: dict[str, str]) -> dict[str, object]:
    return {
        "row": row,
        "asked_by": names.get(row.asked_by, "系统"),
        "decided_by": names.get(row.decided_by, ""),
        "tone": "brand" if row.status == PriceChangeStatus.APPROVED else "danger",
    }
