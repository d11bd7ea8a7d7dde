"""The kiosk over HTTP: a machine that is logged in, people recognised and forgotten (H3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from hospital.identity import actions as identity
from hospital.identity.access import KIOSK_COOKIE
from hospital.identity.models import Device
from hospital.kernel.actors import SYSTEM, Actor
from hospital.messaging.models import Message
from hospital.patients import actions as patients
from hospital.patients.models import Patient
from hospital.payments.models import Payment
from hospital.payments.states import PaymentStatus
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus
from hospital.scheduling.models import Schedule
from hospital.scheduling.states import Channel, Pool
from hospital.testing.bookings import a_paid_booking
from hospital.testing.jobs import run_jobs
from hospital.testing.people import a_patient, a_resident_id
from hospital.testing.schedules import NOW, a_released_schedule, band_of
from hospital.testing.wechat import StandIn
from hospital.window.models import KioskVisit, SlipPrint

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 23)
SHARES = {Pool.WECHAT: 10, Pool.KIOSK: 6}


@pytest.fixture(autouse=True)
def morning() -> Iterator[time_machine.Traveller]:
    """10:00 on a Monday in the hospital."""
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def a_kiosk(name: str = "大厅1号机") -> Client:
    """A machine that was paired."""
    _, code = identity.add_device(name=name, place="1楼", by=SYSTEM, at=NOW)
    _, secret = identity.pair_device(code=code, at=NOW)
    client = Client()
    client.cookies[KIOSK_COOKIE] = secret
    return client


@pytest.fixture
def kiosk() -> Client:
    return a_kiosk()


def stand_at(kiosk: Client, text: str) -> str:
    """Somebody puts something before the reader; the address of their visit."""
    answer = kiosk.post("/kiosk/", {"text": text})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def session() -> Schedule:
    return a_released_schedule(day=TODAY, shares=SHARES, at=NOW)


def a_person() -> tuple[Patient, str]:
    number = a_resident_id()
    return a_patient(document_no=number), number


def test_only_what_proves_somebody_opens_a_visit(kiosk: Client) -> None:
    """A document, a card, a code on a phone; a phone number or a name proves nothing."""
    patient, number = a_person()
    user = patient.bindings.get().wechat_user
    code = patients.show_pass(
        wechat_user_id=user.pk,
        number=patient.outpatient_no,
        by=Actor("patient", user.pk),
        at=NOW,
    )
    for text in (
        number,
        f"姓名：陈晓宁|性别：女|公民身份号码：{number}",
        code,
        patient.outpatient_no,
    ):
        assert "陈*宁" in kiosk.get(stand_at(kiosk, text)).content.decode()
    assert KioskVisit.objects.filter(ended_at__isnull=True).count() == 1
    before = KioskVisit.objects.count()
    for text in ("13800138000", "陈晓宁", "cxn", "", code, a_resident_id(), "1" * 14):
        refused = kiosk.post("/kiosk/", {"text": text})
        assert (refused.status_code, "陈*宁" in refused.content.decode()) == (422, False), text
    stranger = f"姓名：陈大宁|性别：女|公民身份号码：{number}"
    assert kiosk.post("/kiosk/", {"text": stranger}).status_code == 422
    assert KioskVisit.objects.count() == before


def test_a_number_is_held_paid_by_the_code_on_the_screen_and_printed(
    kiosk: Client, wechat: StandIn
) -> None:
    """Register at the machine: its own pool, one payment, one slip, checked in."""
    wechat.clock(NOW.timestamp() - time_machine.escape_hatch.time.time(), wire=True)
    schedule, (_, number) = session(), a_person()
    at = stand_at(kiosk, number)
    page = kiosk.get(f"{at}departments/").content.decode()
    assert "余 3" in page, "the bands of the early morning are over"
    assert "急诊" in page
    doctors = kiosk.get(f"{at}departments/{schedule.department.code}/").content.decode()
    assert "¥25.00" in doctors
    facts = {"schedule": schedule.pk, "key": "tap"}
    held = kiosk.post(f"{at}book/", facts)
    assert kiosk.post(f"{at}book/", facts)["Location"] == held["Location"]
    row = Appointment.objects.get()
    assert (row.channel, row.slot.pool, row.made_by) == (
        Channel.KIOSK,
        Pool.KIOSK,
        f"device:{Device.objects.get().pk}",
    )
    assert "应付 ¥25.00" in kiosk.get(held["Location"]).content.decode()
    refused = kiosk.post(f"{held['Location']}collect/")
    assert (refused.status_code, SlipPrint.objects.count()) == (422, 0)
    for fen in ("1500", ""):
        assert kiosk.post(f"{held['Location']}pay/", {"fen": fen}).status_code == 422
    assert not Payment.objects.exists(), "not the sum that stood on the page"
    kiosk.post(f"{held['Location']}pay/", {"fen": "2500"})
    assert "微信支付二维码" in kiosk.get(held["Location"]).content.decode()
    payment = Payment.objects.get()
    wechat.pay(payment.out_trade_no)
    wechat.letters.wait()[0].hand_to(Client())
    state = kiosk.get(f"{held['Location']}state/").content.decode()
    assert "data-press-now" in state
    slip = kiosk.post(f"{held['Location']}collect/")
    assert slip["Location"] == f"{held['Location']}slip/"
    assert "挂号小票" in kiosk.get(slip["Location"]).content.decode()
    kiosk.post(f"{held['Location']}collect/")
    assert SlipPrint.objects.count() == 1
    assert kiosk.post(f"{held['Location']}check-in/").status_code == 302
    row.refresh_from_db()
    assert row.status == AppointmentStatus.CHECKED_IN
    assert "已签到" in kiosk.get(held["Location"]).content.decode()
    run_jobs()


def to_pay(kiosk: Client, schedule: Schedule) -> tuple[str, str, Appointment]:
    """Somebody holds a number at the machine: their visit, the booking's page, the booking."""
    _, number = a_person()
    at = stand_at(kiosk, number)
    held = kiosk.post(f"{at}book/", {"schedule": schedule.pk, "key": number})
    return at, held["Location"], Appointment.objects.latest("pk")


def test_h3_an_unpaid_number_is_free_when_its_visitor_leaves(
    kiosk: Client, wechat: StandIn
) -> None:
    """H3: left by the button, by the idle page or by the next card, with a code on the screen or
    without, nobody waits fifteen minutes for it; only who goes to a window keeps it."""
    wechat.clock(NOW.timestamp() - time_machine.escape_hatch.time.time(), wire=True)
    schedule = session()
    at, page, row = to_pay(kiosk, schedule)
    kiosk.post(f"{page}pay/", {"fen": "2500"})
    kiosk.post(f"{at}end/")
    run_jobs()
    _, _, by_card = to_pay(kiosk, schedule)
    at, page, kept = to_pay(kiosk, schedule)
    run_jobs()
    assert "号保留到 10:15" in kiosk.get(page).content.decode()
    kiosk.post(f"{at}end/", {"keep": "1"})
    bar_code = stand_at(kiosk, kept.number)
    assert "不要这个号了" not in kiosk.get(f"{bar_code}booking/{kept.number}/").content.decode()
    assert kiosk.post(f"{bar_code}booking/{kept.number}/drop/").status_code == 422
    at, page, dropped = to_pay(kiosk, schedule)
    assert kiosk.post(f"{page}drop/")["Location"] == at
    assert kiosk.post(f"{page}drop/").status_code == 302, "a second tap"
    again = kiosk.post(f"{at}book/", {"schedule": schedule.pk, "key": "other"})
    assert again.status_code == 302, "another number at once"
    run_jobs()
    gone, stays = AppointmentStatus.CANCELLED, AppointmentStatus.PENDING
    for one, status in ((row, gone), (by_card, gone), (dropped, gone), (kept, stays)):
        one.refresh_from_db()
        assert one.status == status
    assert Payment.objects.get().status == PaymentStatus.CLOSED
    assert not Message.objects.exclude(kind="N02").exists()


def test_m1_06_a_number_paid_in_the_moment_of_leaving_stays(kiosk: Client, wechat: StandIn) -> None:
    """M1.6: WeChat is asked before anything is freed; while it does not answer, nothing is. Other
    people's bookings, and one made elsewhere, are nobody's to drop here."""
    wechat.clock(NOW.timestamp() - time_machine.escape_hatch.time.time(), wire=True)
    schedule = session()
    at, page, row = to_pay(kiosk, schedule)
    kiosk.post(f"{page}pay/", {"fen": "2500"})
    wechat.fault("http_500", times=-1)
    assert kiosk.post(f"{page}drop/")["Location"] == page
    row.refresh_from_db()
    assert row.status == AppointmentStatus.PENDING
    wechat.calm()
    wechat.pay(Payment.objects.get().out_trade_no)
    kiosk.post(f"{at}end/")
    run_jobs()
    row.refresh_from_db()
    assert row.status == AppointmentStatus.BOOKED
    _, stranger = a_person()
    at = stand_at(kiosk, stranger)
    assert kiosk.post(f"{at}booking/{row.number}/drop/").status_code == 422
    mine = a_paid_booking(patient=row.patient, at=NOW)
    at = stand_at(kiosk, row.patient.outpatient_no)
    assert kiosk.post(f"{at}booking/{mine.number}/drop/").status_code == 302
    mine.refresh_from_db()
    assert mine.status == AppointmentStatus.BOOKED


def test_wechat_away_charges_nothing_and_says_where_to_pay(kiosk: Client, wechat: StandIn) -> None:
    """E13 at the machine: no code, no charge, the way to the window."""
    schedule, (_, number) = session(), a_person()
    at = stand_at(kiosk, number)
    held = kiosk.post(f"{at}book/", {"schedule": schedule.pk, "key": "tap"})["Location"]
    wechat.fault("http_500", times=-1)
    answer = kiosk.post(f"{held}pay/", {"fen": "2500"})
    assert answer.status_code == 422
    assert "没有扣款" in answer.content.decode()


def test_a_slips_bar_code_opens_that_booking_alone(kiosk: Client) -> None:
    """Whoever found a slip may check that number in, and learns and books nothing else."""
    schedule = a_released_schedule(day=TODAY, ends=dt.time(18, 0), at=NOW)
    row = a_paid_booking(schedule=schedule, band=band_of(schedule, 2))
    other = a_paid_booking(patient=row.patient, at=NOW)
    at = stand_at(kiosk, row.number)
    page = kiosk.get(at).content.decode()
    assert row.number in page
    assert other.number not in page
    assert "挂今天的号" not in page
    for path in ("departments/", f"booking/{other.number}/"):
        assert kiosk.get(f"{at}{path}").status_code == 422, path
    assert kiosk.post(f"{at}book/", {"schedule": schedule.pk, "key": "k"}).status_code == 422
    assert Appointment.objects.count() == 2
    assert kiosk.post(f"{at}booking/{row.number}/collect/").status_code == 302


def test_nothing_of_the_last_person_is_left_for_the_next(
    kiosk: Client, morning: time_machine.Traveller
) -> None:
    """After a leaving, another card or a while without a touch, old addresses lead to the start;
    another machine or another person's booking opens nothing."""
    (patient, number), (_, next_number) = a_person(), a_person()
    row = a_paid_booking(patient=patient)
    first = stand_at(kiosk, number)
    second = stand_at(kiosk, next_number)
    for path in ("", "departments/", f"booking/{row.number}/", f"booking/{row.number}/slip/"):
        assert kiosk.get(f"{first}{path}")["Location"] == "/kiosk/", path
    assert kiosk.get(f"{second}booking/{row.number}/").status_code == 422
    for act in ("collect", "check-in", "pay"):
        assert kiosk.post(f"{second}booking/{row.number}/{act}/").status_code == 422, act
    row.refresh_from_db()
    assert (row.status, row.collected_at) == (AppointmentStatus.BOOKED, None)
    assert a_kiosk("2号机").get(second)["Location"] == "/kiosk/"
    assert kiosk.post(f"{second}end/")["Location"] == "/kiosk/"
    assert kiosk.get(second)["Location"] == "/kiosk/"
    third = stand_at(kiosk, number)
    morning.shift(dt.timedelta(seconds=104))
    assert kiosk.get(third).status_code == 200
    morning.shift(dt.timedelta(seconds=106))
    assert kiosk.get(third)["Location"] == "/kiosk/"
    assert "no-store" in kiosk.get("/kiosk/")["Cache-Control"]


def test_a_machine_nobody_paired_shows_only_where_to_pair(kiosk: Client) -> None:
    """X10: without the secret, or after it was switched off, every page leads to pairing."""
    _, number = a_person()
    at = stand_at(kiosk, number)
    stranger = Client()
    stranger.cookies[KIOSK_COOKIE] = "0" * 43
    for client in (Client(), stranger):
        assert client.get(at)["Location"] == "/kiosk/pair/"
        assert client.post("/kiosk/", {"text": number})["Location"] == "/kiosk/pair/"
        assert client.post(f"{at}book/", {"schedule": "1", "key": "k"}).status_code == 302
    device = Device.objects.get()
    identity.revoke_device(device_id=device.pk, reason="搬走", by=SYSTEM, at=NOW)
    assert kiosk.get(at)["Location"] == reverse("identity-kiosk-pair")
    assert not Appointment.objects.exists()
