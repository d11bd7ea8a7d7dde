"""Break-glass: one doctor, one patient, two hours, a reason, and somebody else's review."""

import datetime as dt
from typing import Any

import pytest
import time_machine

from hospital.identity import actions
from hospital.identity import queries as identity
from hospital.identity.models import BreakGlass, StaffAccount
from hospital.identity.states import Role, Verdict
from hospital.kernel import clock, settings_rows
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid
from hospital.kernel.models import AuditEntry
from hospital.registration.models import Appointment
from hospital.registration.permissions import VIEW_APPOINTMENTS
from hospital.scheduling.permissions import VIEW_SOLD
from hospital.testing.bookings import a_booking
from hospital.testing.organisation import a_department, a_practitioner
from hospital.testing.people import a_staff, staff_client

pytestmark = pytest.mark.django_db
PAGE = "/staff/emergencies/"
REVIEWS = "/staff/emergency-reviews/"
REASON = "急诊会诊，需要核对就诊情况"


@pytest.fixture
def booked() -> Appointment:
    return a_booking(at=clock.now())


@pytest.fixture
def stranger() -> StaffAccount:
    """A doctor of another department."""
    return a_staff(Role.DOCTOR, department=a_department(), display_name="关鹤年")


def text(answer: Any) -> str:
    return str(answer.content.decode())


def whole(booked: Appointment) -> str:
    return f"/staff/appointments/{booked.number}/"


def opened(account: StaffAccount, booked: Appointment, reason: str = REASON) -> Any:
    typed = {"number": booked.patient.outpatient_no, "reason": reason}
    return staff_client(account=account).post(PAGE, typed)


def test_a_strangers_department_is_not_found(booked: Appointment, stranger: StaffAccount) -> None:
    client = staff_client(account=stranger)
    search = client.get("/staff/appointments/", {"q": booked.number})

    assert client.get(whole(booked)).status_code == 404
    assert "没有找到预约" in text(search)
    assert whole(booked) not in text(search)
    assert PAGE in text(search)
    assert booked.department.name not in text(
        client.get("/staff/board/", {"day": booked.visit_date.isoformat()})
    )


def test_the_own_department_is_there(booked: Appointment) -> None:
    for role in (Role.DOCTOR, Role.DEPARTMENT_HEAD):
        client = staff_client(account=a_staff(role, department=booked.department))

        assert client.get(whole(booked)).status_code == 200
        assert whole(booked) in text(client.get("/staff/appointments/", {"q": booked.number}))
        assert booked.department.name in text(
            client.get("/staff/board/", {"day": booked.visit_date.isoformat()})
        )


def test_own_is_the_own_sessions_and_no_others(booked: Appointment) -> None:
    grants = dict(identity.grants_of(role="doctor"))
    narrowed = grants | {VIEW_SOLD.code: "own", VIEW_APPOINTMENTS.code: "own"}
    asked = actions.ask_for_grants(
        role="doctor", wanted=narrowed, reason="试点", by=Actor("staff", 1), at=clock.now()
    )
    actions.approve_access(request_id=asked.pk, note="", by=Actor("staff", 2), at=clock.now())
    theirs = staff_client(account=a_staff(Role.DOCTOR, practitioner=booked.practitioner))
    colleague = a_practitioner(booked.department)
    other = staff_client(account=a_staff(Role.DOCTOR, practitioner=colleague))
    day = {"day": booked.visit_date.isoformat()}

    assert theirs.get(whole(booked)).status_code == 200
    assert booked.department.name in text(theirs.get("/staff/board/", day))
    assert other.get(whole(booked)).status_code == 404
    assert booked.department.name not in text(other.get("/staff/board/", day))


def test_a_reason_opens_one_patient_and_two_hours_close_it(
    booked: Appointment, stranger: StaffAccount
) -> None:
    other = a_booking()
    answer = opened(stranger, booked)

    row = BreakGlass.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"{PAGE}{row.pk}/"
    assert row.ends_at - row.begins_at == dt.timedelta(hours=2)
    client = staff_client(account=stranger)
    assert whole(booked) in text(client.get(answer["Location"]))
    assert client.get(whole(booked)).status_code == 200
    assert client.get(whole(other)).status_code == 404
    entry = AuditEntry.objects.get(act="identity.break_glass")
    assert (entry.person_id, entry.reason) == (booked.patient_id, REASON)
    assert AuditEntry.objects.filter(act="patients.view", person_id=booked.patient_id).exists()
    with time_machine.travel(row.ends_at):
        late = staff_client(account=stranger)
        assert late.get(whole(booked)).status_code == 404
        assert late.get(answer["Location"]).status_code == 409


def test_an_open_one_is_not_opened_twice(booked: Appointment, stranger: StaffAccount) -> None:
    first, second = opened(stranger, booked), opened(stranger, booked, "再看一次检查结果")

    assert first["Location"] == second["Location"]
    assert BreakGlass.objects.get().reason == REASON


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("", REASON),
        ("陈", REASON),
        ("chenxiaoning", REASON),
        ("0000000000", REASON),
        ("13800138000", REASON),  # a phone a whole family shares
        (None, "急"),
        (None, ""),
    ],
)
def test_without_one_patient_and_a_reason_nothing_opens(
    booked: Appointment, stranger: StaffAccount, number: str | None, reason: str
) -> None:
    a_booking()
    typed = booked.patient.outpatient_no if number is None else number
    answer = staff_client(account=stranger).post(PAGE, {"number": typed, "reason": reason})

    assert answer.status_code == 422
    assert not BreakGlass.objects.exists()


def test_another_doctors_opening_is_not_found(booked: Appointment, stranger: StaffAccount) -> None:
    address = opened(stranger, booked)["Location"]
    other = staff_client(account=a_staff(Role.DOCTOR, department=a_department()))

    assert other.get(address).status_code == 404
    assert other.get(whole(booked)).status_code == 404


def test_medical_affairs_reviews_once(booked: Appointment, stranger: StaffAccount) -> None:
    opened(stranger, booked)
    row = BreakGlass.objects.get()
    affairs = staff_client(account=a_staff(Role.MEDICAL_AFFAIRS, display_name="陆医务"))
    assert REASON in text(affairs.get(REVIEWS))

    answer = affairs.post(f"{REVIEWS}{row.pk}/", {"verdict": "justified", "note": "会诊记录属实"})

    assert answer.status_code == 302
    row.refresh_from_db()
    assert (row.verdict, row.review_note) == ("justified", "会诊记录属实")
    assert "会诊记录属实" in text(affairs.get(REVIEWS))
    again = affairs.post(f"{REVIEWS}{row.pk}/", {"verdict": "unjustified", "note": "改口"})
    row.refresh_from_db()
    assert (again.status_code, row.verdict) == (409, "justified")


@pytest.mark.parametrize(
    "typed", [{}, {"verdict": "perhaps", "note": "x"}, {"verdict": "justified"}]
)
def test_a_review_needs_a_verdict_and_words(
    booked: Appointment, stranger: StaffAccount, typed: dict[str, str]
) -> None:
    opened(stranger, booked)
    row = BreakGlass.objects.get()

    answer = staff_client(Role.MEDICAL_AFFAIRS).post(f"{REVIEWS}{row.pk}/", typed)

    row.refresh_from_db()
    assert (answer.status_code, row.verdict, row.reviewed_by) == (422, "", None)


def test_nobody_reviews_the_own(booked: Appointment) -> None:
    both = a_staff(Role.DOCTOR, Role.MEDICAL_AFFAIRS, department=a_department())
    opened(both, booked)
    row = BreakGlass.objects.get()

    with pytest.raises(actions.OwnEmergency):
        actions.review_break_glass(
            break_glass_id=row.pk,
            verdict=Verdict.JUSTIFIED,
            note="没问题",
            reviewer=both,
            by=Actor("staff", both.pk),
            at=clock.now(),
        )

    row.refresh_from_db()
    assert row.verdict == ""
    assert "由另一位同事审核" in text(staff_client(account=both).get(REVIEWS))


def test_the_time_may_be_shorter_but_not_longer(
    booked: Appointment, stranger: StaffAccount
) -> None:
    with pytest.raises(Invalid):
        actions.BREAK_GLASS_MINUTES.check(121)
    settings_rows.set_value(
        setting=actions.BREAK_GLASS_MINUTES,
        value=30,
        by=Actor("system"),
        at=clock.now() - dt.timedelta(seconds=1),
    )
    opened(stranger, booked)
    row = BreakGlass.objects.get()
    assert row.ends_at - row.begins_at == dt.timedelta(minutes=30)


@pytest.mark.parametrize("role", [Role.FINANCE, Role.MEDICAL_AFFAIRS, Role.SYSTEM_ADMIN])
def test_only_doctors_open(role: Role, booked: Appointment) -> None:
    answer = staff_client(role).post(
        PAGE, {"number": booked.patient.outpatient_no, "reason": REASON}
    )

    assert answer.status_code == 403
    assert not BreakGlass.objects.exists()
