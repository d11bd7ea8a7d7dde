"""Addresses of the patients area: the user's own list of patients, the card desk."""

from __future__ import annotations

from django.urls import path

from hospital.patients.views import card, desk, family, record
from hospital.patients.views import patient as views

patient = [
    path("patients/", views.listing, name="patients-list"),
    path("patients/add/", views.add, name="patients-add"),
    path("patients/add/told/", views.add_told, name="patients-add-told"),
    path("patients/<str:number>/default/", views.default, name="patients-default"),
    path("patients/<str:number>/bound/", family.bound, name="patients-bound"),
    path(
        "patients/<str:number>/bound/<int:binding_id>/end/",
        family.end_other,
        name="patients-bound-end",
    ),
    path("patients/<str:number>/phone/", family.phone, name="patients-phone"),
    path("patients/<str:number>/card/", card.card, name="patients-card-shown"),
    path("patients/<str:number>/card/renew/", card.renew, name="patients-card-renew"),
]
staff = [
    path("card-desk/", desk.find, name="patients-desk"),
    path("card-desk/new/", desk.new, name="patients-new"),
    path("card-desk/new/told/", desk.told, name="patients-desk-told"),
    path("card-desk/newborn/", desk.newborn, name="patients-newborn"),
    path("card-desk/unidentified/", desk.unidentified, name="patients-unidentified"),
    path("card-desk/upgrades/", desk.upgrades, name="patients-upgrades"),
    path("card-desk/<str:number>/", record.record, name="patients-record"),
    path("card-desk/<str:number>/reveal/", record.reveal, name="patients-reveal"),
    path("card-desk/<str:number>/contact/", record.contact, name="patients-contact"),
    path("card-desk/<str:number>/prove/", record.prove, name="patients-prove"),
    path("card-desk/<str:number>/same/", record.report_same, name="patients-same"),
    path("card-desk/<str:number>/void/<int:identifier_id>/", record.void, name="patients-void"),
    path("card-desk/<str:number>/guardian/", record.add_guardian, name="patients-guardian"),
    path(
        "card-desk/<str:number>/guardian/<int:link_id>/end/",
        record.end_guardian,
        name="patients-guardian-end",
    ),
    path("card-desk/<str:number>/card/", record.issue_card, name="patients-card"),
    path("card-desk/<str:number>/card/<int:card_id>/", record.move_card, name="patients-card-move"),
    path("card-desk/<str:number>/health-card/", record.health_card, name="patients-health-card"),
    path("card-desk/<str:number>/unbind/<int:binding_id>/", record.unbind, name="patients-unbind"),
]
