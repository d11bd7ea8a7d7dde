"""欠费: what was guaranteed so that help came first, and is still to be paid (M1.17)."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from hospital.billing import queries as billing
from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, staff_page
from hospital.kernel import clock
from hospital.payments.permissions import COLLECT, VIEW_PAYMENTS
from hospital.ui.masks import mask_name


@staff_page(VIEW_PAYMENTS)
@require_safe
def arrears(request: StaffRequest) -> HttpResponse:
    """Every guaranteed bill that waits for its money, the oldest first."""
    today, may_collect = clock.today(), identity.may(request.user, COLLECT)
    rows = billing.arrears()
    context = {
        "rows": [
            {
                "row": row,
                "name": mask_name(row.patient_name),
                "days": (today - clock.hospital_day(row.issued_at)).days,
                "collect": reverse("payments-collect", args=[row.number]) if may_collect else "",
            }
            for row in rows
        ],
        "total_fen": sum(row.total_fen for row in rows),
    }
    return render(request, "desk/staff/arrears.html", context)
