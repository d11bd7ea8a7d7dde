"""E13, as far as registration goes: WeChat cannot be reached for half an hour.

The window registers and takes cash, nobody is told "failed" who may have paid, the numbers WeChat
users hold stay as they are (decision 0059), and when WeChat is back every doubt is settled once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from hospital.billing import queries as bills
from hospital.billing.models import Bill
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.payments.models import CashEntry, Payment, PaymentCase
from hospital.payments.states import LIVE, PaymentStatus
from hospital.payments.tests.world import start
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.states import Pool, SlotStatus
from hospital.testing.bookings import a_booking
from hospital.testing.jobs import run_jobs
from hospital.testing.people import a_patient, staff_client
from hospital.testing.schedules import NOW, a_released_schedule, band_of
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 23)
MINUTE = dt.timedelta(minutes=1)


class Hospital:
    """The hospital's clock and WeChat's, moved together; jobs run as they come due."""

    def __init__(self, wechat: StandIn, traveller: time_machine.Traveller) -> None:
        self.wechat, self._traveller = wechat, traveller
        self._follow()

    def wait(self, by: dt.timedelta) -> None:
        """Time passes for everybody, and the worker does what is due."""
        self._traveller.shift(by)
        self._follow()
        run_jobs()

    def _follow(self) -> None:
        ours = clock.now().timestamp()
        self.wechat.clock(ours - time_machine.escape_hatch.time.time(), wire=True)


@pytest.fixture
def hospital(wechat: StandIn) -> Iterator[Hospital]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield Hospital(wechat, traveller)
    wechat.clock(0, wire=True)


def register(client: Client, schedule: Schedule) -> Appointment:
    """The clerk holds a number for whoever stands there."""
    patient = a_patient()
    facts = {"schedule": schedule.pk, "d": schedule.department.code, "key": f"b{patient.pk}"}
    answer = client.post(reverse("window-book", args=[patient.outpatient_no]), facts)
    assert answer.status_code == 302, answer.content.decode()
    return Appointment.objects.get(patient=patient)


def pay(client: Client, row: Appointment, text: str, key: str) -> str:
    facts = {"pay": text, "key": key, "fen": row.bill.total_fen}
    answer = client.post(reverse("window-pay", args=[row.number]), facts)
    return str(answer.get("Location", "")) or answer.content.decode()


def free(schedule: Schedule, pool: Pool) -> int:
    return Slot.objects.filter(schedule=schedule, pool=pool, status=SlotStatus.FREE).count()


def test_e13_half_an_hour_without_wechat(hospital: Hospital) -> None:
    """E13, H3.4: window and cash go on; afterwards nothing was paid twice and nothing is open."""
    wechat = hospital.wechat
    schedule = a_released_schedule(
        day=TODAY,
        ends=dt.time(18, 0),
        capacity=40,
        shares={Pool.WECHAT: 24, Pool.WINDOW: 16},
        at=NOW,
    )
    later = band_of(schedule, 6)
    paid, open_one, unreached = (a_booking(schedule=schedule, band=later) for _ in range(3))
    for booking in (paid, open_one):
        start(booking.bill)
    clerk = staff_client(Role.REGISTRATION_CLERK)
    scanned = register(clerk, schedule)

    # The patient has just paid, and the notice never comes; then nothing of WeChat answers.
    wechat.pay(Payment.objects.get(allocations__bill=paid.bill).out_trade_no)
    code = wechat.scan_code()
    wechat.fault("connection_reset", times=1)
    assert "/booking/" in pay(clerk, scanned, code, "code")
    wechat.calm()
    wechat.fault("connection_reset", times=-1, value="before")
    kept = free(schedule, Pool.WECHAT)

    for minute in range(3, 31, 3):
        hospital.wait(3 * MINUTE)
        if minute % 9 == 0:
            row = register(clerk, schedule)
            assert pay(clerk, row, "50", f"cash{minute}").endswith("/slip/")
            address = reverse("window-booking", args=[scanned.number])
            shown = clerk.get(address).content.decode()
            assert "没有收款" not in shown
            assert 'name="pay"' not in shown, "nobody asks to pay again what may have been paid"
    assert "可能重复收款" in pay(clerk, scanned, "50", "again")
    assert CashEntry.objects.count() == 3
    # What was being paid is held though its time is over; what nobody began to pay is given up.
    for booking, status in (
        (paid, AppointmentStatus.PENDING),
        (open_one, AppointmentStatus.PENDING),
        (unreached, AppointmentStatus.CANCELLED),
    ):
        booking.refresh_from_db()
        assert booking.status == status
    assert free(schedule, Pool.WECHAT) == kept + 1
    assert free(schedule, Pool.WINDOW) < 16

    wechat.calm()
    for _ in range(4):
        hospital.wait(10 * MINUTE)
    for booking in (paid, open_one, scanned):
        booking.refresh_from_db()
    assert (paid.status, scanned.status) == (AppointmentStatus.BOOKED, AppointmentStatus.BOOKED)
    assert open_one.status == AppointmentStatus.CANCELLED
    assert not Payment.objects.filter(status__in=sorted(LIVE)).exists()
    assert not PaymentCase.objects.filter(closed_at__isnull=True).exists()
    _nothing_twice()


def _nothing_twice() -> None:
    """Every bill was paid once or not at all, and whoever has a number has paid for it."""
    assert bills.ledger_totals()["balance_fen"] == 0
    for bill in Bill.objects.all():
        cash = CashEntry.objects.filter(bill=bill, kind="taken").count()
        wechat = Payment.objects.filter(
            allocations__bill=bill, status=PaymentStatus.SUCCEEDED
        ).count()
        assert cash + wechat <= 1, bill.number
        booked = bill.appointment.status in (
            AppointmentStatus.BOOKED,
            AppointmentStatus.CHECKED_IN,
            AppointmentStatus.NOSHOW,
        )
        assert (cash + wechat == 1) == booked, bill.number
