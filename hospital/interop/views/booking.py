"""What partners do: book a number, cancel a booking of their own."""

from __future__ import annotations

import json
from http import HTTPStatus

from hospital.interop import actions, queries
from hospital.interop.actions import Wanted
from hospital.interop.fhir import bodies, resources, search
from hospital.interop.views.frame import Answer, Call
from hospital.kernel import sealed
from hospital.kernel.errors import Invalid


def book(call: Call) -> Answer:
    """Book one number; a question asked before gets the answer it got."""
    bodies.check(bodies.BOOKING, call.body, root="Appointment")
    wanted = Wanted(
        slot_id=bodies.slot_of(call.body),
        person=bodies.person_of(call.body),
        reference=bodies.reference_of(call.body),
    )
    try:
        made = actions.book(
            visitor=call.visitor,
            wanted=wanted,
            key=search.one(call.headers, "Idempotency-Key"),
            digest=_digest(call.body),
            at=call.at,
        )
    except Invalid as refusal:
        raise bodies.in_fhir(refusal) from refusal
    headers = {"Location": f"{call.address}/{made.number}"}
    if made.is_replay:
        headers["Idempotency-Replayed"] = "true"
    return Answer(made.resource, HTTPStatus.CREATED, headers, number=made.number)


def cancel(call: Call) -> Answer:
    """Cancel by the whole resource; anything else it would change is refused."""
    bodies.check(bodies.CANCELLING, call.body, root="Appointment")
    known = resources.appointment(
        queries.booking(partner_id=call.visitor.partner_id, number=call.path_id)
    )
    if call.body["id"] != call.path_id:
        raise Invalid({"Appointment.id": ["与地址中的编号不一致。"]})
    if others := bodies.changed_otherwise(call.body, known):
        raise Invalid({f"Appointment.{name}": ["只能取消，不能修改。"] for name in others})
    reason = call.body.get("cancelationReason", {}).get("text", "")
    return _cancelled(call, reason)


def patch(call: Call) -> Answer:
    """Cancel by JSON Patch."""
    bodies.check(bodies.PATCH, call.body, root="$this")
    return _cancelled(call, "")


def _cancelled(call: Call, reason: str) -> Answer:
    actions.cancel(
        visitor=call.visitor,
        number=call.path_id,
        reason=reason,
        seen=search.tag(call.headers, "If-Match"),
        at=call.at,
    )
    row = queries.booking(partner_id=call.visitor.partner_id, number=call.path_id)
    return Answer(resources.appointment(row), number=row.number)


def _digest(body: object) -> str:
    """A keyed fingerprint: a body holds a document's number, which a plain one would give away."""
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sealed.blind_index(text, "interop.body")
