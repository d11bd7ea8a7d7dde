"""The desk's front page: sends everybody to the first work place the own rights open."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from hospital.desk.permissions import CONFIGURE, VIEW_CONFIGURATION
from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, staff_page
from hospital.identity.permissions import APPROVE_ACCESS, REVIEW_BREAK_GLASS, SIGNED_IN
from hospital.payments.permissions import VIEW_PAYMENTS
from hospital.registration.permissions import REGISTER, VIEW_APPOINTMENTS
from hospital.scheduling.permissions import VIEW_SOLD

_PLACES = (
    (APPROVE_ACCESS, "identity-requests"),
    (CONFIGURE, "desk-system"),
    (VIEW_CONFIGURATION, "desk-configuration"),
    (REGISTER, "window-desk"),
    (VIEW_SOLD, "desk-board"),
    (VIEW_PAYMENTS, "desk-payments"),
    (VIEW_APPOINTMENTS, "desk-search"),
    (REVIEW_BREAK_GLASS, "desk-emergency-reviews"),
)


@staff_page(SIGNED_IN)
@require_safe
def home(request: StaffRequest) -> HttpResponse:
    """On to the first place of one's own; a plain page for roles whose places are yet to come."""
    for permission, place in _PLACES:
        if identity.may(request.user, permission):
            return redirect(place)
    return render(request, "desk/staff/home.html", {})
