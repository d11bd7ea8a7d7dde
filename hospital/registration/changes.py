"""Reads for the patient's page about what became of a booking besides cancelling: a substitute to
agree to, a session called off and what to do instead, an exchange under way or done.
"""

import datetime as dt
from dataclasses import dataclass

from hospital.billing import queries as bills
from hospital.billing.states import PAID
from hospital.kernel.clock import hospital_day
from hospital.organisation.states import Title
from hospital.registration import rules
from hospital.registration.models import Appointment, WaitlistEntry
from hospital.registration.money import standing_of
from hospital.registration.states import (
    ON_WAITLIST,
    AppointmentStatus,
    BookingKind,
    CancelReason,
    Consent,
)
from hospital.scheduling import queries as sessions

_EXCHANGED = (BookingKind.ADVANCE, BookingKind.SAME_DAY, BookingKind.WALK_IN)


@dataclass(frozen=True, slots=True)
class SubstituteFacts:
    """Another doctor than the one booked: who, and until when the patient may agree (None: does
    not have to). `back_fen` is what a yes gives back."""

    was: str
    id: int
    name: str
    title_label: str
    answer_until: dt.datetime | None
    back_fen: int


@dataclass(frozen=True, slots=True)
class StopChoice:
    """What a patient may do instead of a session called off (M1.8)."""

    entry_id: int | None
    right_until: dt.datetime | None
    next_schedule_id: int | None
    next_starts_at: dt.datetime | None
    department_code: str
    visit_date: dt.date
    has_department_day: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """All of it for one booking; numbers of other bookings are "" where there is none."""

    department_id: int
    paid_fen: int
    substitute: SubstituteFacts | None
    choice: StopChoice | None
    successor: str
    replaces: str
    exchange: str
    can_exchange: bool


def changes_of(*, appointment_id: int, at: dt.datetime) -> Changes:
    """What changed about a booking; whose it is was asked before."""
    row = Appointment.objects.select_related(
        "schedule__practitioner", "schedule__planned_practitioner", "department", "slot__band"
    ).get(pk=appointment_id)
    pending = row.exchanges.filter(status=AppointmentStatus.PENDING).first()
    is_pending = row.status == AppointmentStatus.PENDING
    return Changes(
        department_id=row.department_id,
        paid_fen=standing_of(row) if bills.bill(bill_id=row.bill_id).status in PAID else 0,
        substitute=_substitute(row),
        choice=_choice(row, at),
        successor=row.successor.number if row.successor else "",
        replaces=row.replaces.number if row.replaces and is_pending else "",
        exchange=pending.number if pending else "",
        can_exchange=pending is None and _can_exchange(row, at),
    )


def _substitute(row: Appointment) -> SubstituteFacts | None:
    planned, holds = row.schedule.planned_practitioner, row.schedule.practitioner
    if not row.consent or holds is None or row.status == AppointmentStatus.CANCELLED:
        return None
    is_asked = row.consent == Consent.ASKED
    back_fen = 0
    if is_asked:
        found = sessions.facts_of(schedule_ids=[row.schedule_id]).get(row.schedule_id)
        fee_fen = sessions.fee_of(found).total_fen if found else 0
        back_fen = max(standing_of(row) - fee_fen, 0)
    return SubstituteFacts(
        was=row.doctor_name if is_asked else (planned.name if planned else ""),
        id=holds.pk,
        name=holds.name,
        title_label=Title(holds.title).label,
        answer_until=row.answer_until,
        back_fen=back_fen,
    )


def _choice(row: Appointment, at: dt.datetime) -> StopChoice | None:
    if row.cancel_reason != CancelReason.HOSPITAL or row.slot.band.ends_at < at - dt.timedelta(7):
        return None
    entry = WaitlistEntry.objects.filter(owed_for=row).first()
    is_owed = entry is not None and entry.status in ON_WAITLIST and entry.valid_until > at
    later = _next_session(row, at)
    day = max(row.visit_date, sessions.shown_days(hospital_day(at))[0])
    cards = sessions.open_sessions(department_id=row.department_id, day=day, at=at)
    return StopChoice(
        entry_id=entry.pk if entry and is_owed else None,
        right_until=entry.valid_until if entry and is_owed else None,
        next_schedule_id=later.schedule_id if later else None,
        next_starts_at=later.starts_at if later else None,
        department_code=row.department.code,
        visit_date=day,
        has_department_day=any(cell.can_book for card in cards for cell in card.sessions),
    )


def _next_session(row: Appointment, at: dt.datetime) -> sessions.SessionCell | None:
    """The doctor's next session with numbers."""
    if row.practitioner_id is None:
        return None
    days = sessions.practitioner_days(practitioner_id=row.practitioner_id, at=at)
    cells = [cell for day in days for cell in day.sessions]
    return next((cell for cell in cells if cell.can_book), None)


def _can_exchange(row: Appointment, at: dt.datetime) -> bool:
    if row.status != AppointmentStatus.BOOKED or row.booking_kind not in _EXCHANGED:
        return False
    if row.consent:
        return True
    try:
        rules.check_cancel(
            status=row.status,
            visit_date=row.visit_date,
            band_starts_at=row.slot.band.starts_at,
            at=at,
        )
    except rules.CannotCancel:  # the page has no button then
        return False
    return True
