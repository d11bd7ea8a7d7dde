"""Addresses of registration."""

from django.urls import path

from hospital.registration.views import patient as pages
from hospital.registration.views import stopping

patient = [
    path("book/<int:schedule_id>/<int:band_id>/", pages.confirm, name="registration-confirm"),
    path("appointments/", pages.appointments, name="registration-appointments"),
    path("appointments/<slug:number>/", pages.appointment, name="registration-appointment"),
    path("appointments/<slug:number>/result/", pages.result, name="registration-result"),
    path("appointments/<slug:number>/cancel/", pages.cancel, name="registration-cancel"),
]

staff = [
    path("sessions/<int:schedule_id>/stop/", stopping.stop, name="registration-stop"),
    path("sessions/<int:schedule_id>/stopped/", stopping.stopped, name="registration-stopped"),
    path("sessions/<int:schedule_id>/resume/", stopping.resume, name="registration-resume"),
]
