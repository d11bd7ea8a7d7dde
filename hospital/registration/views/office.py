"""The outpatient office: appeals to answer, restrictions to lift (M1.10)."""

import datetime as dt
from collections.abc import Iterable
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, Refusal
from hospital.patients.actions import record_view
from hospital.registration import actions, standing
from hospital.registration.permissions import LIFT_RESTRICTION
from hospital.registration.standing import AppealRow, RestrictionRow
from hospital.registration.states import AppealStatus, RestrictionCause
from hospital.ui.masks import mask_name
from hospital.ui.typed import typed

_DECIDED_FOR: Final = dt.timedelta(days=30)
_MOST: Final = 200
_TONES: Final = {
    AppealStatus.OPEN: "warn",
    AppealStatus.GRANTED: "brand",
    AppealStatus.REJECTED: "",
}


@staff_page(LIFT_RESTRICTION)
@require_safe
def appeals(request: StaffRequest) -> HttpResponse:
    """What waits for an answer, the oldest first; or what was answered in the last month."""
    is_decided = request.GET.get("show") == "decided"
    waiting = standing.open_appeals()
    rows = standing.decided_appeals(since=clock.now() - _DECIDED_FOR) if is_decided else waiting
    names = identity.staff_names(actors=[row.decided_by for row in rows])
    context = {
        "tabs": _tabs(len(waiting), "decided" if is_decided else "open"),
        "is_decided": is_decided,
        "rows": [
            {
                "row": row,
                "name": mask_name(row.patient_name),
                "tone": _TONES[row.status],
                "by": names.get(row.decided_by, ""),
            }
            for row in rows
        ],
    }
    return render(request, "registration/staff/appeals.html", context)


@staff_page(LIFT_RESTRICTION)
@require_http_methods(["GET", "HEAD", "POST"])
def appeal(request: StaffRequest, appeal_id: int) -> HttpResponse:
    """One appeal with how the patient stands, and the decision."""
    row = standing.appeal_row(appeal_id=appeal_id)
    problem = ""
    if request.method == "POST":
        try:
            _decide(request, row)
        except (Invalid, actions.AppealDecided) as refusal:
            note_refusal(request, refusal)
            problem = _sentence(refusal)
            row = standing.appeal_row(appeal_id=appeal_id)
        else:
            messages.success(request, "已答复，患者可在手机上看到。")
            return redirect("registration-appeals")
    record_view(patient_id=row.patient_id, what="申诉", by=request.actor, at=clock.now())
    names = identity.staff_names(actors=[row.decided_by])
    context = {
        "row": row,
        "name": mask_name(row.patient_name),
        "tone": _TONES[row.status],
        "by": names.get(row.decided_by, ""),
        "is_noshow": row.cause == RestrictionCause.NOSHOW,
        "standing": standing.standing_of(patient_id=row.patient_id, at=clock.now()),
        "problem": problem,
        "verdict": typed(request.POST, "verdict", most=10),
        "answer": typed(request.POST, "answer", most=_MOST),
    }
    status = 422 if problem else 200
    return render(request, "registration/staff/appeal.html", context, status=status)


@staff_page(LIFT_RESTRICTION)
@require_safe
def restrictions(request: StaffRequest) -> HttpResponse:
    """Who may not book in advance online now, and what was lifted in the last month."""
    return _restrictions(request)


@staff_page(LIFT_RESTRICTION)
@require_POST
def lift(request: StaffRequest, restriction_id: int) -> HttpResponse:
    """Let a patient book online again, with the reason."""
    try:
        actions.lift(
            restriction_id=restriction_id,
            reason=typed(request.POST, "reason", most=100),
            by=request.actor,
            at=clock.now(),
        )
    except (Invalid, actions.RestrictionOver) as refusal:
        note_refusal(request, refusal)
        return _restrictions(request, problem=_sentence(refusal), status=422)
    messages.success(request, "已解除，患者会收到通知。")
    return redirect("registration-restrictions")


def _decide(request: StaffRequest, row: AppealRow) -> None:
    verdict = typed(request.POST, "verdict", most=10)
    if verdict not in {"there", "excused", "no"}:
        raise Invalid({"verdict": ["请选择处理结果。"]})
    actions.decide_appeal(
        appeal_id=row.id,
        is_granted=verdict != "no",
        was_there=verdict == "there",
        answer=typed(request.POST, "answer", most=2 * _MOST),
        by=request.actor,
        at=clock.now(),
    )


def _restrictions(request: StaffRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    at = clock.now()
    lifted = standing.lifted_restrictions(since=at - _DECIDED_FOR)
    names = identity.staff_names(actors=[row.lifted_by for row in lifted])
    context = {
        "tabs": _tabs(len(standing.open_appeals()), "restrictions"),
        "rows": _lines(standing.restrictions(at=at), names),
        "lifted": _lines(lifted, names),
        "problem": problem,
    }
    return render(request, "registration/staff/restrictions.html", context, status=status)


def _lines(rows: Iterable[RestrictionRow], names: dict[str, str]) -> list[dict[str, object]]:
    return [
        {"row": row, "name": mask_name(row.patient_name), "by": names.get(row.lifted_by, "系统")}
        for row in rows
    ]


def _tabs(waiting: int, active: str) -> list[dict[str, object]]:
    here = reverse("registration-appeals")
    return [
        {"label": "待处理申诉", "url": here, "active": active == "open", "count": waiting},
        {
            "label": "最近 30 天已处理",
            "url": f"{here}?show=decided",
            "active": active == "decided",
        },
        {
            "label": "暂停线上预约",
            "url": reverse("registration-restrictions"),
            "active": active == "restrictions",
        },
    ]


def _sentence(refusal: Refusal) -> str:
    if isinstance(refusal, Invalid):
        return " ".join(text for texts in refusal.errors.values() for text in texts)
    return refusal.message
