"""Every operation of the interface, in one table: addresses, the OpenAPI description and the
CapabilityStatement are made from it, and the views answer exactly these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hospital.interop.fhir import search, words
from hospital.interop.fhir.search import Param
from hospital.interop.states import Scope

_READS: Final = (400, 401, 403, 406, 429)
_WRITES: Final = (*_READS, 409, 413, 415, 422)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one path below the base. `body` names a shape, `media` what it may be sent
    as, `answers` the schema of each good answer, `refusals` the other statuses."""

    id: str
    method: str
    path: str
    summary: str
    resource: str
    interaction: str
    scope: Scope
    params: Sequence[Param] = ()
    body: str = ""
    media: Sequence[str] = ()
    answers: Mapping[int, str] = field(default_factory=dict)
    refusals: Sequence[int] = _READS

    @property
    def with_id(self) -> bool:
        """Whether the path names one resource."""
        return "{id}" in self.path


_PAGE: Final = (search.IDS, search.COUNT, search.AFTER)
_FOUND: Final[Mapping[int, str]] = {200: "Bundle"}
_BODY: Final = (words.JSON, "application/json")

OPERATIONS: Final = (
    Operation(
        id="searchSchedule",
        method="GET",
        path="/Schedule",
        summary="Sessions of the coming days that can be booked online",
        resource="Schedule",
        interaction="search-type",
        scope=Scope.SCHEDULES,
        params=(search.DATE, search.SPECIALTY, search.ACTOR, search.SERVICE, *_PAGE),
        answers=_FOUND,
    ),
    Operation(
        id="readSchedule",
        method="GET",
        path="/Schedule/{id}",
        summary="One session",
        resource="Schedule",
        interaction="read",
        scope=Scope.SCHEDULES,
        params=(search.PATH_ID,),
        answers={200: "Schedule"},
        refusals=(*_READS, 404),
    ),
    Operation(
        id="readPractitioner",
        method="GET",
        path="/Practitioner/{id}",
        summary="The doctor of a session",
        resource="Practitioner",
        interaction="read",
        scope=Scope.SCHEDULES,
        params=(search.PATH_ID,),
        answers={200: "Practitioner"},
        refusals=(*_READS, 404),
    ),
    Operation(
        id="searchSlot",
        method="GET",
        path="/Slot",
        summary="Single numbers; those with status free can be booked now",
        resource="Slot",
        interaction="search-type",
        scope=Scope.SLOTS,
        params=(
            search.SCHEDULE,
            search.START,
            search.status_param("free", "busy", "busy-tentative", "busy-unavailable"),
            search.SPECIALTY,
            *_PAGE,
        ),
        answers=_FOUND,
    ),
    Operation(
        id="readSlot",
        method="GET",
        path="/Slot/{id}",
        summary="One number",
        resource="Slot",
        interaction="read",
        scope=Scope.SLOTS,
        params=(search.PATH_ID,),
        answers={200: "Slot"},
        refusals=(*_READS, 404),
    ),
    Operation(
        id="searchAppointment",
        method="GET",
        path="/Appointment",
        summary="Your own bookings",
        resource="Appointment",
        interaction="search-type",
        scope=Scope.OWN_BOOKINGS,
        params=(
            search.DATE,
            search.status_param(
                "booked",
                "pending",
                "arrived",
                "checked-in",
                "fulfilled",
                "cancelled",
                "noshow",
                "entered-in-error",
            ),
            search.IDENTIFIER,
            search.SLOT,
            search.COUNT,
            search.AFTER,
        ),
        answers=_FOUND,
    ),
    Operation(
        id="bookAppointment",
        method="POST",
        path="/Appointment",
        summary="Book a free number for a person who pays on arrival",
        resource="Appointment",
        interaction="create",
        scope=Scope.BOOK,
        params=(search.IDEMPOTENCY_KEY,),
        body="AppointmentBooking",
        media=_BODY,
        answers={201: "Appointment"},
        refusals=(*_WRITES, 404),
    ),
    Operation(
        id="readAppointment",
        method="GET",
        path="/Appointment/{id}",
        summary="One of your own bookings",
        resource="Appointment",
        interaction="read",
        scope=Scope.OWN_BOOKINGS,
        params=(search.PATH_ID,),
        answers={200: "Appointment"},
        refusals=(*_READS, 404),
    ),
    Operation(
        id="cancelAppointment",
        method="PUT",
        path="/Appointment/{id}",
        summary="Cancel: the appointment with status cancelled",
        resource="Appointment",
        interaction="update",
        scope=Scope.BOOK,
        params=(search.PATH_ID,),
        body="AppointmentCancelling",
        media=_BODY,
        answers={200: "Appointment"},
        refusals=(*_WRITES, 404),
    ),
    Operation(
        id="patchAppointment",
        method="PATCH",
        path="/Appointment/{id}",
        summary="Cancel by JSON Patch: replace /status with cancelled",
        resource="Appointment",
        interaction="patch",
        scope=Scope.BOOK,
        params=(search.PATH_ID,),
        body="AppointmentPatch",
        media=(words.JSON_PATCH,),
        answers={200: "Appointment"},
        refusals=(*_WRITES, 404),
    ),
)


def paths() -> dict[str, list[Operation]]:
    """The operations by path, in the table's order."""
    found: dict[str, list[Operation]] = {}
    for one in OPERATIONS:
        found.setdefault(one.path, []).append(one)
    return found
