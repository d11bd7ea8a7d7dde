"""Break-glass: a doctor opens one patient of another department; medical affairs reviews it.

The patient is named by an exact number, never looked for: this is no way to browse.
"""

from __future__ import annotations

import datetime as dt
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.desk.views.appointments import listed
from hospital.identity import actions as identity_actions
from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.identity.permissions import BREAK_GLASS, REVIEW_BREAK_GLASS
from hospital.identity.states import Verdict
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.patients import queries as patients
from hospital.patients.actions import record_view
from hospital.registration import queries as registration
from hospital.registration.permissions import VIEW_APPOINTMENTS
from hospital.ui.typed import typed

if TYPE_CHECKING:
    from hospital.identity.models import BreakGlass

_EXACT: Final = re.compile(r"[0-9A-Za-z]{8,24}")
_SHOWN: Final = dt.timedelta(days=30)


class NoSuchPatient(Refusal):
    """No patient, or several, have the number."""

    code: ClassVar[str] = "NO_SUCH_PATIENT"
    default_message: ClassVar[str] = "没有找到唯一的患者，请核对号码：门诊号、就诊卡号或证件号。"


class Over(Refusal):
    """The time of an emergency access is over."""

    code: ClassVar[str] = "EMERGENCY_OVER"
    default_message: ClassVar[str] = "这次紧急查阅已到时。仍然需要时，请重新说明原因。"


@staff_page(BREAK_GLASS)
@require_http_methods(["GET", "HEAD", "POST"])
def emergencies(request: StaffRequest) -> HttpResponse:
    """Open a patient's record with a reason; one's own openings below."""
    at = clock.now()
    errors: list[str] = []
    if request.method == "POST":
        try:
            found = identity_actions.break_glass(
                account=request.user,
                patient_id=_exactly_one(typed(request.POST, "number", most=24)),
                reason=typed(request.POST, "reason", most=200),
                by=request.actor,
                at=at,
            )
        except Refusal as refusal:
            note_refusal(request, refusal)
            errors = [refusal.message]
        else:
            return redirect("desk-emergency", break_glass_id=found.pk)
    context = {
        "errors": errors,
        "number": typed(request.POST, "number", most=24),
        "reason": typed(request.POST, "reason", most=200),
        "minutes": identity_actions.BREAK_GLASS_MINUTES.value(),
        "rows": identity.emergencies_of(account=request.user, since=at - _SHOWN),
        "at": at,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return render(request, "desk/staff/emergencies.html", context, status=status)


@staff_page(BREAK_GLASS)
@require_safe
def emergency(request: StaffRequest, break_glass_id: int) -> HttpResponse:
    """The patient, for as long as it is open; somebody else's opening is not found."""
    at = clock.now()
    row = identity.emergency(break_glass_id=break_glass_id)
    if row.account_id != request.user.pk:
        raise NotFound
    if not row.begins_at <= at < row.ends_at:
        raise Over
    person = patients.patient(patient_id=row.patient_id)
    record_view(patient_id=person.pk, what="紧急查阅", by=request.actor, at=at)
    within = identity.reach(request.user, VIEW_APPOINTMENTS)
    found = registration.search(text=person.outpatient_no, at=at, within=within)
    context = {"row": row, "person": person, "rows": [listed(one) for one in found]}
    return render(request, "desk/staff/emergency.html", context)


@staff_page(REVIEW_BREAK_GLASS)
@require_safe
def reviews(request: StaffRequest) -> HttpResponse:
    """Openings to review, the oldest first; below, what was found about the earlier ones."""
    context = {
        "waiting": [_line(row) for row in identity.emergencies(is_reviewed=False)],
        "reviewed": [_line(row) for row in identity.emergencies(is_reviewed=True, limit=30)],
        "verdicts": Verdict.choices,
        "me": request.user.pk,
    }
    return render(request, "desk/staff/emergency_reviews.html", context)


@staff_page(REVIEW_BREAK_GLASS)
@require_POST
def review(request: StaffRequest, break_glass_id: int) -> HttpResponse:
    """Write down whether the reason holds."""
    verdict = request.POST.get("verdict", "")
    if verdict not in Verdict.values:
        raise Invalid.of("verdict", "请选择审核结论。")
    identity_actions.review_break_glass(
        break_glass_id=break_glass_id,
        verdict=Verdict(verdict),
        note=typed(request.POST, "note", most=200),
        reviewer=request.user,
        by=request.actor,
        at=clock.now(),
    )
    messages.success(request, "审核意见已保存。")
    return redirect("desk-emergency-reviews")


def _exactly_one(number: str) -> int:
    """The patient of a number typed in full. Raises NoSuchPatient."""
    digits = sum(character.isdigit() for character in number)
    if not _EXACT.fullmatch(number) or digits < len(number) // 2:
        raise NoSuchPatient
    found = patients.patient_ids(number)
    if len(found) != 1:
        raise NoSuchPatient
    return found[0]


def _line(row: BreakGlass) -> dict[str, object]:
    person = patients.patient(patient_id=row.patient_id)
    return {"row": row, "name": person.masked_name, "number": person.outpatient_no}
