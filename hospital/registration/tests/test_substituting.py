"""替诊 for those who had booked: told, asked, given the difference back, never charged (M1.9)."""

import datetime as dt

import pytest
import time_machine
from django.db import connection, transaction
from django.urls import reverse

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.states import MoneyState
from hospital.identity.states import Role
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Stale
from hospital.kernel.states import history
from hospital.messaging.models import Message
from hospital.organisation.models import Practitioner
from hospital.organisation.states import Title
from hospital.registration import actions, queries
from hospital.registration.actions import NothingAsked
from hospital.registration.models import Appointment, WaitlistEntry
from hospital.registration.states import PaidWhen
from hospital.scheduling import actions as scheduling
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.states import Channel, Pool
from hospital.testing.bookings import a_booking, a_paid_booking, pay
from hospital.testing.jobs import due_jobs
from hospital.testing.organisation import a_department, a_practitioner, a_service_type
from hospital.testing.people import a_patient, staff_client
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, moment

pytestmark = pytest.mark.django_db
OFFICE = Actor("staff", 1)
PATIENT = Actor("patient", 1)
ASSOCIATE = 2500


def a_session(*fees: tuple[Title, int]) -> Schedule:
    """An associate chief's morning, 25 yuan; other titles cost as given."""
    department = a_department()
    service = a_service_type(fee_fen=ASSOCIATE, fees=fees)
    doctor = a_practitioner(department, name="陈知行", title=Title.ASSOCIATE_CHIEF)
    return a_released_schedule(department=department, practitioner=doctor, service_type=service)


def a_colleague(schedule: Schedule, title: Title, name: str = "林若谷") -> Practitioner:
    return a_practitioner(schedule.department, name=name, title=title)


def replace(schedule: Schedule, doctor: Practitioner, *rows: Appointment) -> list[Appointment]:
    """The office puts another doctor there, and the jobs decide about these bookings."""
    scheduling.substitute(
        schedule_id=schedule.pk, practitioner_id=doctor.pk, reason="出差", by=OFFICE, at=NOW
    )
    assert "registration.jobs.settle_substitution" in due_jobs()
    for row in rows:
        actions.settle_substitution_one(appointment_id=row.pk, by=SYSTEM, at=NOW)
    connection.check_constraints()
    return [Appointment.objects.get(pk=row.pk) for row in rows]


def told(row: Appointment, kind: str = "N07") -> list[dict[str, str]]:
    return [one.fields for one in Message.objects.filter(kind=kind, subject_id=row.pk)]


@pytest.mark.parametrize("title", [Title.ASSOCIATE_CHIEF, Title.CHIEF])
def test_m1_09_n07_the_same_or_a_higher_title_keeps_the_booking_and_costs_no_more(
    title: Title,
) -> None:
    schedule = a_session((Title.CHIEF, 5000))
    booked = a_paid_booking(schedule=schedule)

    (row,) = replace(schedule, colleague := a_colleague(schedule, title), booked)
    again = actions.settle_substitution_one(appointment_id=row.pk, by=SYSTEM, at=NOW)

    assert not again
    assert (row.status, row.consent, row.practitioner_id) == ("booked", "told", colleague.pk)
    assert (row.doctor_name, row.title) == ("林若谷", title)
    assert bills.balance(bill_id=row.bill_id) == bills.Balance(ASSOCIATE, ASSOCIATE, 0)
    (fields,) = told(row)
    assert (fields["change"], fields["note"]) == ("陈知行→林若谷", "可随时免费退号")
    schedule.refresh_from_db()
    assert schedule.practitioner_id == colleague.pk
    assert schedule.planned_practitioner is not None
    assert schedule.planned_practitioner.name == "陈知行"


def test_m1_09_a_lower_fee_gives_the_difference_back() -> None:
    schedule = a_session((Title.CHIEF, 1800))
    booked = a_paid_booking(schedule=schedule)

    (row,) = replace(schedule, a_colleague(schedule, Title.CHIEF), booked)

    assert bills.balance(bill_id=row.bill_id) == bills.Balance(ASSOCIATE, 1800, 700)
    assert told(row)[0]["note"] == "可随时免费退号，退差价¥7.00"
    assert "payments.jobs.refund_reversed" in due_jobs()
    assert not actions.cancel_refunded(bill_id=row.bill_id, by=SYSTEM, at=NOW)


def test_m1_09_a_substitution_may_be_cancelled_free_at_any_time_before_the_visit() -> None:
    schedule = a_session()
    booked = a_paid_booking(schedule=schedule)
    (row,) = replace(schedule, a_colleague(schedule, Title.CHIEF), booked)

    actions.cancel(number=row.number, by=PATIENT, at=moment(TOMORROW, 8, 55))

    row.refresh_from_db()
    assert (row.status, row.is_late_cancel) == ("cancelled", False)
    assert bills.balance(bill_id=row.bill_id) == bills.Balance(ASSOCIATE, 0, ASSOCIATE)


def test_m1_09_a_lower_title_asks_and_who_agrees_keeps_the_number() -> None:
    schedule = a_session((Title.ATTENDING, 1200))
    booked = a_paid_booking(schedule=schedule)

    (row,) = replace(schedule, a_colleague(schedule, Title.ATTENDING), booked)

    # Tomorrow at eight; until half an hour before is less than the twenty-four hours of the rule.
    assert (row.status, row.consent, row.doctor_name) == ("booked", "asked", "陈知行")
    assert row.answer_until == moment(TOMORROW, 7, 30)
    assert told(row)[0]["note"] == "11月24日 07:30前确认，否则退号"
    assert bills.balance(bill_id=row.bill_id).due_fen == 0

    actions.answer_substitution(number=row.number, agrees=True, by=PATIENT, at=NOW)
    connection.check_constraints()

    kept = Appointment.objects.get(pk=row.pk)
    assert (kept.status, kept.consent, kept.doctor_name) == ("booked", "agreed", "林若谷")
    assert kept.answer_until is None
    assert bills.balance(bill_id=row.bill_id) == bills.Balance(ASSOCIATE, 1200, 1300)
    with pytest.raises(NothingAsked):
        actions.answer_substitution(number=row.number, agrees=False, by=PATIENT, at=NOW)
    assert not actions.end_question(appointment_id=row.pk, by=SYSTEM, at=moment(TOMORROW, 7, 30))


@pytest.mark.parametrize("how", ["no", "silence"])
def test_m1_09_a_lower_title_without_a_yes_is_a_session_called_off(how: str) -> None:
    schedule = a_session((Title.ATTENDING, 1200))
    booked = a_paid_booking(schedule=schedule)
    (row,) = replace(schedule, a_colleague(schedule, Title.ATTENDING), booked)
    until = moment(TOMORROW, 7, 30)

    if how == "no":
        actions.answer_substitution(number=row.number, agrees=False, by=PATIENT, at=NOW)
    else:
        early = until - dt.timedelta(seconds=1)
        assert not actions.end_question(appointment_id=row.pk, by=SYSTEM, at=early)
        assert actions.end_question(appointment_id=row.pk, by=SYSTEM, at=until)
    assert not actions.end_question(appointment_id=row.pk, by=SYSTEM, at=until)

    connection.check_constraints()
    row.refresh_from_db()
    assert (row.status, row.cancel_reason, row.is_late_cancel) == ("cancelled", "hospital", False)
    assert bills.balance(bill_id=row.bill_id) == bills.Balance(ASSOCIATE, 0, ASSOCIATE)
    assert len(told(row, "N06")) == 1
    assert WaitlistEntry.objects.get(owed_for=row).status == "waiting"


def test_m1_09_who_comes_all_the_same_has_agreed() -> None:
    schedule = a_session((Title.ATTENDING, 1200))
    booked = a_paid_booking(schedule=schedule)
    (row,) = replace(schedule, a_colleague(schedule, Title.ATTENDING), booked)
    actions.check_in(number=row.number, by=SYSTEM, at=moment(TOMORROW, 7, 10))

    assert actions.end_question(appointment_id=row.pk, by=SYSTEM, at=moment(TOMORROW, 7, 30))

    row.refresh_from_db()
    assert (row.status, row.consent, row.doctor_name) == ("checked_in", "agreed", "林若谷")


def test_m1_09_the_booked_doctor_comes_back_before_anybody_answered() -> None:
    schedule = a_session((Title.ATTENDING, 1200))
    booked = a_paid_booking(schedule=schedule)
    was = schedule.practitioner
    assert was is not None
    (row,) = replace(schedule, a_colleague(schedule, Title.ATTENDING), booked)

    (row,) = replace(schedule, was, row)

    schedule.refresh_from_db()
    assert schedule.planned_practitioner_id is None
    assert (row.consent, row.answer_until, row.status) == ("", None, "booked")
    assert not actions.end_question(appointment_id=row.pk, by=SYSTEM, at=moment(TOMORROW, 9))
    assert len(told(row)) == 1


def test_m1_09_n07_a_job_that_comes_twice_asks_once_and_gives_no_more_time() -> None:
    schedule = a_session((Title.ATTENDING, 1200))
    booked = a_paid_booking(schedule=schedule)
    was, first = schedule.practitioner, a_colleague(schedule, Title.ATTENDING)
    assert was is not None
    (row,) = replace(schedule, first, booked)
    questions = due_jobs().count("registration.jobs.end_question")

    later = NOW + dt.timedelta(minutes=20)
    assert not actions.settle_substitution_one(appointment_id=row.pk, by=SYSTEM, at=later)

    again = Appointment.objects.get(pk=row.pk)
    assert (again.consent, again.answer_until) == ("asked", row.answer_until)
    assert len(told(row)) == 1
    assert due_jobs().count("registration.jobs.end_question") == questions

    # Somebody else, and the first one again after the booked doctor was back, are news.
    replace(schedule, a_colleague(schedule, Title.ATTENDING, "周明远"), row)
    assert len(told(row)) == 2
    replace(schedule, was, row)
    (row,) = replace(schedule, first, row)
    assert (row.consent, row.asked_about_id, len(told(row))) == ("asked", first.pk, 2)


def test_m1_09_one_still_to_be_paid_is_looked_at_again_after_its_hold() -> None:
    schedule = a_session((Title.CHIEF, 1800))
    held = a_booking(schedule=schedule)
    before = len(history(held))

    (row,) = replace(schedule, a_colleague(schedule, Title.CHIEF), held)

    assert (row.status, row.consent, row.doctor_name) == ("pending", "", "陈知行")
    assert (len(history(row)), told(row)) == (before, [])
    assert due_jobs().count("registration.jobs.settle_substitution_one") == 1


def test_m1_09_who_pays_meanwhile_is_told_at_once_of_the_other_doctor() -> None:
    schedule = a_session((Title.CHIEF, 1800))
    held = a_booking(schedule=schedule)
    (row,) = replace(schedule, a_colleague(schedule, Title.CHIEF), held)
    before = due_jobs().count("registration.jobs.settle_substitution_one")

    pay(row.bill)
    actions.confirm(bill_id=row.bill_id, by=SYSTEM, at=NOW)

    assert due_jobs().count("registration.jobs.settle_substitution_one") == before + 1
    assert actions.settle_substitution_one(appointment_id=row.pk, by=SYSTEM, at=NOW)
    kept = Appointment.objects.get(pk=row.pk)
    assert (kept.status, kept.consent, kept.doctor_name) == ("booked", "told", "林若谷")
    assert bills.balance(bill_id=row.bill_id) == bills.Balance(ASSOCIATE, 1800, 700)


def test_m1_09_a_payment_that_takes_its_time_is_not_asked_after_without_a_pause() -> None:
    schedule = a_session((Title.CHIEF, 1800))
    held = a_booking(schedule=schedule)
    with transaction.atomic():
        billing.start_paying(bill_id=held.bill_id, by=SYSTEM, at=NOW)
    late = held.hold_until + dt.timedelta(minutes=40)
    scheduling.substitute(
        schedule_id=schedule.pk,
        practitioner_id=a_colleague(schedule, Title.CHIEF).pk,
        reason="出差",
        by=OFFICE,
        at=NOW,
    )

    assert not actions.settle_substitution_one(appointment_id=held.pk, by=SYSTEM, at=late)

    (due_at,) = times_of("registration.jobs.settle_substitution_one")
    assert due_at == late + dt.timedelta(minutes=1)


def times_of(job: str) -> list[dt.datetime]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT scheduled_at FROM procrastinate_jobs WHERE task_name = %s", [job])
        return [row[0] for row in cursor.fetchall()]


def test_m1_09_who_was_seen_before_the_time_to_answer_was_over_gets_the_difference() -> None:
    schedule = a_session((Title.ATTENDING, 1200))
    booked = a_paid_booking(schedule=schedule)
    (row,) = replace(schedule, a_colleague(schedule, Title.ATTENDING), booked)
    actions.start_visit(number=row.number, by=SYSTEM, at=moment(TOMORROW, 7, 20))

    assert actions.end_question(appointment_id=row.pk, by=SYSTEM, at=moment(TOMORROW, 7, 30))

    row.refresh_from_db()
    assert (row.status, row.consent, row.doctor_name) == ("fulfilled", "agreed", "林若谷")
    assert bills.balance(bill_id=row.bill_id) == bills.Balance(ASSOCIATE, 1200, 1300)


def test_m1_09_silence_noticed_late_is_no_noshow() -> None:
    schedule = a_session((Title.ATTENDING, 1200))
    booked = a_paid_booking(schedule=schedule)
    (row,) = replace(schedule, a_colleague(schedule, Title.ATTENDING), booked)
    late = moment(TOMORROW, 13)

    assert actions.visits_to_end(at=late) == []
    assert actions.end_question(appointment_id=row.pk, by=SYSTEM, at=late)

    row.refresh_from_db()
    assert (row.status, row.cancel_reason) == ("cancelled", "hospital")


def test_m1_09_nobody_is_asked_whether_the_booked_doctor_may_come_back() -> None:
    schedule = a_session((Title.CHIEF, 5000))
    was = schedule.practitioner
    assert was is not None
    booked = a_paid_booking(schedule=schedule)
    (row,) = replace(schedule, a_colleague(schedule, Title.CHIEF), booked)
    meanwhile = a_paid_booking(schedule=schedule)  # who booked the chief is asked

    kept, asked = replace(schedule, was, row, meanwhile)

    assert (kept.consent, kept.doctor_name, kept.status) == ("told", "陈知行", "booked")
    assert (asked.consent, asked.status) == ("asked", "booked")
    assert bills.balance(bill_id=row.bill_id) == bills.Balance(ASSOCIATE, ASSOCIATE, 0)
    assert [fields["change"] for fields in told(row)] == ["陈知行→林若谷", "林若谷→陈知行"]


def test_m1_09_who_pays_on_arrival_pays_no_more_than_the_substitute_costs() -> None:
    schedule = a_session((Title.CHIEF, 1800))
    Slot.objects.filter(schedule=schedule).update(pool=Pool.PUBLIC)
    booked = actions.book(
        patient_id=a_patient().pk,
        schedule_id=schedule.pk,
        band_id=None,
        channel=Channel.REFERRAL,
        paid_when=PaidWhen.ARRIVAL,
        key="referral",
        by=OFFICE,
        at=NOW,
    )
    (row,) = replace(schedule, a_colleague(schedule, Title.CHIEF), booked)
    shown = queries.appointment(number=row.number, at=NOW)
    assert (shown.money, shown.total_fen) == (MoneyState.UNPAID, ASSOCIATE)

    pay(row.bill)
    actions.confirm(bill_id=row.bill_id, by=SYSTEM, at=NOW)
    assert actions.settle_substitution_one(appointment_id=row.pk, by=SYSTEM, at=NOW)
    assert not actions.settle_substitution_one(appointment_id=row.pk, by=SYSTEM, at=NOW)

    assert bills.balance(bill_id=row.bill_id) == bills.Balance(ASSOCIATE, 1800, 700)
    assert len(told(row)) == 1


def test_m1_09_a_yes_to_a_doctor_who_was_replaced_since_is_none() -> None:
    schedule = a_session((Title.ATTENDING, 1200))
    booked = a_paid_booking(schedule=schedule)
    first = a_colleague(schedule, Title.ATTENDING)
    (row,) = replace(schedule, first, booked)
    (row,) = replace(schedule, a_colleague(schedule, Title.ATTENDING, "周明远"), row)

    with pytest.raises(Stale):
        actions.answer_substitution(
            number=row.number, agrees=True, doctor_id=first.pk, by=PATIENT, at=NOW
        )

    row.refresh_from_db()
    assert (row.consent, row.status) == ("asked", "booked")
    assert bills.balance(bill_id=row.bill_id) == bills.Balance(ASSOCIATE, ASSOCIATE, 0)


def test_m1_09_only_a_clear_no_gives_a_number_back() -> None:
    schedule = a_session((Title.ATTENDING, 1200))
    booked = a_paid_booking(schedule=schedule)
    (row,) = replace(schedule, a_colleague(schedule, Title.ATTENDING), booked)
    clerk = staff_client(Role.REGISTRATION_CLERK)

    answer = clerk.post(reverse("registration-answer-for", args=[row.number]), {})

    assert answer.status_code == 422
    row.refresh_from_db()
    assert (row.consent, row.status) == ("asked", "booked")


def test_m1_09_two_clerks_do_not_put_two_doctors_there() -> None:
    schedule = a_session()
    was = schedule.practitioner_id
    first, second = (a_colleague(schedule, Title.CHIEF, name) for name in ("林若谷", "周明远"))
    other = a_released_schedule(department=schedule.department)
    form = {"code": "meeting", "note": "", "seen": str(was)}

    with time_machine.travel(NOW, tick=False):
        office = staff_client(Role.OUTPATIENT_OFFICE)
        page = reverse("registration-substitute", args=[schedule.pk])
        both = office.post(page, form | {"doctor": str(first.pk), "other": str(other.pk)})
        assert "只能选一项，请重新选" in both.content.decode()
        assert f'value="{first.pk}" checked' not in " ".join(both.content.decode().split())
        assert office.post(page, form | {"doctor": str(first.pk)}).status_code == 302
        late = office.post(page, form | {"doctor": str(second.pk)})

    assert late.status_code == 422
    assert "刚刚换过" in late.content.decode()
    schedule.refresh_from_db()
    assert (schedule.practitioner_id, schedule.planned_practitioner_id) == (first.pk, was)
