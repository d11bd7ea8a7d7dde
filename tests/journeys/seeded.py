"""A hospital in which everything that is private about one patient has been written somewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from django.test import Client

from hospital.desk.tests.world import a_booking_paid_by_wechat, a_case
from hospital.identity.models import StaffAccount, WeChatUser
from hospital.identity.states import Role
from hospital.kernel import clock, settings_rows
from hospital.kernel.actors import SYSTEM, Actor
from hospital.messaging.models import CallTask, InboundMessage, Message
from hospital.messaging.states import Channel, Reason
from hospital.messaging.tests.world import a_message, ends, fails
from hospital.patients import actions as patients
from hospital.patients.models import Patient
from hospital.payments import actions as payments
from hospital.payments.models import OfflineTransfer, Payment, PaymentCase, RefundRequest
from hospital.payments.thresholds import APPROVAL_ABOVE_FEN
from hospital.registration.models import Appointment
from hospital.testing.bookings import a_booking
from hospital.testing.people import PASSWORD, a_patient, a_resident_id, a_staff, a_wechat_user
from hospital.testing.schedules import NOW

NAME: Final = "慕容雪晴"
PHONE: Final = "13912345678"
ADDRESS: Final = "鹤山市沙坪街道新城路七十八号三零二房"
ACCOUNT: Final = "6217003320012345678"
SAID: Final = f"我住{ADDRESS}，电话{PHONE}"


@dataclass
class Seeded:
    """One patient's rows in every corner, and who of the staff made them."""

    user: WeChatUser
    patient: Patient
    document_no: str
    clerk: StaffAccount
    asker: StaffAccount
    booking: Appointment
    payment: Payment
    request: RefundRequest
    case: PaymentCase
    transfer: OfflineTransfer
    message: Message
    call: CallTask
    private: list[str] = field(default_factory=list)


def seeded_hospital() -> Seeded:
    """Booked, paid, asked back, gone wrong, told, called, written, logged in and mistyped."""
    user, document_no = a_wechat_user(), a_resident_id()
    patient = a_patient(user, name=NAME, phone=PHONE, document_no=document_no, at=NOW)
    clerk = a_staff(Role.REGISTRATION_CLERK)
    asker = a_staff(Role.CASHIER_SUPERVISOR)
    by = Actor("staff", clerk.pk)
    patients.correct(
        patient_id=patient.pk,
        phone=PHONE,
        address=ADDRESS,
        ethnic_group="",
        name_note="",
        reason="本人告知",
        by=by,
        at=clock.now(),
    )
    settings_rows.set_value(setting=APPROVAL_ABOVE_FEN, value=100, by=SYSTEM, at=clock.now())
    booking, payment = a_booking_paid_by_wechat(a_booking(patient=patient, user=user, at=NOW))
    request = payments.propose_refund(
        bill_id=booking.bill_id,
        charge_ids=list(booking.bill.charges.values_list("pk", flat=True)),
        shown_fen=booking.bill.total_fen,
        reason="项目未做",
        key="seeded",
        by=Actor("staff", asker.pk),
        at=clock.now(),
    )
    case = PaymentCase.objects.get(pk=a_case(payment))
    transfer = OfflineTransfer.objects.create(
        case=case,
        payment=payment,
        amount_fen=100,
        payee=NAME,
        payee_account=ACCOUNT,
        reason="银行卡已注销",
        proof="B20261123001",
        asked_by=f"staff:{asker.pk}",
        asked_at=clock.now(),
    )
    message, call = _told(user, patient)
    InboundMessage.objects.create(
        fingerprint="seeded",
        wechat_user=user,
        kind="text",
        content=SAID,
        said_at=clock.now(),
        received_at=clock.now(),
    )
    _mistyped(clerk, document_no)
    return Seeded(
        user=user,
        patient=patient,
        document_no=document_no,
        clerk=clerk,
        asker=asker,
        booking=booking,
        payment=payment,
        request=request,
        case=case,
        transfer=transfer,
        message=message,
        call=call,
        private=[document_no, PHONE, ADDRESS, ACCOUNT, SAID],
    )


def _told(user: WeChatUser, patient: Patient) -> tuple[Message, CallTask]:
    message = a_message("N06", user, patient=patient)
    fails(message, Channel.TEMPLATE, Reason.BLOCKED)
    fails(message, Channel.SMS, Reason.SMS_REFUSED)
    ends(message)
    return message, CallTask.objects.get(message=message)


def _mistyped(clerk: StaffAccount, document_no: str) -> None:
    """Somebody at the log-in page puts the patient's number where the user name belongs."""
    browser = Client()
    for username, password in ((document_no, PHONE), (clerk.username, PASSWORD)):
        browser.post("/staff/login/", {"username": username, "password": password})
