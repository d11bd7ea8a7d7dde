"""出诊需求: how many doctors a department wants when, which proposed rosters are made from."""

import datetime as dt
from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hospital.catalogue import queries as catalogue
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import Invalid
from hospital.organisation import queries as organisation
from hospital.organisation.states import Title
from hospital.scheduling import actions, queries
from hospital.scheduling.models import RosterNeed
from hospital.scheduling.permissions import DRAFT_ROSTER
from hospital.scheduling.states import SessionPeriod
from hospital.scheduling.views.staff.rosters import within_reach
from hospital.ui.typed import typed, typed_id

_WEEKDAYS: Final = (
    *((number, f"周{name}") for number, name in enumerate("一二三四五六日", start=1)),
    (RosterNeed.HOLIDAY, "节假日"),
)
_USUAL: Final = {"minimum": "1", "target": "1", "capacity": "24", "band_minutes": "30"}


@staff_page(DRAFT_ROSTER)
@require_safe
def needs(request: StaffRequest, code: str) -> HttpResponse:
    """What a department wants, by weekday; `need` puts one into the form."""
    return _page(request, code)


@staff_page(DRAFT_ROSTER)
@require_POST
def save(request: StaffRequest, code: str) -> HttpResponse:
    """Save a need for the ticked weekdays, or change the one that was in the form."""
    department = _department(request, code)
    try:
        saved = actions.save_need(
            department_id=department,
            need_id=typed_id(request.POST.get("need", "")),
            weekdays=[number for number, _ in _WEEKDAYS if str(number) in _ticked(request)],
            values=_values(request),
            by=request.actor,
            at=clock.now(),
        )
    except Invalid as refusal:
        note_refusal(request, refusal)
        return _page(request, code, refusal=refusal)
    messages.success(request, f"已保存 {saved} 条。")
    return redirect("scheduling-needs", code)


@staff_page(DRAFT_ROSTER)
@require_POST
def remove(request: StaffRequest, code: str) -> HttpResponse:
    """Take a need away."""
    actions.remove_need(
        department_id=_department(request, code),
        need_id=typed_id(request.POST.get("need", "")) or 0,
        by=request.actor,
        at=clock.now(),
    )
    messages.success(request, "已删除。")
    return redirect("scheduling-needs", code)


@staff_page(DRAFT_ROSTER)
@require_POST
def from_templates(request: StaffRequest, code: str) -> HttpResponse:
    """Enter what the templates have."""
    entered = actions.needs_from_templates(
        department_id=_department(request, code), by=request.actor, at=clock.now()
    )
    messages.success(request, f"已按模板填入 {entered} 条，已有的没有改动。")
    return redirect("scheduling-needs", code)


def _department(request: StaffRequest, code: str) -> int:
    found = organisation.department(code)
    within_reach(request, found.pk)
    return int(found.pk)


def _ticked(request: StaffRequest) -> list[str]:
    return request.POST.getlist("weekday")


def _values(request: StaffRequest) -> dict[str, Any]:
    data = request.POST
    return {
        "session_period": typed(data, "session_period", most=10),
        "service_type_id": typed_id(data.get("service_type", "")) or 0,
        "minimum_title": typed(data, "minimum_title", most=20),
        "minimum": _count(data.get("minimum", "")),
        "target": _count(data.get("target", "")),
        "capacity": _count(data.get("capacity", "")),
        "band_minutes": _count(data.get("band_minutes", "")),
        "starts": _time(data.get("starts", "")),
        "ends": _time(data.get("ends", "")),
    }


def _count(text: str) -> int:
    number = typed_id(text.strip())
    return -1 if number is None else min(number, 10_000)


def _time(text: str) -> dt.time | None:
    try:
        return dt.time.fromisoformat(text.strip()[:5])
    except ValueError:
        return None


def _page(request: StaffRequest, code: str, *, refusal: Invalid | None = None) -> HttpResponse:
    department = organisation.department(code)
    within_reach(request, department.pk)
    rows = queries.needs_of(department_id=department.pk)
    context = {
        "code": code,
        "department": department.name,
        "days": [
            {"label": label, "rows": [row for row in rows if row.weekday == number]}
            for number, label in _WEEKDAYS
        ],
        "has_rows": bool(rows),
        "weekdays": _WEEKDAYS,
        "periods": SessionPeriod.choices,
        "services": [(row.id, row.name) for row in catalogue.service_types()],
        "titles": Title.choices,
        "sentences": [one for each in refusal.errors.values() for one in each] if refusal else [],
        **_typed(request, rows),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refusal else HTTPStatus.OK
    return render(request, "scheduling/staff/needs.html", context, status=status)


def _typed(request: StaffRequest, rows: list[RosterNeed]) -> dict[str, object]:
    """What the form shows: what was typed, the need to change, or what is usual."""
    if request.method == "POST":
        return {"typed": request.POST.dict(), "ticked": _ticked(request)}
    chosen = typed_id(request.GET.get("need", ""))
    row = next((one for one in rows if one.pk == chosen), None)
    if row is None:
        return {"typed": _USUAL, "ticked": []}
    shown = {
        "need": str(row.pk),
        "session_period": row.session_period,
        "service_type": str(row.service_type_id),
        "minimum_title": row.minimum_title,
        "minimum": str(row.minimum),
        "target": str(row.target),
        "capacity": str(row.capacity),
        "band_minutes": str(row.band_minutes),
        "starts": f"{row.starts:%H:%M}",
        "ends": f"{row.ends:%H:%M}",
    }
    return {"typed": shown, "ticked": [str(row.weekday)]}
