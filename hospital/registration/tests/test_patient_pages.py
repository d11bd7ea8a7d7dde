"""Booking, the result, my appointments, one of them, giving it back: as the patient meets them."""

import datetime as dt
import re
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.identity.models import WeChatUser
from hospital.kernel import settings_rows
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.states import move
from hospital.organisation.states import SexLimit
from hospital.patients.models import Patient
from hospital.patients.states import Sex
from hospital.registration import actions, thresholds
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus
from hospital.registration.tests.refusals import rows, someone
from hospital.scheduling import actions as scheduling
from hospital.scheduling.models import Schedule, TimeBand
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.organisation import a_department, a_service_type
from hospital.testing.people import a_patient, a_resident_id, a_wechat_user, patient_client
from hospital.testing.schedules import (
    NOW,
    TOMORROW,
    a_released_schedule,
    an_unreleased_schedule,
    band_of,
    moment,
)

pytestmark = pytest.mark.django_db
MINE = "/m/appointments/"
HTMX = {"HX-Request": "true"}
TODAY = dt.date(2026, 11, 23)


@pytest.fixture(autouse=True)
def _monday_at_ten() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def confirm_of(schedule: Schedule, band: TimeBand | None = None) -> str:
    return f"/m/book/{schedule.pk}/{(band or band_of(schedule)).pk}/"


def detail_of(appointment: Appointment) -> str:
    return f"{MINE}{appointment.number}/"


def result_of(appointment: Appointment) -> str:
    return f"{MINE}{appointment.number}/result/"


def client_of(appointment: Appointment) -> Client:
    assert appointment.wechat_user is not None
    return patient_client(appointment.wechat_user)


def text(answer: object) -> str:
    assert isinstance(answer, HttpResponse)
    return answer.content.decode()


def page(client: Client, address: str, *, htmx: bool = False) -> str:
    answer = client.get(address, headers=HTMX if htmx else {})
    assert answer.status_code == 200, answer.status_code
    return text(answer)


def book(
    client: Client, schedule: Schedule, patient: Patient, *, key: str = "k1", place: int = 0
) -> HttpResponse:
    answer = client.post(
        confirm_of(schedule, band_of(schedule, place)),
        {"patient": patient.outpatient_no, "key": key},
    )
    assert isinstance(answer, HttpResponse)
    return answer


def cancel(appointment: Appointment, client: Client | None = None) -> HttpResponse:
    answer = (client or client_of(appointment)).post(f"{detail_of(appointment)}cancel/")
    assert isinstance(answer, HttpResponse)
    appointment.refresh_from_db()
    return answer


def give_back(appointment: Appointment) -> None:
    """The refund of a reversed bill has arrived."""
    due = bills.balance(bill_id=appointment.bill_id).due_fen
    billing.post_refund(
        bill_id=appointment.bill_id, amount_fen=due, reference="r1", by=SYSTEM, at=NOW
    )


# Confirming and booking.


def test_confirming_shows_who_when_where_and_what_it_costs() -> None:
    schedule, (user, patient) = a_released_schedule(), someone()
    other = a_patient(user, name="陈大安")

    shown = page(patient_client(user), confirm_of(schedule))

    for words in (
        "陈知行",
        "主任医师",
        "针灸推拿科",
        "专家门诊",
        "11月24日 明天 · 上午",
        "08:00",
        "09:00",
        "门诊楼3楼东侧",
        "专家诊察费",
        "¥25.00",
        "陈晓宁",
        "保留 15 分钟",
        "30 分钟以上也可退",
        "提交并支付",
        f'value="{patient.outpatient_no}"',
        f'href="?patient={other.outpatient_no}"',
    ):
        assert words in shown, words
    assert re.search(r'name="key" value="[0-9A-Za-z]{20,}"', shown)
    assert "13800138000" not in shown
    assert not Appointment.objects.exists()


def test_confirming_can_be_for_another_of_the_own_patients_only() -> None:
    schedule, (user, patient) = a_released_schedule(), someone()
    other, stranger = a_patient(user, name="陈大安"), a_patient(name="王某某")
    client = patient_client(user)

    chosen = page(client, f"{confirm_of(schedule)}?patient={other.outpatient_no}")
    refused = page(client, f"{confirm_of(schedule)}?patient={stranger.outpatient_no}")

    assert f'name="patient" value="{other.outpatient_no}"' in chosen
    assert f'name="patient" value="{patient.outpatient_no}"' in refused
    assert "王某某" not in refused


def test_without_a_patient_one_is_added_first_and_comes_back() -> None:
    schedule = a_released_schedule()

    answer = patient_client(a_wechat_user()).get(confirm_of(schedule))

    assert answer.status_code == 302
    assert answer["Location"] == f"/m/patients/add/?next={confirm_of(schedule)}"


def test_booking_holds_a_number_and_goes_on_to_pay() -> None:
    schedule, (user, patient) = a_released_schedule(), someone()

    answer = book(patient_client(user), schedule, patient)

    booked = Appointment.objects.select_related("bill").get()
    assert (answer.status_code, answer["Location"]) == (302, f"/m/pay/{booked.bill.token}/")
    assert (booked.status, booked.patient, booked.wechat_user) == ("pending", patient, user)


def test_what_costs_nothing_is_booked_at_once() -> None:
    schedule, (user, patient) = a_released_schedule(fee_fen=0), someone()
    client = patient_client(user)
    assert "确认挂号" in page(client, confirm_of(schedule))

    answer = book(client, schedule, patient)

    booked = Appointment.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, result_of(booked))
    shown = page(client, result_of(booked))
    assert "挂号成功" in shown
    assert "¥0.00" not in shown


def test_a_double_tap_books_once() -> None:
    schedule, (user, patient) = a_released_schedule(), someone()
    client = patient_client(user)

    first, second = book(client, schedule, patient), book(client, schedule, patient)

    assert first["Location"] == second["Location"]
    assert Appointment.objects.count() == 1


def test_an_old_key_for_something_else_is_refused() -> None:
    schedule, (user, patient) = a_released_schedule(), someone()
    client = patient_client(user)
    book(client, schedule, patient)

    answer = book(client, schedule, patient, place=1)

    assert answer.status_code == 409
    assert "请刷新页面后重试" in text(answer)
    assert Appointment.objects.count() == 1


def test_somebody_elses_patient_is_not_found_and_nothing_is_booked() -> None:
    schedule, (user, _), stranger = a_released_schedule(), someone(), a_patient(name="王某某")
    before = rows()

    for number in (stranger.outpatient_no, "", "0"):
        answer = patient_client(user).post(
            confirm_of(schedule), {"patient": number, "key": f"k{number}"}
        )
        assert answer.status_code == 404
        assert "王某某" not in text(answer)
    assert rows() == before


def test_an_unknown_session_or_the_band_of_another_is_not_found() -> None:
    one, other, (user, patient) = a_released_schedule(), a_released_schedule(), someone()
    client = patient_client(user)

    for address in (f"/m/book/{one.pk}/{band_of(other).pk}/", "/m/book/0/0/"):
        assert client.get(address).status_code == 404
        posted = client.post(address, {"patient": patient.outpatient_no, "key": "k"})
        assert posted.status_code == 404
    assert not Appointment.objects.exists()


def test_m1_02_slot_taken_offers_the_nearest_bands() -> None:
    schedule, (user, patient) = a_released_schedule(capacity=4), someone()
    a_booking(schedule=schedule)
    before = rows()

    answer = book(patient_client(user), schedule, patient)

    shown = text(answer)
    assert answer.status_code == 409
    assert "这个时段刚刚约满" in shown
    assert "没有产生任何费用" in shown
    for place, time in ((1, "09:00"), (2, "10:00"), (3, "11:00")):
        assert f'href="{confirm_of(schedule, band_of(schedule, place))}"' in shown
        assert f"11月24日 {time}" in shown
    assert rows() == before


def test_m1_02_slot_taken_with_nothing_left_says_so() -> None:
    schedule, (user, patient) = a_released_schedule(capacity=1, band_minutes=240), someone()
    a_booking(schedule=schedule)

    answer = book(patient_client(user), schedule, patient)

    assert answer.status_code == 409
    assert "这个科室近期的号都约满了" in text(answer)
    assert "/m/book/" not in text(answer)


Case = tuple[Schedule, WeChatUser, Patient]


def _inactive() -> Case:
    user, patient = someone()
    Patient.objects.filter(pk=patient.pk).update(is_active=False)
    return a_released_schedule(), user, patient


def _a_man_at_gynaecology() -> Case:
    user = a_wechat_user()
    department = a_department(name="妇科", sex_limit=SexLimit.FEMALE)
    return a_released_schedule(department=department), user, a_patient(user, sex=Sex.MALE)


def _an_adult_at_paediatrics() -> Case:
    user, patient = someone()
    department = a_department(name="儿科", max_age_months=168)
    return a_released_schedule(department=department), user, patient


def _twice() -> Case:
    user, patient = someone()
    schedule = a_released_schedule()
    a_paid_booking(user=user, patient=patient, schedule=schedule)
    return schedule, user, patient


def _same_department() -> Case:
    user, patient = someone()
    department = a_department()
    first = a_released_schedule(department=department)
    a_paid_booking(user=user, patient=patient, schedule=first)
    return a_released_schedule(department=department), user, patient


def _unpaid() -> Case:
    user, patient = someone()
    a_booking(user=user, patient=patient)
    return a_released_schedule(day=TODAY + dt.timedelta(days=2)), user, patient


def _given_back() -> Case:
    user, patient = someone()
    schedule = a_released_schedule()
    given = a_paid_booking(user=user, patient=patient, schedule=schedule)
    actions.cancel(number=given.number, by=Actor("patient", user.pk), at=NOW)
    return schedule, user, patient


def _walk_in() -> Case:
    department = a_department(name="急诊科", walk_in_only=True)
    return a_released_schedule(department=department), *someone()


def _suspended() -> Case:
    schedule = a_released_schedule()
    scheduling.suspend_schedule(schedule_id=schedule.pk, reason="病假", by=SYSTEM, at=NOW)
    return schedule, *someone()


def _ended() -> Case:
    with time_machine.travel(moment(TODAY, 7), tick=False):
        schedule = a_released_schedule(day=TODAY, ends=dt.time(10, 20), band_minutes=140)
    return schedule, *someone()


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        (_inactive, "该就诊人的档案已停用或已合并，请到挂号窗口核对。"),
        (_a_man_at_gynaecology, "妇科只接诊女性患者。"),
        (_an_adult_at_paediatrics, "儿科只接诊14岁以下的患者。"),
        (_twice, "该就诊人已预约这次出诊，请勿重复挂号。"),
        (_same_department, "该就诊人当天已预约本科室，不能再约。"),
        (_unpaid, "该就诊人有一个预约待支付，请先支付或取消。"),
        (_given_back, "刚退过当天的号，12:00 后可再约。"),
        (_walk_in, "急诊科只在现场挂号，请直接到院就诊。"),
        (_suspended, "本次出诊已停诊，请选择其他时间。"),
        (lambda: (an_unreleased_schedule(), *someone()), "11月24日 07:00 放号，请届时再来。"),
        (_ended, "本次出诊的线上挂号已于 09:50 截止。"),
    ],
)
def test_a_refused_booking_says_why_and_changes_nothing(
    case: Callable[[], Case], sentence: str
) -> None:
    schedule, user, patient = case()
    before = rows()

    answer = book(patient_client(user), schedule, patient, key="refused")

    assert answer.status_code == 409
    assert sentence in text(answer)
    assert rows() == before


def test_a_session_nobody_priced_is_refused() -> None:
    schedule = a_released_schedule(service_type=a_service_type(fee_fen=None))
    user, patient = someone()
    before = rows()

    for answer in (
        patient_client(user).get(confirm_of(schedule)),
        book(patient_client(user), schedule, patient),
    ):
        assert answer.status_code == 404
        assert "该号别尚未设置挂号费，暂不能预约，请咨询导诊台。" in text(answer)
    assert rows() == before


def test_a_blocked_user_sees_no_page() -> None:
    schedule, (user, patient) = a_released_schedule(), someone()
    WeChatUser.objects.filter(pk=user.pk).update(is_blocked=True)

    answer = book(patient_client(user), schedule, patient)

    assert answer.status_code == 403
    assert "已暂停使用线上服务" in text(answer)
    assert not Appointment.objects.exists()


# The result.


def test_the_result_of_a_pending_booking_waits() -> None:
    pending = a_booking()
    client = client_of(pending)

    shown = page(client, result_of(pending))

    assert "正在确认" in shown
    assert f"/m/pay/{pending.bill.token}/" in shown
    assert "挂号成功" not in shown
    assert f"appointment:{pending.pk} bill:{pending.bill_id}" in shown


def test_the_result_of_a_booked_one_is_the_number_and_the_place() -> None:
    booked = a_paid_booking()
    client = client_of(booked)

    for htmx in (False, True):
        shown = page(client, result_of(booked), htmx=htmx)
        for words in (
            "挂号成功",
            "已支付 ¥25.00",
            "就诊序号",
            f">{booked.slot.sequence_no}<",
            "11月24日 上午 08:00",
            "门诊楼3楼东侧",
            booked.schedule.room.name,
            "08:00 前",
            "陈晓宁",
        ):
            assert words in shown, words
        assert ("<html" in shown) is not htmx


def test_the_result_of_a_cancelled_one_tells_where_the_money_is() -> None:
    booked = a_paid_booking()
    client = client_of(booked)
    cancel(booked, client)

    on_its_way = page(client, result_of(booked))
    give_back(booked)
    arrived = page(client, result_of(booked))

    assert "已取消" in on_its_way
    assert "¥25.00 正在原路退回" in on_its_way
    assert "¥25.00 已退回付款账户" in arrived
    assert "正在原路退回" not in arrived


def test_the_result_after_the_hold_ended_says_so() -> None:
    pending = a_booking()
    actions.release_unpaid(appointment_id=pending.pk, by=SYSTEM, at=NOW + dt.timedelta(minutes=15))

    shown = page(client_of(pending), result_of(pending))

    assert "已取消" in shown
    assert "超时" in shown
    assert "退回" not in shown


# My appointments.


def test_an_empty_list_leads_to_booking() -> None:
    shown = page(patient_client(a_wechat_user()), MINE)

    assert "还没有预约" in shown
    assert 'href="/m/departments/"' in shown


def test_my_appointments_come_first_what_is_to_come() -> None:
    user, patient = someone()
    coming = a_paid_booking(user=user, patient=patient)
    past = a_paid_booking(
        user=user,
        patient=patient,
        schedule=a_released_schedule(day=TODAY + dt.timedelta(days=3)),
    )
    cancel(past)
    stranger = a_paid_booking(patient=a_patient(name="王某某"))

    shown = page(patient_client(user), MINE)

    upcoming, history = shown.split("历史记录")
    assert "即将就诊" in upcoming
    assert f'href="{detail_of(coming)}"' in upcoming
    assert "11月24日 周二 08:00" in upcoming
    assert f'href="{detail_of(past)}"' in history
    assert "已取消" in history
    assert stranger.number not in shown
    assert "王某某" not in shown


def test_the_list_costs_the_same_with_three_and_with_thirty(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    settings_rows.set_value(setting=thresholds.LIMIT_MONTH, value=100, by=SYSTEM, at=NOW)
    user = a_wechat_user()
    client = patient_client(user)
    people = [a_patient(user) for _ in range(5)]

    def fill(ahead: int, patients: list[Patient]) -> None:
        schedule = a_released_schedule(day=TODAY + dt.timedelta(days=ahead), capacity=20)
        for patient in patients:
            a_paid_booking(user=user, patient=patient, schedule=schedule)

    fill(1, people[:3])
    page(client, MINE)
    # session, user, appointments with all they show, their money
    with django_assert_num_queries(4):
        assert page(client, MINE).count(f'href="{MINE}26') == 3
    fill(1, people[3:])
    for ahead in range(2, 7):
        fill(ahead, people)
    with django_assert_num_queries(4):
        assert page(client, MINE).count(f'href="{MINE}26') == 30


# One appointment, and giving it back.


def test_a_pending_one_leads_to_paying() -> None:
    pending = a_booking()

    shown = page(client_of(pending), detail_of(pending))

    assert "待支付" in shown
    assert f'href="/m/pay/{pending.bill.token}/"' in shown
    assert "去支付 ¥25.00" in shown
    assert "取消预约" in shown
    assert "报到条码" not in shown


def test_a_booked_one_shows_the_barcode_and_until_when_it_can_be_given_back() -> None:
    booked = a_paid_booking()
    client = client_of(booked)

    for htmx in (False, True):
        shown = page(client, detail_of(booked), htmx=htmx)
        for words in (
            "报到条码",
            booked.number,
            "<svg",
            "11月24日 明天 · 上午",
            "陈知行",
            "¥25.00",
            "申请退号",
            "11月23日 24:00 前可免费退号",
        ):
            assert words in shown, words
        assert "去支付" not in shown
        assert ("<html" in shown) is not htmx


def test_m1_07_until_midnight_it_is_free() -> None:
    booked = a_paid_booking()
    client = client_of(booked)

    answer = cancel(booked, client)

    assert (answer.status_code, answer["Location"]) == (302, detail_of(booked))
    assert (booked.status, booked.cancel_reason, booked.is_late_cancel) == (
        "cancelled",
        "user",
        False,
    )
    shown = page(client, detail_of(booked))
    assert "已退号，费用将原路退回。" in shown
    assert "¥25.00 正在原路退回" in shown
    assert "申请退号" not in shown
    assert "报到条码" not in shown
    give_back(booked)
    assert "¥25.00 已退回付款账户" in page(client, detail_of(booked))


def test_m1_07_on_the_day_it_counts_and_the_page_says_so() -> None:
    booked = a_paid_booking()
    client = client_of(booked)
    with time_machine.travel(moment(TOMORROW, 7, 30), tick=False):
        assert "将计一次当日退号" in page(client, detail_of(booked))
        assert cancel(booked, client).status_code == 302

    assert (booked.status, booked.is_late_cancel) == ("cancelled", True)


def test_m1_07_too_late_the_window_helps() -> None:
    booked = a_paid_booking()
    client = client_of(booked)
    with time_machine.travel(moment(TOMORROW, 7, 31), tick=False):
        shown = page(client, detail_of(booked))
        answer = cancel(booked, client)

    sentence = "就诊当日须在时段开始 30 分钟前退号，现已超过时间，请到挂号窗口办理。"
    assert sentence in shown
    assert "申请退号" not in shown
    assert answer.status_code == 409
    assert sentence in text(answer)
    assert booked.status == "booked"


def test_m1_07_after_check_in_the_window_helps() -> None:
    booked = a_paid_booking()
    move(booked, AppointmentStatus.CHECKED_IN, by=SYSTEM, at=NOW)
    client = client_of(booked)

    shown, answer = page(client, detail_of(booked)), cancel(booked, client)

    assert "您已签到，如需退号请到挂号窗口办理。" in shown
    assert "报到条码" in shown
    assert answer.status_code == 409
    assert booked.status == "checked_in"


def test_m1_07_after_the_visit_there_is_nothing_to_give_back() -> None:
    booked = a_paid_booking()
    move(booked, AppointmentStatus.CHECKED_IN, by=SYSTEM, at=NOW)
    move(booked, AppointmentStatus.FULFILLED, by=SYSTEM, at=NOW)
    client = client_of(booked)

    assert "申请退号" not in page(client, detail_of(booked))
    assert cancel(booked, client).status_code == 409
    assert booked.status == "fulfilled"


def test_an_unpaid_one_is_simply_cancelled() -> None:
    pending = a_booking()
    client = client_of(pending)

    cancel(pending, client)

    assert (pending.status, pending.cancel_reason) == ("cancelled", "user")
    shown = page(client, detail_of(pending))
    assert "已取消预约。" in shown
    assert "退回" not in shown


def test_a_free_one_is_cancelled_without_a_word_about_money() -> None:
    booked = a_booking(schedule=a_released_schedule(fee_fen=0))
    client = client_of(booked)

    cancel(booked, client)

    assert booked.status == "cancelled"
    for address in (detail_of(booked), result_of(booked)):
        assert "退回" not in page(client, address)


def test_cancelling_twice_cancels_once() -> None:
    booked = a_paid_booking()

    assert cancel(booked).status_code == 302
    assert cancel(booked).status_code == 409
    assert bills.balance(bill_id=booked.bill_id).due_fen == 2500


def test_m1_08_a_suspended_one_says_that_the_hospital_did_it() -> None:
    booked = a_paid_booking()
    scheduling.suspend_schedule(schedule_id=booked.schedule_id, reason="病假", by=SYSTEM, at=NOW)
    actions.cancel_suspended_one(appointment_id=booked.pk, by=SYSTEM, at=NOW)

    shown = page(client_of(booked), detail_of(booked))

    assert "停诊" in shown
    assert "¥25.00 正在原路退回" in shown


# Who may not.


def test_somebody_elses_appointment_is_not_found_without_a_byte_of_it() -> None:
    booked = a_paid_booking(patient=a_patient(name="王某某"))
    client = patient_client(someone()[0])

    answers = [
        client.get(detail_of(booked)),
        client.get(result_of(booked)),
        client.get(detail_of(booked), headers=HTMX),
        client.post(f"{detail_of(booked)}cancel/"),
        client.get(f"{MINE}00000000000000/"),
    ]

    for answer in answers:
        assert answer.status_code == 404
        for secret in ("王某某", "陈知行", "针灸推拿科", "11月24日", booked.bill.token):
            assert secret not in text(answer)
    booked.refresh_from_db()
    assert booked.status == "booked"


def test_a_booking_can_be_seen_by_all_bound_to_the_patient_and_paid_by_who_booked() -> None:
    document = a_resident_id()
    booker, other = a_wechat_user(), a_wechat_user()
    patient = a_patient(booker, document_no=document)
    assert a_patient(other, document_no=document) == patient
    pending = a_booking(user=booker, patient=patient)
    client = patient_client(other)

    assert page(client, MINE).count(pending.number) == 1
    for address in (detail_of(pending), result_of(pending)):
        assert pending.bill.token not in page(client, address)
    assert "请用预约时的微信支付。" in page(client, detail_of(pending))
    assert cancel(pending, client).status_code == 302


PAGES = ["/m/book/1/1/", MINE, f"{MINE}26112400000000/", f"{MINE}26112400000000/result/"]


@pytest.mark.parametrize("address", [*PAGES, f"{MINE}26112400000000/cancel/"])
def test_without_a_log_in_everything_leads_to_wechat(address: str) -> None:
    before = rows()
    for answer in (Client().get(address), Client().post(address)):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/m/login/")
    assert rows() == before


def test_wrong_methods_are_refused() -> None:
    client = patient_client(a_wechat_user())

    for address in PAGES[1:]:
        assert client.post(address).status_code == 405
    assert client.put(PAGES[0]).status_code == 405
    assert client.get(f"{MINE}26112400000000/cancel/").status_code == 405


def test_booking_and_cancelling_need_the_csrf_token() -> None:
    booked = a_paid_booking()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client_of(booked).cookies

    assert book(strict, booked.schedule, booked.patient).status_code == 403
    assert cancel(booked, strict).status_code == 403
    assert booked.status == "booked"
