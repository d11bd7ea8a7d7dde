"""What everybody may ask: what this server can do, and where tokens are had. No patient data."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase

from hospital.identity.access import OpenRequest, partner_page, public_page
from hospital.interop.fhir import capability, openapi
from hospital.interop.views.frame import NoSuchMethod, refused, respond
from hospital.kernel.errors import NotFound


def _opened(answer: Callable[[str], HttpResponse]) -> Callable[..., HttpResponseBase]:
    """A page anybody may read; `answer` is told the interface's own address."""

    @public_page
    def view(request: OpenRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return refused(NoSuchMethod(allowed="GET"))
        return answer(request.build_absolute_uri(openapi.BASE))

    return view


def _json(value: dict[str, Any]) -> HttpResponse:
    return HttpResponse(json.dumps(value, ensure_ascii=False), content_type="application/json")


metadata = _opened(
    lambda base: respond(capability.statement(base=base, hospital=settings.HOSPITAL_NAME))
)
smart_configuration = _opened(lambda base: _json(capability.smart(base=base)))
description = _opened(lambda base: _json(openapi.description()))


@partner_page
def nowhere(request: OpenRequest, rest: str = "") -> HttpResponse:
    """Every other address below the interface."""
    return refused(NotFound("没有这个地址。"))
