"""Pages about the day of the visit, restrictions, appeals, add-ons and emergencies, over HTTP."""

import datetime as dt
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from hospital.billing import queries as bills
from hospital.catalogue.states import ServiceKind
from hospital.identity.states import Role
from hospital.kernel.actors import SYSTEM
from hospital.kernel.models import AuditEntry
from hospital.patients.models import Patient
from hospital.registration import actions
from hospital.registration.models import Appeal, Appointment, BookingRestriction
from hospital.registration.states import Acuity
from hospital.scheduling import actions as scheduling
from hospital.scheduling.models import Schedule
from hospital.scheduling.states import Pool
from hospital.testing.bookings import a_paid_booking
from hospital.testing.organisation import a_department, a_practitioner, a_service_type
from hospital.testing.people import (
    a_patient,
    a_staff,
    a_wechat_user,
    patient_client,
    staff_client,
)
from hospital.testing.schedules import NOW, a_released_schedule, band_of, moment

pytestmark = pytest.mark.django_db
TODAY = NOW.date()
DAYS = (dt.date(2026, 11, 2), dt.date(2026, 11, 10), dt.date(2026, 11, 20))
SAID = "当天已到科室就诊，护士没有给我签到。"


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def missed(patient: Patient, day: dt.date = DAYS[-1]) -> Appointment:
    at = moment(day, 7)
    row = a_paid_booking(patient=patient, schedule=a_released_schedule(day=day, at=at), at=at)
    actions.end_visit(appointment_id=row.pk, by=SYSTEM, at=moment(day, 13))
    return Appointment.objects.get(pk=row.pk)


def own(patient: Patient) -> Client:
    return patient_client(patient.bindings.get().wechat_user)


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def status_of(row: Appointment) -> str:
    return Appointment.objects.get(pk=row.pk).status


def test_m1_10_the_patient_appeals_once_and_reads_the_answer() -> None:
    patient = a_patient(a_wechat_user())
    row, phone = missed(patient), own(patient)
    page = reverse("registration-appeal", args=[row.number])

    assert "记为爽约" in text_of(phone.get(reverse("registration-appointment", args=[row.number])))
    for bad in ({}, {"text": "  "}, {"text": "长" * 301}):
        answer = phone.post(page, bad)
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "不超过 300 字" in text_of(answer)
    assert not Appeal.objects.exists()
    assert phone.post(page, {"text": SAID}).status_code == HTTPStatus.FOUND
    assert phone.post(page, {"text": SAID}).status_code == HTTPStatus.FOUND
    assert phone.post(page, {"text": "另一种说法"}).status_code == HTTPStatus.CONFLICT
    appeal = Appeal.objects.get()
    assert "待处理" in text_of(phone.get(page))

    desk = staff_client(Role.OUTPATIENT_OFFICE)
    assert SAID in text_of(desk.get(reverse("registration-appeals")))
    decide = reverse("registration-decide-appeal", args=[appeal.pk])
    assert "患者说" in text_of(desk.get(decide))
    for bad in ({}, {"verdict": "there"}, {"answer": "好"}, {"verdict": "yes", "answer": "好"}):
        assert desk.post(decide, bad).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert (status_of(row), Appeal.objects.get().status) == ("noshow", "open")
    filled = {"verdict": "there", "answer": "已核实，当天确已就诊。"}
    assert desk.post(decide, filled).status_code == HTTPStatus.FOUND
    again = desk.post(decide, filled)
    assert again.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "这个申诉已经有人处理。" in text_of(again)

    assert status_of(row) == "booked"
    shown = text_of(phone.get(page))
    assert "已采纳" in shown
    assert "已核实，当天确已就诊。" in shown
    assert AuditEntry.objects.filter(act="registration.decide_appeal").count() == 1


def test_m1_10_an_excused_noshow_is_refunded_and_a_rejected_one_stands() -> None:
    people = [a_patient(a_wechat_user()) for _ in range(2)]
    excused, rejected = (missed(person) for person in people)
    desk = staff_client(Role.OUTPATIENT_OFFICE)
    for row, person, verdict in zip((excused, rejected), people, ("excused", "no"), strict=True):
        own(person).post(reverse("registration-appeal", args=[row.number]), {"text": SAID})
        decide = reverse("registration-decide-appeal", args=[Appeal.objects.latest("pk").pk])
        desk.post(decide, {"verdict": verdict, "answer": "已核对记录"})

    assert (status_of(excused), status_of(rejected)) == ("cancelled", "noshow")
    assert bills.refund_due_fen(bill_id=excused.bill_id) == 2500
    assert bills.refund_due_fen(bill_id=rejected.bill_id) == 0
    assert "未采纳" in text_of(desk.get(reverse("registration-appeals") + "?show=decided"))


def test_m1_10_a_late_cancellation_is_appealed_and_no_longer_counts() -> None:
    patient = a_patient(a_wechat_user())
    schedule = a_released_schedule(day=TODAY, starts=dt.time(14), ends=dt.time(17))
    row, phone = a_paid_booking(patient=patient, schedule=schedule), own(patient)
    phone.post(reverse("registration-cancel", args=[row.number]))
    assert Appointment.objects.get().is_late_cancel

    phone.post(reverse("registration-appeal", args=[row.number]), {"text": "医生改了时间"})
    decide = reverse("registration-decide-appeal", args=[Appeal.objects.get().pk])
    staff_client(Role.OUTPATIENT_OFFICE).post(
        decide, {"verdict": "excused", "answer": "不计当日退号"}
    )

    row.refresh_from_db()
    assert (row.status, row.is_late_cancel) == ("cancelled", False)


def test_m1_10_there_is_nothing_to_appeal_or_it_is_too_late() -> None:
    patient = a_patient(a_wechat_user())
    fine, phone = a_paid_booking(patient=patient), own(patient)
    old = missed(patient, dt.date(2026, 10, 20))

    for row in (fine, old):
        page = reverse("registration-appeal", args=[row.number])
        assert "不能申诉" in text_of(phone.get(page))
        assert phone.post(page, {"text": SAID}).status_code == HTTPStatus.CONFLICT
    assert not Appeal.objects.exists()


def test_m1_10_the_patient_sees_the_standing_and_the_office_lifts_it() -> None:
    patient = a_patient(a_wechat_user())
    phone, page = own(patient), reverse("registration-standing", args=[patient.outpatient_no])
    assert "可以正常预约" in text_of(phone.get(page))
    for day in DAYS:
        missed(patient, day)
    shown = text_of(phone.get(page))
    assert "线上预约已暂停至 2月18日 12:00" in shown
    assert shown.count("爽约 · ") == 3

    desk, (row,) = staff_client(Role.OUTPATIENT_OFFICE), BookingRestriction.objects.all()
    lift = reverse("registration-lift", args=[row.pk])
    assert patient.outpatient_no in text_of(desk.get(reverse("registration-restrictions")))
    assert desk.post(lift, {"reason": " "}).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert desk.post(lift, {"reason": "住院期间"}).status_code == HTTPStatus.FOUND
    assert desk.post(lift, {"reason": "再来"}).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    shown = text_of(phone.get(page))
    assert "可以正常预约" in shown
    assert "解除：住院期间" in shown
    assert "住院期间" in text_of(desk.get(reverse("registration-restrictions")))


def today_session(**more: Any) -> Schedule:
    return a_released_schedule(
        day=TODAY, starts=dt.time(8), ends=dt.time(12), band_minutes=240, capacity=5, **more
    )


def test_sm3_the_nurse_checks_in_and_undoes_and_the_doctor_begins() -> None:
    schedule = today_session()
    row = a_paid_booking(schedule=schedule)
    nurse = staff_client(Role.TRIAGE_NURSE)
    page = reverse("desk-appointment", args=[row.number])

    assert "撤销签到" not in text_of(nurse.get(page))
    nurse.post(reverse("registration-check-in", args=[row.number]))
    assert status_of(row) == "checked_in"
    undo = reverse("registration-undo-check-in", args=[row.number])
    assert nurse.post(undo).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert status_of(row) == "checked_in"
    nurse.post(undo, {"reason": "签错人"})
    assert status_of(row) == "booked"

    begin = reverse("registration-begin", args=[row.number])
    other = a_released_schedule().practitioner
    stranger = staff_client(account=a_staff(Role.DOCTOR, practitioner=other))
    assert stranger.post(begin).status_code == HTTPStatus.NOT_FOUND
    assert status_of(row) == "booked"
    doctor = a_staff(
        Role.DOCTOR, department=schedule.department, practitioner=schedule.practitioner
    )
    mine = staff_client(account=doctor)
    assert "开始就诊" in text_of(mine.get(page))
    mine.post(begin)
    assert status_of(row) == "fulfilled"


def test_sm3_the_office_corrects_a_noshow_and_refunds_who_was_not_seen() -> None:
    desk = staff_client(Role.OUTPATIENT_OFFICE)
    row, unseen = missed(a_patient(a_wechat_user())), a_paid_booking(schedule=today_session())
    correct = reverse("registration-correct", args=[row.number])

    assert "更正爽约" in text_of(desk.get(reverse("desk-appointment", args=[row.number])))
    for bad in ({}, {"outcome": "there"}, {"reason": "x"}, {"outcome": "no", "reason": "x"}):
        assert desk.post(correct, bad).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert status_of(row) == "noshow"
    desk.post(correct, {"outcome": "there", "reason": "漏签到"})
    assert status_of(row) == "booked"

    actions.check_in(number=unseen.number, by=SYSTEM, at=NOW)
    scheduling.close_session(
        schedule_id=unseen.schedule_id, reason="下班", by=SYSTEM, at=unseen.schedule.ends_at
    )
    actions.end_visit(appointment_id=unseen.pk, by=SYSTEM, at=NOW + dt.timedelta(days=1))
    assert "未就诊退号退费" in text_of(desk.get(reverse("desk-appointment", args=[unseen.number])))
    desk.post(reverse("registration-unseen", args=[unseen.number]), {"reason": "医生离开"})
    assert status_of(unseen) == "cancelled"


def test_sm1_a_nurse_or_the_doctor_closes_a_session_in_which_somebody_still_waits() -> None:
    row = a_paid_booking(schedule=today_session())
    page = reverse("registration-close", args=[row.schedule_id])
    actions.check_in(number=row.number, by=SYSTEM, at=NOW)
    assert "还没有到结束时间" in text_of(staff_client(Role.TRIAGE_NURSE).get(page))

    with time_machine.travel(row.schedule.ends_at, tick=False):
        nurse = staff_client(Role.TRIAGE_NURSE)
        doctor = staff_client(account=a_staff(Role.DOCTOR, practitioner=row.practitioner))
        assert page in text_of(nurse.get(reverse("desk-board")))
        assert page in text_of(doctor.get(reverse("desk-my-sessions")))
        assert "1 人未就诊离开" in text_of(doctor.get(page))
        other = staff_client(account=a_staff(Role.DOCTOR, department=row.department))
        assert other.post(page, {"reason": "x"}).status_code == HTTPStatus.NOT_FOUND
        assert nurse.post(page, {"reason": " "}).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert Schedule.objects.get().status == "in_session"
        assert nurse.post(page, {"reason": "医生手术"}).status_code == HTTPStatus.FOUND
        assert Schedule.objects.get().status == "closed"
        assert "没有在进行" in text_of(nurse.get(page))


def test_sm3_where_no_doctor_is_named_any_of_the_department_begins() -> None:
    schedule = today_session()
    row = a_paid_booking(schedule=schedule)
    Schedule.objects.filter(pk=schedule.pk).update(practitioner=None)
    begin = reverse("registration-begin", args=[row.number])
    stranger, colleague = (
        staff_client(account=a_staff(Role.DOCTOR, practitioner=a_practitioner(department)))
        for department in (a_department(name="骨伤科"), schedule.department)
    )

    assert stranger.post(begin).status_code == HTTPStatus.NOT_FOUND
    assert status_of(row) == "booked"
    page = text_of(colleague.get(reverse("desk-appointment", args=[row.number])))
    assert "开始就诊" in page
    colleague.post(begin)
    assert status_of(row) == "fulfilled"


def test_sm1_the_nurse_calls_off_what_has_begun_and_nothing_else() -> None:
    schedule = today_session()
    row = a_paid_booking(schedule=schedule)
    nurse = staff_client(Role.TRIAGE_NURSE)
    stop, board = (
        reverse("registration-stop", args=[schedule.pk]),
        reverse("desk-board"),
    )
    form = {"code": "sick", "note": ""}
    Schedule.objects.filter(pk=schedule.pk).update(status="released")

    assert "还没有开诊" in text_of(nurse.get(stop))
    assert stop not in text_of(nurse.get(board))
    answer = nurse.post(stop, form)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "还没有开诊" in text_of(answer)
    assert (Schedule.objects.get().status, status_of(row)) == ("released", "booked")

    actions.check_in(number=row.number, by=SYSTEM, at=NOW)
    assert stop in text_of(nurse.get(board))
    assert nurse.post(stop, form).status_code == HTTPStatus.FOUND
    assert nurse.post(stop, form).status_code == HTTPStatus.FOUND
    assert Schedule.objects.get().status == "suspended"
    assert AuditEntry.objects.filter(act="scheduling.suspend").count() == 1
    result = nurse.get(reverse("registration-stopped", args=[schedule.pk]))
    assert result.status_code == HTTPStatus.OK
    again = nurse.post(reverse("registration-resume", args=[schedule.pk]), {"reason": "x"})
    assert again.status_code == HTTPStatus.FORBIDDEN


def test_m1_08_what_is_over_is_not_called_off_any_more() -> None:
    schedule = today_session()
    row = a_paid_booking(schedule=schedule)

    with time_machine.travel(schedule.ends_at, tick=False):
        answer = staff_client(Role.OUTPATIENT_OFFICE).post(
            reverse("registration-stop", args=[schedule.pk]), {"code": "sick", "note": ""}
        )

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert status_of(row) == "booked"
    assert not AuditEntry.objects.filter(act="scheduling.suspend").exists()


def test_m2_04_the_doctor_finds_the_patient_and_adds_a_number_in_the_own_session_only() -> None:
    schedule, other = today_session(), a_released_schedule()
    patient = a_patient(a_wechat_user(), name="慕容雪晴")
    doctor = staff_client(account=a_staff(Role.DOCTOR, practitioner=schedule.practitioner))
    page = reverse("registration-add-on", args=[schedule.pk])

    assert doctor.get(reverse("registration-add-on", args=[other.pk])).status_code == 404
    found = text_of(doctor.post(page, {"act": "find", "q": patient.outpatient_no}))
    assert patient.outpatient_no in found
    assert "慕容雪晴" not in found
    chosen = {
        "act": "add",
        "q": patient.outpatient_no,
        "patient": patient.outpatient_no,
        "band": str(band_of(schedule).pk),
        "key": "one",
    }
    for missing in ("patient", "band"):
        answer = doctor.post(page, {**chosen, missing: ""})
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert not Appointment.objects.exists()
    for _ in range(2):
        assert doctor.post(page, chosen).status_code == HTTPStatus.FOUND
    row = Appointment.objects.select_related("slot").get()
    assert (row.slot.label, row.status) == ("A01", "pending")
    assert "A01" in text_of(doctor.get(page))
    again = doctor.post(page, {**chosen, "key": "two"})
    assert "请勿重复挂号" in text_of(again)
    phone = own(patient)
    detail = text_of(phone.get(reverse("registration-appointment", args=[row.number])))
    assert "去支付" in detail
    assert "加号" in detail


def test_m1_17_an_emergency_is_registered_and_stands_among_the_arrears_until_paid() -> None:
    department = a_department(name="急诊科", is_bookable=False, walk_in_only=True)
    service = a_service_type(name="急诊", kind=ServiceKind.EMERGENCY)
    nurse, page = staff_client(Role.TRIAGE_NURSE), reverse("registration-emergency")
    assert "现在没有急诊班次" in text_of(nurse.get(page))
    schedule = today_session(department=department, service_type=service, shares={Pool.WINDOW: 5})
    patient = a_patient(a_wechat_user())
    chosen = {
        "act": "register",
        "patient": patient.outpatient_no,
        "session": str(schedule.pk),
        "acuity": str(int(Acuity.CRITICAL)),
        "key": "one",
    }
    for field in ("patient", "acuity", "session"):
        answer = nurse.post(page, {**chosen, field: ""})
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert nurse.post(page, {**chosen, "acuity": "5"}).status_code == 422
    assert not Appointment.objects.exists()
    for _ in range(2):
        assert nurse.post(page, chosen).status_code == HTTPStatus.FOUND
    row = Appointment.objects.select_related("bill").get()
    assert (row.status, row.acuity) == ("checked_in", 2)
    assert "Ⅱ级 危重" in text_of(nurse.get(page))

    finance = staff_client(Role.FINANCE)
    owed = text_of(finance.get(reverse("desk-arrears")))
    assert row.bill.number in owed
    assert "¥25.00" in owed


def test_who_may_not_opens_none_of_it() -> None:
    patient = a_patient(a_wechat_user())
    row = missed(patient)
    stranger, clerk = patient_client(a_wechat_user()), staff_client(Role.PHARMACIST)
    for name, argument in (
        ("registration-appeal", row.number),
        ("registration-standing", patient.outpatient_no),
    ):
        assert stranger.get(reverse(name, args=[argument])).status_code == HTTPStatus.NOT_FOUND
    for name in ("registration-appeals", "registration-restrictions", "registration-emergency"):
        assert clerk.get(reverse(name)).status_code == HTTPStatus.FORBIDDEN
    correct = reverse("registration-correct", args=[row.number])
    assert clerk.post(correct, {"outcome": "there", "reason": "x"}).status_code == 403
    assert status_of(row) == "noshow"
