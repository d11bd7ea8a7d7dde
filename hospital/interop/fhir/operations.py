"""Every operation of the interface, in one table: addresses, the OpenAPI description and the
CapabilityStatement are made from it, and the views answer exactly these.

What every search, read and cancelling shares is said once, in `_searches`, `_read`, `_cancels`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from hospital.interop.fhir import search, words
from hospital.interop.fhir.search import Param
from hospital.interop.states import Scope

FORM_PATH: Final = "/_search"
_ASKS: Final = (400, 401, 403, 406, 429)
_SENDS: Final = (*_ASKS, 404, 409, 413, 415, 422)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one path below the base. `body` names a shape, `media` what it may be sent
    as, `answers` the schema of each good answer ("" for one without a body), `refusals` the other
    statuses."""

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
    refusals: Sequence[int] = _ASKS

    @property
    def with_id(self) -> bool:
        """Whether the path names one resource."""
        return "{id}" in self.path

    @property
    def is_form(self) -> bool:
        """Whether it is a search whose parameters come in a form."""
        return self.path.endswith(FORM_PATH)


_JSON: Final = (words.JSON, "application/json")
_FORM: Final = ("application/x-www-form-urlencoded",)
_PAGE: Final = (search.COUNT, search.AFTER, search.FORMAT)


def _searches(
    resource: str, summary: str, scope: Scope, params: Sequence[Param]
) -> tuple[Operation, Operation]:
    """A search by address, and the same with its parameters in a form."""
    by_address = Operation(
        id=f"search{resource}",
        method="GET",
        path=f"/{resource}",
        summary=summary,
        resource=resource,
        interaction="search-type",
        scope=scope,
        params=(*params, *_PAGE),
        answers={200: "Bundle"},
    )
    by_form = replace(
        by_address,
        id=f"search{resource}ByForm",
        method="POST",
        path=f"/{resource}{FORM_PATH}",
        summary=f"{summary}; the parameters in a form",
        media=_FORM,
        refusals=(*_ASKS, 413, 415),
    )
    return by_address, by_form


def _read(resource: str, summary: str, scope: Scope) -> Operation:
    """One resource, told only when it is another than the asker has."""
    return Operation(
        id=f"read{resource}",
        method="GET",
        path=f"/{resource}/{{id}}",
        summary=summary,
        resource=resource,
        interaction="read",
        scope=scope,
        params=(search.PATH_ID, search.IF_NONE_MATCH, search.FORMAT),
        answers={200: resource, 304: ""},
        refusals=(*_ASKS, 404),
    )


def _cancels(
    method: str, interaction: str, body: str, media: Sequence[str], summary: str
) -> Operation:
    """A change of an appointment, which can only be its cancelling."""
    return Operation(
        id=f"{'patch' if method == 'PATCH' else 'cancel'}Appointment",
        method=method,
        path="/Appointment/{id}",
        summary=summary,
        resource="Appointment",
        interaction=interaction,
        scope=Scope.BOOK,
        params=(search.PATH_ID, search.IF_MATCH, search.FORMAT),
        body=body,
        media=media,
        answers={200: "Appointment"},
        refusals=(*_SENDS, 412),
    )


OPERATIONS: Final = (
    *_searches(
        "Schedule",
        "Sessions of the coming days that can be booked online",
        Scope.SCHEDULES,
        (
            search.DATE,
            search.SPECIALTY,
            search.ACTOR,
            search.SERVICE,
            search.ACTIVE,
            search.IDS,
        ),
    ),
    _read("Schedule", "One session", Scope.SCHEDULES),
    _read("Practitioner", "The doctor of a session", Scope.SCHEDULES),
    *_searches(
        "Slot",
        "Single numbers; those with status free can be booked now",
        Scope.SLOTS,
        (
            search.SCHEDULE,
            search.START,
            search.status_param("free", "busy", "busy-tentative", "busy-unavailable"),
            search.SPECIALTY,
            search.IDS,
        ),
    ),
    _read("Slot", "One number", Scope.SLOTS),
    *_searches(
        "Appointment",
        "Your own bookings",
        Scope.OWN_BOOKINGS,
        (
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
            search.PRACTITIONER,
            search.LAST_UPDATED,
            search.IDS,
        ),
    ),
    Operation(
        id="bookAppointment",
        method="POST",
        path="/Appointment",
        summary="Book a free number for a person who pays on arrival",
        resource="Appointment",
        interaction="create",
        scope=Scope.BOOK,
        params=(search.IDEMPOTENCY_KEY, search.FORMAT),
        body="AppointmentBooking",
        media=_JSON,
        answers={201: "Appointment"},
        refusals=_SENDS,
    ),
    _read("Appointment", "One of your own bookings", Scope.OWN_BOOKINGS),
    _cancels(
        "PUT",
        "update",
        "AppointmentCancelling",
        _JSON,
        "Cancel: the appointment with status cancelled",
    ),
    _cancels(
        "PATCH",
        "patch",
        "AppointmentPatch",
        (words.JSON_PATCH,),
        "Cancel by JSON Patch: replace /status with cancelled",
    ),
)


def paths() -> dict[str, list[Operation]]:
    """The operations by path, in the table's order."""
    found: dict[str, list[Operation]] = {}
    for one in OPERATIONS:
        found.setdefault(one.path, []).append(one)
    return found
