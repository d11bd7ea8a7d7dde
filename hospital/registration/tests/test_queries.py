"""Bookings are shown to whom they belong, ready for the page, in two statements."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hospital.billing.states import MoneyState
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import NotFound
from hospital.patients import actions as patients
from hospital.registration import actions, queries
from hospital.registration.states import AppointmentStatus
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, band_of, moment

pytestmark = pytest.mark.django_db


def test_a_row_carries_all_a_page_shows() -> None:
    schedule = a_released_schedule(capacity=8)
    user = a_wechat_user()
    patient = a_patient(user, name="陈晓宁")
    booked = a_paid_booking(
        user=user, patient=patient, schedule=schedule, band=band_of(schedule, 1)
    )

    row = queries.appointment_for(wechat_user_id=user.pk, number=booked.number, at=NOW)

    assert (row.patient_name, row.doctor, row.title_label) == ("陈晓宁", "陈知行", "主任医师")
    assert (row.department, row.service_name) == ("针灸推拿科", "专家门诊")
    assert row.place == f"门诊楼3楼东侧 {schedule.room.name}"
    assert (row.period_label, row.sequence_no) == ("上午", 3)
    assert (row.band_starts_at, row.band_ends_at) == (moment(TOMORROW, 9), moment(TOMORROW, 10))
    assert (row.status, row.money, row.total_fen) == ("booked", MoneyState.PAID, 2500)
    assert (row.can_cancel, row.cancel_note) == (
        True,
        "11月23日 24:00 前可免费退号，费用原路退回。",
    )
    assert row.is_upcoming


def test_m1_07_the_row_says_how_it_can_be_cancelled_or_why_not() -> None:
    booked = a_paid_booking()
    unpaid = a_booking()

    def note(number: str, at: dt.datetime) -> tuple[bool, str]:
        row = queries.appointment(number=number, at=at)
        return row.can_cancel, row.cancel_note

    assert note(unpaid.number, NOW) == (True, "尚未支付，可直接取消。")
    assert note(booked.number, moment(TOMORROW, 7))[0]
    can, why = note(booked.number, moment(TOMORROW, 8))
    assert not can
    assert "请到挂号窗口办理" in why
    actions.cancel(number=booked.number, by=Actor("patient", 1), at=NOW)
    row = queries.appointment(number=booked.number, at=NOW)
    assert (row.can_cancel, row.cancel_note) == (False, "")
    assert (row.money, row.refund_due_fen) == (MoneyState.REFUNDING, 2500)


def test_x15_bookings_are_shown_to_their_user_and_those_bound_to_the_patient_only() -> None:
    mother, father, stranger = a_wechat_user(), a_wechat_user(), a_wechat_user()
    number = a_patient(mother).identifiers.get().value
    child = a_patient(father, document_no=number)
    booked = a_paid_booking(user=mother, patient=child)

    for user in (mother, father):
        found = queries.appointments_for(wechat_user_id=user.pk, at=NOW)
        assert [row.number for row in found] == [booked.number]
    assert queries.appointments_for(wechat_user_id=stranger.pk, at=NOW) == []
    for user_id, wanted in ((stranger.pk, booked.number), (mother.pk, "nope")):
        with pytest.raises(NotFound):
            queries.appointment_for(wechat_user_id=user_id, number=wanted, at=NOW)
    with pytest.raises(NotFound):
        queries.appointment(number="nope", at=NOW)


def test_m11_2_history_stays_with_the_patient_not_with_whoever_booked() -> None:
    mother, father = a_wechat_user(), a_wechat_user()
    person = a_patient(mother)
    a_patient(father, document_no=person.identifiers.get().value)
    booked = a_paid_booking(user=father, patient=person)
    patients.remove_binding(
        wechat_user_id=father.pk, number=person.outpatient_no, by=SYSTEM, at=NOW
    )

    assert queries.appointments_for(wechat_user_id=father.pk, at=NOW) == []
    with pytest.raises(NotFound):
        queries.appointment_for(wechat_user_id=father.pk, number=booked.number, at=NOW)
    (kept,) = queries.appointments_for(wechat_user_id=mother.pk, at=NOW)
    assert (kept.number, kept.status) == (booked.number, "booked")


def test_what_is_to_come_stands_first_and_soonest_first() -> None:
    user = a_wechat_user()
    later, sooner, gone = (
        a_paid_booking(
            user=user,
            patient=a_patient(user),
            schedule=a_released_schedule(day=TOMORROW + dt.timedelta(days=ahead)),
        )
        for ahead in (3, 0, 1)
    )
    actions.cancel(number=gone.number, by=Actor("patient", user.pk), at=NOW)

    rows = queries.appointments_for(wechat_user_id=user.pk, at=NOW)

    assert [row.number for row in rows] == [sooner.number, later.number, gone.number]
    assert [row.is_upcoming for row in rows] == [True, True, False]


def test_the_desk_finds_a_booking_by_number_bill_name_pinyin_phone_and_document() -> None:
    user = a_wechat_user()
    patient = a_patient(user, name="陈晓宁", phone="13900139000")
    document_no = patient.identifiers.get().value
    booked = a_paid_booking(user=user, patient=patient)
    a_paid_booking(patient=a_patient(name="王大力", phone="13900139001"))

    typed = [
        booked.number,
        booked.bill.number,
        booked.bill.number.lower(),
        "陈晓",
        "chenxiao",
        "cxn",
        "13900139000",
        document_no,
        patient.outpatient_no,
    ]
    for text in typed:
        found = queries.search(text=text, at=NOW)
        assert [row.number for row in found] == [booked.number], text
    assert queries.search(text=" ", at=NOW) == []
    assert queries.search(text="陈晓", at=NOW, day=TOMORROW + dt.timedelta(days=1)) == []


def test_a_session_lists_its_bookings_by_number() -> None:
    schedule = a_released_schedule(capacity=8)
    second = a_booking(schedule=schedule, band=band_of(schedule, 1))
    first = a_booking(schedule=schedule)

    rows = queries.appointments_of_schedule(schedule_id=schedule.pk, at=NOW)

    assert [row.number for row in rows] == [first.number, second.number]
    found = queries.appointment_of_bill(bill_id=first.bill_id, at=NOW)
    assert found is not None
    assert found.number == first.number
    assert queries.appointment_of_bill(bill_id=0, at=NOW) is None


def test_the_history_tells_every_move_of_the_booking_and_its_bill() -> None:
    user = a_wechat_user()
    booked = a_paid_booking(user=user, patient=a_patient(user))
    actions.cancel(number=booked.number, by=Actor("patient", user.pk), at=NOW)

    steps = queries.history_of(appointment_id=booked.pk)

    assert [(step.subject, step.to_label) for step in steps] == [
        ("预约", "待支付"),
        ("预约", "已预约"),
        ("预约", "已取消"),
        ("账单", "已支付"),
    ]
    assert [step.by for step in steps[:3]] == [
        f"patient:{user.pk}",
        str(SYSTEM),
        f"patient:{user.pk}",
    ]
    assert steps[2].reason == "患者退号"


@pytest.mark.parametrize("count", [3, 30])
def test_law_13_a_list_takes_two_statements_at_any_length(count: int) -> None:
    user = a_wechat_user()
    schedule = a_released_schedule(capacity=40, band_minutes=240)
    for _ in range(count):
        other = a_wechat_user()
        number = a_patient(other).identifiers.get().value
        booked = a_paid_booking(user=other, schedule=schedule)
        assert number
        booked.patient.bindings.create(
            wechat_user=user, relationship="other", consent_version="1", consented_at=NOW
        )

    with CaptureQueriesContext(connection) as context:
        rows = queries.appointments_for(wechat_user_id=user.pk, at=NOW)

    assert len(rows) == count
    assert {row.status for row in rows} == {AppointmentStatus.BOOKED}
    assert len(context) == 2
