"""Numbers made for one patient: add-ons (M2.4), continuations (M1.14), emergencies (M1.17)."""

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.models import Bill, Charge
from hospital.catalogue.states import ServiceKind
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import NotFound, Refusal
from hospital.messaging.models import Message
from hospital.organisation.models import Department
from hospital.organisation.states import SexLimit
from hospital.patients import actions as patients
from hospital.patients.models import Patient
from hospital.patients.states import Sex
from hospital.registration import actions, continuing, queries, rules, stops
from hospital.registration.actions import (
    CannotCheckIn,
    NoContinuation,
    NoEmergencySession,
    NotOwnSession,
)
from hospital.registration.actions.special import WAIVER
from hospital.registration.models import Appointment, WaitlistEntry
from hospital.registration.states import Acuity
from hospital.registration.tests.refusals import refused
from hospital.scheduling import actions as scheduling
from hospital.scheduling.actions import AddOnsUsedUp
from hospital.scheduling.holidays import SpecialDay
from hospital.scheduling.models import Schedule
from hospital.scheduling.states import Channel, DayKind, Pool
from hospital.testing.bookings import a_booking, a_paid_booking, pay
from hospital.testing.jobs import run_jobs
from hospital.testing.organisation import a_department, a_service_type
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, band_of, moment

pytestmark = pytest.mark.django_db
DOCTOR = Actor("staff", 21)
TODAY = NOW.date()


def added(
    schedule: Schedule,
    patient: Patient | None = None,
    *,
    practitioner_id: int | None = None,
    key: str = "add",
    at: dt.datetime = NOW,
) -> Appointment:
    patient = patient or a_patient(a_wechat_user())
    return actions.add_on(
        patient_id=patient.pk,
        schedule_id=schedule.pk,
        band_id=band_of(schedule).pk,
        practitioner_id=practitioner_id or schedule.practitioner_id,
        key=f"{key}-{patient.pk}",
        by=DOCTOR,
        at=at,
    )


def test_m2_04_the_doctor_adds_a_number_that_is_charged_normally_and_told() -> None:
    schedule = a_released_schedule(capacity=5)
    patient = a_patient(a_wechat_user())

    first, second = added(schedule, patient), added(schedule, patient)

    assert first.pk == second.pk
    row = Appointment.objects.select_related("slot", "bill").get()
    assert (row.slot.label, row.status, row.booking_kind, row.channel) == (
        "A01",
        "pending",
        "add_on",
        "doctor",
    )
    user = patient.bindings.get().wechat_user
    assert (row.bill.total_fen, row.bill.wechat_user_id) == (2500, user.pk)
    assert row.hold_until == NOW + dt.timedelta(hours=2)
    (message,) = Message.objects.filter(kind="N02")
    assert (message.wechat_user_id, message.path) == (user.pk, f"/m/appointments/{row.number}/")
    assert message.fields["doctor"] == f"{row.doctor_name} 加号"
    assert message.fields["pay_before"] == "12:00"


def test_m2_04_paid_it_is_booked_and_beyond_a_fifth_of_the_capacity_there_is_none() -> None:
    schedule = a_released_schedule(capacity=5)
    row = added(schedule)
    pay(row.bill)
    actions.confirm(bill_id=row.bill_id, by=SYSTEM, at=NOW)

    booked = Appointment.objects.select_related("slot").get(pk=row.pk)
    assert (booked.status, booked.slot.status) == ("booked", "booked")
    other = a_patient(a_wechat_user())
    refused(lambda: added(schedule, other), AddOnsUsedUp, "ADD_ONS_USED_UP")


def test_m2_04_unpaid_after_two_hours_it_is_gone_again() -> None:
    schedule = a_released_schedule(capacity=5)
    row = added(schedule)
    early, late = NOW + dt.timedelta(minutes=119), NOW + dt.timedelta(hours=2)

    assert not actions.release_unpaid(appointment_id=row.pk, by=SYSTEM, at=early)
    with time_machine.travel(late, tick=False):
        assert run_jobs(only="registration.jobs.release_unpaid") == []

    gone = Appointment.objects.select_related("slot", "bill").get(pk=row.pk)
    assert (gone.status, gone.cancel_reason) == ("cancelled", "payment_timeout")
    assert (gone.slot.status, gone.bill.status) == ("withdrawn", "expired")
    assert added(schedule).slot.label == "A02"


def test_m2_04_money_after_the_number_is_gone_finds_another_or_goes_back() -> None:
    schedule = a_released_schedule(capacity=5, band_minutes=240, shares={Pool.RESERVED: 5})
    row, late = added(schedule), NOW + dt.timedelta(hours=2)
    actions.release_unpaid(appointment_id=row.pk, by=SYSTEM, at=late)

    pay(row.bill, at=late)
    actions.confirm(bill_id=row.bill_id, by=SYSTEM, at=late)

    row.refresh_from_db()
    assert (row.status, bills.refund_due_fen(bill_id=row.bill_id)) == ("cancelled", 2500)


def test_m2_04_the_session_ends_sooner_than_two_hours() -> None:
    schedule = a_released_schedule(day=TODAY, starts=dt.time(8), ends=dt.time(11), band_minutes=180)

    assert added(schedule).hold_until == moment(TODAY, 11)


def test_m2_04_also_before_the_numbers_are_out_and_beyond_the_patients_online_limits() -> None:
    schedule = a_released_schedule(day=TOMORROW + dt.timedelta(days=9), capacity=5)

    assert added(schedule).slot.label == "A01"


def test_m2_04_a_patient_nobody_acts_for_pays_at_the_window() -> None:
    schedule = a_released_schedule(capacity=5)
    user = a_wechat_user()
    patient = a_patient(user)
    number = patient.outpatient_no
    patients.remove_binding(wechat_user_id=user.pk, number=number, by=SYSTEM, at=NOW)

    row = added(schedule, patient)

    assert (row.status, row.bill.wechat_user_id) == ("pending", None)
    assert not Message.objects.filter(kind="N02").exists()


def test_m2_04_only_the_own_session_known_people_and_what_the_department_sees() -> None:
    men = a_department(name="男科", sex_limit=SexLimit.MALE)
    schedule, other = a_released_schedule(capacity=5), a_released_schedule()
    woman = a_patient(a_wechat_user(), sex=Sex.FEMALE)
    of_men = a_released_schedule(department=men, capacity=5)
    booked = a_paid_booking(schedule=schedule)
    cases: list[tuple[Callable[[], object], type[Refusal], str]] = [
        (
            lambda: added(schedule, woman, practitioner_id=other.practitioner_id),
            NotOwnSession,
            "NOT_OWN_SESSION",
        ),
        (lambda: added(of_men, woman), rules.DepartmentLimitSex, "DEPARTMENT_LIMIT_SEX"),
        (lambda: added(schedule, booked.patient), rules.Duplicate, "DUPLICATE"),
        (
            lambda: added(schedule, woman, at=schedule.ends_at),
            rules.ChannelClosed,
            "CHANNEL_CLOSED",
        ),
        (
            lambda: added(schedule, woman, at=band_of(schedule).ends_at),
            rules.ChannelClosed,
            "CHANNEL_CLOSED",
        ),
    ]
    for act, refusal, code in cases:
        refused(act, refusal, code)


def a_first_visit(
    *, day: dt.date = TODAY, kind: ServiceKind = ServiceKind.GENERAL, seen: bool = True
) -> Appointment:
    at = moment(day, 7)
    service = a_service_type(kind=kind)
    schedule = a_released_schedule(day=day, service_type=service, at=at)
    row = a_paid_booking(schedule=schedule, at=at)
    if seen:
        actions.start_visit(number=row.number, by=DOCTOR, at=moment(day, 9))
    return Appointment.objects.select_related("schedule", "department").get(pk=row.pk)


def continued(
    first: Appointment, schedule: Schedule, *, key: str = "c", at: dt.datetime = NOW
) -> Appointment:
    return actions.continue_visit(
        first_number=first.number, schedule_id=schedule.pk, key=key, by=DOCTOR, at=at
    )


def in_department(
    department: Department, day: dt.date, *, shares: dict[Pool, int] | None = None
) -> Schedule:
    return a_released_schedule(
        department=department,
        day=day,
        starts=dt.time(14),
        ends=dt.time(17),
        capacity=5,
        shares=shares,
        at=NOW,
    )


def test_m1_14_n27_the_continuation_costs_nothing_for_a_reason_and_is_told() -> None:
    first = a_first_visit()
    schedule = in_department(first.department, TOMORROW, shares={Pool.RESERVED: 5})

    row = continued(first, schedule)
    again = continued(first, schedule)

    assert row.pk == again.pk
    row = Appointment.objects.select_related("slot", "bill").get(pk=row.pk)
    assert (row.status, row.booking_kind, row.slot.label) == ("booked", "continuation", "1")
    assert (row.continues_id, row.patient_id) == (first.pk, first.patient_id)
    assert (row.bill.total_fen, row.bill.status) == (0, "settled")
    lines = Charge.objects.filter(bill=row.bill)
    assert {(line.amount_fen, line.waiver) for line in lines} == {(0, WAIVER)}
    assert [message.kind for message in Message.objects.filter(subject_id=row.pk)] == ["N27"]
    assert Message.objects.get(kind="N27").fields["fee"] == "免收挂号费"


def test_m1_14_where_no_number_is_left_one_is_added() -> None:
    first = a_first_visit()

    row = continued(first, in_department(first.department, TOMORROW, shares={Pool.WECHAT: 5}))

    assert Appointment.objects.select_related("slot").get(pk=row.pk).slot.label == "A01"


def test_m1_14_once_for_each_visit_also_after_it_was_cancelled() -> None:
    first = a_first_visit()
    row = continued(first, in_department(first.department, TOMORROW))
    other = in_department(first.department, TOMORROW + dt.timedelta(days=1))

    refused(lambda: continued(first, other, key="d"), NoContinuation, "NO_CONTINUATION")
    actions.cancel(number=row.number, by=DOCTOR, at=NOW)
    assert continued(first, other, key="e").status == "booked"


def test_m1_14_only_in_the_department_in_time_after_the_visit_in_these_clinics() -> None:
    first, expert = a_first_visit(), a_first_visit(kind=ServiceKind.EXPERT)
    unseen = a_first_visit(seen=False)
    elsewhere = in_department(a_department(name="骨伤科"), TOMORROW)
    late = in_department(first.department, TODAY + dt.timedelta(days=3))
    cases = [
        (first, elsewhere),
        (first, late),
        (expert, in_department(expert.department, TOMORROW)),
        (unseen, in_department(unseen.department, TOMORROW)),
    ]
    for visit, schedule in cases:
        refused(
            lambda visit=visit, schedule=schedule: continued(visit, schedule),  # type: ignore[misc]
            NoContinuation,
            "NO_CONTINUATION",
        )
    last = in_department(first.department, TODAY + dt.timedelta(days=2))
    row = continued(first, last)
    actions.start_visit(number=row.number, by=DOCTOR, at=moment(last.visit_date, 15))
    third = in_department(first.department, TOMORROW)
    refused(lambda: continued(row, third, key="f"), NoContinuation, "NO_CONTINUATION")
    with pytest.raises(NotFound):
        actions.continue_visit(
            first_number="20261123000000", schedule_id=last.pk, key="g", by=DOCTOR, at=NOW
        )


def test_m1_14_public_holidays_are_bridged_and_weekends_are_not() -> None:
    friday = dt.date(2026, 11, 27)
    holidays = {friday + dt.timedelta(days=1), friday + dt.timedelta(days=2)}

    assert continuing.latest_day(friday, days=3, is_holiday=lambda _: False) == dt.date(
        2026, 11, 29
    )
    assert continuing.latest_day(friday, days=3, is_holiday=lambda day: day in holidays) == dt.date(
        2026, 12, 1
    )
    assert continuing.latest_day(friday, days=1, is_holiday=lambda _: True) == friday


def test_m1_14_the_offices_calendar_bridges() -> None:
    first = a_first_visit()
    late = in_department(first.department, TODAY + dt.timedelta(days=3))
    holiday = SpecialDay(DayKind.HOLIDAY, "院庆")
    scheduling.set_day(day=TOMORROW, special=holiday, by=SYSTEM, at=NOW)

    assert continued(first, late).status == "booked"


def an_emergency_session(*, capacity: int = 2, ends: dt.time = dt.time(12)) -> Schedule:
    department = a_department(name="急诊科", is_bookable=False, walk_in_only=True)
    return a_released_schedule(
        department=department,
        day=TODAY,
        service_type=a_service_type(name="急诊", kind=ServiceKind.EMERGENCY),
        starts=dt.time(8),
        ends=ends,
        capacity=capacity,
        band_minutes=240,
        shares={Pool.WINDOW: capacity},
    )


def registered(
    schedule: Schedule, patient: Patient, *, acuity: Acuity = Acuity.URGENT, key: str = "em"
) -> Appointment:
    return actions.register_emergency(
        patient_id=patient.pk,
        schedule_id=schedule.pk,
        acuity=acuity,
        key=f"{key}-{patient.pk}",
        by=DOCTOR,
        at=NOW,
    )


def test_m1_17_an_emergency_is_registered_by_acuity_before_it_is_paid() -> None:
    schedule, patient = an_emergency_session(), a_patient(a_wechat_user())

    registered(schedule, patient, acuity=Acuity.LIFE_THREATENED)
    registered(schedule, patient, acuity=Acuity.LIFE_THREATENED)

    row = Appointment.objects.select_related("slot", "bill", "schedule").get()
    assert (row.status, row.booking_kind, row.acuity) == ("checked_in", "emergency", 1)
    assert (row.slot.status, row.schedule.status) == ("booked", "in_session")
    bill = row.bill
    assert (bill.status, bill.credit_guarantee, bill.expires_at) == ("issued", True, None)


def test_m1_17_somebody_nobody_knows_is_registered_too() -> None:
    schedule = an_emergency_session()
    unknown = patients.register_unidentified(
        name="", sex=Sex.MALE, age=40, note="120 送来", key="unknown", by=DOCTOR, at=NOW
    )

    row = registered(schedule, unknown)

    assert row.status == "checked_in"
    with pytest.raises(rules.NotIdentified):
        actions.book(
            patient_id=unknown.pk,
            schedule_id=schedule.pk,
            band_id=None,
            channel=Channel.WINDOW,
            key="x",
            by=DOCTOR,
            at=NOW,
        )


def test_m1_17_there_is_always_a_number() -> None:
    schedule = an_emergency_session(capacity=1)
    people = [a_patient(a_wechat_user()) for _ in range(4)]

    labels = [registered(schedule, person).slot.label for person in people]

    assert labels == ["1", "A01", "A02", "A03"]


def test_m1_17_also_for_nothing_and_after_the_last_band_there_is_a_number() -> None:
    room = a_released_schedule(
        department=a_department(name="急诊科", is_bookable=False, walk_in_only=True),
        day=TODAY,
        service_type=a_service_type(name="急诊", kind=ServiceKind.EMERGENCY, fee_fen=0),
        capacity=2,  # of four hours only the first two have a band
        shares={Pool.WINDOW: 2},
    )
    assert max(band.ends_at for band in room.bands.all()) <= NOW < room.ends_at

    row = registered(room, a_patient(a_wechat_user()))

    assert (row.status, row.slot.label, row.bill.total_fen) == ("checked_in", "A01", 0)


def test_m1_17_the_unpaid_bill_stays_whatever_becomes_of_a_payment() -> None:
    row = registered(an_emergency_session(), a_patient(a_wechat_user()))
    billing.start_paying(bill_id=row.bill_id, by=SYSTEM, at=NOW)
    billing.stop_paying(bill_id=row.bill_id, by=SYSTEM, at=NOW)

    late = NOW + dt.timedelta(days=2)
    assert not actions.release_unpaid_bill(bill_id=row.bill_id, by=SYSTEM, at=late)
    assert not actions.give_up_uncollected(appointment_id=row.pk, by=SYSTEM, at=late)
    actions.start_visit(number=row.number, by=DOCTOR, at=NOW)
    assert not actions.release_unpaid_bill(bill_id=row.bill_id, by=SYSTEM, at=late)

    row.refresh_from_db()
    assert (row.status, Bill.objects.get(pk=row.bill_id).status) == ("fulfilled", "issued")
    pay(row.bill, at=late)
    actions.confirm(bill_id=row.bill_id, by=SYSTEM, at=late)
    row.refresh_from_db()
    assert (row.status, Bill.objects.get(pk=row.bill_id).status) == ("fulfilled", "settled")


def test_m1_17_twice_at_once_is_refused_and_brought_back_is_registered_again() -> None:
    schedule, patient = an_emergency_session(), a_patient(a_wechat_user())
    row = registered(schedule, patient)

    refusal = refused(lambda: registered(schedule, patient, key="2"), rules.Duplicate, "DUPLICATE")
    assert refusal.details["number"] == row.number
    actions.start_visit(number=row.number, by=DOCTOR, at=NOW)
    assert registered(schedule, patient, key="3").status == "checked_in"


def test_m1_17_who_is_here_by_registration_does_not_lose_the_check_in() -> None:
    row = registered(an_emergency_session(), a_patient(a_wechat_user()))

    with pytest.raises(CannotCheckIn):
        actions.undo_check_in(number=row.number, reason="签错", by=DOCTOR, at=NOW)

    row.refresh_from_db()
    assert row.status == "checked_in"
    actions.cancel_after_check_in(number=row.number, reason="登记有误", by=DOCTOR, at=NOW)
    row.refresh_from_db()
    assert (row.status, Bill.objects.get(pk=row.bill_id).status) == ("cancelled", "cancelled")


def test_m1_17_after_midnight_the_night_that_goes_on_is_still_listed() -> None:
    row = registered(an_emergency_session(ends=dt.time(7)), a_patient(a_wechat_user()))

    after, over = moment(TOMORROW, 1), moment(TOMORROW, 7)
    assert [one.number for one in queries.emergencies_of(day=TOMORROW, at=after)] == [row.number]
    assert [one.number for one in queries.emergencies_of(day=TOMORROW, at=over)] == [row.number]
    actions.cancel_after_check_in(number=row.number, reason="已离开", by=DOCTOR, at=over)
    assert queries.emergencies_of(day=TOMORROW, at=over) == [], "nobody waits any more"


def test_m1_08_an_emergency_called_off_is_free_told_and_owed_no_place_in_a_line() -> None:
    row = registered(an_emergency_session(), a_patient(a_wechat_user()))
    found = stops.preview(schedule_id=row.schedule_id)
    assert (found.paid, found.unpaid, found.checked_in) == (0, 1, 1)
    scheduling.suspend_schedule(schedule_id=row.schedule_id, reason="停电", by=SYSTEM, at=NOW)

    assert actions.cancel_suspended_one(appointment_id=row.pk, by=SYSTEM, at=NOW)

    row.refresh_from_db()
    assert (row.status, row.cancel_reason) == ("cancelled", "hospital")
    assert Bill.objects.get(pk=row.bill_id).status == "cancelled"
    assert Message.objects.filter(kind="N06", subject_id=row.pk).count() == 1
    assert not WaitlistEntry.objects.filter(owed_for=row).exists()


def test_m1_17_no_other_clinic_is_an_emergency() -> None:
    schedule, patient = a_released_schedule(), a_patient(a_wechat_user())

    refused(lambda: registered(schedule, patient), NoEmergencySession, "NO_EMERGENCY_SESSION")


def test_m2_04_an_add_on_is_no_booking_of_the_users_month() -> None:
    row = added(a_released_schedule(capacity=5))

    assert row.wechat_user_id is None
    assert a_booking().status == "pending"
