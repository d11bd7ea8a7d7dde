"""Addresses of the desk."""

from django.urls import path

from hospital.desk.views import (
    appointments,
    arrears,
    audit,
    board,
    configuration,
    emergencies,
    home,
    my_sessions,
    payments,
    system,
)

staff = [
    path("", home.home, name="desk-home"),
    path("board/", board.board, name="desk-board"),
    path("my-sessions/", my_sessions.my_sessions, name="desk-my-sessions"),
    path("my-sessions/<int:schedule_id>/", my_sessions.patients, name="desk-my-patients"),
    path("my-wishes/", my_sessions.wish, name="desk-wish"),
    path("my-wishes/<int:wish_id>/forget/", my_sessions.forget_wish, name="desk-forget-wish"),
    path("appointments/", appointments.search, name="desk-search"),
    path("appointments/<slug:number>/", appointments.appointment, name="desk-appointment"),
    path("payments/", payments.payments, name="desk-payments"),
    path("payments/<int:payment_id>/", payments.payment, name="desk-payment"),
    path("refunds/", payments.refunds, name="desk-refunds"),
    path("arrears/", arrears.arrears, name="desk-arrears"),
    path("audit/", audit.search, name="desk-audit"),
    path("audit/person/", audit.find_person, name="desk-audit-person"),
    path("audit/export/", audit.export, name="desk-audit-export"),
    path("audit/<int:entry_id>/", audit.entry, name="desk-audit-entry"),
    path("emergencies/", emergencies.emergencies, name="desk-emergencies"),
    path("emergencies/<int:break_glass_id>/", emergencies.emergency, name="desk-emergency"),
    path("emergency-reviews/", emergencies.reviews, name="desk-emergency-reviews"),
    path(
        "emergency-reviews/<int:break_glass_id>/",
        emergencies.review,
        name="desk-emergency-review",
    ),
    path("system/", system.system, name="desk-system"),
    path("configuration/", configuration.configuration, name="desk-configuration"),
    path("configuration/<str:key>/", configuration.setting, name="desk-setting"),
    path("configuration/<str:key>/change/", configuration.change, name="desk-setting-change"),
]
