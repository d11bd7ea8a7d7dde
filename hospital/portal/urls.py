"""Addresses of the portal."""

from django.urls import path

from hospital.portal.views import patient as pages

patient = [
    path("", pages.home, name="portal-home"),
    path("people/<slug:number>/unbind/", pages.unbind, name="portal-unbind"),
]
