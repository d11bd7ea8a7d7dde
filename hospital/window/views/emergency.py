"""急诊小票: the slip of an emergency, right after registering and again later, paid for or not
(M1.17).

Whoever registers emergencies prints it, the nurse at the door as well: the window's page asks
for money first, and here nobody does.
"""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from hospital.identity.access import StaffRequest, shows_refusals, staff_page
from hospital.kernel import clock, serials
from hospital.kernel.errors import NotFound, Refusal
from hospital.patients.actions import record_view
from hospital.registration import queries as bookings
from hospital.registration.permissions import REGISTER_EMERGENCY
from hospital.registration.queries import AppointmentRow
from hospital.registration.states import Acuity, BookingKind
from hospital.ui.masks import mask_name
from hospital.ui.typed import typed
from hospital.window import actions, forms, queries
from hospital.window.states import CHOSEN, Paper
from hospital.window.views.booking import chosen_paper, keep_paper
from hospital.window.views.desk import page


def _told(request: StaffRequest, refusal: Refusal, number: str) -> HttpResponse:
    return _page(request, number, problem=refusal.message)


@staff_page(REGISTER_EMERGENCY)
@require_POST
@shows_refusals(_told)
def print_slip(request: StaffRequest, number: str) -> HttpResponse:
    """Count a printing of the slip, with its reason from the second on, and show it."""
    _emergency(number)
    actions.print_slip(
        number=number,
        reason=forms.reprint(request.POST),
        key=typed(request.POST, "key", most=80),
        by=request.actor,
        at=clock.now(),
    )
    return redirect("window-emergency-slip", number=number)


@staff_page(REGISTER_EMERGENCY)
@require_safe
def slip(request: StaffRequest, number: str) -> HttpResponse:
    """The slip on its paper; opening it again counts no copy."""
    return keep_paper(request, _page(request, number))


def _page(request: StaffRequest, number: str, *, problem: str = "") -> HttpResponse:
    row = _emergency(number)
    at = clock.now()
    record_view(patient_id=row.patient_id, what="急诊小票", by=request.actor, at=at)
    printed = queries.slips_of(appointment_id=row.id)
    context: dict[str, object] = {
        "row": row,
        "name": mask_name(row.patient_name),
        "acuity": Acuity(row.acuity).label if row.acuity else "",
        "paper": chosen_paper(request),
        "papers": Paper,
        "printed_at": at,
        "copies": len(printed),
        "latest": printed[-1] if printed else None,
        "is_outdated": bool(printed)
        and queries.is_before_the_money(printed[-1], bill_id=row.bill_id),
        "reprints": [(one.value, one.label) for one in CHOSEN],
        "key": serials.opaque(),
        "problem": problem,
    }
    status = HTTPStatus.CONFLICT if problem else HTTPStatus.OK
    return page(request, "window/staff/emergency_slip.html", context, status=status)


def _emergency(number: str) -> AppointmentRow:
    row = bookings.appointment(number=number, at=clock.now())
    if row.kind != BookingKind.EMERGENCY:
        raise NotFound("没有找到这个急诊登记。")
    return row
