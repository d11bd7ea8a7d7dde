"""Reads for the office's page of a 替诊: who could hold the session and what that would mean for
those who booked, and how each of them stands once somebody does (M1.9)."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from hospital.catalogue import queries as catalogue
from hospital.kernel.states import subject_type
from hospital.messaging import queries as messaging
from hospital.messaging.queries import Reached
from hospital.organisation.states import Title
from hospital.registration.models import Appointment
from hospital.registration.states import LIVE, Consent
from hospital.scheduling import queries as sessions
from hospital.scheduling.queries import SessionFacts

RANK: Final = {title.value: rank for rank, title in enumerate(reversed(Title))}
_NOBODY: Final = Reached("未通知", "", is_open=False)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A doctor who is free, and what it means for the patients: told, or asked first."""

    id: int
    name: str
    title_label: str
    asks: bool
    fee_fen: int
    back_fen: int


@dataclass(frozen=True, slots=True)
class OtherSession:
    """Another session of the department whose doctor could swap."""

    schedule_id: int
    label: str


@dataclass(frozen=True, slots=True)
class BookedRow:
    """One booking of a session that another doctor holds."""

    number: str
    label: str
    name: str
    band_starts_at: dt.datetime
    consent: Consent
    consent_label: str
    answer_until: dt.datetime | None
    told: Reached


def candidates(*, session: SessionFacts) -> list[Candidate]:
    """Who could hold a session, the highest title first; nobody whose title has no fee there."""
    fees = catalogue.registration_fees(on=session.visit_date)
    now = fees.get((session.service_type_id, session.title))
    found = []
    for person in sessions.substitutes(schedule_ids=[session.id])[session.id]:
        fee = fees.get((session.service_type_id, person.title))
        if fee is None:
            continue
        less_fen = now.total_fen - fee.total_fen if now else 0
        found.append(
            Candidate(
                id=person.id,
                name=person.name,
                title_label=person.title_label,
                asks=RANK[person.title] < RANK.get(session.title, 0),
                fee_fen=fee.total_fen,
                back_fen=max(less_fen, 0),
            )
        )
    return sorted(found, key=lambda one: (one.asks, -one.fee_fen, one.name))


def others(*, session: SessionFacts, at: dt.datetime) -> list[OtherSession]:
    """The department's other sessions of the day, for a swap."""
    found = sessions.board_today(
        day=session.visit_date, at=at, department_ids=[session.department_id]
    )
    return [
        OtherSession(row.schedule_id, f"{row.period_label} {row.doctor} {row.title_label}")
        for row in found
        if row.schedule_id != session.id and row.title_label
    ]


def booked(*, schedule_id: int) -> list[BookedRow]:
    """Every live booking of a session, with what it means for it that another doctor comes."""
    rows = list(
        Appointment.objects.filter(schedule_id=schedule_id, status__in=LIVE)
        .select_related("patient", "slot__band")
        .order_by("slot__is_add_on", "slot__sequence_no")
    )
    told = messaging.reached(
        kind="N07",
        subject_type=subject_type(Appointment),
        subject_ids=[row.pk for row in rows],
    )
    return [
        BookedRow(
            number=row.number,
            label=row.slot.label,
            name=row.patient.masked_name,
            band_starts_at=row.slot.band.starts_at,
            consent=Consent(row.consent),
            consent_label=Consent(row.consent).label,
            answer_until=row.answer_until,
            told=told.get(row.pk, _NOBODY),
        )
        for row in rows
    ]
