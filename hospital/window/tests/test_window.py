"""The registration window over HTTP: who is here, which number, whose money (H3, M1.13)."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from hospital.identity.models import StaffAccount
from hospital.identity.states import Role
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.models import AuditEntry
from hospital.messaging.models import Message
from hospital.patients import actions as patients
from hospital.patients.models import Patient
from hospital.payments import actions as payments
from hospital.payments.models import CashEntry, Payment
from hospital.payments.states import PaymentStatus
from hospital.registration import actions as registration
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus, BookingKind, CancelReason, PaidWhen
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.states import Channel, Pool
from hospital.testing.bookings import a_paid_booking
from hospital.testing.jobs import run_jobs
from hospital.testing.organisation import a_department
from hospital.testing.people import a_patient, a_resident_id, a_staff, staff_client
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, band_of, moment
from hospital.testing.wechat import StandIn
from hospital.window.models import SlipPrint

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 23)
HALF = {Pool.WECHAT: 8, Pool.WINDOW: 8}


@pytest.fixture(autouse=True)
def morning() -> Iterator[time_machine.Traveller]:
    """10:00 on a Monday in the hospital."""
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def account() -> StaffAccount:
    return a_staff(Role.REGISTRATION_CLERK)


@pytest.fixture
def clerk(account: StaffAccount) -> Client:
    return staff_client(account=account)


def session(**more: Any) -> Schedule:
    return a_released_schedule(day=TODAY, shares=HALF, ends=dt.time(12, 0), at=NOW, **more)


def find(client: Client, text: str) -> Any:
    return client.post("/staff/window/", {"text": text})


def book(client: Client, patient: Patient, schedule: Schedule, **more: str) -> Any:
    facts = {"schedule": schedule.pk, "d": schedule.department.code, "key": "k", **more}
    return client.post(reverse("window-book", args=[patient.outpatient_no]), facts)


def held(client: Client, schedule: Schedule | None = None) -> Appointment:
    """A number held for a patient at the window."""
    assert book(client, a_patient(), schedule or session()).status_code == 302
    return Appointment.objects.latest("pk")


def pay(client: Client, row: Appointment, text: str, key: str = "p", fen: object = None) -> Any:
    facts = {"pay": text, "key": key, "fen": row.bill.total_fen if fen is None else fen}
    return client.post(reverse("window-pay", args=[row.number]), facts)


def a_clerk() -> Client:
    """Somebody who logged in just now, whatever the hour."""
    return staff_client(Role.REGISTRATION_CLERK)


def shown(client: Client, row: Appointment) -> str:
    text = str(client.get(reverse("window-booking", args=[row.number])).content.decode())
    assert "{#" not in text, "a comment meant for us"
    return text


def test_h3_01_whatever_is_read_or_typed_finds_the_patient(clerk: Client) -> None:
    """H2, H3.1: the document, the card reader's text, a phone, the code on the phone's screen."""
    number = a_resident_id()
    patient = a_patient(name="陈晓宁", document_no=number, phone="13912345678")
    address = reverse("window-person", args=[patient.outpatient_no])
    user = patient.bindings.get().wechat_user
    code = patients.show_pass(
        wechat_user_id=user.pk,
        number=patient.outpatient_no,
        by=Actor("patient", user.pk),
        at=NOW,
    )
    card = f"姓名：陈晓宁|性别：女|公民身份号码：{number}"
    for text in (number, "13912345678", patient.outpatient_no, code, card):
        answer = find(clerk, text)
        assert (answer.status_code, answer["Location"]) == (302, address), text
    other = find(clerk, card.replace("陈晓宁", "陈晓玲"))
    assert "姓名和档案不一致" in clerk.get(other["Location"]).content.decode()
    named = find(clerk, "陈晓")
    assert "陈*宁" in named.content.decode()
    nobody = find(clerk, a_resident_id())
    assert nobody.status_code == 422
    assert "没有档案" in nobody.content.decode()
    used = find(clerk, code)
    assert used.status_code == 422, "a code on a phone opens once"


def test_h3_01_the_window_books_from_the_same_pool_with_the_same_checks(clerk: Client) -> None:
    """H3.1: held under the window's channel; a second press is the same number, the rules hold."""
    patient, schedule = a_patient(), session()
    first = book(clerk, patient, schedule)
    assert book(clerk, patient, schedule)["Location"] == first["Location"]
    row = Appointment.objects.get()
    assert (row.channel, row.booking_kind) == (Channel.WINDOW, BookingKind.WALK_IN)
    assert row.slot.pool == Pool.WINDOW
    again = book(clerk, patient, schedule, key="k2")
    assert again.status_code == 422
    assert again["HX-Push-Url"] == "false"
    assert reverse("window-booking", args=[row.number]) in again.content.decode()
    assert Appointment.objects.count() == 1


def test_m2_02_who_telephones_or_is_referred_has_the_numbers_kept_for_them(clerk: Client) -> None:
    """M2.2: the reserved pool is the window's to give, to nobody younger who stands there."""
    kept = {Pool.WECHAT: 15, Pool.RESERVED: 1}
    schedule = a_released_schedule(shares=kept)
    facts = {"day": TOMORROW.isoformat(), "from": "phone", "arrival": "1"}

    assert book(clerk, a_patient(), schedule).status_code == 422
    assert not Appointment.objects.exists()
    address = reverse("window-person", args=[a_patient().outpatient_no])
    page = {"d": schedule.department.code, "day": TOMORROW.isoformat()}
    assert clerk.get(address, page).content.decode().count("无号") == 1
    told = clerk.get(address, page | {"from": "phone"}).content.decode()
    assert 'name="from" value="phone"' in told
    assert 'data-key-label="转诊"' in told
    assert book(clerk, a_patient(), schedule, **facts).status_code == 302
    row = Appointment.objects.get()
    assert (row.channel, row.slot.pool, row.paid_when) == (
        Channel.PHONE,
        Pool.RESERVED,
        PaidWhen.ARRIVAL,
    )
    nobody = book(clerk, a_patient(), schedule, **facts | {"from": "doctor"})
    assert nobody.status_code == 422, "no other channel is the window's"


def test_m2_02_the_elderly_have_reserved_numbers_at_the_window_once_its_own_are_gone(
    clerk: Client,
) -> None:
    """M2.2: the window's own first, then a reserved one; the page counts what can be booked. Who
    turns sixty the day after the visit has none of them, and is refused without a trace."""
    kept = {Pool.WECHAT: 13, Pool.WINDOW: 1, Pool.RESERVED: 2}
    schedule = a_released_schedule(shares=kept)
    sixty = [a_patient(born=TOMORROW.replace(year=1966)) for _ in range(3)]
    younger = a_patient(born=TOMORROW.replace(year=1966) + dt.timedelta(days=1))
    facts = {"d": schedule.department.code, "day": TOMORROW.isoformat(), "arrival": "1"}

    def left(patient: Patient) -> list[str]:
        address = reverse("window-person", args=[patient.outpatient_no])
        words = clerk.get(address, facts).content.decode().split()
        return [after for word, after in itertools.pairwise(words) if word == "余"]

    assert (left(sixty[0]), left(younger)) == (["3", "3"], ["1", "1"])
    for patient in sixty[:2]:
        done = book(clerk, patient, schedule, key=patient.outpatient_no, **facts)
        assert done.status_code == 302
    pools = Appointment.objects.order_by("pk").values_list("channel", "slot__pool")
    assert list(pools) == [(Channel.WINDOW, Pool.WINDOW), (Channel.WINDOW, Pool.RESERVED)]
    assert (left(sixty[2]), left(younger)) == (["1", "1"], [])
    before = list(Slot.objects.order_by("pk").values())
    assert book(clerk, younger, schedule).status_code == 422
    assert (Appointment.objects.count(), list(Slot.objects.order_by("pk").values())) == (2, before)
    # An exchange at the window looks at the same numbers.
    old = Appointment.objects.latest("pk")
    other = a_released_schedule(department=schedule.department, shares={Pool.RESERVED: 16})
    assert book(clerk, sixty[1], other, exchange=old.number, key="x").status_code == 302
    moved = Appointment.objects.get(replaces=old)
    assert (moved.schedule_id, moved.slot.pool) == (other.pk, Pool.RESERVED)


def test_h3_01_a_limit_is_set_aside_by_the_office_with_a_reason(clerk: Client) -> None:
    """H3.1: the clerk is told no; the office writes why, and the audit knows."""
    child_only = a_department(max_age_months=168)
    patient, schedule = a_patient(), session(department=child_only)
    told = book(clerk, patient, schedule).content.decode()
    assert "只接诊" in told
    assert "放宽限制" not in told
    assert book(clerk, patient, schedule, reason="我说可以").status_code == 422
    office = staff_client(Role.OUTPATIENT_OFFICE)
    assert 'name="reason"' in book(office, patient, schedule).content.decode()
    ordinary = book(office, patient, session(), key="k0", reason="顺手")
    assert (ordinary.status_code, Appointment.objects.count()) == (422, 0)
    both = staff_client(Role.REGISTRATION_CLERK, Role.OUTPATIENT_OFFICE)
    assert 'name="reason"' in book(both, patient, schedule).content.decode()
    assert not Appointment.objects.exists()
    assert book(office, patient, schedule, reason="院长同意").status_code == 302
    row = Appointment.objects.get()
    assert (row.overrides, row.override_reason) == (["DEPARTMENT_LIMIT_AGE"], "院长同意")
    assert AuditEntry.objects.get(act="registration.override").reason == "院长同意"


def test_h3_03_cash_prints_a_slip_and_a_second_enter_takes_nothing(clerk: Client) -> None:
    """H3.3: paid, handed over, printed once, however often Enter came."""
    row = held(clerk)
    for text, words in (("", "请输入实收"), ("abc", "请输入实收"), ("20", "少于应收")):
        answer = pay(clerk, row, text)
        assert (answer.status_code, words in answer.content.decode()) == (422, True)
        assert f'value="{text}"' in answer.content.decode(), "kept in the box"
    half = pay(clerk, row, "1300123412341234")
    assert "1300123412341234" not in half.content.decode(), "half a payment code is not shown"
    assert pay(clerk, row, "50")["Location"] == reverse("window-slip", args=[row.number])
    assert pay(clerk, row, "50")["Location"] == reverse("window-booking", args=[row.number])
    again = pay(clerk, row, "50", key="other window")
    assert "已支付" in again.content.decode()
    row.refresh_from_db()
    assert (row.status, row.collected_at) == (AppointmentStatus.BOOKED, NOW)
    assert (CashEntry.objects.count(), SlipPrint.objects.count()) == (1, 1)
    assert "¥25.00" in shown(clerk, row)
    run_jobs()
    assert SlipPrint.objects.count() == 1


def test_h3_03_only_the_sum_that_stood_on_the_page_is_taken(clerk: Client, wechat: StandIn) -> None:
    """H3.3: notes, a payment code or a code on the screen for another sum than is owed now, or for
    none that was shown, take nothing."""
    wechat.clock(NOW.timestamp() - time_machine.escape_hatch.time.time(), wire=True)
    row = held(clerk)
    code = reverse("window-code", args=[row.number])
    assert 'name="fen" value="2500"' in shown(clerk, row)
    for fen, words in (("1500", "金额已变化"), ("", "金额无效")):
        for text in ("50", wechat.scan_code()):
            answer = pay(clerk, row, text, key=f"{fen}{text[:2]}", fen=fen)
            assert (answer.status_code, words in answer.content.decode()) == (422, True)
        assert clerk.post(code, {"fen": fen}).status_code == 422
    assert not CashEntry.objects.exists()
    assert not Payment.objects.exists()
    assert clerk.post(code, {"fen": "2500"}).status_code == 302
    assert Payment.objects.get().amount_fen == 2500


def test_h3_03_a_free_number_is_handed_over_without_money(clerk: Client) -> None:
    """H3.3: what costs nothing asks for nothing."""
    row = held(clerk, session(fee_fen=0))
    assert "取号并打印" in shown(clerk, row)
    collect = reverse("window-collect", args=[row.number])
    assert clerk.post(collect)["Location"] == reverse("window-slip", args=[row.number])


def test_h3_04_a_jammed_slip_is_printed_again_with_its_reason(clerk: Client) -> None:
    """H3: the reprint is counted, and needs no second payment."""
    row = held(clerk)
    pay(clerk, row, "25")
    reprint = reverse("window-reprint", args=[row.number])
    refused = clerk.post(reprint, {"key": "r1"})
    assert "补打请选择原因" in refused.content.decode()
    for _ in range(2):
        assert clerk.post(reprint, {"key": "r2", "reason": "jam"}).status_code == 302
    copies = SlipPrint.objects.order_by("copy_no").values_list("copy_no", "reason")
    assert list(copies) == [(1, ""), (2, "jam")]
    slip = clerk.get(reverse("window-slip", args=[row.number])).content.decode()
    assert "补打第 1 次" in slip


def test_h3_04_a_process_that_died_between_cash_and_slip_is_gone_on_from(
    clerk: Client, account: StaffAccount, morning: time_machine.Traveller
) -> None:
    """H3: the notes are taken and nothing else happened; the page has the change and one press.
    Whoever comes for another copy later is not given change again."""
    row = held(clerk)
    payments.take_cash(
        bill_id=row.bill_id,
        shown_fen=2500,
        tendered_fen=10_000,
        key="p",
        by=Actor("staff", account.pk),
        at=NOW,
    )
    assert "找零 <strong>¥75.00</strong>" in shown(clerk, row)
    assert pay(clerk, row, "100")["Location"] == reverse("window-slip", args=[row.number])
    assert (CashEntry.objects.count(), SlipPrint.objects.count()) == (1, 1)
    assert "找零" in shown(clerk, row)
    morning.shift(dt.timedelta(minutes=11))
    assert "找零" not in shown(clerk, row)


def test_h3_03_a_payment_code_pays_once_from_the_same_box(clerk: Client, wechat: StandIn) -> None:
    """H3.3: eighteen digits are the patient's code."""
    row, code = held(clerk), wechat.scan_code()
    assert pay(clerk, row, code)["Location"] == reverse("window-slip", args=[row.number])
    assert pay(clerk, row, code)["Location"] == reverse("window-booking", args=[row.number])
    assert Payment.objects.get().status == PaymentStatus.SUCCEEDED
    assert not CashEntry.objects.exists()
    money = clerk.get("/staff/window/shift/").content.decode()
    assert "1 笔" in money


def test_h3_03_while_the_patient_may_be_charged_nobody_reads_failed(
    clerk: Client, wechat: StandIn, morning: time_machine.Traveller
) -> None:
    """H3.3, wechat 1.12: the network is lost in the middle; cash is refused until WeChat has said
    how it stands, and a reload shows the same."""
    row = held(clerk)
    wechat.fault("connection_reset", times=-1)
    assert pay(clerk, row, wechat.scan_code()).status_code == 302
    for page in (shown(clerk, row), shown(staff_client(Role.REGISTRATION_CLERK), row)):
        assert "正在向微信确认，请勿重复收款" in page
        assert 'name="pay"' not in page
        assert "没有收款" not in page
    cash = pay(clerk, row, "50", key="cash")
    assert "可能重复收款" in cash.content.decode()
    assert not CashEntry.objects.exists()
    wechat.calm()
    morning.shift(dt.timedelta(seconds=6))
    run_jobs()
    assert Payment.objects.get().status == PaymentStatus.SUCCEEDED
    page = shown(clerk, row)
    assert "data-press-now" in page
    assert clerk.post(reverse("window-collect", args=[row.number])).status_code == 302
    assert SlipPrint.objects.count() == 1


def test_h3_03_a_charge_nobody_answers_is_taken_back_before_cash(
    clerk: Client, wechat: StandIn, morning: time_machine.Traveller
) -> None:
    """wechat 1.12: the process that charged is gone; its job reverses it, then cash is fine."""
    row = held(clerk)
    wechat.fault("userpaying")
    pay(clerk, row, wechat.scan_code())
    assert "等待患者输入密码" in shown(clerk, row)
    for _ in range(8):
        morning.shift(dt.timedelta(seconds=6))
        run_jobs()
    assert Payment.objects.get().status == PaymentStatus.CLOSED
    assert 'name="pay"' in shown(clerk, row)
    assert pay(clerk, row, "25", key="cash")["Location"].endswith("/slip/")


def test_h3_02_a_wechat_booking_is_collected_by_its_code(clerk: Client) -> None:
    """H3.2, M1.13: found by bar code; paid already, so only handed over; on time, early or late."""
    schedule = a_released_schedule(day=TODAY, ends=dt.time(18, 0), band_minutes=60, at=NOW)
    row = a_paid_booking(schedule=schedule, band=band_of(schedule, 2))
    found = find(clerk, row.number)
    assert found["Location"] == reverse("window-booking", args=[row.number])
    assert "按时" in shown(clerk, row)
    early = a_paid_booking(schedule=schedule, band=band_of(schedule, 5))
    assert "来早了" in shown(clerk, early)
    assert clerk.post(reverse("window-collect", args=[row.number])).status_code == 302
    row.refresh_from_db()
    assert row.collected_at == NOW
    late = a_paid_booking(schedule=schedule, band=band_of(schedule, 3))
    with time_machine.travel(moment(TODAY, 12, 30), tick=False):
        assert "按迟到顺序候诊" in shown(a_clerk(), late)
    with time_machine.travel(moment(TOMORROW, 9), tick=False):
        assert "就诊日期已过" in shown(a_clerk(), late)


def test_m1_13_paid_on_arrival_is_paid_when_it_is_collected(clerk: Client) -> None:
    """M1.13: not collected by the band's start and the grace, the number is gone, and says so."""
    schedule = a_released_schedule(day=TOMORROW, shares=HALF, at=NOW)
    patient = a_patient()
    book(clerk, patient, schedule, arrival="1")
    row = Appointment.objects.get()
    assert (row.status, row.paid_when) == (AppointmentStatus.BOOKED, PaidWhen.ARRIVAL)
    person = reverse("window-person", args=[a_patient().outpatient_no])
    session(department=schedule.department)
    for day, is_arrival in ((TOMORROW, True), (TODAY, False)):
        asked = {"d": schedule.department.code, "day": day.isoformat(), "arrival": "1"}
        page = clerk.get(person, asked).content.decode()
        assert ('name="arrival" value="1"' in page) == is_arrival, "today is paid today"
    at = moment(TOMORROW, 7, 50)
    with time_machine.travel(at, tick=False):
        assert 'name="pay"' in shown(a_clerk(), row)
    with time_machine.travel(moment(TOMORROW, 8, 11), tick=False):
        registration.give_up_uncollected(appointment_id=row.pk, by=SYSTEM, at=moment(TOMORROW, 9))
        page = shown(a_clerk(), row)
        assert "号已让给现场患者" in page
        assert 'name="pay"' not in page
        assert a_clerk().post(reverse("window-collect", args=[row.number])).status_code == 302
    assert not SlipPrint.objects.exists()


def test_h3_03_a_wrong_registration_is_undone_on_the_spot(
    clerk: Client, account: StaffAccount
) -> None:
    """H3.3: cancelled with a reason, the notes handed back, the right doctor booked at once."""
    schedule = session()
    row = held(clerk, schedule)
    pay(clerk, row, "100")
    cancel = reverse("window-cancel", args=[row.number])
    assert clerk.post(cancel).status_code == 422
    assert clerk.post(cancel, {"reason": "挂错科室或医生"}).status_code == 302
    row.refresh_from_db()
    assert (row.status, row.cancel_reason) == (AppointmentStatus.CANCELLED, CancelReason.STAFF)
    assert "请退现金" in shown(clerk, row)
    told = Message.objects.get(kind="N05")
    assert told.fields["arrival"] == "现金付的，请到挂号窗口领取"
    back = reverse("window-cash-back", args=[row.number])
    assert clerk.post(back, {"fen": "9999", "key": "b0"}).status_code == 422
    for _ in range(2):
        assert clerk.post(back, {"fen": "2500", "key": "b"}).status_code == 302
    assert [one.kind for one in CashEntry.objects.order_by("pk")] == ["taken", "back"]
    assert book(clerk, row.patient, schedule, key="k9").status_code == 302
    shift = clerk.get("/staff/window/shift/").content.decode()
    assert "¥0.00" in shift
    entry = AuditEntry.objects.get(act="payments.hand_back_cash")
    assert entry.by == f"staff:{account.pk}"


def test_h9_03_another_days_cash_sends_the_patient_to_the_supervisor(clerk: Client) -> None:
    """H9.3: the page says where the notes are, instead of a button that is always refused."""
    row = held(clerk, a_released_schedule(day=TOMORROW, shares=HALF, at=NOW))
    pay(clerk, row, "25")
    back = reverse("window-cash-back", args=[row.number])
    with time_machine.travel(moment(TOMORROW, 7), tick=False):
        tomorrow = a_clerk()
        tomorrow.post(reverse("window-cancel", args=[row.number]), {"reason": "其他"})
        page = shown(tomorrow, row)
        assert "由收费主管退" in page
        assert back not in page
        assert tomorrow.post(back, {"fen": "2500", "key": "b"}).status_code == 403
        assert not CashEntry.objects.filter(kind="back").exists()
        listed = staff_client(Role.CASHIER_SUPERVISOR).get("/staff/cash-owed/").content.decode()
        assert row.bill.number in listed


def test_h3_03_an_exchange_settles_the_difference_both_ways(clerk: Client) -> None:
    """H3.3: 换号 is cancel and new in one: dearer asks for the difference, cheaper hands it back in
    notes, and cancelling in the end gives back all that was paid, of every bill."""
    dear, cheap = session(fee_fen=5000), session(fee_fen=1500)
    row = held(clerk, session(fee_fen=2500))
    pay(clerk, row, "25")
    stranger = book(clerk, a_patient(), dear, exchange=row.number, key="s")
    assert stranger.status_code == 403
    assert Appointment.objects.count() == 1
    book(clerk, row.patient, dear, exchange=row.number, key="x1")
    dearer = Appointment.objects.latest("pk")
    assert "应收 <strong>¥25.00</strong>" in shown(clerk, dearer)
    assert pay(clerk, dearer, "30", key="p2")["Location"].endswith("/slip/")
    row.refresh_from_db()
    assert (row.status, row.successor_id) == (AppointmentStatus.CANCELLED, dearer.pk)
    book(clerk, row.patient, cheap, exchange=dearer.number, key="x2")
    cheaper = Appointment.objects.latest("pk")
    assert "应退 <strong>¥35.00</strong>" in shown(clerk, cheaper)
    back = reverse("window-cash-back", args=[cheaper.number])
    assert clerk.post(back, {"fen": "3500", "key": "b1"}).status_code == 302
    clerk.post(reverse("window-cancel", args=[cheaper.number]), {"reason": "其他"})
    assert "应退 <strong>¥15.00</strong>" in shown(clerk, cheaper)
    for _ in range(2):
        assert clerk.post(back, {"fen": "1500", "key": "b2"}).status_code == 302
    given = sum(one.amount_fen for one in CashEntry.objects.filter(kind="back"))
    taken = sum(one.amount_fen for one in CashEntry.objects.filter(kind="taken"))
    assert (given, taken) == (5000, 5000)


def test_roles_that_have_no_window_open_none(wechat: StandIn) -> None:
    """X12: a doctor opens no window; a cashier takes money only at the cashier's place."""
    row = a_paid_booking()
    for role in (Role.DOCTOR, Role.CASHIER, Role.PHARMACIST):
        client = staff_client(role)
        assert client.get("/staff/window/").status_code == 403
        assert client.get(reverse("window-booking", args=[row.number])).status_code == 403
        assert client.post(reverse("window-cancel", args=[row.number])).status_code == 403
    row.refresh_from_db()
    assert row.status == AppointmentStatus.BOOKED
