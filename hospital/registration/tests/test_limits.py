"""How much one patient and one WeChat user may book (M1.4)."""

import datetime as dt

import pytest

from hospital.kernel import settings_rows
from hospital.kernel.actors import SYSTEM, Actor
from hospital.registration import actions, rules, thresholds
from hospital.registration.models import Appointment
from hospital.registration.tests.refusals import refused, someone
from hospital.scheduling.states import SessionPeriod
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.organisation import LONG_AGO, a_department, a_practitioner
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, band_of, moment

pytestmark = pytest.mark.django_db


def test_m1_04_one_per_patient_date_and_department() -> None:
    department, (user, patient) = a_department(), someone()
    a_paid_booking(user=user, patient=patient, schedule=a_released_schedule(department=department))
    other = a_released_schedule(department=department)

    refused(
        lambda: a_booking(user=user, patient=patient, schedule=other),
        rules.LimitDepartmentDay,
        "LIMIT_DEPARTMENT_DAY",
    )
    next_day = a_released_schedule(department=department, day=TOMORROW + dt.timedelta(days=1))
    a_booking(user=user, patient=patient, schedule=next_day)


def test_m1_04_one_per_patient_date_and_doctor() -> None:
    one, two = a_department(), a_department(name="骨伤科")
    doctor, (user, patient) = a_practitioner(one, two), someone()
    morning = a_released_schedule(department=one, practitioner=doctor)
    afternoon = a_released_schedule(
        department=two,
        practitioner=doctor,
        session_period=SessionPeriod.PM,
        starts=dt.time(14),
        ends=dt.time(17),
    )
    a_paid_booking(user=user, patient=patient, schedule=morning)

    refused(
        lambda: a_booking(user=user, patient=patient, schedule=afternoon),
        rules.LimitDoctorDay,
        "LIMIT_DOCTOR_DAY",
    )


def test_m1_04_three_per_patient_and_date() -> None:
    user, patient = someone()
    for _ in range(3):
        a_paid_booking(user=user, patient=patient, schedule=a_released_schedule())
    fourth = a_released_schedule()

    refused(
        lambda: a_booking(user=user, patient=patient, schedule=fourth), rules.LimitDay, "LIMIT_DAY"
    )


def test_m1_04_eight_per_month_and_user() -> None:
    settings_rows.set_value(setting=thresholds.LIMIT_MONTH, value=2, by=SYSTEM, at=LONG_AGO)
    user = a_wechat_user()
    for _ in range(2):
        a_paid_booking(user=user, patient=a_patient(user), schedule=a_released_schedule())
    third, november = a_patient(user), a_released_schedule()
    december = a_released_schedule(day=dt.date(2026, 12, 1), at=moment(dt.date(2026, 11, 28), 10))

    refused(
        lambda: a_booking(user=user, patient=third, schedule=november),
        rules.LimitMonth,
        "LIMIT_MONTH",
    )
    a_booking(user=user, patient=third, schedule=december, at=moment(dt.date(2026, 11, 28), 10))


def test_m1_04_one_unpaid_hold_per_patient() -> None:
    user, patient = someone()
    unpaid = a_booking(user=user, patient=patient, schedule=a_released_schedule())
    other = a_released_schedule()

    refusal = refused(
        lambda: a_booking(user=user, patient=patient, schedule=other),
        rules.LimitUnpaidPatient,
        "LIMIT_UNPAID_PATIENT",
    )

    assert refusal.details["number"] == unpaid.number


def test_m1_04_two_unpaid_holds_per_user() -> None:
    user = a_wechat_user()
    for _ in range(2):
        a_booking(user=user, patient=a_patient(user), schedule=a_released_schedule())
    third, schedule = a_patient(user), a_released_schedule()

    refused(
        lambda: a_booking(user=user, patient=third, schedule=schedule),
        rules.LimitUnpaidUser,
        "LIMIT_UNPAID_USER",
    )


def test_m1_04_after_a_cancel_the_doctors_day_is_closed_for_two_hours() -> None:
    schedule, (user, patient) = a_released_schedule(), someone()
    booked = a_paid_booking(user=user, patient=patient, schedule=schedule)
    actions.cancel(number=booked.number, by=Actor("patient", user.pk), at=NOW)
    opens = NOW + dt.timedelta(hours=2)

    def book(at: dt.datetime) -> Appointment:
        return a_booking(
            user=user, patient=patient, schedule=schedule, band=band_of(schedule, 1), at=at
        )

    refusal = refused(
        lambda: book(opens - dt.timedelta(seconds=1)),
        rules.LimitRecentCancel,
        "LIMIT_RECENT_CANCEL",
    )
    assert refusal.details["until"] == opens
    assert book(opens).status == "pending"
