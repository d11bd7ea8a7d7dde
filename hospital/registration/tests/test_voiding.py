"""登记有误: what was never meant is void, and leaves nothing behind (SM3)."""

import datetime as dt
from http import HTTPStatus

import pytest
import time_machine
from django.urls import reverse

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.identity.states import Role
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid, Refusal
from hospital.kernel.models import AuditEntry
from hospital.messaging.models import Message
from hospital.registration import actions
from hospital.registration.actions import CannotVoid
from hospital.registration.models import Appointment
from hospital.registration.tests.refusals import rows
from hospital.scheduling import actions as scheduling
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.people import patient_client, staff_client
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, moment

pytestmark = pytest.mark.django_db
CLERK = Actor("staff", 5)
MORNING = moment(TOMORROW, 7, 40)
OVER = moment(TOMORROW, 12, 30)


def now(row: Appointment) -> Appointment:
    return Appointment.objects.select_related("slot", "bill").get(pk=row.pk)


def void(row: Appointment, *, reason: str = "挂错了人", at: dt.datetime = NOW) -> Appointment:
    return actions.enter_in_error(number=row.number, reason=reason, by=CLERK, at=at)


def refused(row: Appointment, refusal: type[Refusal], *, reason: str = "挂错了人") -> None:
    before, was = rows(), now(row).status
    with pytest.raises(refusal):
        void(row, reason=reason, at=OVER)
    assert (rows(), now(row).status) == (before, was)


@pytest.mark.parametrize("has_come", [False, True])
def test_sm3_n05_a_booking_never_meant_is_void_and_all_goes_back(*, has_come: bool) -> None:
    row = a_paid_booking()
    if has_come:
        actions.check_in(number=row.number, by=CLERK, at=MORNING)
    refused(row, Invalid, reason=" ")

    void(row, at=MORNING)

    gone = now(row)
    assert (gone.status, gone.slot.status) == ("entered_in_error", "reclaim_wait")
    assert (gone.cancel_reason, gone.is_late_cancel) == ("", False)
    assert bills.refund_due_fen(bill_id=row.bill_id) == 2500
    (message,) = Message.objects.filter(kind="N05")
    assert (message.fields["refund"], message.fields["arrival"]) == (
        "¥25.00",
        "原路退回，以微信到账为准",
    )
    (entry,) = AuditEntry.objects.filter(act="registration.enter_in_error")
    assert entry.reason == "挂错了人"
    refused(row, CannotVoid)


def test_sm3_m1_04_what_is_void_counts_for_no_limit() -> None:
    row = a_paid_booking()
    void(row)

    again = a_paid_booking(patient=row.patient, schedule=row.schedule)

    assert (again.status, again.schedule_id) == ("booked", row.schedule_id)


def test_sm3_an_unpaid_number_is_free_at_once_and_money_that_comes_all_the_same_goes_back() -> None:
    row = a_booking()
    billing.start_paying(bill_id=row.bill_id, by=SYSTEM, at=NOW)

    void(row)
    billing.settle_bill(
        bill_id=row.bill_id, method="wechat", amount_fen=2500, reference="wx", by=SYSTEM, at=NOW
    )
    actions.confirm(bill_id=row.bill_id, by=SYSTEM, at=NOW)

    assert (now(row).status, now(row).slot.status) == ("entered_in_error", "free")
    assert bills.refund_due_fen(bill_id=row.bill_id) == 2500
    assert not Message.objects.filter(kind="N05").exists()


def test_sm3_m1_10_a_noshow_never_meant_counts_no_more_and_a_visit_stands() -> None:
    missed, seen = a_paid_booking(), a_paid_booking()
    actions.start_visit(number=seen.number, by=CLERK, at=MORNING)
    actions.end_visit(appointment_id=missed.pk, by=SYSTEM, at=OVER)
    assert now(missed).status == "noshow"

    void(missed, at=OVER)

    assert (now(missed).status, now(missed).slot.status) == ("entered_in_error", "forfeited")
    assert bills.refund_due_fen(bill_id=missed.bill_id) == 2500
    refused(seen, CannotVoid)
    assert bills.refund_due_fen(bill_id=seen.bill_id) == 0


def test_sm3_the_desk_voids_with_a_reason_and_only_the_office_after_the_session() -> None:
    with time_machine.travel(NOW, tick=False):
        row, unseen = a_paid_booking(), a_paid_booking(schedule=a_released_schedule())
        clerk, office = (
            staff_client(Role.REGISTRATION_CLERK),
            staff_client(Role.OUTPATIENT_OFFICE),
        )
        void_url = reverse("registration-void", args=[row.number])
        assert (
            void_url in clerk.get(reverse("desk-appointment", args=[row.number])).content.decode()
        )
        assert clerk.post(void_url, {"reason": ""}).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert now(row).status == "booked"
        clerk.post(void_url, {"reason": "挂错医生"})
        assert now(row).status == "entered_in_error"
        own = patient_client(row.patient.bindings.get().wechat_user)
        page = own.get(reverse("registration-appointment", args=[row.number])).content.decode()
        assert "医院登记时弄错了" in page
        assert "正在原路退回" in page

        actions.check_in(number=unseen.number, by=CLERK, at=MORNING)
        scheduling.close_session(
            schedule_id=unseen.schedule_id, reason="x", by=CLERK, at=unseen.schedule.ends_at
        )
        actions.end_visit(appointment_id=unseen.pk, by=SYSTEM, at=OVER)
        late = reverse("registration-void", args=[unseen.number])
        clerk.post(late, {"reason": "挂错人"})
        assert now(unseen).status == "left_unseen"
        office.post(late, {"reason": "挂错人"})
        assert now(unseen).status == "entered_in_error"
