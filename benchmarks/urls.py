"""The product's addresses, and an empty page for a logged-in patient: the frame alone."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from hospital.config import urls
from hospital.identity.access import PatientRequest, patient_page


@patient_page
def empty(request: PatientRequest) -> HttpResponse:
    """What any patient page costs before it says anything: session, user, base template."""
    return render(request, "ui/patient.html")


handler403, handler404, handler500 = urls.handler403, urls.handler404, urls.handler500
urlpatterns = [path("m/empty/", empty), *urls.urlpatterns]
