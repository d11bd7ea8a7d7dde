"""Addresses of interop: one per path of the table of operations, and those about it."""

from django.urls import URLPattern, path

from hospital.interop.fhir.operations import paths
from hospital.interop.views import about, booking, frame, reading, tokens
from hospital.interop.views import staff as pages
from hospital.interop.views.frame import Handler

_HANDLERS: dict[str, Handler] = {
    "searchSchedule": reading.search_schedule,
    "searchScheduleByForm": reading.search_schedule,
    "readSchedule": reading.read_schedule,
    "readPractitioner": reading.read_practitioner,
    "searchSlot": reading.search_slot,
    "searchSlotByForm": reading.search_slot,
    "readSlot": reading.read_slot,
    "searchAppointment": reading.search_appointment,
    "searchAppointmentByForm": reading.search_appointment,
    "readAppointment": reading.read_appointment,
    "bookAppointment": booking.book,
    "cancelAppointment": booking.cancel,
    "patchAppointment": booking.patch,
}


def _operations() -> list[URLPattern]:
    """The doors of the table; one without a handler stops the start."""
    return [
        path(
            f"R4{where.replace('{id}', '<str:path_id>')}",
            frame.door([(one, _HANDLERS[one.id]) for one in found]),
            name=f"interop-{where.strip('/').lower().replace('/{id}', '-one').replace('/_', '-')}",
        )
        for where, found in paths().items()
    ]


fhir = [
    *_operations(),
    path("R4/metadata", about.metadata, name="interop-metadata"),
    path(
        "R4/.well-known/smart-configuration",
        about.smart_configuration,
        name="interop-smart-configuration",
    ),
    path("R4/openapi.json", about.description, name="interop-openapi"),
    path("R4/oauth/token", tokens.token, name="interop-token"),
    path("<path:rest>", about.nowhere, name="interop-nowhere"),
]

staff = [
    path("partners/", pages.partners, name="interop-partners"),
    path("partners/new/", pages.new, name="interop-partner-new"),
    path("partners/<int:partner_id>/", pages.partner, name="interop-partner"),
    path("partners/<int:partner_id>/switch/", pages.switch, name="interop-partner-switch"),
    path("partners/<int:partner_id>/calls/", pages.calls, name="interop-calls"),
    path("partners/<int:partner_id>/secrets/", pages.secret, name="interop-secret"),
    path(
        "partners/<int:partner_id>/secrets/<int:secret_id>/end/",
        pages.end_secret,
        name="interop-secret-end",
    ),
]
