"""The patient's records: one list, by patient, kind and time."""

from __future__ import annotations

from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from hospital.identity.access import PatientRequest, patient_page
from hospital.kernel import clock
from hospital.kernel.errors import NotFound
from hospital.patients import queries as patients
from hospital.portal import records
from hospital.portal.records import SPANS, Asked, RecordKind

SHOWN_AT_MOST: Final = 200


@patient_page
@never_cache
@require_safe
def listing(request: PatientRequest) -> HttpResponse:
    """What was booked, paid, refunded and whom one saw. Somebody else's patient is not found."""
    at = clock.now()
    bound = patients.patients_for(wechat_user_id=request.wechat_user.pk)
    number = request.GET.get("patient", "")
    chosen = [row for row in bound if row.number == number] if number else bound
    if number and not chosen:
        raise NotFound("没有找到这位就诊人。")
    span = request.GET.get("span", "")
    span = span if span in SPANS else "365"
    word = request.GET.get("kind", "")
    kind = RecordKind(word) if word in RecordKind.values else None
    asked = Asked(
        patient_ids=[row.patient.pk for row in chosen],
        start=records.since(SPANS[span][1], at=at),
        end=at,
        at=at,
    )
    names = {row.patient.pk: row.name for row in bound}
    lines = records.records(asked, kind=kind)
    context = {
        "lines": [
            {"line": line, "patient": names[line.patient_id]} for line in lines[:SHOWN_AT_MOST]
        ],
        "count": len(lines),
        "at_most": SHOWN_AT_MOST,
        "bound": bound,
        "number": number,
        "span": span,
        "spans": [(code, label) for code, (label, _) in SPANS.items()],
        "kind": kind.value if kind else "",
        "kinds": RecordKind.choices,
    }
    return render(request, "portal/patient/records.html", context)
