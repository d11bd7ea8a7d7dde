"""Who has booked a session, as a part of the office's page of it (M2.3: whom a change affects)."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import NotFound
from hospital.registration import queries
from hospital.registration.permissions import VIEW_APPOINTMENTS
from hospital.registration.states import VOID
from hospital.scheduling import queries as scheduling
from hospital.ui.masks import mask_name


@staff_page(VIEW_APPOINTMENTS)
@require_safe
def booked(request: StaffRequest, schedule_id: int) -> HttpResponse:
    """The bookings that stand, by number, names masked. Raises NotFound beyond the reach."""
    session = scheduling.session_facts(schedule_id=schedule_id)
    within = identity.reach(request.user, VIEW_APPOINTMENTS)
    if not within.covers(
        department_id=session.department_id, practitioner_id=session.practitioner_id
    ):
        raise NotFound("没有找到这次出诊。")
    found = queries.appointments_of_schedule(schedule_id=schedule_id, at=clock.now())
    rows = [
        {
            "row": row,
            "name": mask_name(row.patient_name),
            "url": reverse("desk-appointment", args=[row.number]),
        }
        for row in found
        if row.status not in VOID
    ]
    context = {"session": session, "rows": rows}
    part = "#list" if request.htmx else ""
    return render(request, f"registration/staff/booked.html{part}", context)
