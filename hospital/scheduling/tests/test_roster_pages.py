"""The roster's pages over HTTP: who reaches which department, what is refused and shown, without a
script as with one."""

import datetime as dt
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from hospital.identity.models import StaffAccount
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.organisation.models import Practitioner
from hospital.scheduling import actions
from hospital.scheduling.models import Roster, Schedule, ScheduleTemplate
from hospital.scheduling.states import RosterStatus
from hospital.scheduling.tests.roster_world import MONDAY, TUESDAY, Clinic, a_clinic
from hospital.testing.organisation import a_department, a_practitioner
from hospital.testing.people import a_staff, staff_client
from hospital.testing.schedules import NOW, a_template

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def client_of(clinic: Clinic, who: str = "head") -> Client:
    actor = clinic.head if who == "head" else clinic.office
    return staff_client(account=StaffAccount.objects.get(pk=actor.id))


def step(client: Client, clinic: Clinic, *, htmx: bool = True, **body: Any) -> Any:
    url = reverse("scheduling-roster-step", args=[clinic.roster.pk])
    headers = {"HX-Request": "true"} if htmx else {}
    return client.post(url, {"version": clinic.version, **body}, headers=headers)


def key(doctor: Practitioner | None, day: dt.date = TUESDAY, period: str = "am") -> str:
    return f"{day.isoformat()}_{period}_{doctor.pk if doctor else 0}"


def test_m15_02_the_overview_names_what_the_templates_could_not_make() -> None:
    clinic = a_clinic()
    other = a_department(name="骨伤科")
    first = a_template(department=other, code="FIRST")
    second = a_template(department=other, code="SECOND")
    ScheduleTemplate.objects.filter(pk=second.pk).update(room=first.room)  # as once imported
    actions.make_missing(by=SYSTEM, at=clock.now())
    overview, words = reverse("scheduling-rosters"), "诊室这时已有别的出诊"

    assert words in client_of(clinic, "office").get(overview).content.decode()
    assert words not in client_of(clinic).get(overview).content.decode()


def test_m15_01_a_head_sees_the_own_department_only_and_the_office_all() -> None:
    clinic = a_clinic()
    other = a_department(name="骨伤科")
    stranger = staff_client(account=a_staff(Role.DEPARTMENT_HEAD, department=other))
    overview = reverse("scheduling-rosters")
    week = reverse("scheduling-roster", args=[clinic.department.code, MONDAY.isoformat()])
    opening = reverse("scheduling-roster-open", args=[clinic.department.code, "2026-12-21"])

    assert "骨伤科" not in client_of(clinic).get(overview).content.decode()
    assert "骨伤科" in client_of(clinic, "office").get(overview).content.decode()
    for answer in (
        stranger.get(week),
        stranger.post(opening),
        stranger.get(reverse("scheduling-roster-cell", args=[clinic.roster.pk])),
        stranger.get(reverse("scheduling-roster-changes", args=[clinic.roster.pk])),
        stranger.get(reverse("scheduling-roster-bulk", args=[clinic.roster.pk])),
        step(stranger, clinic, do="put", cell=key(clinic.chief), text="301"),
        stranger.post(
            reverse("scheduling-roster-advance", args=[clinic.roster.pk]), {"do": "submit"}
        ),
    ):
        assert answer.status_code == HTTPStatus.NOT_FOUND
    decide = reverse("scheduling-roster-decide", args=[clinic.roster.pk])
    assert client_of(clinic).post(decide).status_code == HTTPStatus.FORBIDDEN
    assert clinic.standing() == []
    assert Roster.objects.count() == 1


def test_m15_02_a_refused_step_is_explained_in_its_cell_and_keeps_the_grid() -> None:
    clinic = a_clinic()
    clinic.put()
    client = client_of(clinic)

    answer = step(
        client, clinic, do="put", cell=key(clinic.other), text=f"{clinic.service.code} 301 20"
    )

    page = answer.content.decode()
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    cell = page.split(f'data-cell="{key(clinic.other)}"')[1].split("</td>")[0]
    assert "301诊室 12月15日（周二）上午排了两次出诊" in cell
    assert len(clinic.standing()) == 1

    unread = step(client, clinic, do="put", cell=key(clinic.other), text="牙科 302")
    assert "没有看懂“牙科”" in unread.content.decode()
    assert len(clinic.standing()) == 1


def test_m15_01_without_a_script_a_cell_is_a_page_with_a_form() -> None:
    clinic = a_clinic()
    client = client_of(clinic)
    form = reverse("scheduling-roster-cell", args=[clinic.roster.pk])
    asked = client.get(form, {"cell": key(clinic.chief)})
    assert asked.context["chosen"]["room"] == str(clinic.room.pk)
    body = {**asked.context["chosen"], "service_type": clinic.service.pk, "do": "put"}

    wrong = step(client, clinic, htmx=False, **{**body, "starts": "", "capacity": "viele"})
    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert {"starts", "capacity"} <= set(wrong.context["errors"])
    assert clinic.standing() == []

    saved = step(client, clinic, htmx=False, **body)
    assert saved.status_code == HTTPStatus.FOUND
    assert clinic.standing() == [(TUESDAY, "am", "陈知行", "301诊室")]

    entry = clinic.roster.entries.get()
    step(client, clinic, htmx=False, do="move", entry=entry.pk, cell=key(None, MONDAY, "pm"))
    assert clinic.standing() == [(MONDAY, "pm", "", "301诊室")]
    step(client, clinic, htmx=False, do="copy", entry=entry.pk, day=TUESDAY.isoformat())
    step(client, clinic, htmx=False, do="remove", entry=entry.pk)
    assert clinic.standing() == [(TUESDAY, "pm", "", "301诊室")]
    step(client, clinic, htmx=False, do="undo")
    step(client, clinic, htmx=False, do="redo")
    assert clinic.standing() == [(TUESDAY, "pm", "", "301诊室")]


def test_m15_01_sessions_of_another_department_are_neither_copied_nor_changed() -> None:
    clinic, other = a_clinic(), a_clinic(department=a_department(name="骨伤科"))
    theirs = other.put()
    client = client_of(clinic)

    bodies: tuple[dict[str, Any], ...] = (
        {"do": "copy", "entry": theirs.pk, "cell": key(clinic.chief)},
        {"do": "copy", "entry": theirs.pk, "day": MONDAY.isoformat()},
        {"do": "move", "entry": theirs.pk, "cell": key(clinic.chief)},
        {"do": "remove", "entry": theirs.pk},
        {"do": "put", "entry": theirs.pk, "cell": key(clinic.chief), "text": "5"},
    )
    for body in bodies:
        answer = step(client, clinic, **body)
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "骨伤科" not in answer.content.decode()

    assert clinic.standing() == []
    assert len(other.standing()) == 1


def test_m2_06_many_at_once_are_told_first_and_then_put() -> None:
    clinic = a_clinic()
    a_template(department=clinic.department, weekday=2, practitioner=clinic.chief)
    client = client_of(clinic)
    url = reverse("scheduling-roster-bulk", args=[clinic.roster.pk])

    told = client.get(url, {"from": "templates"})
    assert len(told.context["put"]) == 1
    assert clinic.standing() == []

    body = {"from": "templates", "version": clinic.version}
    assert client.post(url, body).status_code == HTTPStatus.FOUND
    again = client.post(url, body)
    assert again.status_code == HTTPStatus.CONFLICT
    assert len(clinic.standing()) == 1


def test_m15_01_submitted_seen_and_published_over_http_pressing_twice_does_it_once() -> None:
    clinic = a_clinic()
    clinic.put()
    head, office = client_of(clinic), client_of(clinic, "office")
    advance = reverse("scheduling-roster-advance", args=[clinic.roster.pk])
    decide = reverse("scheduling-roster-decide", args=[clinic.roster.pk])
    seen = clinic.version

    assert head.post(advance, {"do": "submit", "version": seen}).status_code == HTTPStatus.FOUND
    assert head.post(advance, {"do": "submit", "version": seen}).status_code == HTTPStatus.CONFLICT
    untold = office.post(decide, {"do": "return", "version": clinic.version, "reason": " "})
    assert untold.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    seen = clinic.version
    assert office.post(decide, {"do": "publish", "version": seen}).status_code == HTTPStatus.FOUND
    twice = office.post(decide, {"do": "publish", "version": seen})

    assert twice.status_code == HTTPStatus.CONFLICT
    clinic.roster.refresh_from_db()
    assert clinic.roster.status == RosterStatus.PUBLISHED
    assert Schedule.objects.count() == 1
    week = office.get(
        reverse("scheduling-roster", args=[clinic.department.code, MONDAY.isoformat()])
    )
    assert "已发布" in week.content.decode()


def test_a_grid_of_many_takes_as_many_statements_as_one_of_few(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    clinic = a_clinic()
    clinic.put()
    client, url = (
        client_of(clinic),
        reverse("scheduling-roster", args=[clinic.department.code, MONDAY.isoformat()]),
    )
    client.get(url)
    with django_assert_max_num_queries(60) as few:
        client.get(url)
    for number in range(4):
        doctor = a_practitioner(clinic.department, name=f"医生{number}")
        clinic.put(
            practitioner_id=doctor.pk,
            room_id=clinic.spare.pk,
            visit_date=MONDAY + dt.timedelta(days=number),
        )

    with django_assert_max_num_queries(len(few)):
        client.get(url)


def test_m2_06_a_week_nobody_can_reach_copies_nothing() -> None:
    clinic = a_clinic()
    clinic.put()
    client = client_of(clinic)
    url = reverse("scheduling-roster-bulk", args=[clinic.roster.pk])

    for source in ("9999-12-27", "0001-01-01", "2026-12-08", MONDAY.isoformat(), "下周"):
        told = client.get(url, {"from": source})
        done = client.post(url, {"from": source, "version": clinic.version})
        assert (told.status_code, done.status_code) == (HTTPStatus.OK, HTTPStatus.OK)
        assert (told.context["put"], told.context["source"]) == ([], "")

    assert len(clinic.standing()) == 1


def test_m15_01_a_time_with_more_to_it_is_the_hour_and_minute() -> None:
    clinic = a_clinic()
    body: dict[str, Any] = {
        "do": "put",
        "day": TUESDAY.isoformat(),
        "period": "am",
        "practitioner": "0",
        "service_type": clinic.service.pk,
        "room": clinic.room.pk,
        "starts": "08:00:30+09:00",
        "ends": "11:30",
        "capacity": "10",
        "band_minutes": "30",
    }

    assert step(client_of(clinic), clinic, **body).status_code == HTTPStatus.OK

    entry = clinic.roster.entries.get()
    assert (entry.starts, entry.ends) == (dt.time(8), dt.time(11, 30))
