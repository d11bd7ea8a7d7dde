"""The desk's board, its search, and a booking's whole history on one page."""

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from hospital.billing.models import Bill
from hospital.desk.tests.world import (
    a_booking_paid_by_wechat,
    an_order,
    give_back,
    money_returns,
)
from hospital.identity.states import Role
from hospital.kernel.actors import SYSTEM, Actor
from hospital.patients.models import Patient
from hospital.patients.states import Assurance
from hospital.registration import actions, queries
from hospital.registration.models import Appointment
from hospital.scheduling import actions as scheduling
from hospital.scheduling.states import SessionPeriod
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.organisation import a_department, a_practitioner
from hospital.testing.people import a_patient, a_staff, a_wechat_user, staff_client
from hospital.testing.schedules import NOW, a_released_schedule, moment

pytestmark = pytest.mark.django_db
HOME, BOARD, SEARCH = "/staff/", "/staff/board/", "/staff/appointments/"
HTMX = {"HX-Request": "true"}
TODAY, TOMORROW = dt.date(2026, 11, 23), dt.date(2026, 11, 24)
DOCUMENT = "11010519491231002X"


@pytest.fixture(autouse=True)
def _monday_at_ten() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def client() -> Client:
    return staff_client(Role.REGISTRATION_CLERK)


def text(answer: object) -> str:
    assert isinstance(answer, HttpResponse)
    return answer.content.decode()


def page(client: Client, address: str, *, htmx: bool = False, **typed: str) -> str:
    answer = client.get(address, typed, headers=HTMX if htmx else {})
    assert answer.status_code == 200, answer.status_code
    return text(answer)


def whole(booked: Appointment) -> str:
    return reverse("desk-appointment", args=[booked.number])


def test_who_must_bring_a_document_is_prompted_for_it(client: Client) -> None:
    booked = a_paid_booking(patient=a_patient(name="陈晓宁"))
    assert "现在登记证件" not in page(client, whole(booked))
    Patient.objects.filter(pk=booked.patient_id).update(assurance=Assurance.DECLARED)

    prompted = page(client, whole(booked))
    office = page(staff_client(Role.OUTPATIENT_OFFICE), whole(booked))

    assert "未实名档案，下次就诊时补登证件" in prompted
    assert f'href="/staff/card-desk/{booked.patient.outpatient_no}/prove/"' in prompted
    assert ("未实名档案" in office, "现在登记证件" in office) == (True, False)


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.SYSTEM_ADMIN, "/staff/system/"),
        (Role.REGISTRATION_CLERK, "/staff/window/"),
        (Role.OUTPATIENT_OFFICE, BOARD),
        (Role.TRIAGE_NURSE, BOARD),
        (Role.FINANCE, "/staff/payments/"),
        (Role.CASHIER, "/staff/payments/"),
    ],
)
def test_home_leads_everybody_to_the_own_place(role: Role, place: str) -> None:
    answer = staff_client(role).get(HOME)

    assert (answer.status_code, answer["Location"]) == (302, place)


def test_home_of_a_role_without_a_place_says_so() -> None:
    assert "您的岗位页面还没有开通" in page(staff_client(Role.PHARMACIST), HOME)


def test_everybody_sees_the_own_places_only() -> None:
    nurse, finance = (
        page(staff_client(Role.TRIAGE_NURSE), BOARD),
        page(staff_client(Role.FINANCE), SEARCH),
    )

    assert f'href="{BOARD}"' in nurse
    assert 'href="/staff/payments/"' not in nurse
    assert f'href="{SEARCH}"' in nurse
    assert 'href="/staff/appeals/"' not in nurse
    assert 'href="/staff/payments/"' in finance
    assert f'href="{BOARD}"' not in finance
    assert 'href="/staff/system/"' not in finance


def test_the_board_counts_what_is_sold_held_and_left(client: Client) -> None:
    schedule = a_released_schedule(
        day=TODAY,
        session_period=SessionPeriod.PM,
        starts=dt.time(14),
        ends=dt.time(18),
        capacity=16,
    )
    a_paid_booking(schedule=schedule)
    a_booking(schedule=schedule)

    shown = page(client, BOARD)

    cells = shown.replace("\n", "").replace(" ", "")
    assert (
        '<tdclass="x-num">16</td><tdclass="x-num">1</td><tdclass="x-num">1</td>'
        '<tdclass="x-num"><b>14</b></td>'
    ) in cells
    for words in ("针灸推拿科", "陈知行", "主任医师", "下午", "14:00", "可约", "2026年11月23日"):
        assert words in shown, words
    fragment = page(client, BOARD, htmx=True)
    assert 'id="counts"' in fragment
    assert "<html" not in fragment


def test_the_board_shows_every_state(client: Client) -> None:
    far = TODAY + dt.timedelta(days=7)
    full = a_released_schedule(capacity=1, band_minutes=240)
    a_booking(schedule=full)
    gone = a_released_schedule()
    scheduling.suspend_schedule(schedule_id=gone.pk, reason="病假", by=SYSTEM, at=NOW)
    a_released_schedule(day=far)

    tomorrow = page(client, BOARD, day="2026-11-24")
    assert "约满" in tomorrow
    assert "停诊" in tomorrow
    with time_machine.travel(moment(TODAY, 6, 30), tick=False):
        early = staff_client(Role.REGISTRATION_CLERK)
        assert "未放号" in page(early, BOARD, day=far.isoformat())
    with time_machine.travel(moment(TOMORROW, 12, 0), tick=False):
        assert "已截止" in page(staff_client(Role.REGISTRATION_CLERK), BOARD)


def test_the_board_can_be_narrowed_and_keeps_that_in_its_addresses(client: Client) -> None:
    eyes, bones = a_department(name="眼科"), a_department(name="骨伤科")
    a_released_schedule(department=eyes, practitioner=a_practitioner(eyes, name="何明目"))
    a_released_schedule(department=bones, practitioner=a_practitioner(bones, name="梁正骨"))

    for asked in ("眼科", " 何明 "):
        shown = page(client, BOARD, day="2026-11-24", q=asked)
        assert "何明目" in shown
        assert "梁正骨" not in shown
    nothing = page(client, BOARD, q="a&day=2026-11-24#x")
    assert "没有符合条件的出诊" in nothing
    assert "q=a%26day%3D2026-11-24%23x" in nothing


@pytest.mark.parametrize("day", ["nonsense", "2020-01-01", "9999-12-31", "", "\x00"])
def test_the_board_of_a_day_that_is_not_shown_is_todays(client: Client, day: str) -> None:
    assert "2026年11月23日" in page(client, BOARD, day=day, q="\x00")


def test_the_board_costs_the_same_with_three_and_with_thirty(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        a_released_schedule()
    page(client, BOARD, day="2026-11-24")
    with django_assert_num_queries(6):  # session, account, roles, rights, sessions, bands
        page(client, BOARD, day="2026-11-24")
    for _ in range(27):
        a_released_schedule()
    with django_assert_num_queries(6):
        assert page(client, BOARD, day="2026-11-24").count("<tr>") == 31


def test_search_finds_by_everything_a_patient_can_say(client: Client) -> None:
    user = a_wechat_user()
    patient = a_patient(user, name="陈晓宁", phone="13912345678", document_no=DOCUMENT)
    booked = a_paid_booking(user=user, patient=patient)
    other = a_paid_booking(patient=a_patient(name="王某某", phone="13700000000"))

    for said in (
        booked.number,
        "陈晓宁",
        "chenxiaoning",
        "cxn",
        "13912345678",
        DOCUMENT,
        DOCUMENT.lower(),
        patient.outpatient_no,
        f" {booked.bill.number} ",
    ):
        shown = page(client, SEARCH, q=said)
        assert f'href="{whole(booked)}"' in shown, said
        assert whole(other) not in shown, said


def test_search_masks_names_and_shows_neither_phone_nor_document(client: Client) -> None:
    user = a_wechat_user()
    patient = a_patient(user, name="陈晓宁", phone="13912345678", document_no=DOCUMENT)
    booked = a_paid_booking(user=user, patient=patient)

    shown = page(client, SEARCH, q=patient.outpatient_no)

    for words in ("陈*宁", patient.outpatient_no, "2026年11月24日", "¥25.00", "已支付", "已预约"):
        assert words in shown, words
    for address in (SEARCH + f"?q={patient.outpatient_no}", whole(booked)):
        for secret in ("陈晓宁", "13912345678", DOCUMENT, user.openid):
            assert secret not in page(client, address)


@pytest.mark.parametrize("asked", ["没有这个人", "0", "\x00", "%", "'; --", "x" * 500, "￥"])
def test_search_that_finds_nothing_says_so(client: Client, asked: str) -> None:
    a_paid_booking()
    shown = page(client, SEARCH, q=asked)

    assert "没有找到预约" in shown or "请在上方搜索" in shown
    assert "26112400" not in shown


def test_search_waits_for_something_to_search(client: Client) -> None:
    a_paid_booking()
    for asked in ("", "   "):
        assert "请在上方搜索" in page(client, SEARCH, q=asked)


def test_search_costs_the_same_with_three_and_with_thirty(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    schedule = a_released_schedule(capacity=60, band_minutes=240)
    for _ in range(3):
        a_booking(schedule=schedule)
    page(client, SEARCH, q="陈晓宁")
    # session, account, roles, who is meant, the appointments with all they show, their money
    with django_assert_num_queries(7):
        page(client, SEARCH, q="陈晓宁")
    for _ in range(27):
        a_booking(schedule=schedule)
    with django_assert_num_queries(7):
        assert page(client, SEARCH, q="陈晓宁").count("<tr>") == 31


def test_a_search_that_was_cut_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "SEARCH_AT_MOST", 2)
    a_booking()
    assert "只显示最近的" not in page(client, SEARCH, q="陈晓宁")
    a_booking()
    a_booking()

    shown = page(client, SEARCH, q="陈晓宁")

    assert "只显示最近的 2 条" in shown
    assert shown.count("<tr>") == 3


def test_the_whole_history_of_a_booking_is_on_one_page(client: Client) -> None:
    booked, payment = a_booking_paid_by_wechat()
    refund = money_returns(give_back(booked))

    shown = page(client, whole(booked))

    for words in (
        "陈*宁",
        booked.number,
        "针灸推拿科",
        "陈知行",
        "2026年11月24日",
        "已取消",
        "患者退号",
        "已退款",
        "预约：待支付",
        "预约：已预约",
        "预约：已取消",
        "账单：支付中",
        "账单：已支付",
        "支付：创建订单",
        "支付：支付成功",
        "收到微信支付通知",
        "收到微信退款通知",
        "退款：退款成功",
        "（N01）",
        "（N05）",
        "（N26）",
        "患者微信",
        "系统",
        payment.out_trade_no,
    ):
        assert words in shown, words
    assert refund.status == "succeeded"
    assert shown.index("预约：待支付") < shown.index("支付：创建订单") < shown.index("（N05）")
    fragment = page(client, whole(booked), htmx=True)
    assert 'id="whole"' in fragment
    assert "<html" not in fragment


def test_a_refund_on_its_way_is_named(client: Client) -> None:
    booked, _ = a_booking_paid_by_wechat()
    give_back(booked)

    shown = page(client, whole(booked))

    assert "待退" in shown
    assert "退款中" in shown


def test_a_member_of_staff_is_named_in_the_history(client: Client) -> None:
    booked = a_paid_booking()
    clerk = a_staff(Role.REGISTRATION_CLERK, display_name="何清和")
    actions.cancel(number=booked.number, by=Actor("staff", clerk.pk), at=NOW, reason="窗口退号")

    shown = page(client, whole(booked))

    assert "员工 何清和" in shown
    assert "窗口退号" in shown


def test_the_payment_is_a_link_for_those_who_may_open_it() -> None:
    booked, payment = a_booking_paid_by_wechat()
    address = reverse("desk-payment", args=[payment.pk])

    assert f'href="{address}"' in page(staff_client(Role.OUTPATIENT_OFFICE), whole(booked))
    clerks = page(staff_client(Role.REGISTRATION_CLERK), whole(booked))
    assert payment.out_trade_no in clerks
    assert f'href="{address}"' not in clerks


def test_the_history_costs_little(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    booked = a_booking()
    page(client, whole(booked))
    with django_assert_num_queries(14):  # unpaid: the bill to collect, too
        page(client, whole(booked))
    an_order(Bill.objects.get(pk=booked.bill_id))
    with django_assert_num_queries(22):  # one payment: bills, moves, notices, refunds, cases
        page(client, whole(booked))


def test_an_unpaid_booking_leads_the_clerk_to_the_window(client: Client) -> None:
    booked = a_booking()
    link = f'href="/staff/collect/{booked.bill.number}/"'

    assert link in page(staff_client(Role.REGISTRATION_CLERK), whole(booked))
    assert link not in page(staff_client(Role.FINANCE), whole(booked))
    paid, _ = a_booking_paid_by_wechat(booked)
    assert link not in page(staff_client(Role.REGISTRATION_CLERK), whole(paid))


def test_what_is_not_there_is_not_found(client: Client) -> None:
    answer = client.get("/staff/appointments/00000000000000/")

    assert answer.status_code == 404
    assert "没有找到这个预约。" in text(answer)


@pytest.mark.parametrize(
    ("address", "others"),
    [
        (BOARD, [Role.FINANCE, Role.CASHIER, Role.SYSTEM_ADMIN]),
        (SEARCH, [Role.CASHIER, Role.PHARMACIST, Role.SYSTEM_ADMIN]),
        (
            SEARCH + "26112400000001/",
            [Role.CASHIER, Role.PHARMACIST, Role.SYSTEM_ADMIN],
        ),
    ],
)
def test_other_roles_are_refused(address: str, others: list[Role]) -> None:
    booked = a_paid_booking()
    address = address.replace("26112400000001", booked.number)
    for role in others:
        answer = staff_client(role).get(address, {"q": booked.number})
        assert answer.status_code == 403
        for secret in (booked.number + "</", "陈*宁", "陈知行"):
            assert secret not in text(answer)


PAGES = [HOME, BOARD, SEARCH, "/staff/appointments/26112400000001/"]


@pytest.mark.parametrize("address", PAGES)
def test_only_reading_is_allowed(client: Client, address: str) -> None:
    if address != SEARCH:  # what is typed there is posted
        assert client.post(address).status_code == 405
    assert client.delete(address).status_code == 405


@pytest.mark.parametrize("address", PAGES)
def test_without_a_log_in_everything_leads_to_it(address: str) -> None:
    answer = Client().get(address)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/staff/login/?next=")
