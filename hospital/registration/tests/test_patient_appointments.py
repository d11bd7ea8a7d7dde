"""What became of a booking: the result, my appointments, one of them, giving it back."""

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.kernel import settings_rows
from hospital.kernel.actors import SYSTEM
from hospital.kernel.states import move
from hospital.patients.models import Patient
from hospital.registration import actions, thresholds
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus
from hospital.registration.tests.refusals import rows, someone
from hospital.scheduling import actions as scheduling
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.people import a_patient, a_resident_id, a_wechat_user, patient_client
from hospital.testing.schedules import (
    NOW,
    TOMORROW,
    a_released_schedule,
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
    # session, user, appointments with all they show, their money, how many lines one stands in
    with django_assert_num_queries(5):
        assert page(client, MINE).count(f'href="{MINE}26') == 3
    fill(1, people[3:])
    for ahead in range(2, 7):
        fill(ahead, people)
    with django_assert_num_queries(5):
        assert page(client, MINE).count(f'href="{MINE}26') == 30


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
    assert "已退号，费用原路退回。" in shown
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


PAGES = [MINE, f"{MINE}26112400000000/", f"{MINE}26112400000000/result/"]


@pytest.mark.parametrize("address", [*PAGES, f"{MINE}26112400000000/cancel/"])
def test_without_a_log_in_everything_leads_to_wechat(address: str) -> None:
    before = rows()
    for answer in (Client().get(address), Client().post(address)):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/m/login/")
    assert rows() == before


def test_wrong_methods_are_refused() -> None:
    client = patient_client(a_wechat_user())

    for address in PAGES:
        assert client.post(address).status_code == 405
    assert client.get(f"{MINE}26112400000000/cancel/").status_code == 405


def test_cancelling_needs_the_csrf_token() -> None:
    booked = a_paid_booking()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client_of(booked).cookies

    assert cancel(booked, strict).status_code == 403
    assert booked.status == "booked"
