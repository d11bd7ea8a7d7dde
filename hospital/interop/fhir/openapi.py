"""The OpenAPI 3.1 description of the interface, from the table of operations."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from hospital.interop.fhir import bodies, words
from hospital.interop.fhir.operations import Operation, paths
from hospital.interop.fhir.schemas import SCHEMAS
from hospital.interop.fhir.search import Param
from hospital.interop.states import Scope

BASE: Final = "/fhir/R4"
_BODIES: Final = {
    "AppointmentBooking": bodies.BOOKING,
    "AppointmentCancelling": bodies.CANCELLING,
    "AppointmentPatch": bodies.PATCH,
}
_ABOUT: Final = """\
Book outpatient numbers for your users. Get a token with your client id and secret, search
`Schedule` and `Slot`, create an `Appointment` for a free slot, cancel it by status. Patients pay
on arrival. Every refusal is an `OperationOutcome`: the code in `issue.details.coding` is stable,
`issue.details.text` is a sentence for the patient. Moments carry their offset; days are the
hospital's (Asia/Shanghai). The guide is docs/partners.md.
"""
_MEANINGS: Final[dict[int, str]] = {
    HTTPStatus.BAD_REQUEST: "The question is not of the form described here",
    HTTPStatus.UNAUTHORIZED: "No token, or one that is over",
    HTTPStatus.FORBIDDEN: "The token has not this scope",
    HTTPStatus.NOT_FOUND: "There is no such thing, or it is not yours",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not know the method",
    HTTPStatus.NOT_ACCEPTABLE: "Only application/fhir+json is given",
    HTTPStatus.CONFLICT: "A rule of the hospital says no; nothing has changed",
    HTTPStatus.PRECONDITION_FAILED: "It is another version by now; nothing has changed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is longer than 64 KiB",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is of another media type",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The body says something impossible; nothing has changed",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many calls or bookings; Retry-After says how long to wait",
}
_HEADERS: Final[dict[int, tuple[str, dict[str, Any]]]] = {
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate", {"type": "string"}),
    HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After", {"type": "integer", "minimum": 1}),
    HTTPStatus.METHOD_NOT_ALLOWED: ("Allow", {"type": "string"}),
}
_ETAG: Final[dict[str, Any]] = {"ETag": {"required": True, "schema": {"type": "string"}}}


def description() -> dict[str, Any]:
    """The whole description; the same on every machine."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Xinglin: registration for outside platforms (FHIR R4)",
            "version": "1.0.0",
            "description": _ABOUT,
        },
        "servers": [{"url": BASE}],
        "paths": {
            **{
                path: {one.method.lower(): _operation(one) for one in found}
                for path, found in paths().items()
            },
            **_about(),
        },
        "components": {
            "schemas": {**SCHEMAS, **_BODIES},
            "securitySchemes": {
                "oauth": {
                    "type": "oauth2",
                    "flows": {
                        "clientCredentials": {
                            "tokenUrl": f"{BASE}/oauth/token",
                            "scopes": {one.value: one.name.lower() for one in Scope},
                        }
                    },
                },
                "client": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _operation(one: Operation) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": one.id,
        "tags": [one.resource],
        "summary": one.summary,
        "security": [{"oauth": [one.scope.value]}],
        "parameters": [] if one.is_form else [_parameter(param) for param in one.params],
        "responses": {
            **{
                str(int(status)): _answer(one, status, name) for status, name in one.answers.items()
            },
            **{str(int(status)): _refusal(status) for status in sorted({*one.refusals, 405})},
        },
    }
    if one.media:
        schema = _form(one) if one.is_form else {"$ref": f"#/components/schemas/{one.body}"}
        content = {media: {"schema": schema} for media in one.media}
        said["requestBody"] = {"required": not one.is_form, "content": content}
    return said


def _form(one: Operation) -> dict[str, Any]:
    """The parameters of a search as the fields of a form."""
    fields = {param.name: param.schema | {"description": param.about} for param in one.params}
    return {"type": "object", "properties": fields}


def _parameter(param: Param) -> dict[str, Any]:
    said: dict[str, Any] = {
        "name": param.name,
        "in": param.place,
        "required": param.is_required,
        "description": param.about,
        "schema": param.schema,
        "example": [param.example] if param.most > 1 else param.example,
    }
    if param.whole:
        said["example"] = int(param.example)
    return said


def _answer(one: Operation, status: int, name: str) -> dict[str, Any]:
    if not name:
        return {"description": "It is the one you have", "headers": _ETAG}
    said = _response(one.summary, words.JSON, name)
    if name != "Bundle":
        said["headers"] = _ETAG
    if status == HTTPStatus.CREATED:
        said["headers"] = _ETAG | {
            "Location": {"required": True, "schema": {"type": "string"}},
            "Idempotency-Replayed": {"schema": {"const": "true"}},
        }
    return said


def _refusal(status: int) -> dict[str, Any]:
    return _response(_MEANINGS[status], words.JSON, "OperationOutcome") | _headers(status)


def _headers(status: int) -> dict[str, Any]:
    if status not in _HEADERS:
        return {}
    name, schema = _HEADERS[status]
    return {"headers": {name: {"required": True, "schema": schema}}}


def _response(meaning: str, media: str, schema: str) -> dict[str, Any]:
    content = {media: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": meaning, "content": content}


def _about() -> dict[str, Any]:
    """The addresses everybody may ask, and the one that sells tokens."""
    return {
        "/metadata": _open("readMetadata", "CapabilityStatement", words.JSON),
        "/.well-known/smart-configuration": _open(
            "readSmartConfiguration", "SmartConfiguration", "application/json"
        ),
        "/oauth/token": {
            "post": {
                "operationId": "issueToken",
                "tags": ["About"],
                "summary": "Buy an access token with client id and secret (RFC 6749, 4.4)",
                "security": [{"client": []}],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/x-www-form-urlencoded": {
                            "schema": {
                                "type": "object",
                                "required": ["grant_type"],
                                "properties": {
                                    "grant_type": {"const": "client_credentials"},
                                    "scope": {"type": "string", "maxLength": 200},
                                },
                            }
                        }
                    },
                },
                "responses": {
                    "200": _response("A token", "application/json", "Token"),
                    **{
                        status: _response(meaning, "application/json", "TokenRefusal")
                        | _headers(int(status))
                        for status, meaning in (
                            ("400", "Not a question this address understands"),
                            ("401", "No such client, or not its secret"),
                            ("429", "Too many questions from this address"),
                        )
                    },
                    "405": _refusal(HTTPStatus.METHOD_NOT_ALLOWED),
                },
            }
        },
    }


def _open(name: str, schema: str, media: str) -> dict[str, Any]:
    return {
        "get": {
            "operationId": name,
            "tags": ["About"],
            "summary": f"The {schema} of this server",
            "security": [],
            "responses": {
                "200": _response(f"The {schema}", media, schema),
                "405": _refusal(HTTPStatus.METHOD_NOT_ALLOWED),
            },
        }
    }
