"""Booking: M1.3's checks in order, then one claim of one slot (M1.5). The rush at 07:00 runs here.

Few statements, and locks in the order of the floors: WeChat user and patient, slot, then rows
nobody else sees yet, and last of all the series that numbers bills, which every booking shares.
"""

import datetime as dt
from typing import Final

from django.db import connection, transaction

from hospital.billing import actions as billing
from hospital.kernel import events, request_keys, serials
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.patients import queries as patients
from hospital.registration import rules, thresholds
from hospital.registration.actions.settling import seat
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus, BookingKind
from hospital.scheduling import actions as scheduling
from hospital.scheduling import queries as sessions
from hospital.scheduling.queries import SessionFacts
from hospital.scheduling.states import Channel

_PAST: Final = """
    SELECT number, status, patient_id, wechat_user_id, schedule_id, department_id,
        practitioner_id, visit_date, cancel_reason, cancelled_at, is_late_cancel
    FROM registration_appointment
    WHERE (patient_id = %(patient)s OR wechat_user_id = %(user)s) AND visit_date >= %(since)s
    ORDER BY id
"""


@transaction.atomic
def book(
    *,
    patient_id: int,
    schedule_id: int,
    band_id: int,
    wechat_user_id: int,
    key: str,
    by: Actor,
    at: dt.datetime,
) -> Appointment:
    """Hold a number of a band for a patient of this user until it is paid (15 min, M1.5).

    What costs nothing is booked at once. The same `key` again gives the same appointment. Raises
    the refusals of `rules` in M1.3's order, then SlotTaken with alternatives; NotFound for an
    unknown session or band; KeyReused; catalogue NoFee.
    """
    claim = request_keys.claim(
        key=key,
        scope=f"registration.book:{wechat_user_id}",
        inputs={"patient": patient_id, "schedule": schedule_id, "band": band_id},
        at=at,
    )
    if claim.answer is not None:
        return Appointment.objects.get(number=claim.answer["number"])
    person = patients.lock_bound_patient(wechat_user_id=wechat_user_id, patient_id=patient_id)
    session = sessions.session_facts(schedule_id=schedule_id)
    band = sessions.band_of(session, band_id)
    wish = rules.Wish(patient_id, wechat_user_id, session, at)
    rules.check(person, wish, _past(wish))
    quote = sessions.fee_of(session)
    if sessions.is_late_release(session, at=at):
        scheduling.release_due(schedule_id=session.id, by=by, at=at)
    hold_until = at + dt.timedelta(minutes=thresholds.HOLD_MINUTES.value())
    slot = scheduling.hold_slot(
        schedule_id=session.id, band_id=band.id, until=hold_until, by=by, at=at
    )
    number = f"{session.visit_date:%y%m%d}{serials.scattered(claim.id)}"
    appointment = _appointment(wish, number, slot_id=slot.pk, hold_until=hold_until)
    appointment.save(force_insert=True)
    claim.finish({"number": appointment.number})
    events.later("registration.jobs.release_unpaid", at=hold_until, appointment_id=appointment.pk)
    bill = billing.add_charges(
        bill_id=appointment.bill_id,
        patient_id=patient_id,
        wechat_user_id=wechat_user_id,
        source=("appointment", appointment.pk),
        lines=quote.lines,
        title=f"挂号费 {session.department_name} {session.practitioner_name}".rstrip(),
        path=f"/m/appointments/{appointment.number}/result/",
        expires_at=hold_until,
        by=by,
        at=at,
    )
    appointment.bill = bill
    return seat(appointment, by=by, at=at) if bill.total_fen == 0 else appointment


def _past(wish: rules.Wish) -> list[rules.Past]:
    """The bookings limits look at, read under the locks on user and patient: nobody adds to them
    before this transaction ends."""
    looked_at = thresholds.LATE_CANCEL_DAYS.value() + thresholds.RESTRICTION_DAYS.value()
    late_since = hospital_day(wish.at) - dt.timedelta(days=looked_at + 1)
    since = min(late_since, wish.session.visit_date.replace(day=1))
    with connection.cursor() as cursor:
        cursor.execute(
            _PAST, {"patient": wish.patient_id, "user": wish.wechat_user_id, "since": since}
        )
        return [rules.Past(*row) for row in cursor.fetchall()]


def _appointment(
    wish: rules.Wish, number: str, *, slot_id: int, hold_until: dt.datetime
) -> Appointment:
    session: SessionFacts = wish.session
    same_day = session.visit_date == hospital_day(wish.at)
    return Appointment(
        number=number,
        patient_id=wish.patient_id,
        wechat_user_id=wish.wechat_user_id,
        schedule_id=session.id,
        slot_id=slot_id,
        bill_id=billing.reserve_bill(),
        visit_date=session.visit_date,
        department_id=session.department_id,
        practitioner_id=session.practitioner_id,
        department_name=session.department_name,
        doctor_name=session.practitioner_name,
        title=session.title,
        service_name=session.service_name,
        channel=Channel.WECHAT,
        booking_kind=BookingKind.SAME_DAY if same_day else BookingKind.ADVANCE,
        status=AppointmentStatus.PENDING,
        created_at=wish.at,
        hold_until=hold_until,
    )
