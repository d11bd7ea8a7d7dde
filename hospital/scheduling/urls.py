"""Addresses of scheduling."""

from django.urls import path

from hospital.scheduling.views import patient as pages

patient = [
    path("departments/", pages.departments, name="scheduling-departments"),
    path("departments/<slug:code>/", pages.sessions, name="scheduling-sessions"),
    path("doctors/<slug:code>/", pages.doctor, name="scheduling-doctor"),
    path("sessions/<int:schedule_id>/times/", pages.bands, name="scheduling-bands"),
]
