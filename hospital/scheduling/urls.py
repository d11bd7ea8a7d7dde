"""Addresses of scheduling."""

from django.urls import path

from hospital.scheduling.views import patient as pages
from hospital.scheduling.views.staff import calendar, session

patient = [
    path("departments/", pages.departments, name="scheduling-departments"),
    path("departments/<slug:code>/", pages.sessions, name="scheduling-sessions"),
    path("doctors/<slug:code>/", pages.doctor, name="scheduling-doctor"),
    path("sessions/<int:schedule_id>/times/", pages.bands, name="scheduling-bands"),
]

staff = [
    path("numbers/", calendar.calendar, name="scheduling-numbers"),
    path("numbers/<int:schedule_id>/", session.session, name="scheduling-session"),
    path(
        "numbers/<int:schedule_id>/bands/", session.change_bands, name="scheduling-session-bands"
    ),
    path("numbers/<int:schedule_id>/shares/", session.share, name="scheduling-session-shares"),
    path(
        "numbers/<int:schedule_id>/numbers/", session.withhold, name="scheduling-session-numbers"
    ),
    path("numbers/<int:schedule_id>/room/", session.move_room, name="scheduling-session-room"),
]
