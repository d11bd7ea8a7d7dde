"""Rows as FHIR resources: Schedule, Slot, Practitioner, Appointment, and Bundles of them.

Moments are written in hospital time with their offset, money in yuan. A resource holds nothing
the partner did not bring, but numbers, places and times.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from hospital.interop.fhir import words
from hospital.interop.queries import BookingRow
from hospital.kernel import clock
from hospital.kernel.fingerprints import fingerprint
from hospital.registration.states import AppointmentStatus, CancelReason
from hospital.scheduling.queries import SessionFacts
from hospital.scheduling.queries.listed import ListedNumber
from hospital.scheduling.states import ACTIVE

Resource = dict[str, Any]
FHIR_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
#: Who waited and left was there: FHIR has no nearer word.
STATUS: Final[dict[AppointmentStatus, str]] = {
    AppointmentStatus.PENDING: "pending",
    AppointmentStatus.BOOKED: "booked",
    AppointmentStatus.CHECKED_IN: "checked-in",
    AppointmentStatus.FULFILLED: "fulfilled",
    AppointmentStatus.CANCELLED: "cancelled",
    AppointmentStatus.NOSHOW: "noshow",
    AppointmentStatus.LEFT_UNSEEN: "arrived",
    AppointmentStatus.ENTERED_IN_ERROR: "entered-in-error",
}


def schedule(session: SessionFacts, *, fee_fen: int | None) -> Resource:
    """A session; inactive once it is over or called off. The release moment and the fee are
    extensions."""
    extensions: list[Resource] = [
        {"url": words.RELEASE_AT, "valueDateTime": moment(session.release_at)}
    ]
    if fee_fen is not None:
        extensions.append({"url": words.FEE, "valueMoney": money(fee_fen)})
    found: Resource = {
        "resourceType": "Schedule",
        "id": str(session.id),
        "extension": extensions,
        "active": session.status in ACTIVE,
        "serviceType": [_service(session.service_kind, session.service_name)],
        "specialty": [_department(session.department_code, session.department_name)],
        "actor": [_doctor_or_clinic(session), {"type": "Location", "display": session.place}],
        "planningHorizon": {"start": moment(session.starts_at), "end": moment(session.ends_at)},
    }
    if session.suspend_reason:
        found["comment"] = "停诊"
    return versioned(found)


def slot(number: ListedNumber) -> Resource:
    """One number; several numbers share the times of their band."""
    session = number.session
    found: Resource = {
        "resourceType": "Slot",
        "id": str(number.id),
        "extension": [{"url": words.QUEUE_NO, "valueString": number.label}],
        "serviceType": [_service(session.service_kind, session.service_name)],
        "specialty": [_department(session.department_code, session.department_name)],
        "schedule": {"reference": f"Schedule/{session.id}"},
        "status": number.listed.value,
        "start": moment(number.band_starts_at),
        "end": moment(number.band_ends_at),
    }
    return versioned(found)


def practitioner(*, code: str, name: str, title: str, is_active: bool) -> Resource:
    """A doctor as every patient may read of it."""
    found: Resource = {
        "resourceType": "Practitioner",
        "id": code,
        "identifier": [{"system": words.PRACTITIONER, "value": code}],
        "active": is_active,
        "name": [{"text": name}],
        "qualification": [{"code": {"text": title}}],
    }
    return versioned(found)


def appointment(row: BookingRow) -> Resource:
    """A booking of the partner's own."""
    extensions: list[Resource] = [
        {"url": words.QUEUE_NO, "valueString": row.slot_label},
        {"url": words.FEE, "valueMoney": money(row.fee_fen)},
    ]
    if row.collect_by is not None:
        extensions.append({"url": words.COLLECT_BY, "valueDateTime": moment(row.collect_by)})
    identifiers = [{"system": words.APPOINTMENT_NO, "value": row.number}]
    if row.reference:
        identifiers.append({"value": row.reference})
    found: Resource = {
        "resourceType": "Appointment",
        "id": row.number,
        "extension": extensions,
        "identifier": identifiers,
        "status": STATUS[row.status],
        "serviceType": [_service(row.service_kind, row.service)],
        "specialty": [_department(row.department_code, row.department)],
        "start": moment(row.starts_at),
        "end": moment(row.ends_at),
        "slot": [{"reference": f"Slot/{row.slot_id}"}],
        "created": moment(row.created_at),
        "participant": [
            _participant(
                {"type": "Patient", "identifier": _person(row.person)},
                "needs-action" if row.answer_until else "accepted",
            ),
            *([_participant(_doctor(row))] if row.practitioner_code else []),
            _participant({"type": "Location", "display": row.place or row.department}),
        ],
    }
    if row.status in (AppointmentStatus.CANCELLED, AppointmentStatus.NOSHOW):
        found["cancelationReason"] = {"text": _why(row)}
    if told := _instruction(row):
        found["patientInstruction"] = told
    return versioned(found, at=row.changed_at)


def versioned(resource: Resource, *, at: dt.datetime | None = None) -> Resource:
    """The resource with its version, a fingerprint of all it says, and when that last changed
    where somebody knows: what is free changes by the clock alone, and no row with it."""
    meta = {"versionId": fingerprint(resource)[:16]}
    if at is not None:
        meta["lastUpdated"] = moment(at)
    return {**resource, "meta": meta}


def version_of(resource: Resource) -> str:
    """The version of a resource, "" for one that has none (a page of a search, a refusal)."""
    return str(resource.get("meta", {}).get("versionId", ""))


def searchset(
    found: Sequence[Resource],
    *,
    address: str,
    own: str,
    total: int,
    onward: str | None,
    warning: Resource | None = None,
) -> Resource:
    """A page of a search: `own` is the question's query, `onward` that of the next page, `warning`
    an OperationOutcome about the question."""
    links = [{"relation": "self", "url": _url(address, own)}]
    if onward is not None:
        links.append({"relation": "next", "url": _url(address, onward)})
    bundle: Resource = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": total,
        "link": links,
    }
    base = address.rpartition("/")[0]
    entries: list[Resource] = [
        {
            "fullUrl": f"{base}/{one['resourceType']}/{one['id']}",
            "resource": one,
            "search": {"mode": "match"},
        }
        for one in found
    ]
    if warning is not None:
        entries.append({"resource": warning, "search": {"mode": "outcome"}})
    if entries:
        bundle["entry"] = entries
    return bundle


def moment(at: dt.datetime) -> str:
    """A moment in hospital time, to the second."""
    return clock.local(at).isoformat(timespec="seconds")


def money(fen: int) -> dict[str, object]:
    """An amount in yuan; a decimal of JSON, so 25.00 may be written 25.0."""
    return {"value": float(Decimal(fen) / 100), "currency": "CNY"}


def _url(address: str, query: str) -> str:
    return f"{address}?{query}" if query else address


def _doctor_or_clinic(session: SessionFacts) -> Resource:
    if not session.practitioner_code:
        return {"type": "HealthcareService", "display": session.doctor_label}
    return _reference_to(session.practitioner_code, session.practitioner_name)


def _doctor(row: BookingRow) -> Resource:
    return _reference_to(row.practitioner_code, row.practitioner)


def _reference_to(code: str, name: str) -> Resource:
    """A doctor by address where its code can be one, else by identifier alone."""
    known: Resource = {
        "type": "Practitioner",
        "identifier": {"system": words.PRACTITIONER, "value": code},
        "display": name,
    }
    return {"reference": f"Practitioner/{code}", **known} if FHIR_ID.fullmatch(code) else known


def _participant(actor: Resource, status: str = "accepted") -> Resource:
    return {"actor": actor, "status": status}


def _instruction(row: BookingRow) -> str:
    """What the patient has to do, "" where that is nothing: agree to another doctor, collect."""
    told = ""
    if row.answer_until is not None:
        told = (
            f"{row.practitioner or '原医生'}因故不能出诊，改由{row.substitute}接诊。"
            f"请在 {_until(row.answer_until)} 前在医院公众号或致电医院答复是否同意，"
            "不答复按停诊退号。"
        )
    if row.collect_by is not None:
        told += (
            f"请携带证件，在 {_until(row.collect_by)} 前"
            "到挂号窗口或自助机取号并支付挂号费；逾期号源放给现场。"
        )
    return told


def _until(at: dt.datetime) -> str:
    local = clock.local(at)
    return f"{local.month}月{local.day}日 {local:%H:%M}"


def _person(mark: str) -> Resource:
    return {"system": words.PERSON, "value": mark}


def _service(kind: str, name: str) -> Resource:
    return {"coding": [{"system": words.SERVICE, "code": kind, "display": name}], "text": name}


def _department(code: str, name: str) -> Resource:
    return {"coding": [{"system": words.DEPARTMENT, "code": code, "display": name}], "text": name}


def _why(row: BookingRow) -> str:
    return CancelReason(row.cancel_reason).label or AppointmentStatus(row.status).label
