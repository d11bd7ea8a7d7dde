"""M1.15: accounts that book as people who sell numbers do come before the office, who decides."""

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from hospital.identity.models import WeChatUser
from hospital.identity.states import Role
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid, Refusal
from hospital.kernel.models import AuditEntry
from hospital.patients.models import PatientBinding
from hospital.registration import actions, jobs
from hospital.registration.models import BookingAlert
from hospital.registration.states import AlertKind
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.people import a_patient, a_wechat_user, patient_client, staff_client
from hospital.testing.schedules import NOW, a_released_schedule, band_of

pytestmark = pytest.mark.django_db
SURNAMES = ("赵大", "钱二", "孙三", "李四")
LATER = NOW + dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def _monday() -> Iterator[None]:
    with time_machine.travel(LATER, tick=False):
        yield


def books_for(user: WeChatUser, names: tuple[str, ...]) -> None:
    for name in names:
        schedule = a_released_schedule(capacity=4)
        a_paid_booking(user=user, patient=a_patient(user, name=name), schedule=schedule)


def swaps(user: WeChatUser, times: int) -> None:
    """Gives a number back, and somebody else of the same account takes the session's next."""
    by, soon = Actor("patient", user.pk), NOW + dt.timedelta(minutes=5)
    friday, saturday = (a_patient(user, name=name) for name in ("周五", "周六"))
    for _ in range(times):
        schedule = a_released_schedule(capacity=4)
        first = a_booking(user=user, patient=friday, schedule=schedule)
        actions.cancel(number=first.number, by=by, at=NOW)
        again = a_booking(user=user, patient=saturday, schedule=schedule, at=soon)
        actions.release_unpaid(
            appointment_id=again.pk, by=SYSTEM, at=soon + dt.timedelta(minutes=15)
        )


def open_kinds() -> list[tuple[str, int]]:
    rows = BookingAlert.objects.filter(status="open").order_by("pk")
    return list(rows.values_list("kind", "count"))


def an_alert() -> BookingAlert:
    books_for(a_wechat_user(), SURNAMES)
    actions.raise_alerts(by=SYSTEM, at=LATER)
    return BookingAlert.objects.get()


def test_m1_15_four_surnames_on_one_account_are_an_alert_three_are_none() -> None:
    family = a_wechat_user()
    books_for(family, ("陈一", "陈二", "陈三", "林四"))
    books_for(a_wechat_user(), SURNAMES[:3])
    jobs.raise_alerts()
    assert open_kinds() == []

    books_for(a_wechat_user(), SURNAMES)
    jobs.raise_alerts()
    jobs.raise_alerts()

    assert open_kinds() == [("surnames", 4)]


def test_m1_15_giving_back_and_booking_for_another_three_times_is_an_alert() -> None:
    swaps(a_wechat_user(), 2)
    assert actions.raise_alerts(by=SYSTEM, at=LATER) == 0
    swaps(a_wechat_user(), 3)

    assert actions.raise_alerts(by=SYSTEM, at=LATER) == 1

    assert open_kinds() == [("swapping", 3)]
    assert AlertKind.SWAPPING.label == "退号后换人重约"


def test_m1_15_numbers_let_lapse_or_exchanged_away_are_passed_on_as_well() -> None:
    user = a_wechat_user()
    by, late = Actor("patient", user.pk), NOW + dt.timedelta(minutes=16)
    soon = late + dt.timedelta(minutes=1)
    friday, saturday = (a_patient(user, name=name) for name in ("周五", "周六"))
    for number in range(3):
        schedule = a_released_schedule()
        if number:
            first = a_booking(user=user, patient=friday, schedule=schedule)
            assert actions.release_unpaid(appointment_id=first.pk, by=SYSTEM, at=late)
        else:
            first = a_paid_booking(user=user, patient=friday, schedule=schedule)
            to = a_released_schedule(department=schedule.department, day=dt.date(2026, 11, 25))
            actions.exchange(
                number=first.number,
                schedule_id=to.pk,
                band_id=band_of(to).pk,
                key="x",
                by=by,
                at=NOW,
            )
        assert actions.raise_alerts(by=SYSTEM, at=LATER) == 0
        again = a_booking(user=user, patient=saturday, schedule=schedule, at=soon)
        actions.release_unpaid(appointment_id=again.pk, by=SYSTEM, at=LATER)

    assert actions.raise_alerts(by=SYSTEM, at=LATER) == 1
    assert open_kinds() == [("swapping", 3)]


def test_m1_15_a_decision_stands_until_something_new_happens() -> None:
    alert = an_alert()
    user = alert.wechat_user
    actions.decide_alert(alert_id=alert.pk, blocks=False, reason="家人", by=SYSTEM, at=LATER)
    assert actions.raise_alerts(by=SYSTEM, at=LATER) == 0
    again = {"alert_id": alert.pk, "reason": "x", "by": SYSTEM, "at": LATER}
    with pytest.raises(actions.AlertDecided):
        actions.decide_alert(blocks=True, **again)  # type: ignore[arg-type]

    schedule = a_released_schedule(day=dt.date(2026, 11, 26), at=LATER)
    patient = PatientBinding.objects.filter(wechat_user=user).earliest("pk").patient
    a_booking(user=user, patient=patient, schedule=schedule, at=LATER)

    assert actions.raise_alerts(by=SYSTEM, at=LATER) == 1
    user.refresh_from_db()
    assert not user.is_blocked


def test_m1_15_blocking_stops_the_account_online_and_lifting_serves_it_again() -> None:
    alert = an_alert()
    user, by = alert.wechat_user, Actor("staff", 7)
    with pytest.raises(Invalid):
        actions.decide_alert(alert_id=alert.pk, blocks=True, reason=" ", by=by, at=LATER)
    alert.refresh_from_db()
    assert alert.status == "open"

    actions.decide_alert(alert_id=alert.pk, blocks=True, reason="倒号", by=by, at=LATER)

    assert patient_client(user).get("/m/appointments/").status_code == 403
    assert AuditEntry.objects.filter(act="identity.set_blocked", reason="倒号").count() == 1
    actions.lift_block(alert_id=alert.pk, reason="已核实", by=by, at=LATER)
    assert patient_client(user).get("/m/appointments/").status_code == 200
    with pytest.raises(Refusal):
        actions.lift_block(alert_id=alert.pk, reason="已核实", by=by, at=LATER)
    alert.refresh_from_db()
    assert (alert.status, alert.reason, alert.decided_by) == ("lifted", "已核实", "staff:7")


def test_the_office_decides_on_a_page_without_names() -> None:
    alert = an_alert()
    office = staff_client(Role.OUTPATIENT_OFFICE)
    listed = office.get(reverse("registration-alerts")).content.decode()
    page = reverse("registration-alert", args=[alert.pk])
    assert page in listed
    shown = office.get(page).content.decode()
    assert "4" in shown
    assert not any(name in shown for name in SURNAMES)
    for wrong in ({}, {"verdict": "block"}, {"verdict": "x", "reason": "倒号"}):
        assert office.post(page, wrong).status_code == 422
    alert.refresh_from_db()
    assert alert.status == "open"

    done = office.post(page, {"verdict": "block", "reason": "倒号"})

    assert done.status_code == 302
    assert office.post(page, {"verdict": "dismiss", "reason": "再点一次"}).status_code == 422
    decided = office.get(reverse("registration-alerts"), {"show": "decided"}).content.decode()
    assert "已停用" in decided
    assert office.post(page, {"verdict": "lift", "reason": "核实"}).status_code == 302


def test_nobody_else_sees_the_alerts() -> None:
    alert = an_alert()
    for client in (staff_client(Role.REGISTRATION_CLERK), Client()):
        for url in (
            reverse("registration-alerts"),
            reverse("registration-alert", args=[alert.pk]),
        ):
            assert client.get(url).status_code in (302, 403)
    alert.refresh_from_db()
    assert alert.status == "open"
