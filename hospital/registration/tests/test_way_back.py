"""How the money comes back, said as it was paid: notes over the counter, the rest by WeChat (M1.7);
and what the pages of an exchange say about it."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hospital.billing import actions as billing
from hospital.identity.models import WeChatUser
from hospital.identity.turns import COOKIE
from hospital.kernel import moment_cache, rush_line
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.settings_rows import set_value
from hospital.messaging.models import Message
from hospital.organisation.models import Department
from hospital.patients.models import Patient
from hospital.registration import actions, thresholds
from hospital.registration.models import Appointment, BookingRestriction
from hospital.registration.states import PaidWhen
from hospital.scheduling.models import Schedule
from hospital.scheduling.states import Channel, Pool
from hospital.testing.bookings import a_booking, a_paid_booking, pay
from hospital.testing.organisation import a_department, a_practitioner
from hospital.testing.people import a_patient, a_wechat_user, patient_client
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, band_of, moment

pytestmark = pytest.mark.django_db
MINE = "/m/appointments/"
CLERK = Actor("staff", 1)
BY_WECHAT = ("原路退回", "付款账户")


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as moved:
        yield moved


@pytest.fixture
def user() -> WeChatUser:
    return a_wechat_user()


@pytest.fixture
def phone(user: WeChatUser) -> Client:
    return patient_client(user)


@pytest.fixture
def patient(user: WeChatUser) -> Patient:
    return a_patient(user)


def in_cash(row: Appointment) -> Appointment:
    """Notes for a held number, as the window takes them."""
    with transaction.atomic():
        billing.settle_bill(
            bill_id=row.bill_id,
            method="cash",
            amount_fen=row.bill.total_fen,
            reference=f"C{row.pk}",
            by=CLERK,
            at=NOW,
        )
    actions.confirm(bill_id=row.bill_id, by=SYSTEM, at=NOW)
    row.refresh_from_db()
    return row


def at_window(patient: Patient, schedule: Schedule) -> Appointment:
    """A number paid for on arrival, as platforms and the telephone book it."""
    return actions.book(
        patient_id=patient.pk,
        schedule_id=schedule.pk,
        band_id=band_of(schedule).pk,
        channel=Channel.WINDOW,
        paid_when=PaidWhen.ARRIVAL,
        key=f"w{schedule.pk}",
        by=CLERK,
        at=NOW,
    )


def a_day(department: Department, *, fee_fen: int = 2500, ahead: int = 0) -> Schedule:
    return a_released_schedule(
        department=department,
        day=TOMORROW + dt.timedelta(days=ahead),
        fee_fen=fee_fen,
        capacity=8,
        shares={Pool.WECHAT: 4, Pool.WINDOW: 4},
    )


def shown(phone: Client, path: str, *, status: int = 200) -> str:
    answer = phone.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def exchange(phone: Client, row: Appointment, to: Schedule, *, key: str = "x") -> Any:
    path = f"{MINE}{row.number}/exchange/{to.pk}/{band_of(to).pk}/"
    return phone.post(path, {"key": key})


def test_m1_07_cash_comes_back_at_the_window_and_every_page_says_so(
    phone: Client, patient: Patient
) -> None:
    row = in_cash(a_booking(patient=patient))
    detail = f"{MINE}{row.number}/"

    before = shown(phone, detail)
    assert "11月23日 24:00 前可免费退号，现金请到挂号窗口领取。" in before
    assert "退号后请带就诊人证件到挂号窗口领取。" in before
    phone.post(f"{detail}cancel/")
    after = shown(phone, detail)
    assert "已退号，现金请到挂号窗口领取。" in after
    result = shown(phone, f"{detail}result/")
    for page in (after, result):
        assert "¥25.00 是现金付的，请带就诊人证件到挂号窗口领取。" in page
    for words in BY_WECHAT:
        assert words not in before + after + result
    with transaction.atomic():
        billing.post_refund(
            bill_id=row.bill_id, method="cash", amount_fen=2500, reference="C1R", by=CLERK, at=NOW
        )
    assert "¥25.00 已在窗口退还现金。" in shown(phone, detail)


def test_m1_07_paid_both_ways_comes_back_both_ways(phone: Client, patient: Patient) -> None:
    department = a_department()
    first, second = a_day(department), a_day(department, fee_fen=4000, ahead=1)
    old = a_paid_booking(patient=patient, schedule=first)
    exchange(phone, old, second)
    new = in_cash(Appointment.objects.get(replaces=old))
    detail = f"{MINE}{new.number}/"

    assert "微信付的原路退回，现金请到挂号窗口领取。" in shown(phone, detail)
    phone.post(f"{detail}cancel/")
    assert "¥40.00 正在退：微信付的原路退回，现金付的" in shown(phone, detail)
    told = Message.objects.filter(kind="N05").latest("pk").fields
    assert (told["refund"], told["arrival"]) == ("¥40.00", "微信付的原路退，现金到窗口领")


def test_m1_13_what_was_never_paid_is_not_said_to_come_back(
    phone: Client, patient: Patient
) -> None:
    row = at_window(patient, a_day(a_department()))
    detail = f"{MINE}{row.number}/"

    phone.post(f"{detail}cancel/")

    after = shown(phone, detail)
    assert "已退号。" in after
    assert "退回" not in after
    assert Message.objects.get(kind="N05").fields["arrival"] == "无需退费"


def test_m1_13_n03_who_did_not_come_in_time_is_told_just_that(patient: Patient) -> None:
    department = a_department()
    row = at_window(patient, a_day(department))
    new = actions.exchange(
        number=row.number,
        schedule_id=(later := a_day(department, ahead=1)).pk,
        band_id=band_of(later).pk,
        key="x",
        by=Actor("patient", patient.bindings.get().wechat_user_id),
        at=NOW,
    )
    assert new.status == "booked"

    late = band_of(later).starts_at + dt.timedelta(minutes=10)
    assert actions.give_up_uncollected(appointment_id=new.pk, by=SYSTEM, at=late)

    assert Message.objects.get(kind="N03").fields["reason"] == "未按时取号"


def test_an_exchange_says_what_is_paid_when_and_what_comes_back(
    phone: Client, patient: Patient
) -> None:
    department = a_department()
    cheap = a_day(department, fee_fen=1000, ahead=1)
    paid = in_cash(a_booking(patient=patient, schedule=a_day(department)))
    to = f"exchange/{cheap.pk}/{band_of(cheap).pk}/"
    page = shown(phone, f"{MINE}{paid.number}/{to}")
    assert "需补差价" not in page
    assert "退回差价" in page
    assert "现金请到挂号窗口领取" in page
    assert exchange(phone, paid, cheap).status_code == 302
    new = Appointment.objects.get(replaces=paid)
    assert "¥15.00 是现金付的，请带就诊人证件到挂号窗口领取。" in shown(
        phone, f"{MINE}{new.number}/"
    )

    other = a_department()
    unpaid = at_window(patient, a_day(other, ahead=2))
    dear = a_day(other, fee_fen=4000, ahead=3)
    page = shown(phone, f"{MINE}{unpaid.number}/exchange/{dear.pk}/{band_of(dear).pk}/")
    assert "到院支付" in page
    for words in ("差价", "原预约已付"):
        assert words not in page
    assert exchange(phone, unpaid, dear, key="y").status_code == 302
    assert Appointment.objects.get(replaces=unpaid).status == "booked"


def test_times_to_exchange_for_cost_the_same_few_statements_however_many_sit(
    phone: Client, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moment_cache, "SECONDS", 60.0)
    department = a_department()
    row = a_paid_booking(patient=patient, schedule=a_day(department))
    path = f"{MINE}{row.number}/exchange/"

    def statements() -> int:
        moment_cache.forget_all()
        with CaptureQueriesContext(connection) as asked:
            assert shown(phone, path).count("余 ") >= 3
        return len(asked)

    shown(phone, path)
    few = statements()
    for _ in range(3):
        a_released_schedule(department=department, practitioner=a_practitioner(department))
    assert statements() == few
    page = shown(phone, path)
    assert page.count("原时段") == 1
    assert f"{path}{row.schedule_id}/{row.slot.band_id}/" not in page, "leads nowhere"


def test_m1_16_an_exchange_is_no_way_around_the_line(phone: Client, patient: Patient) -> None:
    row = a_paid_booking(patient=patient)
    to = a_released_schedule(department=row.department, day=TOMORROW + dt.timedelta(days=1))
    set_value(setting=rush_line.RUSH_PER_SECOND, value=1, by=SYSTEM, at=NOW)
    for _ in range(4):
        assert patient_client(a_wechat_user()).get("/m/departments/").status_code == 200

    for path in ("exchange/", f"exchange/{to.pk}/{band_of(to).pk}/"):
        answer = phone.get(f"{MINE}{row.number}/{path}")
        assert answer["Location"].startswith("/m/wait/?next=")
    assert exchange(phone, row, to)["Location"].startswith("/m/wait/?next=")
    assert not Appointment.objects.filter(replaces=row).exists()
    assert COOKIE in phone.cookies


def test_m1_15_exchanges_count_as_attempts(phone: Client, patient: Patient) -> None:
    row = a_paid_booking(patient=patient)
    full = a_released_schedule(
        department=row.department, day=TOMORROW + dt.timedelta(days=1), capacity=1, band_minutes=240
    )
    a_paid_booking(schedule=full)

    for number in range(thresholds.FAST_ATTEMPTS.value()):
        assert exchange(phone, row, full, key=f"x{number}").status_code == 302
    answer = exchange(phone, row, full, key="once more")

    assert (answer.status_code, "请先验证" in answer.content.decode()) == (429, True)


def test_a_refusal_leads_to_the_booking_in_the_way_or_to_the_record(
    phone: Client, user: WeChatUser, patient: Patient
) -> None:
    department = a_department()
    held = a_booking(patient=patient, schedule=a_day(department))
    other = a_released_schedule(day=TOMORROW + dt.timedelta(days=1))

    def refused(schedule: Schedule) -> str:
        path = f"/m/book/{schedule.pk}/{band_of(schedule).pk}/"
        answer = phone.post(path, {"patient": patient.outpatient_no, "key": "k"})
        assert answer.status_code == 409
        return answer.content.decode()

    for schedule in (other, a_day(department), held.schedule):
        assert f'href="{MINE}{held.number}/">去看那个预约' in refused(schedule)
    BookingRestriction.objects.create(
        patient=patient,
        cause="noshow",
        count=3,
        starts_at=NOW,
        ends_at=NOW + dt.timedelta(days=90),
    )
    page = refused(other)
    assert f'href="/m/standing/{patient.outpatient_no}/">查看记录、申诉' in page
    assert Appointment.objects.count() == 1


def test_who_comes_late_or_waits_still_has_the_visit_before_him(
    phone: Client, patient: Patient, clock: time_machine.Traveller
) -> None:
    row = a_paid_booking(patient=patient)  # 8:00-9:00 of a session until 12:00
    clock.move_to(moment(TOMORROW, 9, 30))
    assert "历史记录" not in shown(phone, MINE)
    actions.check_in(number=row.number, by=CLERK, at=moment(TOMORROW, 9, 31))
    clock.move_to(moment(TOMORROW, 12, 10))
    assert "历史记录" not in shown(phone, MINE)


def test_the_result_shows_the_number_as_it_is_called(phone: Client, patient: Patient) -> None:
    schedule = a_released_schedule()
    assert schedule.practitioner_id is not None
    row = actions.add_on(
        patient_id=patient.pk,
        schedule_id=schedule.pk,
        band_id=band_of(schedule).pk,
        practitioner_id=schedule.practitioner_id,
        key="a",
        by=CLERK,
        at=NOW,
    )
    pay(row.bill)
    actions.confirm(bill_id=row.bill_id, by=SYSTEM, at=NOW)
    assert '<p class="x-ticket-number">A01</p>' in shown(phone, f"{MINE}{row.number}/result/")
