"""Bodies partners send: their shapes, and what they say as values.

A person is named by a contained Patient with document, name and phone, and by nothing else: there
is no way to ask whom the hospital knows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from hospital.interop.fhir import shapes, words
from hospital.interop.fhir.shapes import Shape
from hospital.kernel.errors import Invalid
from hospital.patients.actions import Facts
from hospital.patients.states import Sex

_OWN: Final = r"^[!-{}~]{1,64}$"
_LINE: Final = r"^[^\x00-\x1f\x7f]+$"
_SLOT: Final = "^(Slot/)?[0-9]{1,18}$"
_TELECOM: Final[Shape] = {
    "type": "object",
    "required": ["system", "value"],
    "properties": {
        "system": {"const": "phone"},
        "value": {"type": "string", "minLength": 5, "maxLength": 20, "pattern": _LINE},
    },
}
PATIENT: Final[Shape] = {
    "type": "object",
    "description": "The person the number is for: one document, the name on it, the phone on file.",
    "required": ["resourceType", "id", "identifier", "name", "telecom"],
    "properties": {
        "resourceType": {"const": "Patient"},
        "id": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9.-]+$"},
        "modifierExtension": False,
        "identifier": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["system", "value"],
                "properties": {
                    "system": {"type": "string", "enum": sorted(words.DOCUMENTS)},
                    "value": {
                        "type": "string",
                        "minLength": 4,
                        "maxLength": 40,
                        "pattern": _LINE,
                    },
                },
            },
        },
        "name": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["text"],
                "properties": {
                    "text": {"type": "string", "minLength": 2, "maxLength": 40, "pattern": _LINE}
                },
            },
        },
        "telecom": {"type": "array", "minItems": 1, "maxItems": 1, "items": _TELECOM},
        "gender": {
            "type": "string",
            "enum": ["male", "female"],
            "description": "Needed where the document's number does not tell it.",
        },
        "birthDate": {
            "type": "string",
            "pattern": "^(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}$",
            "description": "Needed where the document's number does not tell it.",
        },
    },
}
BOOKING: Final[Shape] = {
    "type": "object",
    "required": ["resourceType", "status", "slot", "participant", "contained"],
    "properties": {
        "resourceType": {"const": "Appointment"},
        "modifierExtension": False,
        "implicitRules": False,
        "status": {"type": "string", "enum": ["booked", "pending", "proposed"]},
        "identifier": {
            "type": "array",
            "maxItems": 1,
            "description": "Your own number of this booking.",
            "items": {
                "type": "object",
                "required": ["value"],
                "properties": {"value": {"type": "string", "maxLength": 64, "pattern": _OWN}},
            },
        },
        "slot": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["reference"],
                "properties": {"reference": {"type": "string", "pattern": _SLOT}},
            },
        },
        "participant": {
            "type": "array",
            "minItems": 1,
            "maxItems": 5,
            "description": "The first is the contained Patient, by its id with # before it.",
            "items": {
                "type": "object",
                "required": ["actor", "status"],
                "properties": {
                    "actor": {
                        "type": "object",
                        "properties": {"reference": {"type": "string", "maxLength": 100}},
                    },
                    "status": {
                        "type": "string",
                        "enum": ["accepted", "needs-action", "tentative"],
                    },
                },
            },
        },
        "contained": {"type": "array", "minItems": 1, "maxItems": 1, "items": PATIENT},
    },
}
CANCELLING: Final[Shape] = {
    "type": "object",
    "description": "The appointment with status cancelled; nothing else of it can be changed.",
    "required": ["resourceType", "id", "status"],
    "properties": {
        "resourceType": {"const": "Appointment"},
        "modifierExtension": False,
        "implicitRules": False,
        "id": {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$"},
        "status": {"const": "cancelled"},
        "cancelationReason": {
            "type": "object",
            "properties": {
                "text": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": _LINE}
            },
        },
    },
}
PATCH: Final[Shape] = {
    "type": "array",
    "minItems": 1,
    "maxItems": 1,
    "items": {
        "type": "object",
        "required": ["op", "path", "value"],
        "additionalProperties": False,
        "properties": {
            "op": {"type": "string", "enum": ["replace", "add"]},
            "path": {"const": "/status"},
            "value": {"const": "cancelled"},
        },
    },
}


def check(shape: Shape, body: object, *, root: str) -> None:
    """Raises Invalid with every place that is not of the shape, by FHIRPath."""
    found: dict[str, list[str]] = {}
    for path, sentence in shapes.faults(shape, body, root):
        found.setdefault(path, []).append(sentence)
    if found:
        raise Invalid(found)


def person_of(body: dict[str, Any]) -> Facts:
    """Whom a booking names. Raises Invalid."""
    patient = body["contained"][0]
    reference = body["participant"][0]["actor"].get("reference")
    if reference != f"#{patient['id']}":
        raise Invalid({"Appointment.participant[0].actor.reference": ["应为所含 Patient 的引用。"]})
    document = patient["identifier"][0]
    gender = patient.get("gender")
    return Facts(
        name=patient["name"][0]["text"],
        document_kind=words.DOCUMENTS[document["system"]],
        document_no=document["value"],
        phone=patient["telecom"][0]["value"],
        sex=Sex(gender) if gender else None,
        birth_date=_birth_date(patient.get("birthDate")),
    )


def slot_of(body: dict[str, Any]) -> int:
    """The number a booking names."""
    return int(body["slot"][0]["reference"].rpartition("/")[2])


def reference_of(body: dict[str, Any]) -> str:
    """The partner's own number of a booking, "" without one."""
    return str(body["identifier"][0]["value"]) if body.get("identifier") else ""


def changed_otherwise(body: dict[str, Any], known: dict[str, Any]) -> Sequence[str]:
    """What a cancelling body would change besides the status: elements that differ from ours. What
    we make ourselves for every answer may be of the moment it was read."""
    ours = ("id", "status", "cancelationReason", "meta", "extension", "patientInstruction")
    return [name for name in body if name not in ours and body[name] != known.get(name)]


#: Where the fields of a person stand in the body.
FIELDS: Final = {
    "name": "Appointment.contained[0].name[0].text",
    "document_no": "Appointment.contained[0].identifier[0].value",
    "phone": "Appointment.contained[0].telecom[0].value",
    "sex": "Appointment.contained[0].gender",
    "birth_date": "Appointment.contained[0].birthDate",
}


def in_fhir(refusal: Invalid) -> Invalid:
    """The same refusal with the fields of a person named by where they stand in the body."""
    return Invalid(
        {FIELDS.get(field, field): sentences for field, sentences in refusal.errors.items()}
    )


def _birth_date(text: str | None) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as problem:
        raise Invalid({FIELDS["birth_date"]: ["日期不存在。"]}) from problem
