"""急诊小票: printed before anybody has paid, saying so, and again later (M1.17)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from hospital.catalogue.states import ServiceKind
from hospital.identity.states import Role
from hospital.kernel.actors import SYSTEM
from hospital.payments import actions as payments
from hospital.registration.models import Appointment
from hospital.testing.bookings import a_booking
from hospital.testing.organisation import a_department, a_service_type
from hospital.testing.people import a_patient, staff_client
from hospital.testing.schedules import NOW, a_released_schedule
from hospital.window.models import SlipPrint

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def morning() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def registered(nurse: Client) -> Appointment:
    """Somebody comes to the emergency room; the page then offers the slip."""
    department = a_department(name="急诊科", is_bookable=False, walk_in_only=True)
    service = a_service_type(name="急诊", kind=ServiceKind.EMERGENCY)
    schedule = a_released_schedule(
        day=dt.date(2026, 11, 23), department=department, service_type=service
    )
    wish = {
        "act": "register",
        "patient": a_patient().outpatient_no,
        "session": str(schedule.pk),
        "acuity": "2",
        "key": "one",
    }
    page = nurse.post(reverse("registration-emergency"), wish, follow=True).content.decode()
    row = Appointment.objects.get(acuity__isnull=False)
    assert reverse("window-emergency-print", args=[row.number]) in page
    assert "已登记急诊" in page
    return row


@pytest.mark.parametrize("role", [Role.REGISTRATION_CLERK, Role.TRIAGE_NURSE])
def test_m1_17_the_slip_is_printed_before_the_money_and_says_so(role: Role) -> None:
    staff = staff_client(role)
    row = registered(staff)
    slip = reverse("window-emergency-slip", args=[row.number])
    door = reverse("window-emergency-print", args=[row.number])

    for _ in range(2):
        assert staff.post(door, {"key": "first"})["Location"] == slip
    for paper in ("80", "a5"):
        page = staff.get(slip, {"paper": paper}).content.decode()
        assert f"w-slip-{paper}" in page
        assert "未付费 · 信用担保" in page
        assert "Ⅱ级 危重" in page
    assert SlipPrint.objects.get().copy_no == 1
    row.refresh_from_db()
    assert (row.status, row.collected_at, row.bill.status) == ("checked_in", None, "issued")

    why = staff.post(door, {"key": "second"})
    assert (why.status_code, SlipPrint.objects.count()) == (409, 1)
    assert "补打请选择原因" in why.content.decode()
    staff.post(door, {"key": "third", "reason": "jam"})
    assert "补打第 1 次" in staff.get(slip).content.decode()

    payments.take_cash(
        bill_id=row.bill_id, shown_fen=2500, tendered_fen=2500, key="c", by=SYSTEM, at=NOW
    )
    later = staff.get(slip).content.decode()
    assert ("未付费" in later, "已支付" in later) == (False, True)


def test_m1_17_only_an_emergency_that_stands_has_such_a_slip() -> None:
    clerk, plain = staff_client(Role.REGISTRATION_CLERK), a_booking()
    row = registered(clerk)
    doors = ("window-emergency-print", "window-emergency-slip")
    assert clerk.post(reverse(doors[0], args=[plain.number]), {"key": "k"}).status_code == 404
    assert clerk.get(reverse(doors[1], args=[plain.number])).status_code == 404
    cashier = staff_client(Role.CASHIER)
    assert cashier.post(reverse(doors[0], args=[row.number]), {"key": "k"}).status_code == 403

    cancel = reverse("window-cancel", args=[row.number])
    clerk.post(cancel, {"reason": "挂错科室或医生"})

    assert clerk.post(reverse(doors[0], args=[row.number]), {"key": "k"}).status_code == 409
    assert not SlipPrint.objects.exists()


def test_m1_17_paid_for_at_the_window_another_slip_comes_by_itself_once() -> None:
    clerk = staff_client(Role.REGISTRATION_CLERK)
    row = registered(clerk)
    slip = reverse("window-emergency-slip", args=[row.number])
    door = reverse("window-emergency-print", args=[row.number])
    clerk.post(door, {"key": "first"})

    with time_machine.travel(NOW + dt.timedelta(minutes=10), tick=False):
        before = clerk.get(slip).content.decode()
        assert ("未付费" in before, "换打已付小票" in before) == (True, False)
        paid = {"pay": "25", "fen": "2500", "key": "money"}
        answer = clerk.post(reverse("window-pay", args=[row.number]), paid)

        assert answer["Location"] == reverse("window-slip", args=[row.number])
        assert "（缴费后换票）" in clerk.get(answer["Location"]).content.decode()
        assert clerk.post(door, {"key": "second"}).status_code == 409

    printed = SlipPrint.objects.order_by("copy_no").values_list("copy_no", "reason")
    assert list(printed) == [(1, ""), (2, "paid")]


def test_m1_17_paid_for_elsewhere_the_emergency_room_prints_another_without_a_reason() -> None:
    nurse = staff_client(Role.TRIAGE_NURSE)
    row = registered(nurse)
    slip = reverse("window-emergency-slip", args=[row.number])
    door = reverse("window-emergency-print", args=[row.number])
    nurse.post(door, {"key": "first"})
    paid_at = NOW + dt.timedelta(minutes=5)
    payments.take_cash(
        bill_id=row.bill_id, shown_fen=2500, tendered_fen=2500, key="c", by=SYSTEM, at=paid_at
    )

    with time_machine.travel(NOW + dt.timedelta(minutes=6), tick=False):
        assert "换打已付小票" in nurse.get(slip).content.decode()
        assert nurse.post(door, {"key": "second", "reason": "paid"})["Location"] == slip
        after = nurse.get(slip).content.decode()

    assert ("（缴费后换票）" in after, "换打已付小票" in after) == (True, False)
    assert list(SlipPrint.objects.order_by("copy_no").values_list("reason")) == [("",), ("paid",)]
