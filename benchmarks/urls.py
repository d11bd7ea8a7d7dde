"""The product's addresses, and an empty page for a logged-in patient: the frame alone."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from hospital.config import urls
from hospital.identity.access import PatientRequest, StaffRequest, patient_page, staff_page
from hospital.identity.permissions import SIGNED_IN


@patient_page
def empty(request: PatientRequest) -> HttpResponse:
    """What any patient page costs before it says anything: session, user, base template."""
    return render(request, "ui/patient.html")


@staff_page(SIGNED_IN)
def empty_staff(request: StaffRequest) -> HttpResponse:
    """What any staff page costs before it says anything: session, rights, rail, base template."""
    return render(request, "ui/staff.html")


handler403, handler404, handler500 = urls.handler403, urls.handler404, urls.handler500
urlpatterns = [
    path("m/empty/", empty),
    path("staff/empty/", empty_staff),
    *urls.urlpatterns,
]
