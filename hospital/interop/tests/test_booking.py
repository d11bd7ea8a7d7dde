"""Booking and cancelling over HTTP: what a partner's patient gets, and what is refused."""

from __future__ import annotations

import pytest

from hospital.identity.states import Role
from hospital.interop.models import PartnerBooking
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus, PaidWhen
from hospital.scheduling.models import Slot
from hospital.scheduling.states import Channel, SlotStatus
from hospital.testing.partners import Program, a_partner, a_person, a_wish, free_slots
from hospital.testing.people import (
    a_patient,
    a_resident_id,
    a_wechat_user,
    patient_client,
    staff_client,
)
from hospital.testing.schedules import a_released_schedule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def test_a_partner_finds_books_reads_and_cancels() -> None:
    session = a_released_schedule()
    program = Program(a_partner())
    shown = program.get("/Slot", {"schedule": f"Schedule/{session.pk}", "status": "free"}).body
    slot = shown["entry"][2]["resource"]

    answer = program.book(a_wish(int(slot["id"]), reference="order-1"))

    assert answer.status == 201, answer.body
    made = Appointment.objects.get()
    assert answer.headers["Location"] == f"http://testserver/fhir/R4/Appointment/{made.number}"
    assert (made.channel, made.paid_when, made.status) == (
        Channel.PARTNER,
        PaidWhen.ARRIVAL,
        AppointmentStatus.BOOKED,
    )
    assert (made.slot_id, made.source) == (int(slot["id"]), program.partner.code)
    assert PartnerBooking.objects.get().reference == "order-1"
    assert program.get(f"/Appointment/{made.number}").body == answer.body

    gone = program.cancel(made.number, cancelationReason={"text": "时间不合适"})

    assert (gone.status, gone.body["status"]) == (200, "cancelled")
    assert Slot.objects.get(pk=made.slot_id).status == SlotStatus.RECLAIM_WAIT
    assert free_slots(session)[0] != made.slot_id


def test_m1_13_the_patients_page_says_to_pay_on_arrival() -> None:
    user, number = a_wechat_user(), a_resident_id()
    a_patient(user, name="顾小满", phone="13900139000", document_no=number)
    wish = a_wish(free_slots(a_released_schedule())[0], person=a_person(document_no=number))
    made = Program(a_partner()).book(wish).body["id"]

    page = patient_client(user).get(f"/m/appointments/{made}/").content.decode()
    desk = staff_client(Role.OUTPATIENT_OFFICE).get(f"/staff/appointments/{made}/")

    assert "到院支付：请携带证件，在 11月24日 08:00 前到挂号窗口或自助机支付 ¥25.00 并取号" in page
    assert "您还没有付款，没有费用要退。" in page
    assert "退回付款账户" not in page
    assert "外部平台" in desk.content.decode()
    assert "到院支付" in desk.content.decode()
