"""The way to a number: departments, days, doctors, times. Every state of M1.2 has its look."""

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hospital.identity.models import WeChatUser
from hospital.kernel import moment_cache
from hospital.kernel.actors import SYSTEM
from hospital.organisation.models import Department
from hospital.scheduling import actions
from hospital.scheduling.models import Schedule
from hospital.scheduling.states import SessionPeriod
from hospital.testing.organisation import a_department, a_practitioner, a_service_type
from hospital.testing.people import a_patient, a_wechat_user, patient_client
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, band_of, moment

pytestmark = pytest.mark.django_db
DEPARTMENTS = "/m/departments/"
HTMX = {"HX-Request": "true"}
TODAY = dt.date(2026, 11, 23)


@pytest.fixture(autouse=True)
def _monday_at_ten() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def user() -> WeChatUser:
    return a_wechat_user()


@pytest.fixture
def client(user: WeChatUser) -> Client:
    return patient_client(user)


def page(client: Client, address: str, *, htmx: bool = False) -> str:
    answer = client.get(address, headers=HTMX if htmx else {})
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def sessions_of(department: Department, day: dt.date | None = None) -> str:
    return f"{DEPARTMENTS}{department.code}/" + (f"?day={day}" if day else "")


def times_of(schedule: Schedule) -> str:
    return f"/m/sessions/{schedule.pk}/times/"


def take(schedule: Schedule, count: int) -> None:
    for _ in range(count):
        actions.hold_slot(
            schedule_id=schedule.pk, until=NOW + dt.timedelta(minutes=15), by=SYSTEM, at=NOW
        )


def suspend(schedule: Schedule) -> None:
    actions.suspend_schedule(schedule_id=schedule.pk, reason="家中急事", by=SYSTEM, at=NOW)


def test_departments_come_by_category_with_a_hint_and_the_way_on(client: Client) -> None:
    chinese, western = a_department(name="中医科"), a_department(name="西医科", sort_order=1)
    cough = a_department(name="肺病科", parent=chinese, hint="咳嗽、气喘")
    a_department(name="内科门诊", parent=western)

    shown = page(client, DEPARTMENTS)

    assert "肺病科" in shown
    assert "咳嗽、气喘" in shown
    assert f'href="{sessions_of(cough)}"' in shown
    assert "内科门诊" not in shown
    assert "每日 07:00 放出第 7 天的号源" in shown
    assert "120" in shown
    other = page(client, f"{DEPARTMENTS}?category=西医科", htmx=True)
    assert "内科门诊" in other
    assert "肺病科" not in other
    assert "<html" not in other
    assert "肺病科" in page(client, f"{DEPARTMENTS}?category=nonsense")


@pytest.mark.parametrize("typed", ["肺病", "feibing", "fbk", "咳嗽", " FBK "])
def test_search_finds_by_name_pinyin_initials_and_symptom(client: Client, typed: str) -> None:
    a_department(name="肺病科", hint="咳嗽、气喘")
    a_department(name="骨伤科")

    found = page(client, f"{DEPARTMENTS}?q={typed}", htmx=True)

    assert "肺病科" in found
    assert "骨伤科" not in found
    assert "<html" not in found


def test_a_search_that_finds_nothing_helps_on_and_escapes_what_was_typed(client: Client) -> None:
    a_department(name="骨伤科")

    shown = page(client, f"{DEPARTMENTS}?q=<b>zzz</b>")

    assert "没有找到相关科室" in shown
    assert "<b>zzz" not in shown
    assert "&lt;b&gt;zzz" in shown


def test_m1_11_a_walk_in_department_says_so_and_leads_nowhere(client: Client) -> None:
    emergency = a_department(name="急诊科", walk_in_only=True)

    shown = page(client, DEPARTMENTS)

    assert "仅现场挂号" in shown
    assert sessions_of(emergency) not in shown


def test_m1_11_the_page_of_a_walk_in_department_offers_no_number(client: Client) -> None:
    emergency = a_department(name="急诊科", walk_in_only=True)
    schedule = a_released_schedule(department=emergency)

    shown = page(client, sessions_of(emergency))

    assert "现场挂号" in shown
    assert times_of(schedule) not in shown


def test_a_department_tells_that_it_is_full_or_suspended_today(client: Client) -> None:
    clinic = a_department(name="门诊", is_bookable=False)
    bones = a_department(name="骨伤科", parent=clinic)
    full = a_released_schedule(department=bones, capacity=1, band_minutes=240)
    take(full, 1)
    gone = a_released_schedule(
        department=a_department(name="眼科", parent=clinic),
        day=TODAY,
        starts=dt.time(14),
        ends=dt.time(17),
    )
    suspend(gone)

    shown = page(client, DEPARTMENTS)

    assert "近期约满" in shown
    assert "今日停诊" in shown


def test_m1_16_the_list_says_nothing_of_who_looks(client: Client, user: WeChatUser) -> None:
    a_department(name="推拿科")
    a_patient(user, name="陈晓宁")

    shown = page(client, DEPARTMENTS)

    assert "推拿科" in shown
    assert "陈晓宁" not in shown
    assert shown == page(patient_client(a_wechat_user()), DEPARTMENTS)


def test_m1_02_available_shows_how_many_and_leads_to_the_times(client: Client) -> None:
    schedule = a_released_schedule(capacity=16, fee_fen=2500)

    shown = page(client, sessions_of(schedule.department))

    assert "余 16" in shown
    assert "is-few" not in shown
    assert "¥25" in shown
    assert f'href="{times_of(schedule)}"' in shown
    for words in ("陈知行", "主任医师", "颈肩腰腿痛", "专家门诊", "门诊楼3楼东侧", "有号"):
        assert words in shown


def test_m1_02_few_stand_out(client: Client) -> None:
    schedule = a_released_schedule(capacity=16)
    take(schedule, 12)

    shown = page(client, sessions_of(schedule.department))

    assert '<b class="is-few">余 4</b>' in shown


def test_m1_02_full(client: Client) -> None:
    schedule = a_released_schedule(capacity=4)
    take(schedule, 4)

    shown = page(client, sessions_of(schedule.department, TOMORROW))

    assert "约满" in shown
    assert "余 " not in shown
    assert "<b>候补</b>" in shown
    sheet = page(client, times_of(schedule), htmx=True)
    assert "约满" in sheet
    assert f'href="/m/wait/{schedule.pk}/"' in sheet
    assert "/m/book/" not in sheet


def test_m1_02_suspended_names_the_next_session_but_not_the_reason(client: Client) -> None:
    department = a_department()
    doctor, service = a_practitioner(department), a_service_type()
    gone = a_released_schedule(
        department=department, practitioner=doctor, service_type=service, room=None
    )
    a_released_schedule(
        department=department,
        practitioner=doctor,
        service_type=service,
        day=TOMORROW + dt.timedelta(days=2),
    )
    suspend(gone)

    shown = page(client, sessions_of(department, TOMORROW))

    assert "停诊，可约 11月26日上午" in shown
    assert "家中急事" not in shown
    assert times_of(gone) not in shown
    assert "停诊" in page(client, times_of(gone))


def test_m1_16_not_released_says_when(client: Client) -> None:
    schedule = a_released_schedule(day=TODAY + dt.timedelta(days=7))
    with time_machine.travel(moment(TODAY, 6, 59), tick=False):
        before = page(client, sessions_of(schedule.department, schedule.visit_date))
    on_time = page(client, sessions_of(schedule.department, schedule.visit_date))

    assert "11月23日 07:00 开始放号" in before
    assert "07:00 放号" in before
    assert "待放号" in before
    assert times_of(schedule) not in before
    assert "余 16" in on_time
    assert "开始放号" not in on_time


def test_m1_11_ended_in_the_last_half_hour(client: Client) -> None:
    schedule = a_released_schedule(day=TODAY, starts=dt.time(8), ends=dt.time(12))
    with time_machine.travel(moment(TODAY, 11, 30), tick=False):
        shown = page(client, sessions_of(schedule.department))

    assert "已结束" in shown
    assert times_of(schedule) not in shown


def test_a_session_nobody_priced_is_shown_and_not_offered(client: Client) -> None:
    schedule = a_released_schedule(service_type=a_service_type(fee_fen=None))

    shown = page(client, sessions_of(schedule.department))

    assert "暂不可约" in shown
    assert times_of(schedule) not in shown


def test_an_empty_day_leads_to_the_next_useful_one(client: Client) -> None:
    schedule = a_released_schedule(day=TODAY + dt.timedelta(days=3))

    shown = page(client, sessions_of(schedule.department, TOMORROW))

    assert "这一天没有出诊医生" in shown
    assert f'href="{sessions_of(schedule.department)}?day=2026-11-26"' in shown
    assert "11月26日" in shown


def test_an_empty_department_leads_to_the_others(client: Client) -> None:
    shown = page(client, sessions_of(a_department()))

    assert "近期暂无可约的号" in shown
    assert f'href="{DEPARTMENTS}"' in shown
    assert shown.count('class="x-day"') == 8


def test_without_a_day_the_first_with_numbers_opens(client: Client) -> None:
    schedule = a_released_schedule(day=TODAY + dt.timedelta(days=3))
    department = schedule.department

    for asked in ("", "?day=2026-01-01", "?day=nonsense", "?day=2027-12-31"):
        shown = page(client, sessions_of(department) + asked)
        assert "余 16" in shown
    fragment = page(client, sessions_of(department, TOMORROW), htmx=True)
    assert "<html" not in fragment
    assert "这一天没有出诊医生" in fragment


def test_the_doctors_page_shows_the_coming_sessions(client: Client) -> None:
    department = a_department(name="针灸科")
    doctor = a_practitioner(department, name="陈国华")
    schedule = a_released_schedule(department=department, practitioner=doctor)

    shown = page(client, f"/m/doctors/{doctor.code}/")

    for words in ("陈国华", "主任医师", "针灸科", "颈肩腰腿痛", "11月24日", "余 16"):
        assert words in shown
    assert f'href="{times_of(schedule)}"' in shown


def test_a_doctor_without_sessions_leads_back(client: Client) -> None:
    doctor = a_practitioner(a_department())

    shown = page(client, f"/m/doctors/{doctor.code}/")

    assert "近期没有出诊安排" in shown
    assert f'href="{DEPARTMENTS}"' in shown


def test_the_times_of_a_session_lead_to_confirming(client: Client) -> None:
    schedule = a_released_schedule(capacity=8)
    first, second = band_of(schedule), band_of(schedule, 1)
    actions.hold_slot(schedule_id=schedule.pk, band_id=first.pk, until=NOW, by=SYSTEM, at=NOW)
    actions.hold_slot(schedule_id=schedule.pk, band_id=first.pk, until=NOW, by=SYSTEM, at=NOW)

    for htmx in (True, False):
        shown = page(client, times_of(schedule), htmx=htmx)
        assert f'href="/m/book/{schedule.pk}/{second.pk}/"' in shown
        assert f"/m/book/{schedule.pk}/{first.pk}/" not in shown
        assert "已满" in shown
        assert "08:00" in shown
        assert ("<html" in shown) is not htmx
    with time_machine.travel(moment(TOMORROW, 9, 1), tick=False):
        assert "已过" in page(client, times_of(schedule))


@pytest.mark.parametrize(
    "address",
    [f"{DEPARTMENTS}NOPE/", "/m/doctors/NOPE/", "/m/sessions/0/times/"],
)
def test_what_is_not_there_is_not_found(client: Client, address: str) -> None:
    answer = client.get(address)

    assert answer.status_code == 404
    assert "没有找到" in answer.content.decode()


def test_a_closed_department_and_a_doctor_who_left_are_not_found(client: Client) -> None:
    closed = a_department(is_active=False)
    gone = a_practitioner(a_department(), is_active=False)

    assert client.get(sessions_of(closed)).status_code == 404
    assert client.get(f"/m/doctors/{gone.code}/").status_code == 404


ALL = [DEPARTMENTS, f"{DEPARTMENTS}D1/", "/m/doctors/P1/", "/m/sessions/1/times/"]


@pytest.mark.parametrize("address", ALL)
def test_only_reading_is_allowed(client: Client, address: str) -> None:
    for method in (client.post, client.put, client.delete):
        assert method(address).status_code == 405


@pytest.mark.parametrize("address", ALL)
def test_without_a_log_in_everything_leads_to_wechat(address: str) -> None:
    answer = Client().get(address)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/m/login/?next=%2Fm%2F")


def test_pages_cost_the_same_with_few_sessions_and_with_many(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted with nothing cached at first, and a cache as long as a request."""
    monkeypatch.setattr(moment_cache, "SECONDS", 60.0)
    department = a_department()
    doctor, service = a_practitioner(department), a_service_type()
    schedule = a_released_schedule(department=department, practitioner=doctor, service_type=service)
    addresses = {
        DEPARTMENTS: 2,
        sessions_of(department, TOMORROW): 5,
        f"/m/doctors/{doctor.code}/": 7,
        times_of(schedule): 5,
    }

    def cost() -> dict[str, int]:
        used = {}
        for address in addresses:
            moment_cache.forget_all()
            with CaptureQueriesContext(connection) as statements:
                page(client, address)
            used[address] = len(statements)
        return used

    cost()  # fills the cache of settings
    assert cost() == addresses
    for hour in range(13, 20):
        a_released_schedule(
            department=department,
            practitioner=doctor,
            service_type=service,
            session_period=SessionPeriod.PM,
            starts=dt.time(hour),
            ends=dt.time(hour, 55),
            band_minutes=55,
        )
        a_released_schedule(department=department)
    assert cost() == addresses
