"""Addresses of the patients area: the user's own list of patients."""

from __future__ import annotations

from django.urls import path

from hospital.patients.views import patient as views

patient = [
    path("patients/", views.listing, name="patients-list"),
    path("patients/add/", views.add, name="patients-add"),
    path("patients/add/told/", views.add_told, name="patients-add-told"),
    path("patients/<str:number>/default/", views.default, name="patients-default"),
]
