"""Builders of waiting lists for tests: a full session, and people in line for it."""

import datetime as dt

from hospital.identity.models import WeChatUser
from hospital.kernel.actors import Actor
from hospital.organisation.models import Department
from hospital.patients.models import Patient
from hospital.registration import actions as registration
from hospital.registration.models import Appointment, WaitlistEntry
from hospital.scheduling.models import Schedule
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule


def a_full_schedule(
    *,
    paid: int = 1,
    unpaid: int = 0,
    fee_fen: int = 2500,
    department: Department | None = None,
    day: dt.date = TOMORROW,
    at: dt.datetime = NOW,
) -> tuple[Schedule, list[Appointment]]:
    """A session of one band, tomorrow's, with exactly as many numbers as are taken, and who has
    them, the paid ones first."""
    schedule = a_released_schedule(
        department=department,
        day=day,
        capacity=paid + unpaid,
        band_minutes=240,
        fee_fen=fee_fen,
        at=at,
    )
    bookings = [a_paid_booking(schedule=schedule, at=at) for _ in range(paid)]
    return schedule, bookings + [a_booking(schedule=schedule, at=at) for _ in range(unpaid)]


def a_waiting(
    schedule: Schedule,
    *,
    user: WeChatUser | None = None,
    patient: Patient | None = None,
    at: dt.datetime = NOW,
) -> WaitlistEntry:
    """Somebody in line for a number of the session."""
    user = user or a_wechat_user()
    patient = patient or a_patient(user, at=at)
    return registration.join_waitlist(
        wechat_user_id=user.pk,
        patient_id=patient.pk,
        schedule_id=schedule.pk,
        by=Actor("patient", user.pk),
        at=at,
    )
