"""The pages of holidays, needs and proposals over HTTP: what they do, and for whom."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from hospital.identity.states import Role
from hospital.kernel.actors import SYSTEM
from hospital.organisation.models import Department, Practitioner
from hospital.scheduling import actions, jobs
from hospital.scheduling.models import (
    CalendarDay,
    RosterEntry,
    RosterNeed,
    RosterProposal,
    Schedule,
)
from hospital.scheduling.states import DayKind, ProposalStatus, ScheduleStatus
from hospital.testing.organisation import a_department, a_practitioner, a_room, a_service_type
from hospital.testing.people import a_staff, staff_client
from hospital.testing.schedules import NOW, a_template

pytestmark = pytest.mark.django_db
HOLIDAY = dt.date(2026, 12, 1)
MONDAY = dt.date(2026, 12, 14)


@pytest.fixture(autouse=True)
def _at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hospital.kernel.clock.now", lambda: NOW)


@pytest.fixture
def office() -> Client:
    return staff_client(Role.OUTPATIENT_OFFICE)


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_m15_04_the_office_previews_a_holiday_and_then_keeps_it(office: Client) -> None:
    template = a_template(code="TUE")
    actions.generate_schedules(through=HOLIDAY, by=SYSTEM, at=NOW)
    session = Schedule.objects.get(template=template, visit_date=HOLIDAY)
    wish = {"day": HOLIDAY.isoformat(), "kind": "holiday", "name": "院庆", "year": "2026"}

    preview = office.get(reverse("scheduling-holidays"), wish).content.decode()

    assert "<b>1</b> 个还没放号的出诊会撤下" in preview
    assert CalendarDay.objects.count() == 0
    answer = office.post(reverse("scheduling-holidays-change"), wish)
    assert answer.status_code == 302
    row = CalendarDay.objects.get()
    assert (row.date, row.kind, row.name) == (HOLIDAY, DayKind.HOLIDAY, "院庆")
    session.refresh_from_db()
    assert session.status == ScheduleStatus.CANCELLED
    again = office.get(reverse("scheduling-holidays"), wish).content.decode()
    assert "不用保存" in again


@pytest.mark.parametrize(
    "wrong",
    [
        {"day": ""},
        {"kind": "party"},
        {"name": ""},
        {"day": "2026-11-22"},
        {"day": "9999-12-31"},
        {"name": "长" * 41},
    ],
)
def test_m15_04_a_wrong_day_changes_nothing(office: Client, wrong: dict[str, str]) -> None:
    form = {"day": HOLIDAY.isoformat(), "kind": "holiday", "name": "院庆"} | wrong

    answer = office.post(reverse("scheduling-holidays-change"), form)

    assert answer.status_code == 422
    assert CalendarDay.objects.count() == 0


def test_m15_04_an_unknown_year_is_refused_and_others_may_not_look(office: Client) -> None:
    fill = reverse("scheduling-holidays-fill")
    assert office.post(fill, {"year": "2027"}).status_code == 422
    assert "请照通知逐日点选" in text(office, reverse("scheduling-holidays") + "?year=2027")
    assert CalendarDay.objects.count() == 0
    doctor = staff_client(Role.DOCTOR)
    assert doctor.get(reverse("scheduling-holidays")).status_code == 403


class Clinic:
    """A department with a head, two doctors, a room, and Monday mornings by template."""

    def __init__(self) -> None:
        self.department: Department = a_department()
        self.doctors: list[Practitioner] = [
            a_practitioner(self.department, name=name) for name in ("陈甲", "陈乙")
        ]
        self.service = a_service_type()
        a_template(
            department=self.department,
            practitioner=self.doctors[0],
            service_type=self.service,
            room=a_room(department=self.department),
            weekday=1,
        )
        head = a_staff(
            Role.DEPARTMENT_HEAD, department=self.department, practitioner=self.doctors[1]
        )
        self.head = staff_client(account=head)

    def address(self, name: str) -> str:
        return reverse(name, args=[self.department.code])


def test_m15_05_a_head_enters_needs_asks_looks_and_takes_the_proposal_over() -> None:
    clinic = Clinic()
    page = clinic.address("scheduling-proposals")
    assert "还没有填写这个科室的出诊需求" in text(clinic.head, page)
    clinic.head.post(clinic.address("scheduling-needs-fill"))
    need = RosterNeed.objects.get()
    form = {
        "need": str(need.pk),
        "weekday": "1",
        "session_period": "am",
        "service_type": str(clinic.service.pk),
        "minimum_title": "",
        "minimum": "1",
        "target": "1",
        "starts": "08:00",
        "ends": "11:30",
        "capacity": "20",
        "band_minutes": "30",
    }
    wrong = clinic.head.post(clinic.address("scheduling-needs-save"), form | {"target": "0"})
    assert (wrong.status_code, RosterNeed.objects.get().capacity) == (422, 16)
    clinic.head.post(clinic.address("scheduling-needs-save"), form)
    assert "11:30" in text(clinic.head, clinic.address("scheduling-needs"))
    ask = {
        "from": MONDAY.isoformat(),
        "to": (MONDAY + dt.timedelta(days=13)).isoformat(),
        "person": [str(doctor.pk) for doctor in clinic.doctors],
    }
    assert clinic.head.post(page, ask | {"person": []}).status_code == 422
    for name, day in (("to", "9999-12-31"), ("from", "2026-11-23"), ("to", "x")):
        assert clinic.head.post(page, ask | {name: day}).status_code == 422

    answer = clinic.head.post(page, ask)

    proposal = RosterProposal.objects.get()
    here = reverse("scheduling-proposal", args=[proposal.pk])
    assert answer.headers["Location"] == here
    assert 'hx-trigger="every 2s"' in text(clinic.head, here)
    RosterProposal.objects.update(seconds=1)
    jobs.propose_roster(proposal_id=proposal.pk)
    shown = text(clinic.head, here)
    assert "every 2s" not in shown
    assert "采用为草稿" in shown
    taken = clinic.head.post(reverse("scheduling-proposal-take", args=[proposal.pk]))
    assert taken.headers["Location"].endswith(f"/{clinic.department.code}/2026-12-14/")
    sizes = RosterEntry.objects.filter(is_removed=False).values_list("visit_date", "capacity")
    assert sorted(sizes) == [(MONDAY, 16), (MONDAY + dt.timedelta(days=7), 16)]
    assert "12月14日起" in text(clinic.head, here)


def test_m15_05_another_departments_needs_and_proposals_are_not_found() -> None:
    mine, theirs = Clinic(), Clinic()
    theirs.head.post(theirs.address("scheduling-needs-fill"))
    proposal = RosterProposal.objects.create(
        department=theirs.department,
        from_date=MONDAY,
        to_date=MONDAY + dt.timedelta(days=7),
        people=[theirs.doctors[0].pk],
        seconds=5,
        status=ProposalStatus.WAITING,
        asked_by="staff:1",
        asked_at=NOW,
    )
    need = RosterNeed.objects.get()
    foreign = [theirs.address("scheduling-proposals"), theirs.address("scheduling-needs")]
    foreign.append(reverse("scheduling-proposal", args=[proposal.pk]))
    for address in foreign:
        assert mine.head.get(address).status_code == 404
    posts = [
        (theirs.address("scheduling-needs-remove"), {"need": str(need.pk)}),
        (mine.address("scheduling-needs-remove"), {"need": str(need.pk)}),
        (theirs.address("scheduling-needs-save"), {}),
        (theirs.address("scheduling-needs-fill"), {}),
        (reverse("scheduling-proposal-take", args=[proposal.pk]), {}),
        (reverse("scheduling-proposal-drop", args=[proposal.pk]), {}),
    ]
    for address, form in posts:
        assert mine.head.post(address, form).status_code == 404
    proposal.refresh_from_db()
    assert (proposal.status, RosterNeed.objects.count()) == (ProposalStatus.WAITING, 1)
    theirs.head.post(reverse("scheduling-proposal-drop", args=[proposal.pk]))
    proposal.refresh_from_db()
    assert proposal.status == ProposalStatus.DROPPED
