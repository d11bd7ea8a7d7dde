"""Addresses: a prefix per audience, a list per area. The area owns everything below its prefix."""

from importlib import import_module
from importlib.util import find_spec

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from hospital.config import health
from hospital.identity.access import public_page
from hospital.ui import gallery


def _collect(audience: str) -> list[URLPattern | URLResolver]:
    """The lists of that name from every area's urls.py."""
    found: list[URLPattern | URLResolver] = []
    for area in settings.AREAS:
        name = f"hospital.{area}.urls"
        if find_spec(name):
            found += getattr(import_module(name), audience, [])
    return found


handler400 = "hospital.ui.errors.bad_request"
handler403 = "hospital.ui.errors.forbidden"
handler404 = "hospital.ui.errors.not_found"
handler500 = "hospital.ui.errors.server_error"

# The page kit stands below the access marks, so its gallery gets its mark and address here.
_workshop = [path("staff/gallery/", public_page(gallery.gallery), name="ui-gallery")]

urlpatterns = [
    *([] if settings.PRODUCTION else _workshop),
    path("healthz", health.healthz, name="health-alive"),
    path("readyz", health.readyz, name="health-ready"),
    path("metrics", health.measurements, name="health-metrics"),
    path("m/", include(_collect("patient"))),
    path("staff/", include(_collect("staff"))),
    path("screen/", include(_collect("screen"))),
    path("kiosk/", include(_collect("kiosk"))),
    path("callback/", include(_collect("callbacks"))),
    path("api/", include(_collect("api"))),
    path("fhir/", include(_collect("fhir"))),
    path("", include(_collect("public"))),
]
