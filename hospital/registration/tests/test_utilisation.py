"""The use of numbers (M2.6), counted by hand and by SQL; the page, its filters and its files."""

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from openpyxl import load_workbook
from pytest_django import DjangoAssertNumQueries

from hospital.identity.states import Role
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.models import AuditEntry
from hospital.registration import actions
from hospital.registration.models import Appointment
from hospital.registration.utilisation import (
    Bookings,
    Kept,
    Numbers,
    Utilisation,
    sum_bookings,
    sum_numbers,
    utilisation,
)
from hospital.scheduling import actions as scheduling
from hospital.scheduling.models import Schedule
from hospital.scheduling.states import Channel, Pool
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.organisation import a_department
from hospital.testing.people import a_patient, a_staff, staff_client
from hospital.testing.schedules import (
    NOW,
    TOMORROW,
    a_released_schedule,
    an_unreleased_schedule,
    band_of,
    moment,
)

pytestmark = pytest.mark.django_db
PAGE, EXPORT = "/staff/utilisation/", "/staff/utilisation/export/"
WEDNESDAY = TOMORROW + dt.timedelta(days=1)
LATER = TOMORROW + dt.timedelta(days=7)


@pytest.fixture(autouse=True)
def _monday_at_ten() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def text(answer: object) -> str:
    assert isinstance(answer, HttpResponse)
    return " ".join(answer.content.decode().split())


def cancel(booked: Appointment) -> None:
    assert booked.wechat_user_id is not None
    actions.cancel(number=booked.number, by=Actor("patient", booked.wechat_user_id), at=NOW)


def a_hand_counted_week() -> tuple[Schedule, Schedule, Schedule]:
    """Tuesday: 16 numbers, 3 paid, 1 given back, 1 unpaid, 2 withheld. Wednesday: 16 numbers, 2
    paid and then called off. In a week: 16 numbers nobody can have yet."""
    first = a_released_schedule()
    second = a_released_schedule(day=WEDNESDAY)
    coming = an_unreleased_schedule()
    for _ in range(3):
        a_paid_booking(schedule=first)
    cancel(a_paid_booking(schedule=first))
    a_booking(schedule=first, band=band_of(first, 1))
    free = first.slots.filter(status="free").order_by("-sequence_no")[:2]
    scheduling.block_numbers(
        schedule_id=first.pk,
        slot_ids=[slot.pk for slot in free],
        reason="会议",
        by=SYSTEM,
        at=NOW,
    )
    for _ in range(2):
        a_paid_booking(schedule=second)
    scheduling.suspend_schedule(schedule_id=second.pk, reason="生病", by=SYSTEM, at=NOW)
    return first, second, coming


def counted(**more: object) -> Utilisation:
    return utilisation(first=TOMORROW, latest=LATER, **more)  # type: ignore[arg-type]


def test_m2_06_numbers_by_department_and_day_as_counted_by_hand(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    first, second, coming = a_hand_counted_week()

    with django_assert_num_queries(2):
        found = counted()

    by_place = {(row.department_id, row.day): row.count for row in found.numbers}
    assert by_place == {
        (first.department_id, TOMORROW): Numbers(
            sessions=1, suspended=0, numbers=16, released=14, held=1, sold=3, blocked=2, added=0
        ),
        (second.department_id, WEDNESDAY): Numbers(
            sessions=1, suspended=1, numbers=16, released=2, held=0, sold=2, blocked=14, added=0
        ),
        (coming.department_id, LATER): Numbers(
            sessions=1, suspended=0, numbers=16, released=0, held=0, sold=0, blocked=0, added=0
        ),
    }
    assert by_place[first.department_id, TOMORROW].fill == 29  # 4 of 14
    whole = sum_numbers(by_place.values())
    assert (whole.numbers, whole.sold, whole.blocked, whole.offered) == (48, 5, 16, 32)


def test_m2_06_bookings_by_channel_as_counted_by_hand() -> None:
    first, _, _ = a_hand_counted_week()

    found = counted(department_ids=[first.department_id])

    (row,) = found.bookings
    assert (row.department_id, row.day, row.channel) == (
        first.department_id,
        TOMORROW,
        Channel.WECHAT,
    )
    assert row.count == Bookings(
        booked=4,
        cancelled=1,
        late=0,
        by_hospital=0,
        no_show=0,
        add_on=0,
        unpaid=0,
        held=1,
        lead_days=4,
        leads=(0, 4, 0, 0, 0),
    )
    # Nobody's time has come yet: that is no rate of nought.
    assert (row.count.lead, row.count.cancel_percent, row.count.no_show_percent) == (
        1.0,
        25.0,
        None,
    )


def test_m2_06_no_shows_are_counted_among_those_who_should_have_come_by_now() -> None:
    past, coming = a_released_schedule(), a_released_schedule(day=WEDNESDAY)
    for _ in range(3):
        a_paid_booking(schedule=coming)
    first, *others = [a_paid_booking(schedule=past, band=band_of(past, 2)) for _ in range(4)]
    cancel(a_paid_booking(schedule=past))
    for row in others:
        actions.check_in(number=row.number, by=SYSTEM, at=moment(TOMORROW, 10))
    actions.end_visit(appointment_id=first.pk, by=SYSTEM, at=moment(TOMORROW, 12, 30))

    whole = sum_bookings(row.count for row in counted().bookings)

    assert (whole.booked, whole.cancelled, whole.no_show, whole.came) == (8, 1, 1, 3)
    assert whole.no_show_percent == 25.0


def test_m2_06_who_never_paid_is_no_booking_and_add_ons_stand_apart() -> None:
    schedule = a_released_schedule()
    unpaid = a_booking(schedule=schedule)
    slot = scheduling.add_slot(
        band_id=schedule.bands.earliest("starts_at").pk,
        until=NOW + dt.timedelta(hours=2),
        by=SYSTEM,
        at=NOW,
    )
    later = NOW + dt.timedelta(minutes=16)
    scheduling.free_slot(slot_id=unpaid.slot_id, by=SYSTEM, at=later)
    Appointment.objects.filter(pk=unpaid.pk).update(
        status="cancelled", cancel_reason="payment_timeout", cancelled_at=later
    )

    found = counted()

    assert slot.is_add_on
    assert sum_numbers(row.count for row in found.numbers) == Numbers(
        sessions=1, numbers=16, released=16, added=1
    )
    assert sum_bookings(row.count for row in found.bookings) == Bookings(unpaid=1)


def test_m2_06_a_channels_numbers_stay_its_own_after_they_were_merged() -> None:
    """What each channel was given, and how much of it went while it was its own; a merged number
    somebody has afterwards is nobody's success."""
    shares = {Pool.WECHAT: 8, Pool.WINDOW: 4, Pool.KIOSK: 2, Pool.RESERVED: 2}
    schedule = a_released_schedule(band_minutes=240, shares=shares)
    for _ in range(2):
        a_paid_booking(schedule=schedule)
    a_booking(schedule=schedule)
    actions.book(
        patient_id=a_patient().pk,
        schedule_id=schedule.pk,
        band_id=None,
        channel=Channel.PHONE,
        key="phone",
        by=Actor("staff", 1),
        at=NOW,
    )
    before = {row.pool: row.count for row in counted().kept}
    assert before[Pool.WECHAT] == Kept(numbers=8, released=8, taken=3)
    assert before[Pool.KIOSK].fill == 0

    midnight = moment(TOMORROW, 0)
    scheduling.merge_due(today=TOMORROW, at=midnight)
    a_paid_booking(schedule=schedule, at=midnight)

    found = counted()
    assert {row.pool: row.count for row in found.kept} == {
        Pool.WECHAT: Kept(numbers=8, released=8, taken=3, merged=5),
        Pool.WINDOW: Kept(numbers=4, released=4, taken=0, merged=2),
        Pool.KIOSK: Kept(numbers=2, released=2, taken=0, merged=2),
        Pool.RESERVED: Kept(numbers=2, released=2, taken=1, merged=1),
    }
    assert sum_numbers(row.count for row in found.numbers) == Numbers(
        sessions=1, numbers=16, released=16, held=2, sold=3
    )
    held = {row.channel: (row.count.booked, row.count.held) for row in found.bookings}
    assert held == {Channel.WECHAT: (3, 1), Channel.PHONE: (0, 1)}
    with time_machine.travel(midnight, tick=False):
        shown = text(staff_client(Role.OUTPATIENT_OFFICE).get(PAGE))
    first = {
        label: re.findall(r'x-num"> ?(.*?) ?</td>', shown.split(f"<td>{label}</td>")[1])[:3]
        for label in ("微信", "自助机", "电话", "预留")
    }
    assert list(first.values()) == [
        ["8", "8", "<b>38%</b>"],
        ["2", "2", "<b>0%</b>"],
        ["—", "—", "—"],
        ["2", "2", "<b>50%</b>"],
    ]


def test_lead_time_is_counted_in_hospital_days() -> None:
    schedule = a_released_schedule(day=WEDNESDAY)
    almost_midnight = NOW.replace(hour=15, minute=59)
    after = NOW.replace(hour=16, minute=1)
    for at in (almost_midnight, after):
        a_paid_booking(schedule=schedule, at=at)

    (row,) = counted().bookings

    assert (row.count.lead_days, row.count.leads) == (3, (0, 1, 1, 0, 0))


def test_the_page_shows_the_figures_and_links_to_the_day() -> None:
    first, _, _ = a_hand_counted_week()
    office = staff_client(Role.OUTPATIENT_OFFICE)

    shown = text(office.get(PAGE, {"first": "2026-11-24", "latest": "2026-12-01"}))

    assert f'href="/staff/numbers/?day=2026-11-24&amp;department={first.department_id}"' in shown
    assert ">29</a>" in shown
    assert "已约 3 待支付 1 号源 16 停号 2" in shown
    assert "这段时间没有出诊" in text(
        office.get(PAGE, {"first": "2026-01-01", "latest": "2026-01-02"})
    )
    assert (
        office.get(PAGE, {"first": "x", "latest": "9999-99-99", "department": "x"}).status_code
        == 200
    )
    long = text(office.get(PAGE, {"first": "2026-01-01", "latest": "2026-12-31"}))
    assert "一次最多看 92 天，已显示到 2026年4月2日" in long


def test_a_department_head_sees_the_own_department_only() -> None:
    first, second, _ = a_hand_counted_week()
    other = a_department(name="别的科室")
    a_released_schedule(department=other)
    head = staff_client(account=a_staff(Role.DEPARTMENT_HEAD, department=other))
    range_ = {"first": "2026-11-24", "latest": "2026-12-01"}

    shown = text(head.get(PAGE, range_))
    asked = text(head.get(PAGE, range_ | {"department": str(first.department_id)}))
    taken = head.get(EXPORT, range_ | {"form": "csv", "department": str(second.department_id)})

    assert "别的科室" in shown
    assert "已约 3" not in shown
    assert "这段时间没有出诊" in asked
    assert len(taken.content.decode("utf-8-sig").splitlines()) == 1
    assert staff_client(Role.REGISTRATION_CLERK).get(PAGE).status_code == 403


def test_the_same_goes_out_as_a_file_and_that_is_on_record() -> None:
    department = a_department(name="=SUM(1)科")
    a_paid_booking(schedule=a_released_schedule(department=department))
    office: Client = staff_client(Role.OUTPATIENT_OFFICE)
    asked = {"first": "2026-11-24", "latest": "2026-11-24"}

    book = office.get(EXPORT, asked)
    plain = office.get(EXPORT, asked | {"form": "csv"})

    sheet = load_workbook(io.BytesIO(book.content)).active
    assert sheet is not None
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0][:5] == ["科室", "就诊日", "出诊", "停诊", "号源"]
    assert rows[1][0] == "=SUM(1)科"
    assert sheet["A2"].data_type == "s"
    assert rows[0][10:19] == [
        "渠道",
        "渠道号源",
        "渠道已放",
        "渠道停号",
        "渠道约出",
        "渠道并入公共",
        "渠道约出率%",
        "预约",
        "待支付预约",
    ]
    assert rows[1][2:19] == [1, 0, 16, 16, 0, 1, 0, 0, "微信", 16, 16, 0, 1, 0, 6, 1, 0]
    lines = list(csv.reader(io.StringIO(plain.content.decode("utf-8-sig"))))
    assert lines[1][0] == "'=SUM(1)科"
    assert lines[1][4] == "16"
    assert (
        plain["Content-Disposition"] == 'attachment; filename="utilisation-20261124-20261124.csv"'
    )
    noted = AuditEntry.objects.filter(act="registration.export_utilisation")
    assert [entry.after["rows"] for entry in noted] == [1, 1]


def test_m2_03_the_office_sees_who_is_affected() -> None:
    schedule = a_released_schedule()
    stands, given_back = a_paid_booking(schedule=schedule), a_paid_booking(schedule=schedule)
    cancel(given_back)
    office = staff_client(Role.OUTPATIENT_OFFICE)
    page = f"/staff/numbers/{schedule.pk}/booked/"

    shown = text(office.get(page))

    assert f'href="/staff/appointments/{stands.number}/"' in shown
    assert given_back.number not in shown
    assert stands.patient.name not in shown
    assert "<html" not in text(office.get(page, headers={"HX-Request": "true"}))
    stranger = staff_client(account=a_staff(Role.DOCTOR, department=a_department()))
    assert stranger.get(page).status_code == 404
