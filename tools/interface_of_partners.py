"""The generated OpenAPI description of the interface outside platforms book through."""

import json

from hospital.interop.fhir import openapi


def description() -> str:
    """What /fhir/R4/openapi.json answers, laid out for reading."""
    return json.dumps(openapi.description(), ensure_ascii=False, indent=1) + "\n"
