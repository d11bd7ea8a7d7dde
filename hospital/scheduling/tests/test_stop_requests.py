"""停诊申请: the department head asks, the office stops the session or says why not (SM1)."""

from collections.abc import Iterator
from http import HTTPStatus

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from hospital.identity.states import Role
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, Stale
from hospital.kernel.models import AuditEntry
from hospital.scheduling import actions
from hospital.scheduling.actions import CannotAskStop
from hospital.scheduling.models import Schedule, StopRequest
from hospital.testing.people import a_staff, staff_client
from hospital.testing.schedules import NOW, a_released_schedule

pytestmark = pytest.mark.django_db
HEAD = Actor("staff", 5)


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def ask(schedule: Schedule, reason: str = "surgery", note: str = "急诊手术") -> StopRequest:
    return actions.ask_stop(schedule_id=schedule.pk, reason=reason, note=note, by=HEAD, at=NOW)


def text_of(client: Client, page: str) -> str:
    return str(client.get(page).content.decode())


def test_sm1_a_stop_is_asked_for_once_and_the_session_goes_on_until_it_is_made() -> None:
    schedule = a_released_schedule()
    for reason, note in (("nonsense", ""), ("other", "")):
        with pytest.raises(Invalid):
            ask(schedule, reason, note)
    request = ask(schedule)
    with pytest.raises(CannotAskStop):
        ask(schedule)
    assert Schedule.objects.get().status == "released"
    assert StopRequest.objects.count() == 1

    actions.suspend_schedule(schedule_id=schedule.pk, reason="手术", by=Actor("staff", 7), at=NOW)

    request.refresh_from_db()
    assert (request.status, request.decided_by) == ("done", "staff:7")
    with pytest.raises(Stale):
        actions.refuse_stop(request_id=request.pk, note="晚了", by=HEAD, at=NOW)
    with pytest.raises(CannotAskStop):
        ask(schedule)
    assert [entry.act for entry in AuditEntry.objects.filter(act__endswith="_stop")] == [
        "scheduling.ask_stop"
    ]


def test_sm1_the_head_asks_on_the_sessions_page_and_both_see_how_it_ended() -> None:
    schedule = a_released_schedule()
    head = staff_client(account=a_staff(Role.DEPARTMENT_HEAD, department=schedule.department))
    stranger = staff_client(
        account=a_staff(Role.DEPARTMENT_HEAD, department=a_released_schedule().department)
    )
    office, leaves = staff_client(Role.OUTPATIENT_OFFICE), reverse("scheduling-leaves")
    page = reverse("scheduling-ask-stop", args=[schedule.pk])
    form = {"reason": "meeting", "note": "院周会"}

    assert page in text_of(head, reverse("scheduling-session", args=[schedule.pk]))
    board = f"{reverse('desk-board')}?day={schedule.visit_date}"
    assert page in text_of(head, board)
    assert page not in text_of(office, board)
    assert page not in text_of(office, reverse("scheduling-session", args=[schedule.pk]))
    assert stranger.post(page, form).status_code == HTTPStatus.NOT_FOUND
    assert head.post(page, {"note": "x"}).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert StopRequest.objects.count() == 0
    assert head.post(page, form).status_code == HTTPStatus.FOUND
    assert "院周会" in text_of(office, reverse("registration-stop", args=[schedule.pk]))
    assert "办理停诊" in text_of(office, leaves)
    assert "办理停诊" not in text_of(head, leaves)
    assert "停诊申请" not in text_of(stranger, leaves)

    refuse = reverse("scheduling-stop-refuse", args=[StopRequest.objects.get().pk])
    assert head.post(refuse, {"note": "x"}).status_code == HTTPStatus.FORBIDDEN
    assert office.post(refuse, {"note": ""}).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert StopRequest.objects.get().status == "asked"
    office.post(refuse, {"note": "请副主任替诊"})
    for client in (head, office):
        assert "请副主任替诊" in text_of(client, leaves)
    assert Schedule.objects.get(pk=schedule.pk).status == "released"
