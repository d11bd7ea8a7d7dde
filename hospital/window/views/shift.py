"""我的班次: what one person did and took today so far. The close of the day is the cashier's."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from hospital.identity.access import StaffRequest, staff_page
from hospital.kernel import clock
from hospital.kernel.clock import day_period
from hospital.payments import queries as payments
from hospital.ui.masks import mask_name
from hospital.window import queries
from hospital.window.permissions import USE_WINDOW
from hospital.window.views.desk import page


@staff_page(USE_WINDOW)
@require_safe
def shift(request: StaffRequest) -> HttpResponse:
    """The sums, and the cash entry by entry."""
    at = clock.now()
    by = str(request.actor)
    found = queries.shift(by=by, at=at)
    entries = payments.cash_entries(cashier=by, period=day_period(found.day))
    context = {
        "shift": found,
        "rows": [{"entry": row, "name": mask_name(row.bill.patient.name)} for row in entries],
        "at": at,
        "slip_note": f"其中补打 {found.reprints} 张",
    }
    return page(request, "window/staff/shift.html", context)
