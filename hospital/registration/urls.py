"""Addresses of registration."""

from django.urls import path

from hospital.registration.views import (
    alerts,
    booked,
    changing,
    closing,
    office,
    pacing,
    sharing,
    special,
    standing,
    stopping,
    substituting,
    visits,
    waiting,
)
from hospital.registration.views import patient as pages
from hospital.registration.views import utilisation as usage

patient = [
    path("book/<int:schedule_id>/<int:band_id>/", pages.confirm, name="registration-confirm"),
    path("appointments/", pages.appointments, name="registration-appointments"),
    path("appointments/<slug:number>/", pages.appointment, name="registration-appointment"),
    path("appointments/<slug:number>/result/", pages.result, name="registration-result"),
    path("appointments/<slug:number>/cancel/", pages.cancel, name="registration-cancel"),
    path("appointments/<slug:number>/decline/", changing.decline, name="registration-decline"),
    path("appointments/<slug:number>/exchange/", changing.exchange, name="registration-exchange"),
    path(
        "appointments/<slug:number>/exchange/<int:schedule_id>/<int:band_id>/",
        changing.exchange_for,
        name="registration-exchange-for",
    ),
    path(
        "appointments/<slug:number>/substitute/",
        changing.answer,
        name="registration-substitute-answer",
    ),
    path("appointments/<slug:number>/appeal/", standing.appeal, name="registration-appeal"),
    path("appointments/<slug:number>/share/", sharing.share, name="registration-share"),
    path("wait/<int:schedule_id>/", waiting.wait, name="registration-wait"),
    path("waitlist/", waiting.waitlist, name="registration-waitlist"),
    path("waitlist/<int:entry_id>/leave/", waiting.leave, name="registration-waitlist-leave"),
    path("watch/<slug:code>/", waiting.watch, name="registration-watch"),
    path("puzzle/<str:token>/", pacing.puzzle, name="registration-puzzle"),
    path("standing/<slug:number>/", standing.record, name="registration-standing"),
]

staff = [
    path("utilisation/", usage.utilisation, name="registration-utilisation"),
    path("utilisation/export/", usage.export, name="registration-utilisation-export"),
    path("numbers/<int:schedule_id>/booked/", booked.booked, name="registration-booked"),
    path("sessions/<int:schedule_id>/stop/", stopping.stop, name="registration-stop"),
    path("sessions/<int:schedule_id>/stopped/", stopping.stopped, name="registration-stopped"),
    path("sessions/<int:schedule_id>/close/", closing.close, name="registration-close"),
    path("sessions/<int:schedule_id>/resume/", stopping.resume, name="registration-resume"),
    path(
        "sessions/<int:schedule_id>/substitute/",
        substituting.substitute,
        name="registration-substitute",
    ),
    path("visits/<slug:number>/cancel/", visits.cancel, name="registration-cancel-any"),
    path("visits/<slug:number>/void/", visits.void, name="registration-void"),
    path("visits/<slug:number>/answer/", visits.answer, name="registration-answer-for"),
    path("add-ons/<int:schedule_id>/", special.add_on, name="registration-add-on"),
    path("emergency-registration/", special.emergency, name="registration-emergency"),
    path("visits/<slug:number>/check-in/", visits.check_in, name="registration-check-in"),
    path("visits/<slug:number>/undo/", visits.undo_check_in, name="registration-undo-check-in"),
    path("visits/<slug:number>/begin/", visits.begin, name="registration-begin"),
    path("visits/<slug:number>/correct/", visits.correct, name="registration-correct"),
    path("visits/<slug:number>/unseen/", visits.refund_unseen, name="registration-unseen"),
    path("appeals/", office.appeals, name="registration-appeals"),
    path("appeals/<int:appeal_id>/", office.appeal, name="registration-decide-appeal"),
    path("restrictions/", office.restrictions, name="registration-restrictions"),
    path("restrictions/<int:restriction_id>/lift/", office.lift, name="registration-lift"),
    path("booking-alerts/", alerts.alerts, name="registration-alerts"),
    path("booking-alerts/<int:alert_id>/", alerts.alert, name="registration-alert"),
]

public = [
    path("m/shared/<slug:token>/", sharing.shared, name="registration-shared"),
    path("m/shared/<slug:token>/visit.ics", sharing.calendar, name="registration-shared-calendar"),
]
