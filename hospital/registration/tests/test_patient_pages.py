"""Confirming and booking as the patient meets them: what is shown, refused, never done twice."""

import datetime as dt
import re
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client

from hospital.identity.models import WeChatUser
from hospital.kernel import settings_rows
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.settings_rows import Setting
from hospital.organisation.states import SexLimit
from hospital.patients.models import Patient
from hospital.patients.states import Sex
from hospital.registration import actions, thresholds
from hospital.registration.models import Appointment
from hospital.registration.tests.refusals import rows, someone
from hospital.scheduling import actions as scheduling
from hospital.scheduling.models import Schedule, TimeBand
from hospital.scheduling.states import SessionPeriod
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.organisation import a_department, a_practitioner, a_service_type
from hospital.testing.people import a_patient, a_wechat_user, patient_client
from hospital.testing.schedules import (
    NOW,
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


def result_of(appointment: Appointment) -> str:
    return f"{MINE}{appointment.number}/result/"


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


@pytest.mark.parametrize("key", ["", " ", "\x00", "a\nb"])
def test_a_form_without_its_key_is_refused(key: str) -> None:
    schedule, (user, patient) = a_released_schedule(), someone()
    before = rows()

    answer = book(patient_client(user), schedule, patient, key=key)

    assert answer.status_code == 409
    assert "请刷新后重试" in text(answer)
    assert rows() == before


def test_somebody_elses_patient_is_not_found_and_nothing_is_booked() -> None:
    schedule, (user, _), stranger = a_released_schedule(), someone(), a_patient(name="王某某")
    before = rows()

    for number in (stranger.outpatient_no, "", "0", "\x00"):
        answer = patient_client(user).post(confirm_of(schedule), {"patient": number, "key": "k1"})
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
        instead = confirm_of(schedule, band_of(schedule, place))
        assert f'href="{instead}?patient={patient.outpatient_no}"' in shown
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


def _unidentified() -> Case:
    user, patient = someone()
    Patient.objects.filter(pk=patient.pk).update(assurance="none")
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


def _same_doctor() -> Case:
    user, patient = someone()
    one, other = a_department(), a_department()
    doctor = a_practitioner(one, other)
    morning = a_released_schedule(department=one, practitioner=doctor)
    a_paid_booking(user=user, patient=patient, schedule=morning)
    evening = a_released_schedule(
        department=other,
        practitioner=doctor,
        session_period=SessionPeriod.EVENING,
        starts=dt.time(18),
        ends=dt.time(20),
    )
    return evening, user, patient


def _booked_before(limit: Setting[int]) -> Callable[[], Case]:
    """One booking is all the limit allows."""

    def case() -> Case:
        settings_rows.set_value(setting=limit, value=1, by=SYSTEM, at=NOW)
        user, patient = someone()
        a_paid_booking(user=user, patient=patient)
        return a_released_schedule(), user, patient

    return case


def _two_unpaid() -> Case:
    user, patient = someone()
    for name in ("陈大安", "陈小安"):
        a_booking(user=user, patient=a_patient(user, name=name))
    return a_released_schedule(), user, patient


def _given_back_late_too_often() -> Case:
    settings_rows.set_value(setting=thresholds.LATE_CANCELS, value=1, by=SYSTEM, at=NOW)
    user, patient = someone()
    today = a_released_schedule(day=TODAY, starts=dt.time(14), ends=dt.time(18))
    given = a_paid_booking(user=user, patient=patient, schedule=today)
    actions.cancel(number=given.number, by=Actor("patient", user.pk), at=NOW)
    actions.recount(patient_id=patient.pk, by=SYSTEM, at=NOW)
    return a_released_schedule(), user, patient


def _not_online() -> Case:
    schedule = a_released_schedule(department=a_department(name="体检科", is_bookable=False))
    return schedule, *someone()


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
        (_unidentified, "请先添加就诊人并完成实名登记，再为其挂号。"),
        (
            _given_back_late_too_often,
            "该就诊人多次在就诊当日退号，12月23日前线上只能挂当日号，也可到挂号窗口预约。",
        ),
        (_same_doctor, "该就诊人当天已预约这位医生，不能再约。"),
        (_booked_before(thresholds.LIMIT_DAY), "该就诊人当天的预约数已达上限。"),
        (_booked_before(thresholds.LIMIT_MONTH), "您本月的预约数已达上限，可到挂号窗口办理。"),
        (_two_unpaid, "您有多个预约待支付，请先支付或取消。"),
        (_not_online, "体检科暂不开放线上挂号。"),
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


def test_wrong_methods_and_posts_without_the_csrf_token_are_refused() -> None:
    schedule, (user, patient) = a_released_schedule(), someone()
    client = patient_client(user)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies

    assert client.put(confirm_of(schedule)).status_code == 405
    assert book(strict, schedule, patient).status_code == 403
    assert not Appointment.objects.exists()


def test_without_a_log_in_it_leads_to_wechat() -> None:
    address = confirm_of(a_released_schedule())

    assert Client().get(address)["Location"].startswith("/m/login/?next=%2Fm%2Fbook%2F")
    assert Client().post(address)["Location"].startswith("/m/login/")
    assert not Appointment.objects.exists()
