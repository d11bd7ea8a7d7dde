"""The systems of codes and the addresses of extensions this interface uses."""

from __future__ import annotations

from typing import Final

from hospital.patients.states import DocumentKind

FHIR_VERSION: Final = "4.0.1"
JSON: Final = "application/fhir+json"
JSON_PATCH: Final = "application/json-patch+json"

DEPARTMENT: Final = "urn:xinglin:department"
SERVICE: Final = "urn:xinglin:service-type"
PRACTITIONER: Final = "urn:xinglin:practitioner"
APPOINTMENT_NO: Final = "urn:xinglin:appointment"
PERSON: Final = "urn:xinglin:person"
REFUSAL: Final = "urn:xinglin:refusal"
APPOINTMENT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v2-0276"

FEE: Final = "urn:xinglin:extension:registration-fee"
RELEASE_AT: Final = "urn:xinglin:extension:release-at"
QUEUE_NO: Final = "urn:xinglin:extension:queue-number"
COLLECT_BY: Final = "urn:xinglin:extension:collect-by"
ALTERNATIVE: Final = "urn:xinglin:extension:alternative"

#: The resident ID by its national OID; every other document in a system of ours.
DOCUMENTS: Final[dict[str, DocumentKind]] = {
    "urn:oid:2.16.156.10011.1.3": DocumentKind.RESIDENT_ID,
    **{
        f"urn:xinglin:document:{kind.value.replace('_', '-')}": kind
        for kind in DocumentKind
        if kind is not DocumentKind.RESIDENT_ID
    },
}
