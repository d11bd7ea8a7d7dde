"""Refusals as OperationOutcome: the rule's stable code, and the sentence a person may read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final

from hospital.interop.fhir import words
from hospital.interop.fhir.resources import Resource, moment
from hospital.kernel.errors import Invalid, Refusal

_KINDS: Final[dict[int, str]] = {
    HTTPStatus.BAD_REQUEST: "invalid",
    HTTPStatus.UNAUTHORIZED: "login",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.METHOD_NOT_ALLOWED: "not-supported",
    HTTPStatus.NOT_ACCEPTABLE: "not-supported",
    HTTPStatus.CONFLICT: "conflict",
    HTTPStatus.PRECONDITION_FAILED: "conflict",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too-long",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "not-supported",
    HTTPStatus.UNPROCESSABLE_ENTITY: "business-rule",
    HTTPStatus.TOO_MANY_REQUESTS: "throttled",
    HTTPStatus.INTERNAL_SERVER_ERROR: "exception",
    HTTPStatus.SERVICE_UNAVAILABLE: "transient",
}


def outcome(refusal: Refusal, *, status: HTTPStatus) -> Resource:
    """What was refused and why; wrong fields one by one, free numbers nearby where there are."""
    kind = _KINDS[status]
    if isinstance(refusal, Invalid):
        issues = [
            _issue("invalid", refusal.code, sentence, expression=field)
            for field, sentences in refusal.errors.items()
            for sentence in sentences
        ]
    else:
        issues = [_issue(kind, refusal.code, refusal.message)]
    alternatives = refusal.details.get("alternatives")
    if isinstance(alternatives, list | tuple):
        issues += _alternatives(alternatives)
    return {"resourceType": "OperationOutcome", "issue": issues}


def passed_over(names: Sequence[str]) -> Resource | None:
    """What a search says of parameters it did not know, None where it knew all."""
    issues = [
        {
            "severity": "warning",
            "code": "not-supported",
            "details": {"text": f"不支持的查询参数，没有参与查询：{name}"},
        }
        for name in names
    ]
    return {"resourceType": "OperationOutcome", "issue": issues} if issues else None


def _issue(kind: str, code: str, sentence: str, *, expression: str = "") -> Resource:
    issue: Resource = {
        "severity": "error",
        "code": kind,
        "details": {"coding": [{"system": words.REFUSAL, "code": code}], "text": sentence},
    }
    return issue | ({"expression": [expression]} if expression else {})


def _alternatives(found: Iterable[Any]) -> Iterable[Resource]:
    """The nearest bands with free numbers (M1.2), for a partner to search in."""
    for band in found:
        yield {
            "severity": "information",
            "code": "informational",
            "details": {"text": f"{band.doctor} {moment(band.starts_at)} 余 {band.left} 个号"},
            "extension": [
                {
                    "url": words.ALTERNATIVE,
                    "valueReference": {"reference": f"Schedule/{band.schedule_id}"},
                },
                {
                    "url": words.ALTERNATIVE,
                    "valuePeriod": {"start": moment(band.starts_at), "end": moment(band.ends_at)},
                },
            ],
        }
