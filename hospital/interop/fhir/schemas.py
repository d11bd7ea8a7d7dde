"""Schemas of what the interface answers, for its OpenAPI description."""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]


def _object(required: str, /, **properties: Schema) -> Schema:
    return {"type": "object", "required": required.split(), "properties": properties}


def _list(items: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": items}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
_ID: Final[Schema] = {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$"}
_MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
_CODE: Final[Schema] = {"type": "string", "minLength": 1}
_META: Final = _object("versionId", versionId=_ID, lastUpdated=_MOMENT)
_PERIOD: Final = _object("start end", start=_MOMENT, end=_MOMENT)
_CONCEPT: Final = _object(
    "coding text",
    coding=_list(_object("system code display", system=_TEXT, code=_CODE, display=_TEXT)),
    text=_TEXT,
)
_REFERENCE: Final = _object(
    "",
    reference=_TEXT,
    type=_TEXT,
    identifier=_object("value", system=_TEXT, value=_TEXT),
    display={"type": "string"},
)
_EXTENSION: Final = _object(
    "url",
    url=_TEXT,
    valueString=_TEXT,
    valueDateTime=_MOMENT,
    valueMoney=_object("value currency", value={"type": "number"}, currency={"const": "CNY"}),
    valueReference=_REFERENCE,
    valuePeriod=_PERIOD,
)


def _resource(kind: str, required: str, /, **properties: Schema) -> Schema:
    return _object(f"resourceType {required}", resourceType={"const": kind}, **properties)


SCHEMAS: Final[dict[str, Schema]] = {
    "Schedule": _resource(
        "Schedule",
        "id meta active actor planningHorizon",
        id=_ID,
        meta=_META,
        extension=_list(_EXTENSION),
        active={"type": "boolean"},
        serviceType=_list(_CONCEPT),
        specialty=_list(_CONCEPT),
        actor=_list(_REFERENCE),
        planningHorizon=_PERIOD,
        comment=_TEXT,
    ),
    "Slot": _resource(
        "Slot",
        "id meta schedule status start end",
        id=_ID,
        meta=_META,
        extension=_list(_EXTENSION),
        serviceType=_list(_CONCEPT),
        specialty=_list(_CONCEPT),
        schedule=_REFERENCE,
        status={"enum": ["free", "busy", "busy-tentative", "busy-unavailable"]},
        start=_MOMENT,
        end=_MOMENT,
    ),
    "Practitioner": _resource(
        "Practitioner",
        "id meta active name",
        id=_ID,
        meta=_META,
        identifier=_list(_object("system value", system=_TEXT, value=_TEXT)),
        active={"type": "boolean"},
        name=_list(_object("text", text=_TEXT)),
        qualification=_list(_object("code", code=_object("text", text={"type": "string"}))),
    ),
    "Appointment": _resource(
        "Appointment",
        "id meta status start end slot participant",
        id=_ID,
        meta=_META,
        extension=_list(_EXTENSION),
        identifier=_list(_object("value", system=_TEXT, value=_TEXT)),
        status={
            "enum": [
                "booked",
                "pending",
                "arrived",
                "checked-in",
                "fulfilled",
                "cancelled",
                "noshow",
                "entered-in-error",
            ]
        },
        cancelationReason=_object("text", text=_TEXT),
        serviceType=_list(_CONCEPT),
        specialty=_list(_CONCEPT),
        start=_MOMENT,
        end=_MOMENT,
        slot=_list(_REFERENCE),
        created=_MOMENT,
        patientInstruction=_TEXT,
        participant=_list(
            _object("actor status", actor=_REFERENCE, status={"enum": ["accepted", "needs-action"]})
        ),
    ),
    "Bundle": _resource(
        "Bundle",
        "type total link",
        type={"const": "searchset"},
        total={"type": "integer", "minimum": 0},
        link=_list(_object("relation url", relation={"enum": ["self", "next"]}, url=_TEXT)),
        entry=_list(
            _object(
                "resource search",
                fullUrl=_TEXT,
                resource={
                    "oneOf": [
                        _ref("Schedule"),
                        _ref("Slot"),
                        _ref("Appointment"),
                        _ref("OperationOutcome"),
                    ]
                },
                search=_object("mode", mode={"enum": ["match", "outcome"]}),
            )
        ),
    ),
    "OperationOutcome": _resource(
        "OperationOutcome",
        "issue",
        issue=_list(
            _object(
                "severity code details",
                severity={"enum": ["error", "warning", "information", "fatal"]},
                code=_CODE,
                details=_object(
                    "text",
                    coding=_list(_object("system code", system=_TEXT, code=_CODE)),
                    text=_TEXT,
                ),
                expression=_list(_TEXT),
                extension=_list(_EXTENSION),
            )
        ),
    ),
    "CapabilityStatement": _resource(
        "CapabilityStatement",
        "status date kind fhirVersion format rest",
        status={"const": "active"},
        date=_TEXT,
        kind={"const": "instance"},
        fhirVersion=_TEXT,
        format=_list(_TEXT),
        rest=_list({"type": "object"}),
    ),
    "SmartConfiguration": _object(
        "token_endpoint grant_types_supported scopes_supported capabilities",
        token_endpoint=_TEXT,
        grant_types_supported=_list(_TEXT),
        token_endpoint_auth_methods_supported=_list(_TEXT),
        scopes_supported=_list(_TEXT),
        capabilities=_list(_TEXT),
    ),
    "Token": _object(
        "access_token token_type expires_in scope",
        access_token=_TEXT,
        token_type={"const": "Bearer"},
        expires_in={"type": "integer", "minimum": 0},
        scope={"type": "string"},
    ),
    "TokenRefusal": _object(
        "error error_description",
        error={
            "enum": [
                "invalid_request",
                "invalid_client",
                "invalid_scope",
                "unsupported_grant_type",
                "temporarily_unavailable",
            ]
        },
        error_description=_TEXT,
    ),
}
