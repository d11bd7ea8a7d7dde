"""What partners read: sessions, doctors, numbers, their own bookings."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode

from hospital.catalogue.queries import NoFee
from hospital.interop import queries
from hospital.interop.fhir import resources, search, words
from hospital.interop.fhir.outcome import passed_over
from hospital.interop.fhir.resources import Resource
from hospital.interop.views.frame import Answer, Call
from hospital.kernel.errors import NotFound
from hospital.organisation import queries as organisation
from hospital.organisation.states import Title
from hospital.registration.states import AppointmentStatus
from hospital.scheduling import queries as scheduling
from hospital.scheduling.queries import SessionFacts
from hospital.scheduling.queries.listed import Cut, Listed, listed_numbers, listed_sessions


def search_schedule(call: Call) -> Answer:
    """Sessions by day, department, doctor and kind."""
    cut = search.cut(call.asked)
    found, total = listed_sessions(
        at=call.at,
        cut=cut,
        days=search.days(call.asked, "date"),
        department=search.code(call.asked, "specialty"),
        service_kind=search.code(call.asked, "service-type"),
        practitioner=search.reference(call.asked, "actor"),
        is_active={"true": True, "false": False}.get(search.one(call.asked, "active")),
    )
    rows = [_schedule(one) for one in found]
    return _page(call, rows, total, cut=cut, latest=found[-1].id if found else 0)


def read_schedule(call: Call) -> Answer:
    """One session. Raises NotFound."""
    found, _ = listed_sessions(at=call.at, cut=Cut(ids=[_id(call)]))
    if not found:
        raise NotFound("没有找到这次出诊。")
    return Answer(_schedule(found[0]))


def read_practitioner(call: Call) -> Answer:
    """A doctor by code. Raises NotFound."""
    found = organisation.practitioner(call.path_id)
    return Answer(
        resources.practitioner(
            code=found.code,
            name=found.name,
            title=Title(found.title).label,
            is_active=found.is_active,
        )
    )


def search_slot(call: Call) -> Answer:
    """Numbers by session, time, state and department."""
    cut = search.cut(call.asked)
    found, total = listed_numbers(
        at=call.at,
        cut=cut,
        schedule_id=search.number(call.asked, "schedule"),
        starts=search.moments(call.asked, "start"),
        department=search.code(call.asked, "specialty"),
        as_what=[Listed(word) for word in search.many(call.asked, "status")],
    )
    rows = [resources.slot(one) for one in found]
    return _page(call, rows, total, cut=cut, latest=found[-1].id if found else 0)


def read_slot(call: Call) -> Answer:
    """One number. Raises NotFound."""
    return Answer(resources.slot(queries.listed_number(slot_id=_id(call), at=call.at)))


def search_appointment(call: Call) -> Answer:
    """The partner's own bookings."""
    cut = search.cut(call.asked)
    system, value = search.token(call.asked, "identifier")
    found, total, latest = queries.bookings(
        partner_id=call.visitor.partner_id,
        cut=cut,
        days=search.days(call.asked, "date"),
        statuses=_statuses(search.many(call.asked, "status")),
        changed=search.moments(call.asked, "_lastUpdated"),
        identifier=value,
        is_ours=system == words.APPOINTMENT_NO,
        slot_id=search.number(call.asked, "slot"),
        practitioner=search.reference(call.asked, "practitioner"),
    )
    return _page(call, [resources.appointment(one) for one in found], total, cut=cut, latest=latest)


def read_appointment(call: Call) -> Answer:
    """One of the partner's own bookings. Raises NotFound, also for another's."""
    row = queries.booking(partner_id=call.visitor.partner_id, number=call.path_id)
    return Answer(resources.appointment(row), number=row.number)


def _schedule(session: SessionFacts) -> Resource:
    try:
        fee_fen = scheduling.fee_of(session).total_fen
    except NoFee:  # a session nobody has priced is shown without a fee; booking it is refused
        fee_fen = None
    return resources.schedule(session, fee_fen=fee_fen)


def _id(call: Call) -> int:
    if not call.path_id.isdigit() or not call.path_id.isascii() or len(call.path_id) > 18:
        raise NotFound("没有找到您要的内容。")
    return int(call.path_id)


def _statuses(words: Sequence[str]) -> list[AppointmentStatus]:
    return [ours for ours, theirs in resources.STATUS.items() if theirs in words]


def _page(call: Call, rows: Sequence[Resource], total: int, *, cut: Cut, latest: int) -> Answer:
    """The page with the address of the next one, where there may be more."""
    onward = None
    if len(rows) == cut.most:
        kept = [pair for pair in parse_qsl(call.query) if pair[0] != "_after"]
        onward = urlencode([*kept, ("_after", str(latest))])
    bundle = resources.searchset(
        rows,
        address=call.address,
        own=call.query,
        total=total,
        onward=onward,
        warning=passed_over(call.passed_over),
    )
    return Answer(bundle)
