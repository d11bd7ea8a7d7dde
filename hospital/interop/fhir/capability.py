"""The CapabilityStatement and the SMART configuration, from the table of operations."""

from __future__ import annotations

from typing import Any, Final

from hospital.interop.fhir import words
from hospital.interop.fhir.operations import OPERATIONS, Operation
from hospital.interop.fhir.resources import Resource
from hospital.interop.states import Scope

#: The day the described interface last changed.
_DATE: Final = "2026-11-23"
_KINDS: Final = {
    "_id": "token",
    "_lastUpdated": "date",
    "active": "token",
    "date": "date",
    "start": "date",
    "specialty": "token",
    "service-type": "token",
    "status": "token",
    "identifier": "token",
    "actor": "reference",
    "practitioner": "reference",
    "schedule": "reference",
    "slot": "reference",
}


def statement(*, base: str, hospital: str) -> Resource:
    """What this server can do, below an address."""
    by_resource: dict[str, list[Operation]] = {}
    for one in OPERATIONS:
        by_resource.setdefault(one.resource, []).append(one)
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _DATE,
        "publisher": hospital,
        "kind": "instance",
        "software": {"name": "Xinglin"},
        "implementation": {"description": f"{hospital} 预约挂号", "url": base},
        "fhirVersion": words.FHIR_VERSION,
        "format": [words.JSON],
        "patchFormat": [words.JSON_PATCH],
        "rest": [
            {
                "mode": "server",
                "documentation": "OpenAPI: openapi.json. A search parameter that is not listed is "
                "passed over and named in the answer, or refused with Prefer: handling=strict.",
                "security": {
                    "service": [
                        {
                            "coding": [
                                {
                                    "system": "http://terminology.hl7.org/CodeSystem/"
                                    "restful-security-service",
                                    "code": "SMART-on-FHIR",
                                }
                            ]
                        }
                    ],
                    "description": "OAuth 2.0 client credentials, one client per platform.",
                },
                "resource": [_resource(name, found) for name, found in by_resource.items()],
            }
        ],
    }


def smart(*, base: str) -> dict[str, Any]:
    """Where tokens are had (SMART App Launch, .well-known)."""
    return {
        "token_endpoint": f"{base}/oauth/token",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": [one.value for one in Scope],
        "capabilities": ["permission-v2"],
    }


def _resource(name: str, found: list[Operation]) -> Resource:
    params = {
        param.name: param
        for one in found
        for param in one.params
        if param.place == "query" and param.name in _KINDS
    }
    said: Resource = {
        "type": name,
        "interaction": [{"code": one} for one in dict.fromkeys(one.interaction for one in found)],
        "versioning": "versioned",
        "readHistory": False,
        "updateCreate": False,
        "conditionalCreate": False,
        "conditionalRead": "not-match",
    }
    if params:
        said["searchParam"] = [
            {"name": one.name, "type": _KINDS[one.name], "documentation": one.about}
            for one in params.values()
        ]
    return said
