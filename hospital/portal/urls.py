"""Addresses of the portal."""

from django.urls import path

from hospital.portal.views import patient as pages
from hospital.portal.views import privacy, records

patient = [
    path("", pages.home, name="portal-home"),
    path("more/", pages.more, name="portal-more"),
    path("people/<slug:number>/unbind/", pages.unbind, name="portal-unbind"),
    path("records/", records.listing, name="portal-records"),
    path("privacy/", privacy.overview, name="portal-privacy"),
    path("privacy/<slug:number>/seen/", privacy.seen, name="portal-seen"),
    path("privacy/<slug:number>/copies/", privacy.copies, name="portal-copies"),
    path("privacy/<slug:number>/copies/ask/", privacy.ask_copy, name="portal-copy-ask"),
    path("copies/<slug:token>/", privacy.show_copy, name="portal-copy"),
    path("copies/<slug:token>/file/", privacy.fetch_copy, name="portal-copy-file"),
]
