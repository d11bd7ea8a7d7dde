"""Booking by any channel: M1.3's checks in order, then one claim of one slot (M1.5). The rush at
07:00 runs here.

Few statements, and locks in the order of the floors: WeChat user and patient, slot, then rows
nobody else sees yet, and last of all the series that numbers bills, which every booking shares.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from hospital.billing import actions as billing
from hospital.kernel import audit, events, request_keys, serials
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid
from hospital.patients import queries as patients
from hospital.patients.queries import LockedPatient
from hospital.registration import rules, thresholds
from hospital.registration.actions.settling import seat
from hospital.registration.models import Appointment
from hospital.registration.states import (
    AppointmentStatus,
    BookingKind,
    PaidWhen,
    RestrictionCause,
)
from hospital.scheduling import actions as scheduling
from hospital.scheduling import queries as sessions
from hospital.scheduling.actions import SlotTaken
from hospital.scheduling.queries import SessionFacts
from hospital.scheduling.states import ONLINE, Channel

if TYPE_CHECKING:
    from hospital.catalogue.queries import FeeLine
    from hospital.scheduling.models import Slot

_GIVEN_UP: Final = {
    PaidWhen.BOOKING: "registration.jobs.release_unpaid",
    PaidWhen.ARRIVAL: "registration.jobs.give_up_uncollected",
}
# Never without a row: the restriction is asked for in the same statement.
_LOOK_BACK: Final = """
    SELECT restriction.cause, restriction.ends_at, past.*
    FROM (VALUES (1)) AS one (row)
    LEFT JOIN LATERAL (
        SELECT cause, ends_at FROM registration_bookingrestriction
        WHERE patient_id = %(patient)s AND lifted_at IS NULL AND ends_at > %(at)s
        ORDER BY ends_at DESC LIMIT 1
    ) restriction ON true
    LEFT JOIN (
        SELECT number, status, patient_id, wechat_user_id, schedule_id, department_id,
            practitioner_id, visit_date, cancel_reason, cancelled_at, made_by, id
        FROM registration_appointment
        WHERE (patient_id = %(patient)s OR wechat_user_id = %(user)s) AND visit_date >= %(since)s
    ) past ON true
    ORDER BY past.id
"""


@dataclass(frozen=True, slots=True)
class Override:
    """Rules the outpatient office lets pass this once, by their codes, and why (H3.1)."""

    codes: frozenset[str]
    reason: str


@transaction.atomic
def book(
    *,
    patient_id: int,
    schedule_id: int,
    band_id: int | None,
    slot_id: int | None = None,
    wechat_user_id: int | None = None,
    channel: Channel = Channel.WECHAT,
    paid_when: PaidWhen = PaidWhen.BOOKING,
    override: Override | None = None,
    source: str = "",
    key: str,
    by: Actor,
    at: dt.datetime,
) -> Appointment:
    """Hold a number of a band (None: the session's first) for a patient until it is paid (15 min,
    M1.5); one paid on arrival is booked at once and kept until its band begins (M1.13). Who names
    a `slot_id` gets this very number or none.

    A WeChat user books for patients of the own family, every other channel for any patient. What
    costs nothing is booked at once. The same `key` again gives the same appointment. Raises the
    refusals of `rules` in M1.3's order, then SlotTaken with alternatives; NotFound for an unknown
    session or band; KeyReused; catalogue NoFee; Invalid for an override without a reason. The
    elderly get a reserved number at the window when the others are gone (M2.2).
    """
    claim = request_keys.claim(
        key=key,
        scope=f"registration.book:{wechat_user_id or by}",
        inputs={"patient": patient_id, "schedule": schedule_id, "band": band_id}
        | ({"slot": slot_id} if slot_id else {}),
        at=at,
    )
    if claim.answer is not None:
        return Appointment.objects.get(number=claim.answer["number"])
    if override is not None and not override.reason.strip():
        raise Invalid({"override_reason": ["请写明放宽限制的原因。"]})
    person = _lock(patient_id, wechat_user_id)
    session = sessions.session_facts(schedule_id=schedule_id)
    band = sessions.band_of(session, band_id) if band_id is not None else None
    set_aside = override.codes if override else frozenset()
    wish = rules.Wish(patient_id, wechat_user_id, session, at, channel, set_aside)
    passed = rules.check(person, wish, look_back(wish))
    assert person is not None  # the first check has said so
    reserved_from = rules.reserved_from(person.birth_date, channel=channel)
    quote = sessions.fee_of(session)
    if sessions.is_late_release(session, at=at):
        scheduling.release_due(schedule_id=session.id, by=by, at=at)
    slot = scheduling.hold_slot(
        schedule_id=session.id,
        band_id=band.id if band else None,
        until=at + dt.timedelta(minutes=thresholds.HOLD_MINUTES.value()),
        channel=channel,
        prefer_slot_id=slot_id,
        reserved_from=reserved_from,
        by=by,
        at=at,
    )
    if slot_id not in (None, slot.pk):
        raise SlotTaken(
            alternatives=sessions.alternatives(
                schedule_id=schedule_id,
                band_id=band_id,
                channel=channel,
                reserved_from=reserved_from,
                at=at,
            )
        )
    appointment = place(
        wish,
        slot,
        claim=claim,
        kind=kind_of(wish),
        paid_when=paid_when,
        lines=quote.lines,
        by=by,
        at=at,
        source=source,
        overrides=passed,
        override_reason=override.reason.strip() if override and passed else "",
    )
    if passed:
        _note_override(appointment, by=by, at=at)
    return appointment


def place(
    wish: rules.Wish,
    slot: Slot,
    *,
    claim: request_keys.Claim,
    kind: BookingKind,
    paid_when: PaidWhen,
    lines: Sequence[FeeLine],
    payer_id: int | None = None,
    waiver: str = "",
    tells: bool = True,
    by: Actor,
    at: dt.datetime,
    **more: object,
) -> Appointment:
    """Write the appointment of a held number with its bill; booked at once when nothing is to be
    paid now. Whatever is checked is checked by the caller, under the caller's locks.

    `payer_id` is the WeChat user asked to pay where the patient's side did not book; `waiver` why
    it costs nothing. Without `tells` the caller says that it is booked.
    """
    session = wish.session
    hold_until = _hold_until(session, slot, paid_when)
    asked, is_guaranteed = wish.wechat_user_id or payer_id, paid_when == PaidWhen.LATER
    number = f"{session.visit_date:%y%m%d}{serials.scattered(claim.id)}"
    appointment = Appointment(
        number=number,
        patient_id=wish.patient_id,
        wechat_user_id=wish.wechat_user_id,
        schedule_id=session.id,
        slot_id=slot.pk,
        bill_id=billing.reserve_bill(),
        visit_date=session.visit_date,
        department_id=session.department_id,
        practitioner_id=session.practitioner_id,
        department_name=session.department_name,
        doctor_name=session.practitioner_name,
        title=session.title,
        service_name=session.service_name,
        channel=wish.channel,
        booking_kind=kind,
        paid_when=paid_when,
        status=AppointmentStatus.PENDING,
        created_at=wish.at,
        hold_until=hold_until,
        made_by=str(by),
        **more,
    )
    appointment.save(force_insert=True)
    claim.finish({"number": appointment.number})
    if paid_when in _GIVEN_UP:
        events.later(_GIVEN_UP[paid_when], at=hold_until, appointment_id=appointment.pk)
    bill = billing.add_charges(
        bill_id=appointment.bill_id,
        patient_id=wish.patient_id,
        wechat_user_id=asked,
        source=("appointment", appointment.pk),
        lines=lines,
        title=f"挂号费 {session.department_name} {session.practitioner_name}".rstrip(),
        path=f"/m/appointments/{appointment.number}/result/" if asked else "",
        expires_at=None if is_guaranteed else hold_until,
        waiver=waiver,
        credit_guarantee=is_guaranteed,
        by=by,
        at=at,
    )
    appointment.bill = bill
    if bill.total_fen == 0 or paid_when != PaidWhen.BOOKING:
        return seat(appointment, tells=tells, by=by, at=at)
    return appointment


def look_back(wish: rules.Wish) -> rules.History:
    """The bookings and the restriction the rules look at, read under the locks on user and
    patient: nobody adds to them before this transaction ends. One statement."""
    since = min(hospital_day(wish.at), wish.session.visit_date.replace(day=1))
    with connection.cursor() as cursor:
        cursor.execute(
            _LOOK_BACK,
            {
                "patient": wish.patient_id,
                "user": wish.wechat_user_id,
                "since": since,
                "at": wish.at,
            },
        )
        rows = cursor.fetchall()
    cause, until = rows[0][:2]
    restriction = rules.InForce(RestrictionCause(cause), until) if cause else None
    past = [rules.Past(*row[2:-1]) for row in rows if row[-1] is not None]
    return rules.History(past, restriction)


def _lock(patient_id: int, wechat_user_id: int | None) -> LockedPatient | None:
    if wechat_user_id is None:
        return patients.lock_known_patient(patient_id=patient_id)
    return patients.lock_bound_patient(wechat_user_id=wechat_user_id, patient_id=patient_id)


def kind_of(wish: rules.Wish) -> BookingKind:
    """What kind of registration a wish is, by its day and channel."""
    if wish.session.visit_date > hospital_day(wish.at):
        return BookingKind.ADVANCE
    return BookingKind.SAME_DAY if wish.channel in ONLINE else BookingKind.WALK_IN


def _hold_until(session: SessionFacts, slot: Slot, paid_when: PaidWhen) -> dt.datetime:
    """Until when a number waits for its money: from the claim on, or to some minutes after its
    band has begun, but never past the session (M1.13)."""
    assert slot.held_until is not None
    if paid_when != PaidWhen.ARRIVAL:
        return slot.held_until
    band = sessions.band_of(session, slot.band_id)
    grace = dt.timedelta(minutes=thresholds.COLLECT_GRACE_MINUTES.value())
    return max(slot.held_until, min(band.starts_at + grace, session.ends_at))


def _note_override(appointment: Appointment, *, by: Actor, at: dt.datetime) -> None:
    audit.record(
        act="registration.override",
        subject=appointment,
        by=by,
        at=at,
        after={"rules": appointment.overrides},
        reason=appointment.override_reason,
    )
