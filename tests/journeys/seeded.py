"""A hospital in which everything that is private about one patient has been written somewhere."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Final

from django.test import Client

from hospital.desk.tests.world import a_booking_paid_by_wechat, a_case
from hospital.identity import actions as identity
from hospital.identity import one_time_codes
from hospital.identity.actions.second_factor import enrol
from hospital.identity.models import StaffAccount, WeChatUser
from hospital.identity.states import Role
from hospital.kernel import audit, clock, settings_rows
from hospital.kernel.actors import SYSTEM, Actor
from hospital.messaging.models import CallTask, InboundMessage, Message
from hospital.messaging.states import Channel, Reason
from hospital.messaging.tests.world import a_message, ends, fails
from hospital.patients import actions as patients
from hospital.patients.actions import Facts, Judgement
from hospital.patients.models import Patient
from hospital.patients.states import DocumentKind, Relationship, Sex, VerificationMethod
from hospital.payments import actions as payments
from hospital.payments.models import OfflineTransfer, Payment, PaymentCase, RefundRequest
from hospital.payments.thresholds import APPROVAL_ABOVE_FEN
from hospital.registration import actions as registration
from hospital.registration.models import Appointment
from hospital.scheduling.states import Pool
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.jobs import run_jobs
from hospital.testing.partners import Program, a_partner, a_person, a_wish, free_slots
from hospital.testing.people import PASSWORD, a_patient, a_resident_id, a_staff, a_wechat_user
from hospital.testing.schedules import (
    NOW,
    a_released_schedule,
    an_unreleased_schedule,
    moment,
)
from hospital.testing.waiting import a_full_schedule, a_waiting
from hospital.window import actions as window

NAME: Final = "慕容雪晴"
PHONE: Final = "13912345678"
ADDRESS: Final = "鹤山市沙坪街道新城路七十八号三零二房"
ACCOUNT: Final = "6217003320012345678"
RELATIVES_PHONE: Final = "13987654321"
PLATFORMS_PHONE: Final = "13976543210"
STAFF_PHONE: Final = "13711112222"
PASSPORT: Final = "E81726354"
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


def everything_else(seeded: Seeded) -> None:
    """What else is kept about this patient and hers: on the phone, at the card desk, by a doctor;
    each row by the action that makes it."""
    by, at = Actor("staff", seeded.clerk.pk), clock.now()
    own = Actor("patient", seeded.user.pk)
    number = seeded.patient.outpatient_no
    patients.ask_copy(wechat_user_id=seeded.user.pk, number=number, by=own, at=at)
    assert run_jobs(only="portal.jobs.make_copy") == []
    patients.show_pass(wechat_user_id=seeded.user.pk, number=number, by=own, at=at)
    relative = a_wechat_user()
    a_patient(relative, name="慕容雪松", phone=RELATIVES_PHONE, at=NOW)
    patients.ask_code(
        wechat_user_id=relative.pk,
        name=NAME,
        document_kind=DocumentKind.RESIDENT_ID,
        document_no=seeded.document_no,
        phone=PHONE,
        relationship=Relationship.SPOUSE,
        by=Actor("patient", relative.pk),
        at=at,
    )
    seeded.private += [RELATIVES_PHONE, STAFF_PHONE, PASSPORT]
    patients.issue_card(patient_id=seeded.patient.pk, number="", by=by, at=at)
    patients.register_newborn(
        mother_id=seeded.patient.pk,
        sex=Sex.FEMALE,
        birth_date=clock.hospital_day(at),
        birth_order="",
        key="seeded",
        by=by,
        at=at,
    )
    again = Facts(
        name=NAME,
        document_kind=DocumentKind.PASSPORT,
        document_no=PASSPORT,
        phone=PHONE,
        address=ADDRESS,
        sex=Sex.FEMALE,
        birth_date=seeded.patient.birth_date,
    )
    other = patients.find_or_create(
        facts=again,
        method=VerificationMethod.HAND,
        key="seeded",
        by=by,
        at=at,
        judgement=Judgement(reason="同名同日出生，本人说没有来过", seen={seeded.patient.pk}),
    )
    patients.report_same(
        patient_id=other.patient_id,
        other_id=seeded.patient.pk,
        reason="后来认出是同一人",
        by=by,
        at=at,
    )
    doctor = a_staff(Role.DOCTOR)
    identity.break_glass(
        account=doctor,
        patient_id=seeded.patient.pk,
        reason="患者昏迷，需要核对既往用药和过敏史",
        by=Actor("staff", doctor.pk),
        at=at,
    )
    _waits(seeded, at)
    _stayed_away(seeded, at)
    _booked_by_a_platform(seeded, at)
    _at_the_window(at)
    _known_staff(at)
    audit.seal_entries(at=at)
    audit.keep(audit.verify(at=at), at=at)


def _waits(seeded: Seeded, at: dt.datetime) -> None:
    """In line for a full session, and for a release; a visit is shared by its link."""
    line, _ = a_full_schedule(day=clock.hospital_day(at) + dt.timedelta(days=3), at=at)
    a_waiting(line, user=seeded.user, patient=seeded.patient, at=at)
    coming = an_unreleased_schedule(at=at)
    registration.watch_release(wechat_user_id=seeded.user.pk, schedule_id=coming.pk, at=at)
    own = Actor("patient", seeded.user.pk)
    registration.share(number=seeded.booking.number, by=own, at=at)


def _stayed_away(seeded: Seeded, at: dt.datetime) -> None:
    """Three times nobody came, so that booking stops for a while; the patient objects, and says
    what is nobody's business."""
    own = Actor("patient", seeded.user.pk)
    for ago in (20, 12, 4):
        then = at - dt.timedelta(days=ago)
        day = clock.hospital_day(then)
        morning = moment(day, 7)
        schedule = a_released_schedule(day=day, at=morning)
        missed = a_paid_booking(
            patient=seeded.patient, user=seeded.user, schedule=schedule, at=morning
        )
        registration.end_visit(appointment_id=missed.pk, by=SYSTEM, at=moment(day, 13))
    registration.appeal(
        number=missed.number,
        wechat_user_id=seeded.user.pk,
        text=f"{SAID}，可以打 {PHONE} 核实",
        by=own,
        at=at,
    )


def _booked_by_a_platform(seeded: Seeded, at: dt.datetime) -> None:
    """Somebody comes through an outside platform, which once names this patient wrongly."""
    document_no = a_resident_id()
    seeded.private += [document_no, PLATFORMS_PHONE]
    program = Program(a_partner(at=at), at=at)
    slots = free_slots(a_released_schedule(at=at))
    told = a_person(name="上官云", document_no=document_no, phone=PLATFORMS_PHONE)
    assert program.book(a_wish(slots[0], person=told)).status == 201
    wrong = a_person(name="上官云", document_no=seeded.document_no, phone=PHONE)
    assert program.book(a_wish(slots[1], person=wrong)).codes == ["IDENTITY_NOT_CONFIRMED"]


def _at_the_window(at: dt.datetime) -> None:
    """Somebody pays cash at the window for a number, gets a slip, and comes to a kiosk."""
    person, clerk = a_patient(name="司徒浩然", at=at), a_staff(Role.REGISTRATION_CLERK)
    row = window.register(
        patient_id=person.pk,
        schedule_id=a_released_schedule(shares={Pool.WINDOW: 16}, at=at).pk,
        band_id=None,
        may_register=True,
        key="window",
        by=Actor("staff", clerk.pk),
        at=at,
    )
    payments.take_cash(
        bill_id=row.bill_id,
        shown_fen=row.bill.total_fen,
        tendered_fen=5000,
        key="cash",
        by=Actor("staff", clerk.pk),
        at=at,
    )
    window.hand_over(number=row.number, by=Actor("staff", clerk.pk), at=at)
    window.print_slip(number=row.number, key="slip", by=Actor("staff", clerk.pk), at=at)
    kiosk, _ = identity.add_device(name="大厅9号机", place="1楼", by=SYSTEM, at=at)
    machine = Actor("device", kiosk.pk)
    window.begin_visit(text=person.outpatient_no, device_id=kiosk.pk, by=machine, at=at)


def _known_staff(at: dt.datetime) -> None:
    """A member of staff with a phone of their own, as second step and for alerts."""
    account = identity.open_account(
        username="zhaoyun",
        display_name="赵云",
        phone=STAFF_PHONE,
        practitioner_id=None,
        initial_password=PASSWORD,
        by=SYSTEM,
        at=at,
    )
    secret = one_time_codes.new_secret()
    enrol(
        account=account,
        secret=secret,
        code=one_time_codes.code_of(secret, one_time_codes.step_at(at)),
        address="127.0.0.1",
        by=SYSTEM,
        at=at,
    )
