"""The former system page: its place is monitoring's now, old bookmarks go on."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from hospital.desk.permissions import CONFIGURE
from hospital.identity.access import StaffRequest, staff_page


@staff_page(CONFIGURE)
@require_safe
def system(request: StaffRequest) -> HttpResponse:
    """On to the monitoring page."""
    return redirect("monitoring-board")
