"""Builders of bookings for tests: held, paid, cancelled, all by the actions patients use."""

import datetime as dt
import itertools

from django.db import transaction

from hospital.billing import actions as billing
from hospital.billing.models import Bill
from hospital.identity.models import WeChatUser
from hospital.kernel.actors import SYSTEM, Actor
from hospital.patients.models import Patient
from hospital.registration import actions as registration
from hospital.registration.models import Appointment
from hospital.scheduling.models import Schedule, TimeBand
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.schedules import NOW, a_released_schedule, band_of

_numbers = itertools.count(1)


def a_booking(
    *,
    patient: Patient | None = None,
    user: WeChatUser | None = None,
    schedule: Schedule | None = None,
    band: TimeBand | None = None,
    key: str = "",
    at: dt.datetime = NOW,
) -> Appointment:
    """A held number that waits for payment (booked at once when it costs nothing)."""
    user = user or (patient.bindings.get(ended_at=None).wechat_user if patient else None)
    user = user or a_wechat_user()
    patient = patient or a_patient(user, at=at)
    schedule = schedule or a_released_schedule(at=at)
    return registration.book(
        patient_id=patient.pk,
        schedule_id=schedule.pk,
        band_id=(band or band_of(schedule)).pk,
        wechat_user_id=user.pk,
        key=key or f"booking-{next(_numbers)}",
        by=Actor("patient", user.pk),
        at=at,
    )


def pay(bill: Bill, *, reference: str = "", at: dt.datetime = NOW) -> None:
    """Money for a bill arrives, as payments would book it; reactions are left to run_jobs()."""
    with transaction.atomic():
        billing.settle_bill(
            bill_id=bill.pk,
            method="wechat",
            amount_fen=bill.total_fen,
            reference=reference or f"paid-{next(_numbers)}",
            by=SYSTEM,
            at=at,
        )


def a_paid_booking(
    *,
    patient: Patient | None = None,
    user: WeChatUser | None = None,
    schedule: Schedule | None = None,
    band: TimeBand | None = None,
    at: dt.datetime = NOW,
) -> Appointment:
    """A number paid for and confirmed."""
    appointment = a_booking(patient=patient, user=user, schedule=schedule, band=band, at=at)
    pay(appointment.bill, at=at)
    registration.confirm(bill_id=appointment.bill_id, by=SYSTEM, at=at)
    appointment.refresh_from_db()
    return appointment
