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
from hospital.messaging.models import Message
from hospital.scheduling import actions
from hospital.scheduling.actions import CannotAskStop
from hospital.scheduling.holidays import SpecialDay
from hospital.scheduling.models import Schedule, StopRequest
from hospital.scheduling.states import DayKind
from hospital.testing.people import a_staff, staff_client
from hospital.testing.schedules import NOW, a_released_schedule, a_template

pytestmark = pytest.mark.django_db
OFFICE = Actor("staff", 1_000_007)


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def head() -> Actor:
    return Actor("staff", a_staff(Role.DEPARTMENT_HEAD).pk)


def ask(
    schedule: Schedule, head: Actor, reason: str = "surgery", note: str = "急诊手术"
) -> StopRequest:
    return actions.ask_stop(schedule_id=schedule.pk, reason=reason, note=note, by=head, at=NOW)


def told() -> list[str]:
    return [one.fields["result"] for one in Message.objects.filter(kind="S02").order_by("pk")]


def text_of(client: Client, page: str) -> str:
    return str(client.get(page).content.decode())


def test_sm1_a_stop_is_asked_for_once_and_the_session_goes_on_until_it_is_made(
    head: Actor,
) -> None:
    schedule = a_released_schedule()
    for reason, note in (("nonsense", ""), ("other", "")):
        with pytest.raises(Invalid):
            ask(schedule, head, reason, note)
    request = ask(schedule, head)
    with pytest.raises(CannotAskStop):
        ask(schedule, head)
    assert Schedule.objects.get().status == "released"
    assert StopRequest.objects.count() == 1

    actions.suspend_schedule(schedule_id=schedule.pk, reason="手术", by=OFFICE, at=NOW)

    request.refresh_from_db()
    assert (request.status, request.decided_by) == ("done", str(OFFICE))
    with pytest.raises(Stale):
        actions.refuse_stop(request_id=request.pk, note="晚了", by=head, at=NOW)
    with pytest.raises(CannotAskStop):
        ask(schedule, head)
    assert [entry.act for entry in AuditEntry.objects.filter(act__endswith="_stop")] == [
        "scheduling.ask_stop"
    ]
    (message,) = Message.objects.filter(kind="S02")
    assert (message.staff_id, message.fields["result"]) == (head.id, "已停诊")


def test_sm1_the_head_takes_the_request_back_and_may_ask_again(head: Actor) -> None:
    schedule = a_released_schedule()
    request = ask(schedule, head)

    actions.withdraw_stop(request_id=request.pk, by=head, at=NOW)

    request.refresh_from_db()
    assert (request.status, request.decided_by) == ("withdrawn", str(head))
    assert Schedule.objects.get().status == "released"
    with pytest.raises(Stale):
        actions.withdraw_stop(request_id=request.pk, by=head, at=NOW)
    again = ask(schedule, head)
    actions.refuse_stop(request_id=again.pk, note="请副主任替诊", by=OFFICE, at=NOW)
    with pytest.raises(Stale):
        actions.withdraw_stop(request_id=again.pk, by=head, at=NOW)
    assert told() == ["未同意：请副主任替诊"]


def test_sm1_what_is_taken_off_the_roster_answers_a_request_and_both_still_see_it(
    head: Actor,
) -> None:
    a_template()
    actions.make_missing(by=OFFICE, at=NOW)
    schedule = Schedule.objects.filter(status="published").latest("visit_date")
    ask(schedule, head)
    day = SpecialDay(kind=DayKind.HOLIDAY, name="院庆")

    actions.set_day(day=schedule.visit_date, special=day, by=OFFICE, at=NOW)

    schedule.refresh_from_db()
    assert (schedule.status, StopRequest.objects.get().status) == ("cancelled", "done")
    assert told() == ["已停诊"]
    page = staff_client(Role.OUTPATIENT_OFFICE).get(reverse("scheduling-leaves"))
    assert (page.status_code, "急诊手术" in page.content.decode()) == (HTTPStatus.OK, True)


def test_sm1_another_head_of_the_department_takes_it_back_and_the_first_is_told(
    head: Actor,
) -> None:
    request = ask(a_released_schedule(), head)
    other = Actor("staff", a_staff(Role.DEPARTMENT_HEAD).pk)

    actions.withdraw_stop(request_id=request.pk, by=other, at=NOW)

    assert told() == ["已由同科撤回"]


def test_sm1_a_stop_page_opened_before_the_request_was_taken_back_asks_again(head: Actor) -> None:
    schedule = a_released_schedule()
    request = ask(schedule, head)
    office, door = (
        staff_client(Role.OUTPATIENT_OFFICE),
        reverse("registration-stop", args=[schedule.pk]),
    )
    form = {"code": "surgery", "note": "", "asked": str(request.pk)}
    actions.withdraw_stop(request_id=request.pk, by=head, at=NOW)

    answer = office.post(door, form)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "仍要停诊的，请再按一次" in answer.content.decode()
    assert Schedule.objects.get().status == "released"
    assert office.post(door, {**form, "asked": ""}).status_code == HTTPStatus.FOUND
    assert Schedule.objects.get().status == "suspended"


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


def test_sm1_only_the_own_department_takes_a_request_back() -> None:
    schedule = a_released_schedule()
    head = staff_client(account=a_staff(Role.DEPARTMENT_HEAD, department=schedule.department))
    stranger = staff_client(
        account=a_staff(Role.DEPARTMENT_HEAD, department=a_released_schedule().department)
    )
    office, leaves = staff_client(Role.OUTPATIENT_OFFICE), reverse("scheduling-leaves")
    head.post(reverse("scheduling-ask-stop", args=[schedule.pk]), {"reason": "meeting"})
    door = reverse("scheduling-stop-withdraw", args=[StopRequest.objects.get().pk])

    assert (door in text_of(head, leaves), door in text_of(office, leaves)) == (True, False)
    assert stranger.post(door).status_code == HTTPStatus.NOT_FOUND
    assert office.post(door).status_code == HTTPStatus.FORBIDDEN
    assert StopRequest.objects.get().status == "asked"
    assert head.post(door).status_code == HTTPStatus.FOUND
    text_of(head, leaves)  # where it is said once
    page = text_of(head, leaves)
    assert ("已撤回" in page, door in page) == (True, False)
