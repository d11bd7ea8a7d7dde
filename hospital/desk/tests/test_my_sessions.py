"""我的出诊 (M15.5): a doctor sees the own sessions, leave and wishes, and names only of today."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from hospital.identity.models import StaffAccount
from hospital.identity.states import Role
from hospital.kernel.actors import SYSTEM
from hospital.organisation.models import Practitioner
from hospital.scheduling import actions
from hospital.scheduling.models import RosterWish, Schedule
from hospital.scheduling.states import SessionPeriod
from hospital.testing.bookings import a_paid_booking
from hospital.testing.organisation import a_department, a_practitioner
from hospital.testing.people import a_staff, staff_client
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, moment

pytestmark = pytest.mark.django_db
TODAY = TOMORROW - dt.timedelta(days=1)
OWN = reverse("desk-my-sessions")


@pytest.fixture(autouse=True)
def _at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hospital.kernel.clock.now", lambda: NOW)


def a_doctor() -> tuple[Practitioner, Schedule, Client]:
    department = a_department()
    doctor = a_practitioner(department)
    session = a_released_schedule(
        day=TODAY,
        department=department,
        practitioner=doctor,
        starts=dt.time(14, 0),
        ends=dt.time(17, 0),
    )
    account = a_staff(Role.DOCTOR, department=department, practitioner=doctor)
    return doctor, session, staff_client(account=account)


def text(client: Client, address: str = OWN) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_m15_05_a_doctor_sees_own_sessions_counted_and_names_only_of_today() -> None:
    doctor, session, client = a_doctor()
    booked = a_paid_booking(schedule=session)
    later = a_released_schedule(department=session.department, practitioner=doctor)
    theirs = a_released_schedule()

    shown = text(client)

    assert "<b>1</b>/16" in shown
    assert booked.patient.name not in shown
    assert reverse("desk-my-patients", args=[session.pk]) in shown
    assert reverse("desk-my-patients", args=[later.pk]) not in shown
    assert reverse("registration-add-on", args=[later.pk]) in shown
    assert reverse("registration-add-on", args=[theirs.pk]) not in shown
    listed = text(client, reverse("desk-my-patients", args=[session.pk]))
    assert booked.number in listed
    assert booked.patient.name not in listed
    for other in (later, theirs):
        address = reverse("desk-my-patients", args=[other.pk])
        assert client.get(address).status_code == 404


def test_m15_05_a_night_is_the_doctors_own_until_the_morning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    doctor, session, _ = a_doctor()
    night = a_released_schedule(
        day=TODAY,
        department=session.department,
        practitioner=doctor,
        session_period=SessionPeriod.NIGHT,
        starts=dt.time(20, 0),
        ends=dt.time(8, 0),
    )
    shown = reverse("desk-my-patients", args=[night.pk])

    def client_at(hour: int) -> Client:
        monkeypatch.setattr("hospital.kernel.clock.now", lambda: moment(TOMORROW, hour))
        return staff_client(account=StaffAccount.objects.get(practitioner=doctor))

    late = client_at(2)
    assert shown in text(late)
    assert late.get(shown).status_code == 200
    assert reverse("desk-my-patients", args=[session.pk]) not in text(late)
    morning = client_at(9)
    assert shown not in text(morning)
    assert morning.get(shown).status_code == 404


def test_m15_05_who_stands_in_is_named_on_both_pages() -> None:
    doctor, session, client = a_doctor()
    colleague = a_practitioner(session.department, name="代诊医生")
    theirs = staff_client(account=a_staff(Role.DOCTOR, practitioner=colleague))

    actions.substitute(
        schedule_id=session.pk, practitioner_id=colleague.pk, reason="会议", by=SYSTEM, at=NOW
    )

    assert "由 代诊医生 替诊" in text(client)
    assert f"替 {doctor.name} 出诊" in text(theirs)
    assert client.get(reverse("desk-my-patients", args=[session.pk])).status_code == 404


def test_m15_05_wishes_are_kept_and_forgotten_by_their_doctor_alone() -> None:
    doctor, _, client = a_doctor()
    _, _, other = a_doctor()
    form = {"weekday": "5", "session_period": "pm", "mind": "rather_not", "weight": "3"}

    client.post(reverse("desk-wish"), form)
    wrong = client.post(reverse("desk-wish"), form | {"day": TOMORROW.isoformat()})

    assert wrong.status_code == 422
    wish = RosterWish.objects.get()
    assert (wish.practitioner_id, wish.weekday, wish.weight) == (doctor.pk, 5, 3)
    assert "每周五" in text(client)
    assert "每周五" not in text(other)
    forget = reverse("desk-forget-wish", args=[wish.pk])
    assert other.post(forget).status_code == 404
    assert RosterWish.objects.count() == 1
    client.post(forget)
    assert RosterWish.objects.count() == 0


def test_m15_05_an_account_without_a_doctor_is_told_so() -> None:
    client = staff_client(Role.DOCTOR)

    assert "您的账号没有关联医生" in text(client)
    form = {"weekday": "5", "mind": "wants", "weight": "1"}
    assert client.post(reverse("desk-wish"), form).status_code == 422
    assert RosterWish.objects.count() == 0
    assert staff_client(Role.CASHIER).get(OWN).status_code == 403
